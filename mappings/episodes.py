"""Separate episodes of low readings.

Two low readings belong to one episode unless they lie on different calendar days and, where both
have a time of day, at least 12 hours apart: many readings in one night are one episode. A reading
of a sensor counts only within at least 15 minutes of low readings in a row, which is what
consensus calls an event; a single one may be pressure on the sensor.
Source: Battelino et al., Diabetes Care 2019;42:1593 (time in range consensus).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from msgspec import Struct

from mappings.chart import Chart
from mappings.dates import span
from mappings.fhir import Observation
from mappings.results import COUNTED, Series, series
from mappings.units import convert, never_below

_APART = 12 * 60
_SENSOR_EVENT = 15


class Low(Struct, frozen=True):
    """A low reading. `minute` of the day, None when only the date is known."""

    day: date
    minute: int | None
    value: float
    observation: Observation


def low_readings(
    chart: Chart, codes: tuple[str, ...], sensors: tuple[str, ...], kind: str, threshold: float
) -> list[Low]:
    """Readings strictly below `threshold`, oldest first; those of sensors only within an event."""

    def build() -> list[Low]:
        lows = [
            Low(result.day.first, _minute(result.written), result.value, result.observation)
            for result in series(chart, codes, kind).results
            if result.day.exact and result.below(threshold)
        ]
        lows += _sensor_events(chart.in_sets(Observation, sensors), kind, threshold)
        return sorted(lows, key=lambda low: (low.day, low.minute or 0))

    return chart.once(("lows", codes, sensors, kind, threshold), build)


def separate(lows: Iterable[Low]) -> list[Low]:
    """The first reading of each episode; `lows` oldest first."""
    starts: list[Low] = []
    last: Low | None = None
    for low in lows:
        if last is None or (low.day != starts[-1].day and _far(last, low)):
            starts.append(low)
        last = low
    return starts


def _far(earlier: Low, later: Low) -> bool:
    if earlier.minute is None or later.minute is None:
        return earlier.day != later.day
    return (later.day - earlier.day).days * 1440 + later.minute - earlier.minute >= _APART


def _sensor_events(observations: Iterable[Observation], kind: str, threshold: float) -> list[Low]:
    """The first reading of each run of low sensor readings that lasts 15 minutes or more."""
    high = never_below(kind, threshold)
    by_day: dict[str, list[tuple[str, Observation]]] = {
        reading.effectiveDateTime[:10]: []
        for reading in observations
        if (of := reading.valueQuantity) is not None
        and of.value is not None
        and of.value < high
        and _counts(reading)
        and _is_low(reading, kind, threshold)
    }
    if not by_day:
        return []
    for reading in observations:
        of_day = by_day.get(reading.effectiveDateTime[:10])
        if of_day is not None and _counts(reading):
            of_day.append((reading.effectiveDateTime, reading))
    found: list[Low] = []
    for written_day in sorted(by_day):
        day = span(written_day)
        if day is not None and day.exact:
            found += _runs(day.first, sorted(by_day[written_day], key=lambda item: item[0]), kind, threshold)
    return found


def _counts(reading: Observation) -> bool:
    return len(reading.effectiveDateTime) > 10 and reading.status in COUNTED


def _runs(day: date, readings: list[tuple[str, Observation]], kind: str, threshold: float) -> Iterable[Low]:
    begun: Low | None = None
    kept = False
    for written, observation in readings:
        if not _is_low(observation, kind, threshold):
            begun, kept = None, False
            continue
        minute = _minute(written) or 0
        if begun is None:
            begun = Low(day, minute, convert(kind, observation.valueQuantity).value or 0.0, observation)
        elif not kept and minute - (begun.minute or 0) >= _SENSOR_EVENT:
            kept = True
            yield begun


def _is_low(observation: Observation, kind: str, threshold: float) -> bool:
    value = convert(kind, observation.valueQuantity).value
    return value is not None and value < threshold


def _minute(written: str) -> int | None:
    """The minute of the day as written, in its own offset."""
    time = written[11:16]
    if len(time) == 5 and time[2] == ":" and time[:2].isdigit() and time[3:].isdigit():
        return int(time[:2]) * 60 + int(time[3:])
    return None


def days_with_readings(on_file: Series, sensor_days: Iterable[date], first: date, last: date) -> int:
    """On how many days within [first, last] there is a reading."""
    days = {result.day.first for result in on_file.results if result.day.exact} | set(sensor_days)
    return sum(first <= day <= last for day in days)
