"""How often a day glucose is self-tested, on average."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from mappings.dates import Window, before, window_before, words
from mappings.evidence import Bounds, Evidence, Reading, Reason, unknown
from mappings.fhir import Device, Observation
from mappings.operators.base import Context, operator, texts
from mappings.self_tests import SelfTests, self_tests

_SHORTEST_LOG = 7


@operator(Observation, Device, filtered=(Observation,), code_arguments=("codes", "marked"))
def average_per_day(
    context: Context,
    codes: Iterable[str],
    duration: str,
    marked: Iterable[str] = (),
    meters: Iterable[str] = (),
    sensors: Iterable[str] = (),
    over_log: bool = False,
) -> Reading:
    """Self-tests per day over the calendar span `duration` that ends on the day before day 0.

    codes, marked, meters, sensors: see mappings.self_tests. The tests are divided by all days of
    the window, with tests or without, and day 0 does not count (readings trap 4). Tests that may be
    someone else's give Bounds.

    over_log: for a policy that states no look-back. The window is shortened to the part of it that
    the log covers (first test to the day before day 0; under 7 days are too short a record); a log
    that ends before the window is averaged over itself, unless it ended a whole `duration` before
    the window began (stale).

    Unknown: no self-test at all (no_data); only tests before the window (stale), because a
    log that was not downloaded looks the same; but with tests before the window and on or after
    day 0 the log reaches over it, and the average is 0.
    """
    tests = self_tests(context.chart, texts(codes), texts(marked), texts(meters), texts(sensors))
    if not tests.sure and not tests.unclear:
        if tests.streams:
            return unknown(Reason.NO_DATA, "only sensor readings are on file, which are no self-tests")
        return unknown(Reason.NO_DATA)
    window = window_before(context.as_of, duration)
    if not tests.sure:
        note = "the meter readings on file do not say that the patient took them"
        return unknown(Reason.IMPRECISE, note, _evidence(context, tests, tests.unclear))
    if any(window.first <= day <= window.last for day in tests.sure):
        if over_log:
            return _over_log(context, tests, Window(max(window.first, min(tests.sure)), window.last))
        return _average(context, tests, window)
    return _outside(context, tests, window, duration, over_log)


def _over_log(context: Context, tests: SelfTests, log: Window) -> Reading:
    if log.days < _SHORTEST_LOG:
        note = f"the log covers {log.days} days; at least {_SHORTEST_LOG} are needed for an average"
        return unknown(Reason.TOO_SHORT_A_RECORD, note, _evidence(context, tests, tests.sure))
    return _average(context, tests, log)


def _outside(context: Context, tests: SelfTests, window: Window, duration: str, over_log: bool) -> Reading:
    """The reading when no self-test lies in the window."""
    earlier = [day for day in tests.sure if day < window.first]
    later = [day for day in tests.sure if day > window.last]
    evidence = _evidence(context, tests, tests.sure)
    if not earlier:
        note = "the self-tests on file begin on the day of the order or later"
        return unknown(Reason.TOO_SHORT_A_RECORD, note, evidence)
    if later:
        note = f"no self-test in the last {words(duration)}, with tests before and after"
        return Reading(0.0, evidence=evidence, note=note)
    if over_log and max(earlier) >= before(window.first, duration):
        return _over_log(context, tests, Window(min(earlier), max(earlier)))
    note = f"the last self-test on file is from {max(earlier)}, older than {words(duration)}"
    return unknown(Reason.STALE, note, evidence)


def _average(context: Context, tests: SelfTests, window: Window) -> Reading:
    sure, perhaps = tests.count(window.first, window.last)
    days = [day for day in {*tests.sure, *tests.unclear} if window.first <= day <= window.last]
    note = f"{sure} self-tests in {window.days} days ({window.first} to {window.last})"
    note += f", {sure / window.days:.2f} a day"
    if perhaps > sure:
        note += f", and {perhaps - sure} meter readings that may be someone else's"
    low, high = sure / window.days, perhaps / window.days
    value = low if low == high else Bounds(low, high)
    return Reading(value, evidence=_evidence(context, tests, days), note=note)


def _evidence(context: Context, tests: SelfTests, days: Iterable[date]) -> tuple[Evidence, ...]:
    """The first and the last day of the log, not each of a thousand readings."""
    ordered = sorted(days)
    ends = [ordered[0], ordered[-1]] if len(ordered) > 1 else ordered
    counts = {day: tests.sure.get(day, 0) + tests.unclear.get(day, 0) for day in ends}
    return tuple(
        context.evidence(tests.observations[day], day.isoformat(), value=counts[day], unit="/d")
        for day in ends
    )
