"""Calcium, leukemia, cancer pain and the trials of opioids."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.evidence import Bounds, Reason
from tests.builders import (
    RXNORM,
    SNOMED,
    concept,
    condition,
    days_ago,
    drug,
    observation,
    pump,
    reading,
    statement,
    taken,
    told,
)
from tests.mappings.orders import ICD, Json

CALCIUM, STATUS = "calcium_corrected_mg_dl", "all_disease_status"
FAILED, INTOLERANT = "oral_transdermal_opioid_failed", "oral_transdermal_opioid_intolerance"
NO_RESPONSE, NOT_TOLERATED = "266721009", "407563006"
OXYCODONE = "7804"


def order_for(reason: str) -> tuple[Json, Json]:
    """A pump with morphine, ordered for a reason."""
    return pump(reasonCode=[concept((ICD, reason))]), drug((RXNORM, "7052"))


def calcium(value: float, on: str = days_ago(2), unit: str = "mg/dL", **more: Any) -> Json:
    return observation("17861-6", value, unit, on, **more)


def albumin(value: float, on: str = days_ago(2), unit: str = "g/dL", **more: Any) -> Json:
    return observation("1751-7", value, unit, on, **more)


# Calcium


@pytest.mark.parametrize(
    ("total", "protein", "expected"),
    [(13.3, 3.0, 14.1), (11.2, 2.5, 12.4), (12.0, 4.0, 12.0), (11.9, 4.0, 11.9), (12.4, 4.5, 12.0)],
)
def test_a_total_calcium_is_corrected_for_albumin(total: float, protein: float, expected: float) -> None:
    assert told(CALCIUM, calcium(total), albumin(protein)) == expected


@pytest.mark.parametrize(("days", "expected"), [(29, 13.0), (30, 13.0), (31, Reason.STALE)])
def test_a_calcium_is_of_the_last_30_days(days: int, expected: Any) -> None:
    chart = [calcium(13.0, days_ago(days)), albumin(4.0, days_ago(days))]
    found = reading(CALCIUM, chart)
    assert (found.value if found.known else found.reason) == expected
    assert found.evidence[0].value == 13.0


@pytest.mark.parametrize(
    ("code", "value", "unit", "expected"),
    [
        ("29265-6", 2.99, "mmol/L", 11.98),
        ("29265-6", 3.0, "mmol/L", 12.02),
        ("1995-0", 1.6, "mmol/L", Reason.NO_DATA),
        ("17864-0", 6.4, "mg/dL", Reason.NO_DATA),
    ],
)
def test_a_corrected_calcium_counts_as_it_is_and_an_ionized_one_never(
    code: str, value: float, unit: str, expected: Any
) -> None:
    assert told(CALCIUM, observation(code, value, unit, days_ago(1))) == expected


@pytest.mark.parametrize(
    ("distance", "expected"),
    [(1, 12.4), (3, 12.4), (4, Reason.NO_DATA)],
    ids=["next day", "3 days", "4 days"],
)
def test_the_albumin_is_of_the_same_sample_or_near(distance: int, expected: Any) -> None:
    assert told(CALCIUM, calcium(11.2, days_ago(10)), albumin(2.5, days_ago(10 + distance))) == expected
    assert told(CALCIUM, calcium(11.2, days_ago(10)), albumin(2.5, days_ago(10 - distance))) == expected


def test_the_nearest_albumin_corrects() -> None:
    near, far = albumin(2.5, days_ago(2)), albumin(4.0, days_ago(4))
    found = reading(CALCIUM, calcium(11.2), far, near)
    assert (found.value, found.note) == (12.4, "total + 0.8 x (4.0 - albumin 2.5 g/dL)")
    assert [entry.value for entry in found.evidence] == [11.2, 2.5]


def test_a_total_calcium_without_albumin_is_open_and_shown() -> None:
    found = reading(CALCIUM, calcium(14.0))
    assert (found.reason, [entry.value for entry in found.evidence]) == (Reason.NO_DATA, [14.0])


def test_the_newest_calcium_counts_and_one_after_the_order_does_not() -> None:
    protein = [albumin(4.0, days_ago(n)) for n in (9, 1, -1)]
    values = (calcium(14.0, days_ago(9)), calcium(11.0, days_ago(1)), calcium(15.0, days_ago(-1)))
    assert told(CALCIUM, *values, protein) == 11.0


def test_two_results_of_one_day_are_limits() -> None:
    assert told(CALCIUM, calcium(11.8), calcium(12.2), albumin(4.0)) == Bounds(11.8, 12.2)


@pytest.mark.parametrize("status", ["preliminary", "cancelled", "entered-in-error", "registered"])
def test_results_that_are_not_final_do_not_count(status: str) -> None:
    assert told(CALCIUM, calcium(13.0, status=status), albumin(4.0)) is Reason.NO_DATA


def test_a_calcium_in_another_unit_is_not_guessed() -> None:
    assert told(CALCIUM, calcium(13.0, unit="g/L"), albumin(4.0)) is Reason.UNIT_MISMATCH


def test_a_calcium_that_is_a_limit_is_imprecise() -> None:
    below = calcium(12.0)
    below["valueQuantity"]["comparator"] = "<"
    assert told(CALCIUM, below, albumin(4.0)) is Reason.IMPRECISE


# Leukemia


@pytest.mark.parametrize(
    ("codings", "expected"),
    [
        ([(ICD, "C91.02")], Reason.IMPRECISE),
        ([(SNOMED, "91857003")], Reason.IMPRECISE),
        ([(SNOMED, "277572006")], True),
        ([(ICD, "C91.02"), (SNOMED, "277572006")], True),
        ([(SNOMED, "714251006")], True),
    ],
)
def test_the_lineage_is_in_the_sharper_code(codings: list[tuple[str, str]], expected: Any) -> None:
    leukemia = condition("") | {"code": concept(*codings)}
    assert told("dx_bcp_all", leukemia, order=order_for("C91.02")) == expected


@pytest.mark.parametrize(
    ("code", "system", "expected"),
    [
        ("C91.02", ICD, "relapsed"),
        ("12311000132101", SNOMED, "refractory"),
        ("C91.01", ICD, "remission"),
        ("C91.00", ICD, Reason.NO_DATA),
    ],
)
def test_the_status_is_in_the_code_and_not_achieved_tells_none(code: str, system: str, expected: Any) -> None:
    assert told(STATUS, condition(code, system)) == expected


def test_a_leukemia_in_relapse_is_in_no_remission() -> None:
    found = reading("remission_number", condition("C91.02"))
    assert (found.value, found.inferred, found.note) == (0, True, "the leukemia is in no remission")
    assert told("remission_number", condition("C91.01")) is Reason.NO_DATA


def test_a_stated_status_implies_as_much_as_a_coded_one() -> None:
    stated = statement(all_disease_status={"valueCoding": {"code": "refractory"}})
    assert told("remission_number", stated) == 0


@pytest.mark.parametrize(
    ("code", "expected"), [("714251006", True), ("425688002", False), ("277572006", Reason.NO_DATA)]
)
def test_the_chromosome_is_in_the_diagnosis_or_nowhere(code: str, expected: Any) -> None:
    assert told("ph_negative", condition(code, SNOMED)) == expected


# Pain and hypercalcemia: cancer on file is no proof of a cause


@pytest.mark.parametrize(
    ("diagnosis", "reason", "expected"),
    [
        ("G89.3", "G89.3", Reason.IMPRECISE),
        ("C34.90", "C34.90", Reason.IMPRECISE),
        ("C34.90", "M54.50", Reason.IMPRECISE),
        ("M54.50", "M54.50", False),
    ],
)
def test_that_cancer_pain_is_intractable_is_in_no_code(diagnosis: str, reason: str, expected: Any) -> None:
    assert told("cancer_pain_intractable", condition(diagnosis), order=order_for(reason)) == expected


def test_hypercalcemia_beside_cancer_is_not_known_to_be_caused_by_it() -> None:
    both = (condition("C34.90"), condition("E83.52"))
    assert told("hypercalcemia_cancer_related", *both, order=order_for("E83.52")) is Reason.IMPRECISE


# Opioids that were tried


@pytest.mark.parametrize(
    ("route", "reason", "fact", "expected"),
    [
        ("26643006", NO_RESPONSE, FAILED, True),
        ("45890007", NO_RESPONSE, FAILED, True),
        ("54471007", NOT_TOLERATED, INTOLERANT, True),
        ("47625008", NO_RESPONSE, FAILED, Reason.NO_DATA),
        ("26643006", NOT_TOLERATED, FAILED, Reason.NO_DATA),
        ("26643006", NO_RESPONSE, INTOLERANT, Reason.NO_DATA),
    ],
    ids=["oral", "transdermal", "buccal", "intravenous", "not tolerated", "no response"],
)
def test_an_opioid_counts_by_the_route_and_the_reason_for_its_stop(
    route: str, reason: str, fact: str, expected: Any
) -> None:
    course = taken(
        OXYCODONE,
        2,
        end="2025-10-01",
        status="stopped",
        statusReason=[concept((SNOMED, reason))],
        dosage=[{"route": concept((SNOMED, route))}],
    )
    assert told(fact, course) == expected


def test_a_drug_that_is_no_opioid_does_not_count() -> None:
    course = taken("25480", 2, status="stopped", statusReason=[concept((SNOMED, NO_RESPONSE))])
    assert told(FAILED, course) is Reason.NO_DATA


@pytest.mark.parametrize("status", ["not-taken", "intended", "entered-in-error"])
def test_an_opioid_that_was_never_taken_does_not_count(status: str) -> None:
    course = taken(OXYCODONE, 2, status=status, statusReason=[concept((SNOMED, NO_RESPONSE))])
    assert told(FAILED, course) is Reason.NO_DATA
