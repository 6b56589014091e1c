"""Days on which a sensor delivered readings."""

from __future__ import annotations

from datetime import date

from mappings.chart import Chart
from mappings.dates import span
from mappings.fhir import Observation, Period
from mappings.results import COUNTED

_LONGEST = 400
"""Days; a report over a longer period is a mistake in a date."""


def sensor_days(chart: Chart, codes: tuple[str, ...]) -> dict[date, Observation]:
    """Day -> one reading of that day, for Observations whose code is in the value sets.

    A reading over a period (sampled data, a report) counts on each of its days.
    """
    # Facts ask for different sets of which one holds all readings.
    held = tuple(code for code in codes if chart.in_set(Observation, code))
    return chart.once(("sensor-days", held), lambda: _days(chart.in_sets(Observation, held)))


def _days(observations: list[Observation]) -> dict[date, Observation]:
    days: dict[date, Observation] = {}
    for observation in observations:
        if observation.effectivePeriod is None or observation.status not in COUNTED:
            continue
        if not (observation.effectiveDateTime or observation.effectiveInstant):
            for day in _days_of(observation.effectivePeriod):
                days.setdefault(day, observation)
    # 17,280 readings have 60 days: one slice and one look-up each. The first of a day comes last, and stays.
    written = {
        at[:10]: observation
        for observation in reversed(observations)
        if (at := observation.effectiveDateTime or observation.effectiveInstant)
        and observation.status in COUNTED
    }
    for day_written, observation in written.items():
        known = span(day_written)
        if known is not None and known.exact:
            days.setdefault(known.first, observation)
    return days


def _days_of(period: Period) -> list[date]:
    start, end = span(period.start), span(period.end)
    if start is None or end is None or not (start.exact and end.exact):
        return []
    first = start.first.toordinal()
    return [date.fromordinal(at) for at in range(first, min(end.first.toordinal(), first + _LONGEST) + 1)]
