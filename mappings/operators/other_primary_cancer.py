"""Whether the order is for something that makes a certain cancer not its reason."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.conditions import Standing, date_of, in_any, is_another_reason, standing, words_of
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import Condition
from mappings.operators.base import Context, operator, texts
from mappings.order_facts.indication import reasons_of_order
from mappings.uncoded_conditions import uncoded_conditions


@operator(Condition)
def other_primary_cancer(
    context: Context, value_sets: Iterable[str], primaries: Iterable[str], spread: Iterable[str]
) -> Reading:
    """False (inferred) when the order is for another primary cancer than those in `value_sets`, or for
    no cancer at all.

    primaries: value sets of primary cancers. spread: value sets of metastases and of cancers of
    unknown site. Where the coded reasons name only a spread, the active primary cancers of the chart
    tell; without one it is unknown, as is a chart without any Condition or with one in words alone
    (readings A20b; lost data is never a "no").
    """
    known = context.value_sets
    wanted, first, second = texts(value_sets), texts(primaries), texts(spread)
    reasons = list(reasons_of_order(context))
    if not reasons or not context.chart.has(Condition):
        return unknown(Reason.NO_DATA)
    concepts = [concept for concept, _ in reasons]
    if any(in_any(known, concept, wanted) for concept in concepts):
        return unknown(Reason.NO_DATA)
    if not is_another_reason(known, concepts) or uncoded_conditions(context):
        return unknown(Reason.NO_DATA)
    others = tuple(
        shown
        for concept, shown in reasons
        if in_any(known, concept, first) and not in_any(known, concept, second)
    )
    if not others and any(in_any(known, concept, second) for concept, _ in reasons):
        others = _active(context, first, second)
        if not others:
            return unknown(Reason.NO_DATA)
    evidence = others or tuple(shown for _, shown in reasons)
    return Reading(False, evidence=evidence, inferred=True, note="the order is for another reason")


def _active(context: Context, primaries: tuple[str, ...], spread: tuple[str, ...]) -> tuple[Evidence, ...]:
    return tuple(
        context.evidence(condition, date_of(condition), says=words_of(condition.code))
        for condition in context.chart.in_sets(Condition, primaries)
        if standing(condition, context.as_of) is Standing.ACTIVE
        and not in_any(context.value_sets, condition.code, spread)
    )
