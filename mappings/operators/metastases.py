"""Where a cancer has spread to, by the coded secondary neoplasms."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.conditions import Standing, date_of, in_any, standing, words_of
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import Condition
from mappings.operators.base import Context, operator, texts

LIVER = "liver"


@operator(Condition)
def metastases(
    context: Context, sites: Iterable[str], value_sets: Iterable[str], elsewhere: Iterable[str]
) -> Reading:
    """The sites of the active, confirmed secondary neoplasms: the words in `sites`, each by the value
    set in the same place of `value_sets`; "other" for what only `elsewhere` holds.

    Codes can show that the disease is not limited to the liver, never that it is: only a staging
    result or a statement tells that nothing was found anywhere else. So coded liver metastases
    alone, and none at all, are unknown.
    """
    words, sets, others = texts(sites), texts(value_sets), texts(elsewhere)
    found: dict[str, list[Evidence]] = {}
    suspected: list[Evidence] = []
    for condition in context.chart.in_sets(Condition, dict.fromkeys((*sets, *others))):
        state = standing(condition, context.as_of)
        evidence = context.evidence(condition, date_of(condition), says=words_of(condition.code))
        if state is Standing.ACTIVE:
            here = [
                w
                for w, s in zip(words, sets, strict=True)
                if in_any(context.value_sets, condition.code, (s,))
            ]
            for site in here or ["other"]:
                found.setdefault(site, []).append(evidence)
        elif state is Standing.UNCONFIRMED:
            suspected.append(evidence)
    evidence_found = tuple(evidence for listed in found.values() for evidence in listed)
    if found.keys() - {LIVER}:
        return Reading(tuple(sorted(found)), evidence=evidence_found)
    if found:
        note = "liver metastases are coded; no staging result on file says that there are no others"
        return unknown(Reason.IMPRECISE, note, (*evidence_found, *suspected))
    if suspected:
        return unknown(Reason.IMPRECISE, "metastases are suspected, not confirmed", tuple(suspected))
    return unknown(Reason.NO_DATA)
