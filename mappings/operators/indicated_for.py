"""Whether the order itself is for a condition."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.conditions import in_any, is_recognised, words_of
from mappings.evidence import Basis, Reading, Reason, unknown
from mappings.fhir import Condition
from mappings.operators.base import Context, operator, texts
from mappings.reasons import stated_reasons


@operator(Condition)
def indicated_for(context: Context, value_sets: Iterable[str]) -> Reading:
    """Whether a reason of the order, or of the drug orders of its pump, is in the value sets.

    True and False rest on coded reasons only (a comorbidity on the problem list is no indication,
    readings trap 6). Unknown: no reason, a reason in words alone (narrative_only), or one whose
    code no value set knows (unmapped_code).
    """
    order, sets = context.order, texts(value_sets)
    reasons = stated_reasons(order, context.chart)
    evidence = tuple(r.evidence(order, f"reason of the order: {words_of(r.concept)}") for r in reasons)
    matching = tuple(
        shown
        for reason, shown in zip(reasons, evidence, strict=True)
        if in_any(context.value_sets, reason.concept, sets)
    )
    if matching:
        return Reading(True, evidence=matching, basis=Basis.ORDER)
    if not reasons:
        return unknown(Reason.NO_DATA)
    if all(is_recognised(context.value_sets, reason.concept) for reason in reasons):
        return Reading(False, evidence=evidence, basis=Basis.ORDER, note="the order is for another reason")
    if any(coding.code for reason in reasons for coding in reason.concept.coding):
        return unknown(Reason.UNMAPPED_CODE, "a reason of the order has a code that is not known here", evidence)
    return unknown(Reason.NARRATIVE_ONLY, "the reason of the order is stated in words only", evidence)
