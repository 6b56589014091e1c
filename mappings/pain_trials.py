"""The trial of a spinal analgesic that counts for an order, and the pain scores around it."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from itertools import pairwise

from msgspec import Struct

from mappings.codes import LOINC, key
from mappings.dates import Span, span
from mappings.evidence import Evidence
from mappings.fhir import Observation, Procedure, Quantity
from mappings.operators.base import Context
from mappings.results import COUNTED, written_date
from mappings.spinal_trials import CATHETER, Stage, Trial, began, spinal_trials
from mappings.units import convert

_TO_TEN = frozenset({(LOINC, "72514-3"), (LOINC, "75893-8")})
"""Scales that end at 10; other pain scores go to 100 as well."""


def pain_trials(context: Context) -> list[Trial]:
    """The spinal trials that may be of an analgesic, oldest first.

    A catheter without any drug on file is one that may be; a single injection without one is more
    likely an epidural steroid and is left out.
    """
    return [
        trial
        for trial in spinal_trials(context)
        if any("analgesic" in drug.classes for drug in trial.drugs)
        or (not trial.drugs and _catheter(trial, context))
    ]


def counting_trial(context: Context) -> Trial | None:
    """The trial that counts: the latest one done by the planned route, else the latest one done."""
    done = [trial for trial in pain_trials(context) if trial.stage is Stage.DONE and trial.drugs]
    planned = context.value("drug_route")
    by_route = [t for t in done if any(read.routes == (planned,) for read in t.routes())]
    preferred = by_route or done
    return preferred[-1] if preferred else None


def _catheter(trial: Trial, context: Context) -> bool:
    code = trial.procedure.code if trial.procedure is not None else None
    return context.value_sets.match(CATHETER, code) is not None


class Score(Struct, frozen=True):
    """A pain score: the scale is its code, and value lies between 0 and 100."""

    scale: tuple[str, str]
    value: Fraction
    day: Span
    written: str
    observation: Observation

    def evidence(self, context: Context, says: str) -> Evidence:
        return context.evidence(self.observation, self.written, float(self.value), says=says)


def scores(context: Context, trial: Trial, value_set: str) -> tuple[list[Score], list[Score]]:
    """(scores before the trial, scores during it), oldest first.

    During: part of the procedure, or taken while it lasted. Before: taken earlier than it began, by
    the time of day where both have one. What could be either is in neither.
    """
    procedure = trial.procedure
    before: list[Score] = []
    during: list[Score] = []
    for score in _all_scores(context, value_set):
        if procedure is not None and _part_of(score.observation, procedure, context):
            during.append(score)
        elif _earlier(score.written, trial.written):
            before.append(score)
        elif procedure is not None and _while(score.written, procedure):
            during.append(score)
    return before, during


def best_held(values: list[Fraction]) -> Fraction:
    """The lowest score that was held: over two readings in a row, or at the end of the trial.

    A single low reading that the next one does not confirm is no sustained relief.
    """
    pairs = [max(first, second) for first, second in pairwise(values)]
    return min([*pairs, values[-1]])


def _all_scores(context: Context, value_set: str) -> list[Score]:
    found = []
    for observation in context.chart.in_set(Observation, value_set):
        written = written_date(observation)
        day = span(written)
        coding = context.value_sets.match(value_set, observation.code)
        if observation.status not in COUNTED or coding is None or day is None:
            continue
        value = _value(observation)
        if day.on_or_before(context.as_of) and value is not None:
            scale = key(coding)
            if value <= 10 or scale not in _TO_TEN:
                found.append(Score(scale, value, day, written, observation))
    return sorted(found, key=lambda score: (score.day.last, score.written))


def _value(observation: Observation) -> Fraction | None:
    quantity = observation.valueQuantity
    if quantity is None and observation.valueInteger is not None:
        quantity = Quantity(value=observation.valueInteger)
    converted = convert("score", quantity)
    if converted.value is None or converted.comparator:
        return None
    # Through text: 3.9 is to be 3.9, not the nearest binary fraction.
    return Fraction(str(converted.value))


def _part_of(observation: Observation, procedure: Procedure, context: Context) -> bool:
    return any(context.chart.resolve(r, observation) is procedure for r in observation.partOf)


def _while(written: str, procedure: Procedure) -> bool:
    period = procedure.performedPeriod
    if period is None or not period.start or not period.end:
        return False
    return not _earlier(written, began(procedure)) and not _earlier(period.end, written)


def _earlier(first: str, second: str) -> bool:
    """Whether one written time lies surely before another."""
    moments = _instant(first), _instant(second)
    if moments[0] is not None and moments[1] is not None:
        return moments[0] < moments[1]
    days = span(first), span(second)
    return days[0] is not None and days[1] is not None and days[0].last < days[1].first


def _instant(written: str) -> datetime | None:
    """A written time with its offset; None for a date alone, or a time without one."""
    if "T" not in written:
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
