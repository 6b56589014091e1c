"""How many separate episodes of low readings there were."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from msgspec import Struct

from mappings.dates import before
from mappings.episodes import Low, days_with_readings, low_readings, separate
from mappings.events import Event, coded_events
from mappings.evidence import Bounds, Evidence, Reading, Reason, unknown
from mappings.fhir import Condition, Encounter, Observation
from mappings.operators.base import Context, operator, texts
from mappings.results import series
from mappings.sensor_use import sensor_days

_LOG_DAYS = 30
"""Readings on every third day of three months are a log; single laboratory values are none."""
_LOG_SPAN = "P3M"
_SHOWN = 6


@operator(Observation, Condition, Encounter, filtered=(Observation,), code_arguments=("codes", "sensors"))
def episodes_below(
    context: Context,
    codes: Iterable[str],
    kind: str,
    threshold: float,
    within: str,
    sensors: Iterable[str] = (),
    conditions: Iterable[str] = (),
) -> Reading:
    """The number of separate episodes strictly below `threshold` in the calendar span `within`.

    codes: value sets of readings; sensors: value sets of sensor readings; conditions: value sets
    of diagnoses that stand for an episode on their day. Episodes lie on different days
    (mappings.episodes); a diagnosis of the day of an episode is the same one.

    The number is exact when a log is on file (readings on at least 30 days of the last 3 months);
    otherwise at least as many (Bounds), and unknown when none is seen: single values show no
    absence.
    """
    found = low_episodes(context, texts(codes), texts(sensors), texts(conditions), kind, threshold, within)
    since = before(context.as_of, within)
    if found.days:
        count = len(found.days)
        note = f"{count} separate {'episode' if count == 1 else 'episodes'} below {threshold:g} since {since}"
        return Reading(count if found.log else Bounds(count), evidence=found.evidence, note=note)
    if found.log:
        return Reading(0, note=f"no reading below {threshold:g} since {since}")
    if found.readings:
        note = "too few readings on file to tell how often they are low"
        return unknown(Reason.TOO_SHORT_A_RECORD, note)
    return unknown(Reason.NO_DATA)


class Found(Struct, frozen=True):
    """Days of the episodes, oldest first; whether a log, or any reading at all, is on file."""

    days: tuple[date, ...]
    evidence: tuple[Evidence, ...]
    log: bool
    readings: bool


def low_episodes(
    context: Context,
    codes: tuple[str, ...],
    sensors: tuple[str, ...],
    conditions: tuple[str, ...],
    kind: str,
    threshold: float,
    within: str,
) -> Found:
    """The episodes of the calendar span `within` up to and including day 0."""
    chart, as_of = context.chart, context.as_of
    first = before(as_of, within)
    every_low = low_readings(chart, codes, sensors, kind, float(threshold))
    lows = [low for low in every_low if first <= low.day <= as_of]
    starts: dict[date, Low | Event] = {low.day: low for low in separate(lows)}
    low_days = {low.day for low in lows}
    for event in coded_events(chart, conditions, as_of):
        if event.day.exact and first <= event.day.first and event.day.first not in low_days:
            starts.setdefault(event.day.first, event)
    on_file, worn = series(chart, codes, kind), sensor_days(chart, sensors)
    log_first = before(as_of, _LOG_SPAN)
    log = days_with_readings(on_file, worn, log_first, as_of - timedelta(days=1)) >= _LOG_DAYS
    days = tuple(sorted(starts))
    shown = days if len(days) <= _SHOWN else (*days[: _SHOWN // 2], *days[-_SHOWN // 2 :])
    evidence = tuple(_evidence(context, starts[day], on_file.unit) for day in shown)
    return Found(days, evidence, log, bool(on_file.results or worn))


def _evidence(context: Context, start: Low | Event, unit: str) -> Evidence:
    if isinstance(start, Event):
        return context.evidence(start.resource, start.written, says=start.says)
    return context.evidence(start.observation, start.day.isoformat(), value=start.value, unit=unit)
