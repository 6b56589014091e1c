"""Why drugs were stopped: they did not help, or they were not tolerated."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.drug_courses import NO_RESPONSE, NOT_TOLERATED, Course, courses
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import MedicationRequest, MedicationStatement
from mappings.operators.base import Context, operator, texts

_OUTCOMES = {"no-response": NO_RESPONSE, "not-tolerated": NOT_TOLERATED}


@operator(MedicationStatement, MedicationRequest)
def trial_outcome(
    context: Context,
    outcome: str,
    drug_classes: Iterable[str] = (),
    drugs: Iterable[str] = (),
    other_reason_rules_out: bool = False,
    others_rule_out: Iterable[str] = (),
    by_mouth: bool = True,
    routes: Iterable[str] = (),
    gives: bool = True,
) -> Reading:
    """Whether a drug of the classes (or one of the named drugs) was stopped for this outcome.

    outcome: "no-response" or "not-tolerated", by the coded reason for the stop. True when one was
    (`gives: false` turns that into False, for a fact that means the contrary). False (inferred) in two
    cases only: with other_reason_rules_out, such drugs were stopped, and all for the other outcome; with
    others_rule_out, drugs of those classes are on file, and none of the wanted ones is among them.
    by_mouth: only use by mouth counts, else any use that does not go through the spine. routes: only use
    by one of these routes counts, or by one that the record leaves open.
    """
    wanted = _OUTCOMES[outcome]
    kinds, names, others = set(texts(drug_classes)), set(texts(drugs)), set(texts(others_rule_out))
    used = [course for course in courses(context) if _counts(course, by_mouth, texts(routes))]
    mine = [c for c in used if c.drug.name in names or kinds & set(c.drug.classes)]
    ended = [c for c in mine if wanted in c.outcomes]
    if ended:
        return Reading(gives, evidence=tuple(_evidence(context, c) for c in ended))
    stopped = [c for c in mine if c.outcomes]
    if other_reason_rules_out and stopped:
        evidence = tuple(_evidence(context, c) for c in stopped)
        return Reading(
            False, evidence=evidence, inferred=True, note="the recorded reason for the stop is another one"
        )
    listed = [c for c in used if others & set(c.drug.classes)]
    if not mine and listed:
        evidence = tuple(_evidence(context, c) for c in listed)
        return Reading(False, evidence=evidence, inferred=True, note="the drugs on file do not include it")
    if mine:
        unstated = tuple(_evidence(context, c) for c in mine)
        reason = (
            Reason.NARRATIVE_ONLY if any(c.reason_given and not c.outcomes for c in mine) else Reason.NO_DATA
        )
        return unknown(reason, "no coded reason for a stop says so", unstated)
    return unknown(Reason.NO_DATA)


def _counts(course: Course, by_mouth: bool, routes: tuple[str, ...]) -> bool:
    if routes:
        return bool(set(routes) & set(course.routes)) if course.routes else course.by_mouth is not False
    if by_mouth:
        return course.by_mouth is not False
    return not {"intrathecal", "epidural"} & set(course.routes)


def _evidence(context: Context, course: Course) -> Evidence:
    how = " and ".join(sorted(course.outcomes)) or ("in use" if course.going else "ended")
    return context.evidence(course.resource, course.written, says=f"{course.drug.name}: {how}")
