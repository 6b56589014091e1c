"""Who pays under a Coverage: the names and identifiers of its payors, as written and as on file."""

from __future__ import annotations

from msgspec import Struct

from mappings.chart import Chart
from mappings.fhir import Coverage, Identifier, Organization, Patient, Reference, Resource


class Payor(Struct, frozen=True):
    """One payor of a Coverage: where it is named, its names and identifiers."""

    names: tuple[str, ...]
    identifiers: tuple[Identifier, ...]
    resource: Resource | None
    is_person: bool = False


def payors_of(coverage: Coverage, chart: Chart) -> list[Payor]:
    """The payors of a Coverage, in its order; an Organization's name and aliases go before the display."""
    return [_payor(reference, coverage, chart) for reference in coverage.payor]


def names_of(payors: list[Payor]) -> tuple[str, ...]:
    """All names of all payors."""
    return tuple(name for payor in payors for name in payor.names)


def _payor(reference: Reference, coverage: Coverage, chart: Chart) -> Payor:
    resource = chart.resolve(reference, coverage)
    identifiers = (reference.identifier,) if reference.identifier is not None else ()
    names = (reference.display,) if reference.display else ()
    if isinstance(resource, Organization):
        written = tuple(name for name in (resource.name, *resource.alias) if name)
        return Payor(tuple(dict.fromkeys(written + names)), identifiers + resource.identifier, resource)
    person = isinstance(resource, Patient) or reference.reference.startswith(("Patient/", "RelatedPerson/"))
    return Payor(names, identifiers, resource, person)
