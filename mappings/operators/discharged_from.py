"""From what kind of facility the patient was last discharged."""

from __future__ import annotations

from mappings.dates import before, span, words
from mappings.evidence import Reading, Reason, unknown
from mappings.fhir import Encounter
from mappings.operators.base import Context, operator
from mappings.pumps import texts_of
from mappings.words import has_words

# http://terminology.hl7.org/CodeSystem/v3-ActCode, ActEncounterCode
_INPATIENT = ("IMP", "ACUTE", "NONAC")
_NURSING = ("skilled nursing facility", "skilled nursing", "SNF")


@operator(Encounter)
def discharged_from(context: Context, within: str) -> Reading:
    """ "inpatient" or "snf": the kind of the last stay that ended on or before day 0.

    A stay is an inpatient Encounter that is finished, or one whose words name a skilled nursing
    facility. Visits to a clinic or an office are no stays. Without a stay on file it is unknown.
    within: a calendar duration; a last stay that ended before it is stale.
    """
    stays = []
    for encounter in context.chart.of(Encounter):
        period = encounter.period
        day = span(period.end or period.start) if period is not None else None
        if encounter.status != "finished" or day is None or day.on_or_before(context.as_of) is not True:
            continue
        kind = _kind(encounter)
        if kind and period is not None:
            stays.append((day.last, kind, context.evidence(encounter, period.end or period.start, kind)))
    if not stays:
        return unknown(Reason.NO_DATA)
    last = max(day for day, *_ in stays)
    latest = [(kind, evidence) for day, kind, evidence in stays if day == last]
    kinds = {kind for kind, _ in latest}
    evidence = tuple(entry for _, entry in latest)
    if last < before(context.as_of, within):
        return unknown(Reason.STALE, f"no stay ended in the last {words(within)}", evidence)
    if len(kinds) > 1:
        return unknown(Reason.CONFLICTING, "stays of two kinds end on the same day", evidence)
    return Reading(kinds.pop(), evidence=evidence)


def _kind(encounter: Encounter) -> str:
    words = [text for concept in (*encounter.type, encounter.serviceType) for text in texts_of(concept)]
    code = encounter.class_.code if encounter.class_ is not None else ""
    if code == "SNF" or any(has_words(text, phrase) for text in words for phrase in _NURSING):
        return "snf"
    return "inpatient" if code in _INPATIENT else ""
