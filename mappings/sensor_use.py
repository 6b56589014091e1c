"""Days on which a sensor delivered readings."""

from __future__ import annotations

from datetime import date

from mappings.chart import Chart
from mappings.dates import span
from mappings.fhir import Observation
from mappings.results import COUNTED

_LONGEST = 400
"""Days; a report over a longer period is a mistake in a date."""


def sensor_days(chart: Chart, codes: tuple[str, ...]) -> dict[date, Observation]:
    """Day -> one reading of that day, for Observations whose code is in the value sets.

    A reading over a period (sampled data, a report) counts on each of its days.
    """
    return chart.once(("sensor-days", codes), lambda: _days(chart.in_sets(Observation, codes)))


def _days(observations: list[Observation]) -> dict[date, Observation]:
    written: dict[str, Observation] = {}
    days: dict[date, Observation] = {}
    for observation in observations:
        if observation.status not in COUNTED:
            continue
        at = observation.effectiveDateTime or observation.effectiveInstant
        if at:
            # 17,280 readings have 60 days: one slice and one look-up each.
            day_written = at[:10]
            if day_written not in written:
                written[day_written] = observation
        elif observation.effectivePeriod is not None:
            start, end = span(observation.effectivePeriod.start), span(observation.effectivePeriod.end)
            if start is not None and end is not None and start.exact and end.exact:
                first = start.first.toordinal()
                for ordinal in range(first, min(end.first.toordinal(), first + _LONGEST) + 1):
                    days.setdefault(date.fromordinal(ordinal), observation)
    for day_written, observation in written.items():
        day = span(day_written)
        if day is not None and day.exact:
            days.setdefault(day.first, observation)
    return days
