"""Whether the list of allergies says that a drug is not tolerated."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.allergies import is_doubtful, stands
from mappings.dates import span
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import AllergyIntolerance
from mappings.operators.base import Context, operator, texts


@operator(AllergyIntolerance)
def drug_intolerance(context: Context, drugs: Iterable[str]) -> Reading:
    """Whether an intolerance to one of the drugs is on the list of allergies by day 0.

    True: an active entry of the type "intolerance" names the drug and is confirmed, or says nothing of
    that. Unknown: it is unconfirmed, or the entry leaves open whether it is an allergy. An allergy is a
    question of its own. Never False: who tolerates a drug has no entry.
    """
    names = set(texts(drugs))
    shown: list[Evidence] = []
    perhaps: list[Evidence] = []
    for entry in context.chart.of(AllergyIntolerance):
        named = [d.name for d in context.drugs.identify_all(entry.code) if d.name in names]
        recorded = span(entry.recordedDate)
        if not named or entry.type not in ("intolerance", ""):
            continue
        if recorded is not None and recorded.on_or_before(context.as_of) is False:
            continue
        if not stands(entry):
            continue
        evidence = context.evidence(
            entry,
            entry.recordedDate or entry.onsetDateTime,
            says=f"{named[0]}: {entry.type or 'allergy or intolerance'} on the list of allergies",
        )
        (perhaps if is_doubtful(entry) or not entry.type else shown).append(evidence)
    if shown:
        return Reading(True, evidence=tuple(shown))
    if perhaps:
        note = "an entry of the list of allergies may mean that it is not tolerated"
        return unknown(Reason.IMPRECISE, note, tuple(perhaps))
    return unknown(Reason.NO_DATA)
