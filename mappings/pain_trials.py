"""The trial of a spinal analgesic that counts for an order, and the pain scores around it."""

from __future__ import annotations

import re
from datetime import date, datetime
from fractions import Fraction
from itertools import pairwise
from operator import itemgetter

from msgspec import Struct

from mappings.codes import LOINC, key
from mappings.dates import Span, span
from mappings.evidence import Evidence
from mappings.fhir import MedicationAdministration, Observation, Procedure, Quantity
from mappings.medication_codes import medication_concepts
from mappings.operators.base import Context
from mappings.results import COUNTED, written_date
from mappings.routes import route_of
from mappings.spinal_trials import CATHETER, SPINAL_ROUTES, Stage, Trial, began, began_giving, spinal_trials
from mappings.units import convert

_TO_TEN = frozenset({(LOINC, "72514-3"), (LOINC, "75893-8")})
"""Scales that end at 10; other pain scores go to 100 as well."""
_ENDS = {"mm": "100", "cm": "10", "/10": "10", "/100": "100"}
"""Units that tell where a scale ends: the line of a visual analog scale is 100 mm long."""
_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)(?: ?(?:/|out of) ?(100?))?")
"""A score in words that are a number: "7", "7/10", "7 out of 10"."""


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


def spinal_analgesics(context: Context) -> tuple[Evidence, ...]:
    """Analgesics that went into the spine by their own route, by day 0: a trial, or an anaesthetic."""
    found = []
    for given in context.chart.of(MedicationAdministration):
        routes = set(route_of(given.dosage).routes) if given.dosage is not None else set()
        day = span(began_giving(given))
        if given.status != "completed" or not routes or not routes <= SPINAL_ROUTES or day is None:
            continue
        concepts = medication_concepts(
            given.medicationCodeableConcept, given.medicationReference, given, context.chart
        )
        drugs = [d.name for d in context.drugs.identify_all(*concepts) if "analgesic" in d.classes]
        if drugs and day.on_or_before(context.as_of):
            says = f"{' + '.join(drugs)}, {' or '.join(sorted(routes))}"
            found.append(context.evidence(given, began_giving(given), says=says))
    return tuple(found)


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


class Unread(Struct, frozen=True):
    """A pain score that is no number on a scale: a word, a limit, a unit of something else."""

    written: str
    observation: Observation

    def evidence(self, context: Context, says: str) -> Evidence:
        return context.evidence(self.observation, self.written, says=f"{_shown(self.observation)} {says}")


class Score(Struct, frozen=True):
    """A pain score: the scale is its code with the end that is written; value lies between 0 and 100."""

    scale: tuple[str, str, str]
    value: Fraction
    day: Span
    written: str
    observation: Observation

    def evidence(self, context: Context, says: str) -> Evidence:
        return context.evidence(self.observation, self.written, float(self.value), says=says)


class Around(Struct, frozen=True):
    """The pain scores around a trial, oldest first; and those that cannot be read, with their place."""

    before: tuple[Score, ...]
    during: tuple[Score, ...]
    unread_before: tuple[Unread, ...]
    unread_during: tuple[Unread, ...]


def scores(context: Context, trial: Trial, value_set: str) -> Around:
    """The scores around the trial.

    During: part of the procedure, or taken while it lasted. Before: taken earlier than it began, by
    the time of day where both have one. What could be either is in neither.
    """
    procedure = trial.procedure
    before: list[Score | Unread] = []
    during: list[Score | Unread] = []
    for score in _all_scores(context, value_set):
        if procedure is not None and _part_of(score.observation, procedure, context):
            during.append(score)
        elif _earlier(score.written, trial.written):
            before.append(score)
        elif procedure is not None and _while(score.written, procedure):
            during.append(score)
    return Around(
        before=tuple(s for s in before if isinstance(s, Score)),
        during=tuple(s for s in during if isinstance(s, Score)),
        unread_before=tuple(s for s in before if isinstance(s, Unread)),
        unread_during=tuple(s for s in during if isinstance(s, Unread)),
    )


def best_held(values: list[Fraction]) -> Fraction:
    """The lowest score that was held: over two readings in a row, or at the end of the trial.

    A single low reading that the next one does not confirm is no sustained relief.
    """
    pairs = [max(first, second) for first, second in pairwise(values)]
    return min([*pairs, values[-1]])


def _all_scores(context: Context, value_set: str) -> list[Score | Unread]:
    found: list[tuple[date, str, Score | Unread]] = []
    for observation in context.chart.in_set(Observation, value_set):
        written = written_date(observation)
        day = span(written)
        coding = context.value_sets.match(value_set, observation.code)
        if observation.status not in COUNTED or coding is None or day is None:
            continue
        if day.on_or_before(context.as_of):
            found.append((day.last, written, _score(key(coding), day, written, observation)))
    return [score for _, _, score in sorted(found, key=itemgetter(0, 1))]


def _score(code: tuple[str, str], day: Span, written: str, observation: Observation) -> Score | Unread:
    value, end = _value(observation)
    if code in _TO_TEN:
        fits, end = end in ("", "10") and value is not None and value <= 10, ""
    else:
        fits = value is not None and value <= int(end or 100)
    if value is None or not fits:
        return Unread(written, observation)
    return Score((*code, end), value, day, written, observation)


def _value(observation: Observation) -> tuple[Fraction | None, str]:
    """The number, and where its scale ends; "" where that is not written."""
    said = _WRITTEN.fullmatch(observation.valueString.strip().lower())
    quantity, end = observation.valueQuantity, ""
    if quantity is None and observation.valueInteger is not None:
        quantity = Quantity(value=observation.valueInteger)
    elif quantity is None and said is not None:
        quantity, end = Quantity(value=float(said[1])), said[2] or ""
    elif quantity is not None:
        end = _ENDS.get((quantity.code or quantity.unit).replace(" ", "").lower(), "")
        if end:
            quantity = Quantity(value=quantity.value, comparator=quantity.comparator)
    converted = convert("score", quantity)
    if converted.value is None or converted.comparator:
        return None, ""
    # Through text: 3.9 is to be 3.9, not the nearest binary fraction.
    return Fraction(str(converted.value)), end


def _shown(observation: Observation) -> str:
    """The value of a score as the record has it."""
    quantity, concept = observation.valueQuantity, observation.valueCodeableConcept
    if quantity is not None and quantity.value is not None:
        return f"{quantity.comparator}{quantity.value:g} {quantity.unit or quantity.code}".strip()
    if concept is not None:
        return concept.text or next((c.display or c.code for c in concept.coding), "no value")
    return observation.valueString or "no value"


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
