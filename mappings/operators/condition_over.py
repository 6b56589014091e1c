"""Whether every disease of a kind that is on file is over."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.conditions import Standing, date_of, standing, words_of
from mappings.evidence import Reading, Reason, unknown
from mappings.fhir import Condition
from mappings.operators.base import Context, operator

_AWAY = (Standing.OVER, Standing.REFUTED, Standing.LATER)


@operator(Condition)
def condition_over(context: Context, value_sets: Iterable[str]) -> Reading:
    """False (inferred) when Conditions of the value sets are on file and none counts on day 0.

    Each is resolved, refuted or dated after the order. One that is active, only suspected or not
    datable leaves it unknown, and so does a chart without any: it says nothing of the disease.
    """
    found = []
    for condition in context.chart.in_sets(Condition, value_sets):
        state = standing(condition, context.as_of)
        if state not in _AWAY:
            return unknown(Reason.NO_DATA)
        says = f"{words_of(condition.code)}: {state}"
        found.append(context.evidence(condition, date_of(condition), says=says))
    if not found:
        return unknown(Reason.NO_DATA)
    note = "what is on file is resolved, refuted or dated after the order"
    return Reading(False, evidence=tuple(found), inferred=True, note=note)
