"""Who calls, as far as CRD counts it: the NPI of the user and of the user's organisation."""

from __future__ import annotations

import re

from mappings.chart import Chart
from mappings.fhir import Organization, Practitioner, PractitionerRole, Reference

_NPI_SYSTEM = "http://hl7.org/fhir/sid/us-npi"
_NPI = re.compile(r"[0-9]{10}")


def npis(user_id: str, chart: Chart) -> tuple[str, str]:
    """The NPI of a user (`context.userId`) and of the organisation, "" where the chart has none."""
    user = chart.resolve(Reference(reference=user_id))
    practitioner, roles = user, [role for role in chart.of(PractitionerRole) if _is_of(role, user_id)]
    if isinstance(user, PractitionerRole):
        practitioner, roles = chart.resolve(user.practitioner, user), [user]
    organizations = [chart.resolve(role.organization, role) for role in roles]
    return _npi(practitioner), next(filter(None, map(_npi, organizations)), "")


def _is_of(role: PractitionerRole, user_id: str) -> bool:
    return role.practitioner is not None and role.practitioner.reference == user_id


def _npi(resource: object) -> str:
    if not isinstance(resource, Practitioner | Organization):
        return ""
    numbers = (entry.value for entry in resource.identifier if entry.system == _NPI_SYSTEM)
    return next((number for number in numbers if _NPI.fullmatch(number)), "")
