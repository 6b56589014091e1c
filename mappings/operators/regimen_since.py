"""Since when a regimen of so many doses a day has been kept."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.dates import Span, before
from mappings.drug_use import drug_uses
from mappings.evidence import Reading, Reason, unknown
from mappings.fhir import Medication, MedicationRequest, MedicationStatement
from mappings.operators.base import Context, operator, texts
from mappings.regimen import GAP, segments

_LONGEST = "P100Y"


@operator(MedicationStatement, MedicationRequest, Medication)
def regimen_since(
    context: Context, drug_classes: Iterable[str], at_least: float, injected: bool = False
) -> Reading:
    """The day since which at least `at_least` doses a day have been scheduled, up to day 0.

    Counted as in regimen_held. Where a start is only roughly known, the date is an interval. Unknown
    when there are fewer on day 0, or when nothing tells the start.
    """
    counted = [use for use in drug_uses(context, texts(drug_classes)) if use.injected or not injected]
    if not counted:
        return unknown(Reason.NO_DATA)
    parts = segments(counted, before(context.as_of, _LONGEST), context.as_of)
    begun = {}
    for sure in (True, False):
        broken = 0
        for segment in reversed(parts):
            enough = (segment.doses.low if sure else segment.doses.high) >= float(at_least)
            broken = 0 if enough else broken + segment.days
            if broken > GAP:
                break
            if enough:
                begun[sure] = segment.first
    evidence = tuple(use.evidence for use in counted if use.stretch.perhaps(context.as_of))
    if True not in begun:
        return unknown(Reason.NO_DATA, f"no regimen of at least {at_least:g} a day is sure", evidence)
    if begun[False] == parts[0].first:
        note = f"since {begun[True]} or earlier; nothing tells when it began"
        return unknown(Reason.IMPRECISE, note, evidence)
    return Reading(Span(begun[False], begun[True]), evidence=evidence)
