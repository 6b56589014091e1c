"""Whether the last visit with the orderer was about the condition that the order is for."""

from __future__ import annotations

from mappings.codes import ICD_10_CM, SNOMED, key
from mappings.evidence import Reading, Reason, unknown
from mappings.fhir import CodeableConcept, Condition, Encounter
from mappings.operators.base import Context, operator
from mappings.order_facts.indication import reasons_of_order
from mappings.pumps import texts_of


@operator(Encounter, Condition)
def visit_about_reason(context: Context, visit: str) -> Reading:
    """Whether the visit that a fact rests on was for a reason of the order.

    visit: the fact that names the visit. True when a coded reason of the visit is one of the order's
    (ICD-10-CM by its category, C49 for C49.9), or the visit points to the same Condition. False when
    both are coded and none agrees. Words alone leave it open.
    """
    references = {entry.resource for entry in context.book.fact(visit).computed.evidence}
    wanted = {code for concept, _ in reasons_of_order(context) for code in _categories(concept)}
    for encounter in context.chart.of(Encounter):
        if f"Encounter/{encounter.id}" not in references:
            continue
        concepts = [*encounter.reasonCode]
        for reference in encounter.reasonReference:
            target = context.chart.resolve(reference, encounter)
            if isinstance(target, Condition) and target.code is not None:
                concepts.append(target.code)
        written = encounter.period.start if encounter.period is not None else ""
        words = "; ".join(text for concept in concepts for text in texts_of(concept)[:1])
        evidence = (context.evidence(encounter, written, says=f"visit for {words}" if words else "visit"),)
        found = {code for concept in concepts for code in _categories(concept)}
        if found & wanted:
            return Reading(True, evidence=evidence)
        if found and wanted:
            return Reading(False, evidence=evidence, note="the visit was for another reason than the order")
        return unknown(
            Reason.NARRATIVE_ONLY, "the reason of the visit, or of the order, is not coded", evidence
        )
    return unknown(Reason.NO_DATA)


def _categories(concept: CodeableConcept) -> set[tuple[str, str]]:
    pairs = [key(coding) for coding in concept.coding]
    return {
        (system, code.split(".")[0] if system == ICD_10_CM else code)
        for system, code in pairs
        if system in (ICD_10_CM, SNOMED)
    }
