"""Whether a drug was tried at its maximum dose."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.drug_courses import NO_RESPONSE, Course, courses
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import MedicationRequest, MedicationStatement
from mappings.operators.base import Context, operator, texts


@operator(MedicationStatement, MedicationRequest)
def trial_dose(context: Context, drugs: Iterable[str], maximum_mg: Iterable[float]) -> Reading:
    """Whether one of the drugs was given by mouth at its maximum dose.

    maximum_mg: the labelled maximum a day, in the places of `drugs`. True when the record calls the
    dose the maximum (additionalInstruction), or the daily amount reaches the labelled one. A lower
    dose is unknown, because it may have been the most that was tolerated. Where drugs were stopped for
    lack of response, only those count: they are what did not help.
    """
    limits = dict(zip(texts(drugs), (float(limit) for limit in maximum_mg), strict=True))
    tried = [c for c in courses(context) if c.drug.name in limits and c.by_mouth is not False]
    tried = [c for c in tried if NO_RESPONSE in c.outcomes] or tried
    maximal = [
        c for c in tried if c.maximal or (c.daily_mg is not None and c.daily_mg >= limits[c.drug.name])
    ]
    if maximal:
        return Reading(True, evidence=tuple(_evidence(context, c) for c in maximal))
    if tried:
        note = "no dose on file is called the maximum or reaches the labelled one"
        return unknown(Reason.NO_DATA, note, tuple(_evidence(context, c) for c in tried))
    return unknown(Reason.NO_DATA)


def _evidence(context: Context, course: Course) -> Evidence:
    unit = "mg/d" if course.daily_mg is not None else ""
    says = f"{course.drug.name}, called the maximum dose" if course.maximal else course.drug.name
    return context.evidence(course.resource, course.written, course.daily_mg, unit, says)
