"""Whether the order itself is for a condition."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.conditions import in_any, is_another_reason, is_no_disease
from mappings.evidence import Basis, Reading, Reason, unknown
from mappings.fhir import Condition
from mappings.operators.base import Context, operator, texts
from mappings.order_facts.indication import reasons_of_order


@operator(Condition)
def indicated_for(context: Context, value_sets: Iterable[str]) -> Reading:
    """Whether a reason of the order, or of the drug orders of its pump, is in the value sets.

    True and False rest on coded reasons only (a comorbidity on the problem list is no indication,
    readings trap 6). Unknown: no reason, a reason in words alone (narrative_only), one whose
    code no value set knows (unmapped_code), or only an encounter or a status (imprecise).
    """
    sets = texts(value_sets)
    reasons = list(reasons_of_order(context))
    evidence = tuple(shown for _, shown in reasons)
    matching = tuple(shown for concept, shown in reasons if in_any(context.value_sets, concept, sets))
    if matching:
        return Reading(True, evidence=matching, basis=Basis.ORDER)
    if not reasons:
        return unknown(Reason.NO_DATA)
    concepts = [concept for concept, _ in reasons]
    if is_another_reason(context.value_sets, concepts):
        note = "the order is for another reason"
        return Reading(False, evidence=evidence, basis=Basis.ORDER, note=note)
    if all(is_no_disease(concept) for concept in concepts):
        note = "the reason of the order is an encounter or a status, and tells of no disease"
        return unknown(Reason.IMPRECISE, note, evidence)
    if any(coding.code for concept in concepts for coding in concept.coding):
        note = "a reason of the order has a code that is not known here"
        return unknown(Reason.UNMAPPED_CODE, note, evidence)
    return unknown(Reason.NARRATIVE_ONLY, "the reason of the order is stated in words only", evidence)
