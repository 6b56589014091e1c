"""Who orders: role, specialty, and whether the orderer treats the patient."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from mappings.chart import reference_of
from mappings.dates import before, span
from mappings.evidence import Basis, Evidence, Reading, Reason, unknown
from mappings.fhir import Encounter, Practitioner, PractitionerRole, Reference, Request
from mappings.operators.base import Context
from mappings.pumps import texts_of
from mappings.roles import (
    NUCC,
    first_of,
    is_neurology,
    is_physician,
    role_of_code,
    role_of_degree,
    role_of_specialty,
    role_of_suffix,
)

_TREATING_WINDOW = "P12M"
_NOT_SEEN = ("planned", "cancelled", "entered-in-error")
_NO_ORDERER = "The order does not tell who orders it."


class Orderer(Struct, frozen=True):
    """The requester of an order, as far as the chart knows the person."""

    reference: Reference
    practitioner: Practitioner | None
    roles: tuple[PractitionerRole, ...]

    @property
    def names(self) -> frozenset[str]:
        """The references under which the person may take part in an encounter."""
        found = {self.reference.reference, *(reference_of(role) for role in self.roles)}
        found |= {role.practitioner.reference for role in self.roles if role.practitioner is not None}
        if self.practitioner is not None:
            found.add(reference_of(self.practitioner))
        return frozenset(_tail(name) for name in found if name)


def _tail(reference: str) -> str:
    """Type/id of a reference, whatever server or version it names."""
    return "/".join(reference.split("/_history")[0].split("/")[-2:])


def orderer_of(context: Context, request: Request) -> Orderer | None:
    """The person who requests; None without a requester or when an organization requests."""
    chart, reference = context.chart, request.requester
    if reference is None:
        return None
    found = chart.resolve(reference, request)
    if isinstance(found, PractitionerRole):
        person = chart.resolve(found.practitioner, found)
        return Orderer(reference, person if isinstance(person, Practitioner) else None, (found,))
    person = found if isinstance(found, Practitioner) else None
    name = _tail(reference.reference)
    if person is None and not name.startswith("Practitioner/"):
        return None
    wanted = {name} | ({reference_of(person)} if person is not None else set())
    roles = tuple(
        role
        for role in chart.of(PractitionerRole)
        if role.practitioner is not None and _tail(role.practitioner.reference) in wanted
    )
    return Orderer(reference, person, roles)


def _orderer(context: Context) -> Orderer | None:
    """The orderer of the pump, else of its drug."""
    requests = (context.order.resource, *context.order.drug_orders)
    return next((found for request in requests if (found := orderer_of(context, request)) is not None), None)


def _roles(context: Context, orderer: Orderer) -> Iterator[tuple[str, Evidence]]:
    """(role, where it stands), the most reliable source first."""
    person = orderer.practitioner
    if person is not None:
        degrees = [
            (role_of_degree(q.code), q) for q in person.qualification if not _expired(context, q.period)
        ]
        role = first_of(role for role, _ in degrees if role)
        if role:
            yield role, context.evidence(person, value=role, says="qualification")
        role = first_of(filter(None, (role_of_suffix(name.suffix) for name in person.name)))
        if role:
            yield role, context.evidence(person, value=role, says="name suffix")
    for practitioner_role in orderer.roles:
        for says, roles in (
            ("specialty", map(role_of_specialty, practitioner_role.specialty)),
            ("role", map(role_of_code, practitioner_role.code)),
        ):
            role = first_of(filter(None, roles))
            if role:
                yield role, context.evidence(practitioner_role, value=role, says=says)


def _expired(context: Context, period: object) -> bool:
    end = span(getattr(period, "end", ""))
    return end is not None and end.on_or_after(context.as_of) is False


def orderer_role(context: Context) -> Reading:
    """MD, DO, PA, NP, CNS, APRN, ... by degree, name suffix, specialty and role.

    A physician of whom MD or DO is not told is read as MD: no known criterion tells them apart.
    """
    orderer = _orderer(context)
    if orderer is None:
        return _failed(context) or unknown(Reason.NO_DATA, _NO_ORDERER)
    found = list(_roles(context, orderer))
    evidence = tuple(entry for _, entry in found)
    if not found:
        note = "The chart does not tell the orderer's profession; the qualification would settle it."
        return _failed(context) or unknown(Reason.NO_DATA, note)
    if len({is_physician(role) for role, _ in found}) > 1 and not _only_generic(found):
        return unknown(
            Reason.CONFLICTING, "The chart calls the orderer a physician and something else.", evidence
        )
    role = found[0][0]
    if role == "physician":
        told = first_of(role for role, _ in found if role != "physician")
        if not told:
            note = "A physician; whether MD or DO is not stated."
            return Reading("MD", evidence=evidence, note=note, inferred=True)
        role = told
    return Reading(role, evidence=evidence)


def _only_generic(found: list[tuple[str, Evidence]]) -> bool:
    """A role code that only says "other" contradicts nothing."""
    return all(is_physician(role) or role == "other" for role, _ in found)


def _failed(context: Context) -> Reading | None:
    failure = context.chart.failure(Practitioner, PractitionerRole)
    return unknown(Reason.FETCH_FAILED, f"The orderer could not be read: {failure}.") if failure else None


def orderer_is_physician(context: Context) -> Reading:
    """Whether the orderer is a doctor of medicine or osteopathy."""
    role = orderer_role(context)
    if not role.known:
        return role
    return Reading(is_physician(role.value), evidence=role.evidence, note=role.note)


def orderer_specialty(context: Context) -> Reading:
    """The NUCC code of the orderer's specialty; the words are the note."""
    orderer = _orderer(context)
    if orderer is None:
        return unknown(Reason.NO_DATA, _NO_ORDERER)
    for role in orderer.roles:
        for concept in role.specialty:
            for coding in concept.coding:
                if coding.system == NUCC and coding.code:
                    text = next(iter(texts_of(concept)), "")
                    shown = context.evidence(role, value=coding.code, says=text)
                    return Reading(coding.code, evidence=(shown,), note=text)
    return unknown(Reason.NO_DATA, "The chart does not tell the orderer's specialty.")


