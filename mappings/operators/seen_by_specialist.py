"""Whether a specialist has seen the patient."""

from __future__ import annotations

from collections.abc import Iterator

from mappings.dates import span
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import CodeableConcept, Encounter, Practitioner, PractitionerRole
from mappings.operators.base import Context, operator
from mappings.pumps import texts_of
from mappings.roles import in_field

_TOOK_PLACE = ("finished", "in-progress", "onleave", "completed")


@operator(Encounter, Practitioner, PractitionerRole)
def seen_by_specialist(context: Context, field: str) -> Reading:
    """Whether a visit on or before day 0 was with a specialist of a field (mappings.roles).

    The specialty stands at a participant's PractitionerRole, or is the service of the visit. True with
    the visits. Never False, for a record without the visit may be incomplete; a visit with a
    specialist of a wider field (a cardiologist, for advanced heart failure) is evidence that leaves
    it open.
    """
    shown: list[Evidence] = []
    open_: list[Evidence] = []
    for encounter in context.chart.of(Encounter):
        written = encounter.period.start if encounter.period is not None else ""
        day = span(written)
        if encounter.status not in _TOOK_PLACE or day is None or day.on_or_before(context.as_of) is not True:
            continue
        for concept in _specialties(context, encounter):
            answer, words = in_field(concept, field)
            says = f"visit: {next(iter(texts_of(concept)), '')}"
            if answer:
                shown.append(context.evidence(encounter, written, says=says))
            elif answer is None and words:
                open_.append(context.evidence(encounter, written, says=says))
    if shown:
        return Reading(True, evidence=tuple(dict.fromkeys(shown)))
    if open_:
        note = "a visit with a specialist of a wider field is on file; the special training is not shown"
        return unknown(Reason.IMPRECISE, note, tuple(dict.fromkeys(open_)))
    return unknown(Reason.NO_DATA)


def _specialties(context: Context, encounter: Encounter) -> Iterator[CodeableConcept]:
    if encounter.serviceType is not None:
        yield encounter.serviceType
    for participant in encounter.participant:
        person = context.chart.resolve(participant.individual, encounter)
        if isinstance(person, PractitionerRole):
            yield from person.specialty
        elif isinstance(person, Practitioner):
            for role in context.chart.of(PractitionerRole):
                if role.practitioner is not None and context.chart.resolve(role.practitioner, role) is person:
                    yield from role.specialty
