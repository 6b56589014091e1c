"""The stage of a colorectal cancer in the classes of Dukes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mappings.conditions import Standing, date_of, standing, words_of
from mappings.dates import span
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import CodeableConcept, Condition, Observation
from mappings.operators.base import Context, operator, texts
from mappings.results import COUNTED, written_date

# Dukes A to C are the stages I to III of the TNM system; D means distant metastases: stage IV, M1.
_DUKES = re.compile(r"\bduke'?s?'?\s*(?:class|stage)?\s*([ABCD])\b", re.IGNORECASE)
_TNM = re.compile(r"(?:\bstage\s*|^)(IV|III|II|I|4|3|2|1)\s*[ABC]?\b", re.IGNORECASE)
_METASTATIC = re.compile(r"\b[cpr]?M1[abc]?\b")
_CLASSES = {"i": "A", "1": "A", "ii": "B", "2": "B", "iii": "C", "3": "C", "iv": "D", "4": "D"}


@operator(Condition, Observation, filtered=(Observation,), code_arguments=("stage_results",))
def dukes_stage(
    context: Context, cancers: Iterable[str], stage_results: Iterable[str], metastases: Iterable[str]
) -> Reading:
    """ "A" to "D", by the latest stage on file up to day 0.

    cancers: value sets of the cancer, whose Condition.stage counts. stage_results: value sets of
    stage Observations. metastases: value sets of distant metastases; with an active one beside the
    cancer it is D. Stages of one day that differ are conflicting.
    """
    chart, day = context.chart, context.as_of
    own = [c for c in chart.in_sets(Condition, texts(cancers)) if standing(c, day) is Standing.ACTIVE]
    spread = [c for c in chart.in_sets(Condition, texts(metastases)) if standing(c, day) is Standing.ACTIVE]
    if own and spread:
        return Reading("D", evidence=tuple(_of_condition(context, c) for c in (*own, *spread)))
    staged = [*_of_conditions(context, own), *_of_results(context, texts(stage_results))]
    if not staged:
        return unknown(Reason.NO_DATA)
    last = max(written for written, _, _ in staged)
    latest = [(stage, evidence) for written, stage, evidence in staged if written == last]
    evidence = tuple(shown for _, shown in latest)
    stages = {stage for stage, _ in latest}
    if len(stages) > 1:
        return unknown(Reason.CONFLICTING, "stages of the same day differ", evidence)
    return Reading(stages.pop(), evidence=evidence)


def _of_condition(context: Context, condition: Condition) -> Evidence:
    return context.evidence(condition, date_of(condition), says=words_of(condition.code))


def _of_conditions(context: Context, conditions: list[Condition]) -> Iterator[tuple[str, str, Evidence]]:
    for condition in conditions:
        for stage in (s.summary for s in condition.stage if s.summary is not None):
            found = _stage(stage)
            if found:
                written = date_of(condition)
                yield written[:10], found, context.evidence(condition, written, found, says=words_of(stage))


def _of_results(context: Context, value_sets: tuple[str, ...]) -> Iterator[tuple[str, str, Evidence]]:
    for result in context.chart.in_sets(Observation, value_sets):
        written = written_date(result)
        day = span(written)
        value = result.valueCodeableConcept or CodeableConcept(text=result.valueString)
        found = _stage(value)
        if result.status in COUNTED and day is not None and day.on_or_before(context.as_of) and found:
            yield written[:10], found, context.evidence(result, written, found, says=words_of(value))


def _stage(concept: CodeableConcept) -> str:
    words = [concept.text, *(text for coding in concept.coding for text in (coding.display, coding.code))]
    for text in words:
        dukes, tnm = _DUKES.search(text), _TNM.search(text)
        if dukes is not None:
            return dukes[1].upper()
        if _METASTATIC.search(text):
            return "D"
        if tnm is not None:
            return _CLASSES[tnm[1].lower()]
    return ""
