"""Whether the order itself is for a condition."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.conditions import in_any, is_recognised
from mappings.evidence import Basis, Reading, Reason, unknown
from mappings.fhir import Condition
from mappings.operators.base import Context, operator, texts
from mappings.order_facts.indication import reasons_of_order


@operator(Condition)
def indicated_for(context: Context, value_sets: Iterable[str]) -> Reading:
    """Whether a reason of the order, or of the drug orders of its pump, is in the value sets.

    True and False rest on coded reasons only (a comorbidity on the problem list is no indication,
    readings trap 6). Unknown: no reason, a reason in words alone (narrative_only), or one whose
    code no value set knows (unmapped_code).
    """
    sets = texts(value_sets)
    reasons = list(reasons_of_order(context))
    evidence = tuple(shown for _, shown in reasons)
    matching = tuple(shown for concept, shown in reasons if in_any(context.value_sets, concept, sets))
    if matching:
        return Reading(True, evidence=matching, basis=Basis.ORDER)
    if not reasons:
        return unknown(Reason.NO_DATA)
    if all(is_recognised(context.value_sets, concept) for concept, _ in reasons):
        note = "the order is for another reason"
        return Reading(False, evidence=evidence, basis=Basis.ORDER, note=note)
    if any(coding.code for concept, _ in reasons for coding in concept.coding):
        note = "a reason of the order has a code that is not known here"
        return unknown(Reason.UNMAPPED_CODE, note, evidence)
    return unknown(Reason.NARRATIVE_ONLY, "the reason of the order is stated in words only", evidence)
