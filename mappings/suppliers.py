"""Whether a supplier or a manufacturer wrote a paper (suppliers.yaml)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from mappings.chart import Chart
from mappings.codes import key, systems
from mappings.documents import read
from mappings.fhir import Organization, Practitioner, PractitionerRole, Reference, Resource
from mappings.pumps import texts_of
from mappings.tables import table
from mappings.words import has_words

_NUCC = systems()["nucc"].uri
_PERSONS = ("Practitioner", "Patient", "RelatedPerson")


class _Table(Struct, frozen=True, forbid_unknown_fields=True):
    nucc: tuple[str, ...]
    type_words: tuple[str, ...]
    names: tuple[str, ...]


@table
def _table() -> _Table:
    return read(Path(__file__).parent / "suppliers.yaml", _Table)


def by_supplier(chart: Chart, authors: Sequence[Reference], written: Resource) -> bool:
    """Whether every author of `written` is plainly a supplier or a manufacturer, or works for one.

    An author who is not known leaves it open, and so does a paper without an author: both count as
    the record's own.
    """
    return bool(authors) and all(_is_supplier(chart, author, written) for author in authors)


def _is_supplier(chart: Chart, author: Reference | None, written: Resource) -> bool:
    if author is None:
        return False
    found = chart.resolve(author, written)
    if isinstance(found, PractitionerRole):
        return _works_for_supplier(chart, found)
    if isinstance(found, Practitioner):
        roles = [role for role in chart.of(PractitionerRole) if chart.resolve(role.practitioner) is found]
        return bool(roles) and all(_works_for_supplier(chart, role) for role in roles)
    return _names_supplier(author, found)


def _works_for_supplier(chart: Chart, role: PractitionerRole) -> bool:
    employer = role.organization
    return employer is not None and _names_supplier(employer, chart.resolve(employer, role))


def _names_supplier(reference: Reference, found: Resource | None) -> bool:
    """Whether a reference leads to a supplier, or names one that is not in the chart."""
    if isinstance(found, Organization):
        return is_supplier(found)
    kind = reference.type or reference.reference.rpartition("/")[0].rpartition("/")[2]
    return found is None and kind not in _PERSONS and _named(reference.display)


def is_supplier(organization: Organization) -> bool:
    """Whether an Organization says that it supplies or makes equipment: type, then words."""
    rules = _table()
    codings = [key(coding) for concept in organization.type for coding in concept.coding]
    if any(system == _NUCC and code.startswith(rules.nucc) for system, code in codings):
        return True
    types = [text for concept in organization.type for text in texts_of(concept)]
    if any(has_words(text, word) for text in types for word in rules.type_words):
        return True
    return any(_named(text) for text in (organization.name, *organization.alias, *types))


def _named(text: str) -> bool:
    return any(has_words(text, name) for name in _table().names)
