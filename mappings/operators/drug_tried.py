"""Whether a kind of drug has been tried."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.drug_courses import Course, courses
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import MedicationRequest, MedicationStatement
from mappings.operators.base import Context, operator, texts


@operator(MedicationStatement, MedicationRequest)
def drug_tried(context: Context, drug_classes: Iterable[str], others_rule_out: Iterable[str] = ()) -> Reading:
    """Whether a course of a drug of the classes began on or before day 0, whether it goes on or not.

    others_rule_out: classes of alternatives; where one of them is on file and none of the asked
    drugs, the record tells what was tried instead (False, inferred). Without either it is unknown.
    """
    asked, others = set(texts(drug_classes)), set(texts(others_rule_out))
    on_file = courses(context)
    mine = [course for course in on_file if asked & set(course.drug.classes)]
    if mine:
        return Reading(True, evidence=tuple(_evidence(context, course) for course in mine))
    instead = [course for course in on_file if others & set(course.drug.classes)]
    if instead:
        names = ", ".join(dict.fromkeys(course.drug.name for course in instead))
        evidence = tuple(_evidence(context, course) for course in instead)
        return Reading(False, evidence=evidence, inferred=True, note=f"the record shows {names} instead")
    return unknown(Reason.NO_DATA)


def _evidence(context: Context, course: Course) -> Evidence:
    how = "in use" if course.going else "ended"
    return context.evidence(course.resource, course.written, says=f"{course.drug.name}: {how}")
