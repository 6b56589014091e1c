"""Coverage by cases: what they have shown of criteria, thresholds and groups, and what cannot be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mappings.catalogue import Catalogue
from mappings.terminology import ValueSets
from policies.coverage import Row, coverage
from policies.loader import load_policy
from tests.policies.small_policy import VALID

Rows = Callable[..., dict[str, Row]]
DAY = "2026-06-30"


@pytest.fixture
def rows(tmp_path: Path, catalogue: Catalogue, value_sets: ValueSets) -> Rows:
    """The coverage of the small policy by cases with these facts, by the name of its rows."""

    def read(*given: str, policy: str = VALID) -> dict[str, Row]:
        cases = [
            f'  - {{name: "{n}", as_of: {DAY}, given: {{{facts}}}, expect: {{}}}}\n'
            for n, facts in enumerate(given)
        ]
        (tmp_path / "policy.yaml").write_text(policy, encoding="utf-8")
        (tmp_path / "cases.yaml").write_text("cases:\n" + "".join(cases), encoding="utf-8")
        loaded = load_policy(tmp_path / "policy.yaml", catalogue, value_sets)
        return {row.name: row for row in coverage(loaded, catalogue, value_sets)}

    return read


ADULT = "member_age_years: 40, "


def test_a_criterion_is_covered_when_it_was_met_unmet_and_unknown(rows: Rows) -> None:
    shown = rows(ADULT + "dx_diabetes: true", ADULT + "dx_diabetes: false")["diabetes"]
    assert (shown.shown, shown.missing) == ({"met", "unmet"}, ("unknown",))
    assert rows(ADULT + "dx_diabetes: true", ADULT + "dx_diabetes: false", ADULT)["diabetes"].missing == ()


def test_a_referral_has_only_to_send_an_order_elsewhere(rows: Rows) -> None:
    assert rows("member_lob: commercial")["other_source"].missing == ("met",)
    assert rows("member_lob: medicaid")["other_source"].missing == ()


@pytest.mark.parametrize(("value", "side"), [(3, "below"), (4, "at"), (5, "above")])
def test_a_threshold_is_that_of_the_day_of_the_case(value: int, side: str, rows: Rows) -> None:
    row = rows(f"insulin_injections_per_day: {value}")["insulin_injections_per_day at_least"]
    assert (row.shown, side in row.missing) == ({side}, False)
    assert len(row.missing) == 2


@pytest.mark.parametrize(
    ("day", "shown"),
    [
        ("2025-12-28", set()),
        ("2025-12-29", {"below"}),
        ("2025-12-30", {"at"}),
        ("2025-12-31", {"above"}),
        ("2026-01-01", set()),
    ],
)
def test_a_span_asks_for_the_day_before_the_day_and_the_day_after(
    day: str, shown: set[str], rows: Rows
) -> None:
    assert rows(f"last_treating_physician_visit_date: {day}")[
        "last_treating_physician_visit_date within"
    ].shown == (shown)


def test_a_partial_date_is_on_no_side_of_a_span(rows: Rows) -> None:
    row = rows('last_treating_physician_visit_date: "2025-12"')["last_treating_physician_visit_date within"]
    assert row.shown == set()


def test_a_range_is_on_no_side_of_a_threshold(rows: Rows) -> None:
    row = rows("insulin_injections_per_day: {low: 2, high: 6}")["insulin_injections_per_day at_least"]
    assert row.shown == set()


def test_what_cannot_be_is_not_asked_for_and_is_a_mistake_where_it_shows(rows: Rows) -> None:
    cannot = "          says: The member has diabetes\n          cannot_be: {unmet: a reason}\n"
    policy = VALID.replace("          says: The member has diabetes\n", cannot)
    assert cannot in policy
    row = rows(ADULT + "dx_diabetes: true", ADULT, policy=policy)["diabetes"]
    assert (row.missing, row.contradicted) == ((), ())
    row = rows(ADULT + "dx_diabetes: false", policy=policy)["diabetes"]
    assert (row.missing, row.contradicted) == (("met", "unknown"), ("unmet",))


def test_a_group_of_at_least_n_is_covered_at_n_and_one_below(rows: Rows) -> None:
    policy = VALID.replace("          any:\n", "          at_least: 1\n          of:\n")
    few, enough = "insulin_injections_per_day: 3, insulin_pump_in_use: false", "insulin_injections_per_day: 4"
    assert rows(ADULT + few, policy=policy)["user"].missing == ("1 met",)
    assert rows(ADULT + few, ADULT + enough, policy=policy)["user"].missing == ()
