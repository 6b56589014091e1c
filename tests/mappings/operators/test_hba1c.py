"""HbA1c above a threshold for a while, and the newest value."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mappings.evidence import Bounds, Reason
from tests.builders import a1c, ago, days_ago, insulin_pump_order, observation, reading, told

FACT = "hba1c_above_7_6mo"
FIRST = ago("P6M")
"""16 August 2025: the day that lies 6 months before the order of 16 February 2026."""


def series(*values: float, unit: str = "%") -> list[Any]:
    """Results, the first exactly 6 months before the order, the others since."""
    days = [FIRST, "2025-11-10", "2026-01-20", "2026-02-10"]
    return [a1c(value, day, unit) for value, day in zip(values, days, strict=False)]


@pytest.mark.parametrize(
    ("values", "unit", "expected"),
    [
        ((6.9, 6.9, 6.9), "%", False),
        ((7.0, 7.0, 7.0), "%", False),
        ((7.1, 7.1, 7.1), "%", True),
        ((52, 52, 52), "mmol/mol", False),
        ((53, 53, 53), "mmol/mol", False),
        ((54, 54, 54), "mmol/mol", True),
        ((52, 52, 52), "%", Reason.UNIT_MISMATCH),
        ((8.0, 6.9, 8.0), "%", False),
        ((8.0, 8.0, 7.0), "%", False),
        ((7.0, 8.0, 8.0), "%", False),
    ],
)
def test_every_result_lies_strictly_above(values: tuple[float, ...], unit: str, expected: Any) -> None:
    assert told(FACT, series(*values, unit=unit)) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("6.9 %", False),
        ("7.0 %", False),
        ("7.1 % (H)", True),
        ("53 mmol/mol", False),
        ("54 mmol/mol", True),
        (">14 %", True),
        ("<7.0 %", False),
        ("<7.5 %", Reason.IMPRECISE),
        ("7.1", Reason.UNIT_MISMATCH),
    ],
)
def test_a_result_in_words_counts_like_a_quantity(written: str, expected: Any) -> None:
    results = [
        {key: value for key, value in a1c(8.0, day).items() if key != "valueQuantity"} | {"valueString": text}
        for day, text in ((FIRST, "8.0 %"), ("2026-01-20", written))
    ]
    assert told(FACT, results) == expected


@pytest.mark.parametrize(
    ("later", "expected"),
    [(-1, True), (0, True), (1, Reason.TOO_SHORT_A_RECORD)],
)
def test_the_oldest_elevated_result_is_six_calendar_months_old(later: int, expected: Any) -> None:
    assert told(FACT, a1c(8.0, ago("P6M", later)), a1c(8.0, "2026-01-20")) == expected


def test_six_months_before_the_end_of_august_is_the_end_of_february() -> None:
    order = insulin_pump_order(authoredOn="2025-08-31")
    for first, expected in (("2025-02-28", True), ("2025-03-01", Reason.TOO_SHORT_A_RECORD)):
        assert told(FACT, a1c(8.0, first), a1c(8.0, "2025-08-01"), order=order) == expected


def test_results_over_five_months_are_too_short_a_record() -> None:
    assert told(FACT, a1c(8.0, ago("P5M")), a1c(8.2, "2026-01-20")) is Reason.TOO_SHORT_A_RECORD


def test_a_normal_result_before_a_short_run_makes_it_unmet() -> None:
    assert told(FACT, a1c(6.8, ago("P8M")), a1c(8.0, ago("P5M")), a1c(8.2, "2026-01-20")) is False


def test_a_dip_before_a_run_that_is_long_enough_does_not_matter() -> None:
    chart = [a1c(6.8, ago("P9M")), a1c(8.0, ago("P7M")), a1c(8.2, "2026-01-20")]
    assert told(FACT, chart) is True


@pytest.mark.parametrize(
    ("value", "expected"), [(8.0, Reason.TOO_SHORT_A_RECORD), (7.0, False), (6.5, False)]
)
def test_a_single_result_proves_nothing_unless_it_is_not_elevated(value: float, expected: Any) -> None:
    assert told(FACT, a1c(value, "2026-01-20")) == expected


def test_the_same_result_twice_is_one_result() -> None:
    chart = [a1c(8.0, FIRST, id="a"), a1c(8.0, FIRST, id="b")]
    assert told(FACT, chart) is Reason.TOO_SHORT_A_RECORD


def test_two_results_of_one_day_are_one() -> None:
    chart = [a1c(8.0, f"{FIRST}T08:00:00-05:00"), a1c(8.1, f"{FIRST}T09:00:00-05:00")]
    assert told(FACT, chart) is Reason.TOO_SHORT_A_RECORD


@pytest.mark.parametrize(("later", "expected"), [(0, True), (-1, Reason.STALE)])
def test_results_older_than_the_window_are_stale(later: int, expected: Any) -> None:
    chart = [a1c(8.0, ago("P9M")), a1c(8.0, ago("P6M", later))]
    assert told(FACT, chart) == expected


def test_an_old_normal_result_is_stale_and_not_unmet() -> None:
    assert told(FACT, a1c(6.0, ago("P8M"))) is Reason.STALE


def test_a_result_of_the_day_of_the_order_counts_and_a_later_one_does_not() -> None:
    assert told(FACT, a1c(8.0, FIRST), a1c(6.5, days_ago(0))) is False
    assert told(FACT, a1c(8.0, FIRST), a1c(8.0, "2026-01-20"), a1c(6.5, days_ago(-1))) is True


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("final", False),
        ("amended", False),
        ("corrected", False),
        ("preliminary", True),
        ("registered", True),
        ("cancelled", True),
        ("entered-in-error", True),
        ("unknown", True),
    ],
)
def test_only_finished_results_count(status: str, expected: bool) -> None:
    assert told(FACT, series(8.0, 8.0), a1c(6.0, "2026-02-01", status=status)) is expected


def test_an_unreadable_result_within_the_run_leaves_it_open() -> None:
    assert told(FACT, series(8.0, 8.0), a1c(54, "2025-12-01", "%")) is Reason.UNIT_MISMATCH
    assert told(FACT, series(8.0, 8.0), a1c(54, ago("P9M"), "%")) is True


def test_a_result_without_a_value_is_none() -> None:
    empty = observation("4548-4", None, "%", "2026-02-01")
    assert told(FACT, series(8.0, 8.0), empty) is True
    assert told(FACT, empty) is Reason.NO_DATA


def test_an_estimate_from_a_glucose_monitor_is_no_hba1c() -> None:
    assert told(FACT, observation("97506-0", 8.0, "%", FIRST), a1c(8.0, "2026-01-20")) is (
        Reason.TOO_SHORT_A_RECORD
    )


@pytest.mark.parametrize(
    ("comparator", "value", "expected"),
    [
        (">", 14.0, True),
        (">", 7.0, True),
        (">=", 7.0, Reason.IMPRECISE),
        ("<", 7.0, False),
        ("<", 9.0, Reason.IMPRECISE),
    ],
)
def test_an_open_range_counts_only_where_it_decides(comparator: str, value: float, expected: Any) -> None:
    open_ended = a1c(value, "2026-01-20")
    open_ended["valueQuantity"]["comparator"] = comparator
    assert told(FACT, a1c(8.0, FIRST), open_ended) == expected


def test_a_month_alone_that_may_be_too_late_is_imprecise() -> None:
    assert told(FACT, a1c(8.0, "2025-08"), a1c(8.0, "2026-01-20")) is Reason.IMPRECISE
    assert told(FACT, a1c(8.0, "2025-07"), a1c(8.0, "2026-01-20")) is True


def test_threshold_and_duration_are_the_policy_s() -> None:
    assert told(FACT, series(8.0, 8.0), threshold=Decimal("8.0")) is False
    assert told(FACT, series(8.0, 8.0), duration="P9M") is Reason.TOO_SHORT_A_RECORD


def test_the_run_is_the_evidence() -> None:
    found = reading(
        FACT, a1c(6.0, ago("P9M")), a1c(58, FIRST, "mmol/mol", id="x"), a1c(8.0, "2026-01-20", id="y")
    )
    assert [(e.resource, e.value, e.unit) for e in found.evidence] == [
        ("Observation/x", 7.5, "%"),
        ("Observation/y", 8.0, "%"),
    ]
    assert found.note == "2 results above since 2025-08-16"


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        ([a1c(8.0, "2025-11-01"), a1c(7.2, "2026-01-20")], 7.2),
        ([a1c(7.2, "2026-01-20"), a1c(7.6, "2026-01-20T10:00:00-05:00")], Bounds(7.2, 7.6)),
        ([a1c(7.2, "2026-01-20"), a1c(54, "2026-02-01", "%")], Reason.UNIT_MISMATCH),
        ([a1c(7.2, "2026-01-20"), a1c(6.0, days_ago(-1))], 7.2),
        ([], Reason.NO_DATA),
    ],
)
def test_the_newest_value(chart: list[Any], expected: Any) -> None:
    assert told("hba1c_latest_pct", chart) == expected


def test_all_values_are_listed_in_one_unit() -> None:
    chart = [a1c(64, "2025-11-01", "mmol/mol"), a1c(7.2, "2026-01-20")]
    assert told("hba1c_pct_series", chart) == ("2025-11-01: 8 %", "2026-01-20: 7.2 %")


def test_a_result_that_was_sent_twice_is_listed_once() -> None:
    chart = [a1c(7.2, "2026-01-20", id="a"), a1c(7.2, "2026-01-20", id="b")]
    assert told("hba1c_pct_series", chart) == ("2026-01-20: 7.2 %",)
