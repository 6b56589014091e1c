"""How severe a condition is recorded to be."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.codes import SNOMED, key
from mappings.conditions import Standing, date_of, standing, words_of
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import CodeableConcept, Condition
from mappings.operators.base import Context, operator, texts

# http://hl7.org/fhir/ValueSet/condition-severity
_GRADES = {(SNOMED, "24484000"): "severe", (SNOMED, "6736007"): "moderate", (SNOMED, "255604002"): "mild"}


@operator(Condition)
def condition_severity(context: Context, value_sets: Iterable[str]) -> Reading:
    """Whether an active condition of the value sets is recorded as severe (Condition.severity).

    True when one is, False when those with a severity are all milder. Without a severity it is
    unknown: the diagnosis alone says nothing about it.
    """
    graded: dict[str, list[Evidence]] = {}
    ungraded: list[Evidence] = []
    for condition in context.chart.in_sets(Condition, texts(value_sets)):
        if standing(condition, context.as_of) is not Standing.ACTIVE:
            continue
        grade = _grade(condition.severity)
        name = words_of(condition.code)
        evidence = context.evidence(condition, date_of(condition), says=f"{grade or 'no severity'}: {name}")
        if grade:
            graded.setdefault(grade, []).append(evidence)
        else:
            ungraded.append(evidence)
    if "severe" in graded:
        return Reading(True, evidence=tuple(graded["severe"]))
    if graded:
        milder = tuple(evidence for found in graded.values() for evidence in found)
        return Reading(False, evidence=milder, note=f"recorded as {' and '.join(sorted(graded))}")
    if ungraded:
        return unknown(Reason.NO_DATA, "the diagnosis is on file without a severity", tuple(ungraded))
    return unknown(Reason.NO_DATA)


def _grade(severity: CodeableConcept | None) -> str:
    codings = severity.coding if severity is not None else ()
    return next((_GRADES[key(coding)] for coding in codings if key(coding) in _GRADES), "")
