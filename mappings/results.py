"""Numeric results of Observations: dated, in one unit, oldest first.

A result counts when its status is final, amended or corrected; preliminary, registered, cancelled
and unknown ones do not. Duplicates (the same instant, the same value, another id) count once. A
value whose unit or size makes no sense is kept apart as `refused`, never guessed.
Source: https://hl7.org/fhir/R4/valueset-observation-status.html
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from msgspec import Struct

from mappings.chart import Chart
from mappings.dates import Span, span
from mappings.fhir import Observation, Quantity
from mappings.units import convert, quantity_in_words, target_units

COUNTED = frozenset({"final", "amended", "corrected"})


class Result(Struct, frozen=True, gc=False):
    """One result. `written` is the date as the Observation has it; `comparator` "<", ">=" or ""."""

    day: Span
    written: str
    value: float
    comparator: str
    observation: Observation

    def above(self, threshold: float) -> bool | None:
        """Whether the true value lies strictly above; None when the comparator leaves it open."""
        if self.comparator in (">", ">="):
            reached = self.value == threshold and self.comparator == ">"
            return True if self.value > threshold or reached else None
        if self.comparator in ("<", "<="):
            return False if self.value <= threshold else None
        return self.value > threshold

    def below(self, threshold: float) -> bool | None:
        """Whether the true value lies strictly below; None when the comparator leaves it open."""
        if self.comparator in ("<", "<="):
            reached = self.value == threshold and self.comparator == "<"
            return True if self.value < threshold or reached else None
        if self.comparator in (">", ">="):
            return False if self.value >= threshold else None
        return self.value < threshold


class Refused(Struct, frozen=True, gc=False):
    """A result that cannot be read, and why."""

    day: Span
    written: str
    says: str
    observation: Observation


class Series(Struct, frozen=True):
    """Results from oldest to newest; what was refused; how many had no date."""

    results: tuple[Result, ...]
    refused: tuple[Refused, ...]
    unit: str
    undated: int = 0

    def until(self, day: date) -> Series:
        """What was on file on `day`: results dated later, or perhaps later, are left out."""
        return Series(
            tuple(result for result in self.results if result.day.last <= day),
            tuple(refused for refused in self.refused if refused.day.last <= day),
            self.unit,
            self.undated,
        )


def written_date(observation: Observation) -> str:
    """When the result was obtained, as written: the end of a period; else when it was issued."""
    if observation.effectiveDateTime:
        return observation.effectiveDateTime
    if observation.effectivePeriod is not None:
        return observation.effectivePeriod.end or observation.effectivePeriod.start
    return observation.effectiveInstant or observation.issued


def quantity_of(observation: Observation) -> Quantity | None:
    """The number of a result: as a Quantity, as a bare integer, or in words that are a quantity."""
    if observation.valueQuantity is not None:
        return observation.valueQuantity
    if observation.valueInteger is not None:
        return Quantity(value=observation.valueInteger)
    return quantity_in_words(observation.valueString) if observation.valueString else None


def series(chart: Chart, codes: tuple[str, ...], kind: str) -> Series:
    """The results of a chart whose code is in the value sets `codes`.

    kind: a kind of measurement of mappings.units ("hba1c", "glucose"), whose unit is used.
    Raises mappings.units.UnknownKindError.
    """
    return chart.once(("series", codes, kind), lambda: _series(chart.in_sets(Observation, codes), kind))


def _series(observations: Iterable[Observation], kind: str) -> Series:
    results: list[Result] = []
    refused: list[Refused] = []
    seen: set[tuple[str, float]] = set()
    undated = 0
    for observation in observations:
        if observation.status not in COUNTED:
            continue
        converted = convert(kind, quantity_of(observation))
        if converted.problem == "no_data":
            continue
        written = written_date(observation)
        day = span(written)
        if day is None:
            undated += 1
        elif converted.value is None:
            refused.append(Refused(day, written, converted.says, observation))
        elif (written, converted.value) not in seen:
            seen.add((written, converted.value))
            results.append(Result(day, written, converted.value, converted.comparator, observation))
    results.sort(key=lambda result: (result.day.last, result.written))
    return Series(tuple(results), tuple(refused), target_units()[kind], undated)
