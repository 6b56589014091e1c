"""Hypoglycemia, high readings before meals and while fasting, and how long a pattern lasts."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mappings.episodes import Low, separate
from mappings.evidence import Bounds, Reason
from mappings.fhir import Observation
from tests.builders import (
    ago,
    before_meal,
    condition,
    days_ago,
    fasting,
    glucose,
    log,
    observation,
    reading,
    sensor,
    statement,
    told,
)

EPISODES = "hypoglycemia_episodes_3mo"
PREMEAL = "preprandial_glucose_gt140_fraction"
FASTING = "fasting_glucose_gt200_fraction"
MONTHS = "qualifying_event_duration_months"
LOG = list(log(1, days_ago(90), days_ago(1)))
"""A log that is long enough to show that something did not happen."""


# Episodes


@pytest.mark.parametrize(
    ("value", "unit", "count"),
    [
        (69, "mg/dL", 1),
        (70, "mg/dL", 0),
        (71, "mg/dL", 0),
        (3.8, "mmol/L", 1),
        (3.9, "mmol/L", 0),
        (69.9, "mg/dL", 1),
    ],
)
def test_low_is_strictly_below(value: float, unit: str, count: int) -> None:
    assert told(EPISODES, LOG, glucose(value, "2026-01-10T03:00:00-05:00", unit)) == count


@pytest.mark.parametrize(
    ("times", "count"),
    [
        (["2026-01-10T23:30", "2026-01-11T00:30", "2026-01-11T02:00"], 1),
        (["2026-01-10T03:00", "2026-01-10T21:00"], 1),
        (["2026-01-10T21:00", "2026-01-11T08:59"], 1),
        (["2026-01-10T21:00", "2026-01-11T09:00"], 2),
        (["2026-01-10T07:00", "2026-01-11T07:00"], 2),
    ],
)
def test_many_readings_of_one_night_are_one_episode(times: list[str], count: int) -> None:
    chart = [glucose(55 + n, f"{time}:00-05:00") for n, time in enumerate(times)]
    assert told(EPISODES, LOG, chart) == count


def test_two_episodes_lie_on_two_days() -> None:
    from_three_to_nine = [
        Low(date(2026, 1, 10), 180, 60, Observation()),
        Low(date(2026, 1, 10), 1260, 60, Observation()),
    ]
    assert separate(from_three_to_nine) == from_three_to_nine[:1]


def test_readings_without_a_time_are_apart_by_days() -> None:
    assert told(EPISODES, LOG, glucose(60, "2026-01-10"), glucose(61, "2026-01-11")) == 2


@pytest.mark.parametrize(
    ("day", "count"), [(ago("P1Y", -1), 0), (ago("P1Y"), 1), (days_ago(0), 1), (days_ago(-1), 0)]
)
def test_episodes_of_the_last_year_count(day: str, count: int) -> None:
    assert told(EPISODES, LOG, glucose(60, f"{day}T12:00:00-05:00")) == count


@pytest.mark.parametrize("status", ["preliminary", "cancelled", "entered-in-error"])
def test_an_unfinished_low_reading_is_none(status: str) -> None:
    assert told(EPISODES, LOG, glucose(60, "2026-01-10T12:00:00-05:00", status=status)) == 0


@pytest.mark.parametrize(("days", "expected"), [(29, Reason.TOO_SHORT_A_RECORD), (30, 0)])
def test_only_a_log_shows_that_there_was_no_episode(days: int, expected: Any) -> None:
    assert told(EPISODES, log(1, days_ago(days), days_ago(1))) == expected


def test_without_a_log_the_episodes_on_file_are_a_lower_bound() -> None:
    assert told(EPISODES, glucose(60, "2026-01-10T12:00:00-05:00")) == Bounds(1)
    assert told(EPISODES, condition("E10.649", onsetDateTime="2026-01-10")) == Bounds(1)
    assert told(EPISODES) is Reason.NO_DATA


@pytest.mark.parametrize(
    ("chart", "count"),
    [
        ([condition("E11.649", onsetDateTime="2026-01-12")], 2),
        ([condition("E16.A1", onsetDateTime="2026-01-12", status="resolved")], 2),
        ([condition("E11.649", onsetDateTime="2026-01-10")], 1),
        ([condition("E11.649", onsetDateTime="2026-01-12", verified="refuted")], 1),
        ([condition("E11.649", onsetDateTime="2026-01-12", verified="unconfirmed")], 1),
        ([condition("E11.649", onsetDateTime="2026-01")], 1),
        ([condition("E11.649", onsetDateTime=days_ago(-1))], 1),
        ([condition("E11.65", onsetDateTime="2026-01-12")], 1),
    ],
)
def test_a_coded_episode_of_another_day_is_another_episode(chart: list[Any], count: int) -> None:
    assert told(EPISODES, LOG, glucose(60, "2026-01-10T12:00:00-05:00"), chart) == count


@pytest.mark.parametrize(
    ("minutes", "values", "count"),
    [
        ((0, 5, 10), (60, 60, 60), 0),
        ((0, 5, 10, 15), (60, 60, 60, 60), 1),
        ((0, 5, 10, 15), (60, 60, 80, 60), 0),
        ((0, 15), (60, 60), 1),
        ((0, 5, 10, 15), (70, 70, 70, 70), 0),
    ],
)
def test_a_sensor_shows_an_episode_by_fifteen_minutes_in_a_row(
    minutes: tuple[int, ...], values: tuple[float, ...], count: int
) -> None:
    chart = [sensor(v, f"2026-01-10T03:{m:02}:00-05:00") for m, v in zip(minutes, values, strict=True)]
    assert told(EPISODES, LOG, chart) == count


# Shares


def premeal(value: float, number: int, unit: str = "mg/dL", **more: Any) -> list[Any]:
    return [
        glucose(
            value, f"{days_ago(n + 1)}T12:00:{value % 60:05.2f}-05:00", unit, component=before_meal(), **more
        )
        for n in range(number)
    ]


@pytest.mark.parametrize(
    ("value", "unit", "share"),
    [
        (139, "mg/dL", 0.0),
        (140, "mg/dL", 0.0),
        (141, "mg/dL", 1.0),
        (7.7, "mmol/L", 0.0),
        (7.8, "mmol/L", 1.0),
    ],
)
def test_a_pre_meal_reading_exceeds_140_strictly(value: float, unit: str, share: float) -> None:
    assert told(PREMEAL, premeal(value, 10, unit)) == share


@pytest.mark.parametrize(
    ("value", "unit", "share"),
    [
        (199, "mg/dL", 0.0),
        (200, "mg/dL", 0.0),
        (201, "mg/dL", 1.0),
        (11.1, "mmol/L", 0.0),
        (11.2, "mmol/L", 1.0),
    ],
)
def test_a_fasting_reading_exceeds_200_strictly(value: float, unit: str, share: float) -> None:
    chart = [glucose(value, f"{days_ago(n)}T07:00:00-05:00", unit, component=fasting()) for n in range(1, 11)]
    assert told(FASTING, chart) == share


@pytest.mark.parametrize(("high", "share"), [(1, 0.1), (4, 0.4), (5, 0.5), (6, 0.6)])
def test_the_share_is_that_of_the_tagged_readings(high: int, share: float) -> None:
    untagged = [glucose(300, f"{days_ago(n)}T15:00:00-05:00") for n in range(1, 40)]
    assert told(PREMEAL, premeal(150, high), premeal(120, 10 - high), untagged) == share


@pytest.mark.parametrize("event", ["AC", "ACM", "ACD", "ACV"])
def test_every_event_before_a_meal_is_pre_meal(event: str) -> None:
    chart = [glucose(150, f"{days_ago(n)}T12:00:00-05:00", component=before_meal(event)) for n in range(1, 6)]
    assert told(PREMEAL, chart) == 1.0


@pytest.mark.parametrize("event", ["PCM", "PC", "HS", "C"])
def test_other_events_are_not_pre_meal(event: str) -> None:
    chart = [glucose(150, f"{days_ago(n)}T12:00:00-05:00", component=before_meal(event)) for n in range(1, 6)]
    assert told(PREMEAL, chart) is Reason.IMPRECISE


@pytest.mark.parametrize(
    ("more", "fact", "tagged"),
    [
        ({"code": "88365-2"}, PREMEAL, True),
        ({"code": "1558-6"}, FASTING, True),
        ({"code": "6689-4"}, PREMEAL, False),
        ({"component": [{"code": {"text": "meal"}, "valueString": "before lunch"}]}, PREMEAL, True),
        ({"component": [{"code": {"text": "meal"}, "valueString": "after lunch"}]}, PREMEAL, False),
        ({"note": [{"text": "fasting"}]}, FASTING, True),
        ({"note": [{"text": "non-fasting"}]}, FASTING, False),
        ({"note": [{"text": "not fasting"}]}, FASTING, False),
        ({"note": [{"text": "pre-meal"}]}, PREMEAL, True),
        ({"component": before_meal("ACM")}, FASTING, False),
        ({"component": fasting()}, PREMEAL, False),
    ],
)
def test_the_reading_itself_says_how_it_relates_to_a_meal(
    more: dict[str, Any], fact: str, tagged: bool
) -> None:
    chart = [glucose(250, f"{days_ago(n)}T07:00:00-05:00", **more) for n in range(1, 6)]
    assert (told(fact, chart) == 1.0) is tagged


@pytest.mark.parametrize(("number", "expected"), [(4, Reason.TOO_SHORT_A_RECORD), (5, 1.0), (6, 1.0)])
def test_fewer_than_five_readings_show_nothing_common(number: int, expected: Any) -> None:
    assert told(PREMEAL, premeal(150, number)) == expected


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (ago("P3M", -1), Reason.STALE),
        (ago("P3M"), 1.0),
        (days_ago(1), 1.0),
        (days_ago(0), Reason.STALE),
        (days_ago(-1), Reason.NO_DATA),
    ],
)
def test_the_share_is_that_of_the_three_months_before_the_order(day: str, expected: Any) -> None:
    chart = [glucose(150, f"{day}T12:{n:02}:00-05:00", component=before_meal()) for n in range(5)]
    assert told(PREMEAL, chart) == expected


def test_no_reading_is_no_data() -> None:
    assert told(PREMEAL) is Reason.NO_DATA


def test_an_open_range_widens_the_share() -> None:
    open_ended = premeal(100, 1, id="open")
    open_ended[0]["valueQuantity"]["comparator"] = ">"
    assert told(PREMEAL, premeal(150, 5), open_ended) == Bounds(5 / 6, 1.0)


# Duration


def lows(*days: str) -> list[Any]:
    return [glucose(60, f"{day}T03:00:00-05:00") for day in days]


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        ("2025-10-16", "2026-01-15", 2 + 30 / 31),
        ("2025-10-16", "2026-01-16", 3.0),
        ("2025-10-16", "2026-01-17", 3 + 1 / 31),
        ("2025-11-01", "2026-01-10", 2 + 9 / 31),
    ],
)
def test_a_pattern_lasts_from_its_first_to_its_last_sign(first: str, last: str, months: float) -> None:
    assert told(MONTHS, LOG, lows(first, last)) == pytest.approx(months)


@pytest.mark.parametrize(("last", "months"), [(8, 2 + 23 / 31), (7, 3.0), (1, 3.0)])
def test_a_pattern_still_seen_in_the_last_week_is_ongoing(last: int, months: float) -> None:
    assert told(MONTHS, LOG, lows(ago("P3M"), days_ago(last))) == pytest.approx(months)


def test_one_episode_is_no_pattern() -> None:
    assert told(MONTHS, LOG, lows("2025-10-16")) is Reason.TOO_SHORT_A_RECORD


def test_readings_before_meals_have_a_duration_of_their_own() -> None:
    chart = [glucose(150, f"{days_ago(n)}T12:00:00-05:00", component=before_meal()) for n in range(1, 93)]
    found = reading(MONTHS, chart)
    assert (found.value, found.note) == (3.0, "high readings before meals from 2025-11-16 to 2026-02-15")
    assert told(MONTHS, chart[:-1]) < 3.0


def test_a_month_without_a_sign_begins_the_pattern_anew() -> None:
    recent = [glucose(150, f"{days_ago(n)}T12:00:00-05:00", component=before_meal()) for n in range(1, 30)]
    long_ago = glucose(150, f"{days_ago(200)}T12:00:00-05:00", component=before_meal())
    assert told(MONTHS, recent, long_ago) < 1.0


def test_rare_high_readings_are_no_pattern() -> None:
    chart = [
        glucose(150 if n % 3 == 0 else 120, f"{days_ago(n)}T12:00:00-05:00", component=before_meal())
        for n in range(1, 101)
    ]
    assert told(MONTHS, chart) is Reason.TOO_SHORT_A_RECORD


def test_fasting_readings_are_a_pattern_only_with_the_dawn_phenomenon() -> None:
    chart = [glucose(250, f"{days_ago(n)}T07:00:00-05:00", component=fasting()) for n in range(1, 93)]
    assert told(MONTHS, chart) is Reason.TOO_SHORT_A_RECORD
    assert told(MONTHS, chart, statement(dawn_phenomenon={"valueBoolean": True})) == 3.0


def test_each_pattern_is_measured_for_itself() -> None:
    chart = [*lows("2025-12-20", "2026-01-20"), condition("E10.10", onsetDateTime="2025-09-01")]
    assert told(MONTHS, LOG, chart) == Bounds(1.0)


def test_a_single_severe_event_has_no_duration_and_two_have() -> None:
    one = condition("E10.10", onsetDateTime=ago("P2M"))
    assert told(MONTHS, one) is Reason.TOO_SHORT_A_RECORD
    assert told(MONTHS, one, condition("E10.641", onsetDateTime=ago("P5M"))) == 3.0


def test_a_log_without_any_sign_is_no_pattern_at_all() -> None:
    assert told(MONTHS, log(1, days_ago(90), days_ago(1), 120)) == 0.0
    assert told(MONTHS) is Reason.NO_DATA


def test_a_laboratory_value_alone_shows_no_absence() -> None:
    assert told(MONTHS, observation("2345-7", 100, "mg/dL", "2026-01-10")) is Reason.TOO_SHORT_A_RECORD