def neurologist_prescriber(context: Context) -> Reading:
    """Whether the prescriber of the drug (else of the pump) is a neurologist, by specialty."""
    requests = (*context.order.drug_orders, context.order.resource)
    orderer = next((o for request in requests if (o := orderer_of(context, request)) is not None), None)
    if orderer is None:
        return unknown(Reason.NO_DATA, "The order does not tell who prescribes the drug.")
    answers: list[tuple[bool, Evidence]] = []
    for role in orderer.roles:
        for concept in role.specialty:
            answer = is_neurology(concept)
            if answer is not None:
                shown = context.evidence(role, value=answer, says=next(iter(texts_of(concept)), ""))
                answers.append((answer, shown))
    for wanted in (True, False):
        evidence = tuple(entry for answer, entry in answers if answer is wanted)
        if evidence:
            return Reading(wanted, evidence=evidence)
    return unknown(Reason.NO_DATA, "The chart does not tell the prescriber's specialty.")


def orderer_is_treating(context: Context) -> Reading:
    """True when the orderer saw the patient in the last 12 months, or in the order's encounter.

    Interpretation: no policy says how recent; a year is the longest interval that any of them lets
    pass between visits and orders. Not being on a visit is no proof of the contrary.
    """
    orderer = _orderer(context)
    if orderer is None:
        return unknown(Reason.NO_DATA, _NO_ORDERER)
    own = context.chart.resolve(context.order.resource.encounter, context.order.resource)
    start = before(context.as_of, _TREATING_WINDOW)
    for encounter in context.chart.of(Encounter):
        if encounter.status in _NOT_SEEN or not _takes_part(orderer, encounter):
            continue
        written = encounter.period.start if encounter.period is not None else ""
        day = span(written) if written else None
        if encounter is own or (day is not None and day.within(start, context.as_of)):
            shown = context.evidence(encounter, written, True, says="visit with the orderer")
            return Reading(True, evidence=(shown,), basis=Basis.RECORD)
    failure = context.chart.failure(Encounter)
    if failure:
        return unknown(Reason.FETCH_FAILED, f"Encounters could not be read: {failure}.")
    return unknown(Reason.NO_DATA, "No visit of the last 12 months names the orderer.")


def _takes_part(orderer: Orderer, encounter: Encounter) -> bool:
    names = (p.individual.reference for p in encounter.participant if p.individual is not None)
    return any(_tail(name) in orderer.names for name in names if name)
