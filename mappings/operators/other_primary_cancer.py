"""Whether the order is for something that makes a certain cancer not its reason."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.conditions import in_any, is_recognised
from mappings.evidence import Reading, Reason, unknown
from mappings.fhir import Condition
from mappings.operators.base import Context, operator, texts
from mappings.order_facts.indication import reasons_of_order


@operator(Condition)
def other_primary_cancer(
    context: Context, value_sets: Iterable[str], primaries: Iterable[str], spread: Iterable[str]
) -> Reading:
    """False (inferred) when the coded reasons of the order name another primary cancer than those in
    `value_sets`, or no cancer at all.

    primaries: value sets of primary cancers. spread: value sets of metastases and of cancers of
    unknown site. Reasons that name only a spread do not tell the primary: unknown, as is a chart
    without any Condition (readings A20b; lost data is never a "no").
    """
    chart, known = context.chart, context.value_sets
    wanted, first, second = texts(value_sets), texts(primaries), texts(spread)
    reasons = list(reasons_of_order(context))
    if not reasons or not chart.has(Condition) or not all(is_recognised(known, c) for c, _ in reasons):
        return unknown(Reason.NO_DATA)
    if any(in_any(known, concept, wanted) for concept, _ in reasons):
        return unknown(Reason.NO_DATA)
    others = [shown for concept, shown in reasons if in_any(known, concept, first)]
    if not others and any(in_any(known, concept, second) for concept, _ in reasons):
        return unknown(Reason.NO_DATA)
    evidence = tuple(others or (shown for _, shown in reasons))
    return Reading(False, evidence=evidence, inferred=True, note="the order is for another reason")
