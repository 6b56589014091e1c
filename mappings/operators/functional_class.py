"""The functional class of a heart failure (NYHA), as last recorded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from mappings.components import Part
from mappings.conditions import Standing, date_of, in_any, standing, words_of
from mappings.dates import Span, span
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import CodeableConcept, Condition, Observation, ObservationComponent
from mappings.operators.base import Context, operator, texts
from mappings.results import COUNTED, written_date

# "Class III", "NYHA IV", "NYHA class 4"; "IIIb" and "III-IV" are read whole, and do not pass for III.
_WRITTEN = re.compile(
    r"\b(?:class|NYHA)\s*(?:class|:)?\s*([IVX]+|[1-4])([a-z]?)(\s*(?:-|/|to|–)\s*[IV1-4]+)?", re.I
)
_NUMERALS = {"1": "I", "2": "II", "3": "III", "4": "IV"}


class _Finding(Struct, frozen=True):
    """One record of the class; value None where it names something between two classes."""

    day: Span
    value: str | None
    evidence: Evidence


@operator(Observation, Condition, filtered=(Observation,), code_arguments=("questions", "value_sets"))
def functional_class(
    context: Context, questions: Iterable[str], classes: Iterable[str], value_sets: Iterable[str]
) -> Reading:
    """The class of the last day on or before day 0 on which one was recorded.

    questions: value sets of Observations whose value is the class. classes with their value_sets (same
    place): codes that name a class, as a value, as the Observation itself or as a Condition. Words count
    where no code does. A class between two ("IIIb", "III-IV") or two classes of one day leave it open;
    an older class never fills in for the last one.
    """
    sets = dict(zip(texts(classes), texts(value_sets), strict=True))
    found = [*_observed(context, texts(questions), sets), *_diagnosed(context, sets)]
    if not found:
        return unknown(Reason.NO_DATA)
    last = max(finding.day.last for finding in found)
    latest = [finding for finding in found if finding.day.last == last]
    evidence = tuple(finding.evidence for finding in latest)
    values = {finding.value for finding in latest}
    if None in values:
        return unknown(Reason.IMPRECISE, "the recorded class lies between two classes", evidence)
    if len(values) > 1:
        return unknown(Reason.CONFLICTING, "two classes are recorded on the same day", evidence)
    return Reading(values.pop(), evidence=evidence)


def _observed(context: Context, questions: tuple[str, ...], sets: dict[str, str]) -> Iterator[_Finding]:
    found = context.chart.in_sets(Observation, (*questions, *sets.values()))
    whole = {id(observation) for observation in found}
    for observation in found:
        if isinstance(observation, Part) and id(observation.panel) in whole:
            continue
        written = written_date(observation)
        day = span(written)
        if observation.status not in COUNTED or day is None or day.last > context.as_of:
            continue
        concepts = [observation.code] if not in_any(context.value_sets, observation.code, questions) else []
        words = [observation.valueString, *(note.text for note in observation.note)]
        # The other components of a panel answer other questions.
        others = () if isinstance(observation, Part) else observation.component
        answers: list[Observation | ObservationComponent] = [observation, *others]
        for answer in answers:
            concepts.append(answer.valueCodeableConcept)
            words.append(answer.valueString)
        value, says = _class_of(context, concepts, words, sets)
        if says:
            yield _Finding(day, value, context.evidence(observation, written, value, says=says))


def _diagnosed(context: Context, sets: dict[str, str]) -> Iterator[_Finding]:
    for condition in context.chart.in_sets(Condition, sets.values()):
        day = span(condition.recordedDate) or span(date_of(condition))
        if day is not None and standing(condition, context.as_of) is Standing.ACTIVE:
            value, says = _class_of(context, [condition.code], [], sets)
            yield _Finding(day, value, context.evidence(condition, date_of(condition), value, says=says))


def _class_of(
    context: Context, concepts: list[CodeableConcept | None], words: list[str], sets: dict[str, str]
) -> tuple[str | None, str]:
    """(class, the words it stands in); ("", "") words for nothing that names a class."""
    for concept in concepts:
        for name, value_set in sets.items():
            if context.value_sets.match(value_set, concept) is not None:
                return name, words_of(concept)
    for text in (*(words_of(concept) for concept in concepts), *words):
        match = _WRITTEN.search(text)
        if match:
            numeral = match[1].upper()
            whole = not match[2] and not match[3]
            value = _NUMERALS.get(numeral, numeral)
            return (value if whole and value in sets else None), text
    return None, ""
