"""Whether the last visit with the orderer was about the condition that the order is for."""

from __future__ import annotations

from mappings.codes import ICD_10_CM, SNOMED, key
from mappings.conditions import Standing, standing
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
    both are coded, none agrees, and the visit's reason is no other diagnosis of the patient (a visit
    for the cancer may well describe the hypercalcemia). Words alone, and codes of ICD-10-CM chapter Z
    (follow-up), leave it open.
    """
    references = {entry.resource for entry in context.fact(visit).computed.evidence}
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
        if found and wanted and not found & _diagnoses(context):
            return Reading(False, evidence=evidence, note="the visit was for another reason than the order")
        note = "the codes do not tell whether the visit was about the reason of the order"
        return unknown(Reason.NARRATIVE_ONLY, note, evidence)
    return unknown(Reason.NO_DATA)


def _diagnoses(context: Context) -> set[tuple[str, str]]:
    return {
        code
        for condition in context.chart.of(Condition)
        if condition.code is not None and standing(condition, context.as_of) is Standing.ACTIVE
        for code in _categories(condition.code)
    }


def _categories(concept: CodeableConcept) -> set[tuple[str, str]]:
    pairs = [key(coding) for coding in concept.coding]
    return {
        (system, code.split(".")[0] if system == ICD_10_CM else code)
        for system, code in pairs
        if system == SNOMED or (system == ICD_10_CM and not code.startswith("Z"))
    }
