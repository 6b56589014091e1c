"""Which professional role a degree, a role code, a specialty or a name suffix stands for (roles.yaml)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from mappings.codes import SNOMED, key, systems
from mappings.documents import read
from mappings.fhir import CodeableConcept
from mappings.pumps import texts_of
from mappings.tables import table
from mappings.words import folded, has_words

NUCC = systems()["nucc"].uri
_PRACTITIONER_ROLE = "http://terminology.hl7.org/CodeSystem/practitioner-role"
_DEGREE_SYSTEMS = (
    "http://terminology.hl7.org/CodeSystem/v2-0360",
    "http://terminology.hl7.org/CodeSystem/v2-2.7-0360",
    "http://hl7.org/fhir/v2/0360",
)


class _Field(Struct, frozen=True, forbid_unknown_fields=True):
    nucc: tuple[str, ...]
    open: tuple[str, ...]
    snomed: tuple[str, ...]
    words: tuple[str, ...]


class _Table(Struct, frozen=True, forbid_unknown_fields=True):
    order: tuple[str, ...]
    physicians: tuple[str, ...]
    degrees: dict[str, tuple[str, ...]]
    degree_words: dict[str, tuple[str, ...]]
    roles: dict[str, dict[str, str]]
    specialties: dict[str, str]
    fields: dict[str, _Field]


@table
def _table() -> _Table:
    return read(Path(__file__).parent / "roles.yaml", _Table)


@table
def _degrees() -> dict[str, str]:
    return {_plain(degree): role for role, degrees in _table().degrees.items() for degree in degrees}


def _plain(degree: str) -> str:
    return degree.replace(".", "").replace(" ", "").upper()


def is_physician(role: str) -> bool:
    """Whether a role is that of a doctor of medicine or osteopathy."""
    return role in _table().physicians


def first_of(roles: Iterable[str]) -> str:
    """The most telling of several roles of one person; "" for none."""
    given = set(roles)
    return next((role for role in _table().order if role in given), "")


def role_of_degree(concept: CodeableConcept | None) -> str:
    """The role of a qualification: its degree code, else its words; "" when it tells none."""
    if concept is None:
        return ""
    codes = [c.code for c in concept.coding if not c.system or c.system in _DEGREE_SYSTEMS]
    by_code = [_degrees()[_plain(code)] for code in codes if _plain(code) in _degrees()]
    if by_code:
        return first_of(by_code)
    nucc = [role for c in concept.coding if (role := _of_specialty_code(*key(c)))]
    if nucc:
        return first_of(nucc)
    return _of_words(texts_of(concept))


def _of_words(texts: Iterable[str]) -> str:
    found = []
    for text in texts:
        if _plain(text) in _degrees():
            found.append(_degrees()[_plain(text)])
        # "Physician Assistant" must not be read as a physician, nor the reverse: phrases are whole.
        found += [
            role
            for role, phrases in _table().degree_words.items()
            if any(has_words(text, p) for p in phrases)
        ]
    return first_of(found)


def role_of_suffix(suffixes: Iterable[str]) -> str:
    """The role of a name's suffixes ("MD", "M.D., FACP", "DNP, FNP-BC"); "" when they tell none."""
    words = [word for suffix in suffixes for word in suffix.replace(";", ",").split(",")]
    return first_of(_degrees()[_plain(word)] for word in words if _plain(word) in _degrees())


def role_of_code(concept: CodeableConcept) -> str:
    """The role of a PractitionerRole.code; "" when it is not known."""
    found: list[str] = []
    for coding in concept.coding:
        system, code = key(coding)
        table = _table().roles.get(
            {SNOMED: "snomed", _PRACTITIONER_ROLE: "practitioner-role"}.get(system, ""), {}
        )
        found += filter(None, (table.get(code, ""), _of_specialty_code(system, code)))
    if found:
        return first_of(found)
    text = next(iter(texts_of(concept)), "")
    return "physician" if folded(text) in ("physician", "doctor") else _of_words((text,))


def role_of_specialty(concept: CodeableConcept) -> str:
    """The role that a NUCC specialty implies (363L... is a nurse practitioner); "" for another code."""
    return first_of(role for coding in concept.coding if (role := _of_specialty_code(*key(coding))))


def _of_specialty_code(system: str, code: str) -> str:
    if system != NUCC:
        return ""
    prefixes = [prefix for prefix in _table().specialties if code.startswith(prefix)]
    return _table().specialties[max(prefixes, key=len)] if prefixes else ""


def is_neurology(concept: CodeableConcept) -> bool | None:
    """Whether a specialty is neurology; None when its code does not tell."""
    return in_field(concept, "neurology")[0]


def in_field(concept: CodeableConcept, field: str) -> tuple[bool | None, bool]:
    """(Whether a specialty belongs to a field, whether it is a wider or neighbouring one).

    None where its code or its words do not tell. field: a key of `fields` in roles.yaml.
    """
    table = _table().fields[field]
    answers: list[bool | None] = []
    wider = False
    for coding in concept.coding:
        system, code = key(coding)
        if system == NUCC and code:
            wider = wider or code in table.open
            answers.append(code in table.nucc if code not in table.open else None)
        elif system == SNOMED and code in table.snomed:
            answers.append(True)
    if answers:
        return (True if True in answers else answers[0]), wider
    words = [text for text in texts_of(concept) if any(has_words(text, phrase) for phrase in table.words)]
    return (True if words else None), False
