"""When the patient was last seen by the practitioner who orders."""

from __future__ import annotations

from mappings.chart import reference_of
from mappings.dates import Span, span
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import Encounter, Practitioner, PractitionerRole, Reference, Resource
from mappings.operators.base import Context, operator

_TOOK_PLACE = ("finished", "in-progress", "onleave", "completed")


@operator(Encounter, Practitioner, PractitionerRole)
def last_visit(context: Context, with_orderer: bool = True) -> Reading:
    """The date of the last visit on or before day 0 that took place.

    with_orderer: the ordering practitioner took part; the treating practitioner is the one who
    orders. A PractitionerRole stands for its Practitioner, and a Practitioner is the same by
    reference or by identifier (NPI). In person or by telehealth, in or out of hospital: all are
    visits; planned, cancelled and missed ones are none.

    Unknown, with the visits as evidence: only visits with others, or with nobody named, or an
    orderer who cannot be told.
    """
    visits = [
        (day, encounter)
        for encounter in context.chart.of(Encounter)
        if encounter.status in _TOOK_PLACE and encounter.period is not None
        if (day := span(encounter.period.start)) is not None and day.on_or_before(context.as_of)
    ]
    visits.sort(key=lambda visit: (visit[0].last, visit[0].first))
    if not visits:
        return unknown(Reason.NO_DATA)
    if with_orderer:
        orderer = _identities(context, context.order.resource.requester, context.order.resource)
        mine = [visit for visit in visits if orderer & _participants(context, visit[1])]
    else:
        orderer, mine = set(), visits
    if mine:
        day, encounter = mine[-1]
        return Reading(day, evidence=(_evidence(context, day, encounter),))
    others = tuple(_evidence(context, day, encounter) for day, encounter in visits[-3:])
    if not orderer:
        return unknown(Reason.NO_DATA, "the order does not tell who orders", others)
    return unknown(Reason.NO_DATA, "the visits on file do not name the ordering practitioner", others)


def _evidence(context: Context, day: Span, encounter: Encounter) -> Evidence:
    period = encounter.period
    names = [p.individual.display or p.individual.reference for p in encounter.participant if p.individual]
    says = f"visit with {', '.join(names)}" if names else "visit, nobody named"
    return context.evidence(encounter, period.start if period is not None else str(day.first), says=says)


def _participants(context: Context, encounter: Encounter) -> set[str]:
    found: set[str] = set()
    for participant in encounter.participant:
        found |= _identities(context, participant.individual, encounter)
    return found


def _identities(context: Context, reference: Reference | None, container: Resource) -> set[str]:
    """What identifies a practitioner: references of the role and the person, and identifiers."""
    if reference is None:
        return set()
    found: set[str] = set()
    if reference.reference and not reference.reference.startswith("#"):
        found.add("/".join(reference.reference.split("/_history")[0].split("/")[-2:]))
    if reference.identifier is not None and reference.identifier.value:
        found.add(f"{reference.identifier.system}|{reference.identifier.value}")
    resource = context.chart.resolve(reference, container)
    if isinstance(resource, PractitionerRole):
        found.add(reference_of(resource))
        found |= _identities(context, resource.practitioner, resource)
    if isinstance(resource, Practitioner):
        if resource.id and not reference.reference.startswith("#"):
            found.add(reference_of(resource))
        found |= {f"{i.system}|{i.value}" for i in resource.identifier if i.system and i.value}
    return found
