"""The average number of glucose self-tests a day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from mappings.evidence import Bounds, Reason
from tests.builders import (
    CGM,
    HCPCS,
    SNOMED,
    ago,
    days_ago,
    device,
    glucose,
    insulin_pump_order,
    log,
    observation,
    reading,
    sensor,
    told,
)

NEW, ESTABLISHED = "glucose_tests_per_day_avg_60d", "glucose_tests_per_day_avg"
FIRST, LAST = "2025-12-16", "2026-02-15"
"""The window of an order of 16 February 2026: 62 days that end on the day before."""
METER = (SNOMED, "337414009")


def spread(number: int, day: str = LAST, **more: Any) -> list[Any]:
    """`number` self-tests spread over the window, the first on its last day and back."""
    last = date.fromisoformat(day)
    return [
        glucose(120, f"{last - timedelta(days=n % 62)}T{6 + n // 62:02}:00:00-05:00", **more)
        for n in range(number)
    ]


@pytest.mark.parametrize(
    ("number", "average"),
    [(4 * 62 - 7, 241 / 62), (4 * 62 - 1, 247 / 62), (4 * 62, 4.0), (4 * 62 + 6, 254 / 62)],
)
def test_the_tests_are_divided_by_the_days_of_the_window(number: int, average: float) -> None:
    assert told(NEW, spread(number)) == average


def test_a_test_less_than_four_a_day_is_below_four_and_a_test_more_above() -> None:
    assert told(NEW, spread(247)) < 4 < told(NEW, spread(249))


@pytest.mark.parametrize(
    ("day", "count"), [("2025-12-15", 0), (FIRST, 1), (LAST, 1), (days_ago(0), 0), (days_ago(-1), 0)]
)
def test_the_window_begins_two_months_before_the_order_and_ends_the_day_before_it(
    day: str, count: int
) -> None:
    others = spread(62)
    assert told(NEW, others, glucose(99, f"{day}T23:59:00-05:00")) == (62 + count) / 62


@pytest.mark.parametrize(
    ("order_day", "days"),
    [("2026-02-16", 62), ("2025-04-16", 59), ("2024-04-16", 60), ("2025-04-30", 61), ("2025-03-31", 59)],
)
def test_two_months_are_two_calendar_months(order_day: str, days: int) -> None:
    day = date.fromisoformat(order_day)
    chart = log(4, (day - timedelta(days=90)).isoformat(), (day - timedelta(days=1)).isoformat())
    found = reading(NEW, chart, order=insulin_pump_order(authoredOn=order_day))
    assert found.value == 4.0
    assert f"{4 * days} self-tests in {days} days" in found.note


def test_days_without_tests_count() -> None:
    assert told(NEW, log(5, days_ago(30), LAST)) == 150 / 62


def test_the_offset_of_the_reading_tells_its_day() -> None:
    late = glucose(100, "2026-02-15T23:30:00-05:00")
    assert told(NEW, spread(61), late) == 1.0
    early = glucose(100, "2026-02-16T00:30:00+05:00")
    assert told(NEW, spread(61), early) == 61 / 62


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        ("final", True),
        ("amended", True),
        ("corrected", True),
        ("preliminary", False),
        ("registered", False),
        ("cancelled", False),
        ("entered-in-error", False),
        ("unknown", False),
    ],
)
def test_only_finished_readings_count(status: str, counts: bool) -> None:
    extra = glucose(99, "2026-01-15T12:00:00-05:00", status=status)
    assert told(NEW, spread(62), extra) == (62 + counts) / 62


def test_a_reading_that_was_sent_twice_counts_once() -> None:
    twice = [glucose(99, "2026-01-15T12:00:00-05:00") for _ in range(2)]
    assert told(NEW, spread(62), twice) == 63 / 62
    other_value = glucose(101, "2026-01-15T12:00:00-05:00")
    assert told(NEW, spread(62), twice, other_value) == 64 / 62


def test_a_meter_that_shows_hi_was_used_for_a_test_and_one_without_a_value_was_not() -> None:
    high = glucose(0, "2026-01-15T12:00:00-05:00", valueQuantity=None, valueString="HI")
    empty = glucose(0, "2026-01-15T13:00:00-05:00", valueQuantity=None)
    assert told(NEW, spread(62), high, empty) == 63 / 62


def test_a_day_known_only_as_a_month_is_no_day_of_the_window() -> None:
    assert told(NEW, spread(62), glucose(99, "2026-01")) == 1.0


def test_no_self_test_at_all_is_no_data() -> None:
    assert told(NEW) is Reason.NO_DATA


def test_a_log_that_ends_before_the_window_is_stale() -> None:
    assert told(NEW, log(4, "2025-08-01", "2025-12-15")) is Reason.STALE


def test_a_log_that_reaches_over_an_empty_window_is_a_zero() -> None:
    found = reading(NEW, log(4, "2025-11-01", "2025-12-15"), glucose(99, "2026-02-16T07:00:00-05:00"))
    assert found.value == 0.0
    assert "no self-test in the last 2 months" in found.note


def test_a_log_that_begins_on_the_day_of_the_order_is_too_short() -> None:
    assert told(NEW, glucose(99, "2026-02-16T07:00:00-05:00")) is Reason.TOO_SHORT_A_RECORD


# What is a self-test


@pytest.mark.parametrize(
    ("more", "counts"),
    [
        ({"performer": [{"reference": "Patient/p"}]}, True),
        ({"performer": [{"reference": "RelatedPerson/mother"}]}, True),
        ({"performer": [{"reference": "Organization/lab"}, {"reference": "Patient/p"}]}, True),
        ({"performer": [{"reference": "Practitioner/nurse"}]}, False),
        ({"performer": None}, False),
        ({"performer": None, "method": {"text": "Fingerstick, self-monitored"}}, True),
        ({"performer": None, "method": {"text": "Hexokinase spectrophotometry"}}, False),
        ({"performer": None, "device": {"reference": "Device/meter"}}, True),
        ({"performer": None, "device": {"reference": "Device/cgm"}}, False),
        ({"device": {"reference": "Device/cgm"}}, False),
    ],
)
@pytest.mark.parametrize("code", ["2339-0", "2345-7", "15074-8"])
def test_a_general_code_needs_a_mark_of_self_measurement(
    code: str, more: dict[str, Any], counts: bool
) -> None:
    devices = [device(METER, id="meter"), device(CGM, id="cgm")]
    extra = glucose(99, "2026-01-15T12:00:00-05:00", code=code, **more)
    assert told(NEW, devices, spread(62), extra) == (62 + counts) / 62


@pytest.mark.parametrize("code", ["41653-7", "14743-9", "2340-8", "72516-8", "41604-0"])
def test_a_glucometer_code_needs_no_mark(code: str) -> None:
    extra = glucose(99, "2026-01-15T12:00:00-05:00", code=code, performer=None)
    assert told(NEW, spread(62), extra) == 63 / 62


def test_a_glucometer_reading_of_a_professional_may_be_a_bedside_test() -> None:
    nurse = glucose(99, "2026-01-15T12:00:00-05:00", performer=[{"reference": "Practitioner/n"}])
    assert told(NEW, spread(62), nurse) == Bounds(1.0, 63 / 62)
    assert told(NEW, nurse) is Reason.IMPRECISE


def test_readings_of_a_glucose_monitor_are_no_self_tests() -> None:
    stream = [
        sensor(120, f"2026-01-15T{hour:02}:{minute:02}:00-05:00") for hour in range(24) for minute in (0, 5)
    ]
    assert told(NEW, stream) is Reason.NO_DATA
    assert told(NEW, spread(62), stream) == 1.0
    worn = glucose(99, "2026-01-15T12:00:00-05:00", device={"reference": "Device/cgm"})
    assert told(NEW, device(CGM, id="cgm"), spread(62), worn) == 1.0


@pytest.mark.parametrize(("number", "counted"), [(30, 30), (31, 0)])
def test_more_readings_than_anyone_pricks_in_a_day_are_a_sensor_s(number: int, counted: int) -> None:
    day = [glucose(100 + n, f"2026-01-15T{n % 24:02}:{n // 24:02}:00-05:00") for n in range(number)]
    chart = [*day, glucose(99, "2026-01-16T07:00:00-05:00")]
    assert told(NEW, chart) == (counted + 1) / 62


def test_a_meter_by_its_hcpcs_code_is_a_meter() -> None:
    meter = device((HCPCS, "E0607"), id="meter")
    extra = observation("2339-0", 99, "mg/dL", "2026-01-15", device={"reference": "Device/meter"})
    assert told(NEW, meter, spread(62), extra) == 63 / 62


# Established users: no look-back is stated


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        (list(log(4, "2025-10-01", LAST)), 4.0),
        (list(log(5, days_ago(30), LAST)), 5.0),
        (list(log(5, days_ago(30), days_ago(16))), 2.5),
        (list(log(4, days_ago(7), LAST)), 4.0),
        (list(log(4, days_ago(6), LAST)), Reason.TOO_SHORT_A_RECORD),
        (list(log(4, "2025-11-01", "2025-11-30")), 4.0),
        (list(log(4, "2025-09-01", "2025-10-16")), 4.0),
        (list(log(4, "2025-09-01", "2025-10-15")), Reason.STALE),
        ([], Reason.NO_DATA),
    ],
)
def test_an_established_user_s_log_is_averaged_over_the_time_it_covers(
    chart: list[Any], expected: Any
) -> None:
    assert told(ESTABLISHED, chart) == expected


def test_six_of_seven_days_are_less_than_once_a_day() -> None:
    chart = [glucose(99, f"{days_ago(n)}T07:00:00-05:00") for n in (1, 2, 3, 5, 6, 7)]
    assert told(ESTABLISHED, chart) == 6 / 7


def test_first_and_last_day_of_the_log_are_the_evidence() -> None:
    found = reading(NEW, log(2, ago("P3M"), LAST))
    assert [(e.date, e.value) for e in found.evidence] == [(FIRST, 2), (LAST, 2)]
    assert found.note == "124 self-tests in 62 days (2025-12-16 to 2026-02-15), 2.00 a day"
