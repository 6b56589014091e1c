"""Insulin regimens: injections a day, since when, and which insulin."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.dates import Span, span
from mappings.evidence import Bounds, Reason
from tests.builders import (
    ASPART,
    GLARGINE,
    ISOPHANE,
    LISPRO,
    PREMIX,
    RXNORM,
    SNOMED,
    ago,
    asked,
    concept,
    days_ago,
    dosage,
    insulin_pump_order,
    prescribed,
    reading,
    resource,
    statement,
    taken,
    told,
)

COUNT, HELD, SINCE = "insulin_injections_per_day", "mdi_during_event_window", "mdi_start_date"
PUMPED = dosage(method=concept((SNOMED, "261754007")))
INHALED = "1544490"


@pytest.mark.parametrize(
    ("chart", "count"),
    [
        ([taken(GLARGINE, 1), taken(LISPRO, 3)], 4),
        ([taken(GLARGINE, 1), taken(LISPRO, 2)], 3),
        ([taken(GLARGINE, 1), taken(LISPRO, 1)], 2),
        ([taken(PREMIX, 2)], 2),
        ([taken(GLARGINE, 1)], 1),
        ([prescribed(GLARGINE, 1), prescribed(LISPRO, 3)], 4),
        ([prescribed(GLARGINE, 1), taken(LISPRO, 3)], 4),
        ([taken(GLARGINE, None, dosage=[dosage(0.5)])], 0.5),
    ],
)
def test_the_scheduled_injections_of_all_insulins_add_up(chart: Any, count: float) -> None:
    assert told(COUNT, chart) == count


def test_before_meals_is_three_injections() -> None:
    meals = taken(LISPRO, None, dosage=[{"timing": {"repeat": {"when": ["AC"]}}, "text": "before each meal"}])
    assert told(COUNT, taken(GLARGINE, 1), meals) == 4


@pytest.mark.parametrize(
    ("unclear", "expected"),
    [
        (taken(LISPRO, None), Bounds(1)),
        (taken(LISPRO, None, dosage=[]), Bounds(1)),
        (taken(LISPRO, None, dosage=[dosage(asNeededBoolean=True)]), Bounds(1)),
        (taken(LISPRO, None, dosage=[dosage(3, asNeededBoolean=True)]), Bounds(1)),
        (taken(LISPRO, None, dosage=[dosage(text="per sliding scale")]), Bounds(1)),
    ],
)
def test_an_unclear_or_as_needed_schedule_makes_a_lower_bound(unclear: Any, expected: Bounds) -> None:
    assert told(COUNT, taken(GLARGINE, 1), unclear) == expected


def test_the_lower_bound_suffices_where_the_sure_injections_do() -> None:
    chart = [taken(GLARGINE, 1), taken(LISPRO, 2), taken(ASPART, None, dosage=[dosage(asNeededBoolean=True)])]
    assert told(COUNT, chart) == Bounds(3)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("active", 4),
        ("completed", 1),
        ("stopped", 1),
        ("on-hold", 1),
        ("intended", 1),
        ("not-taken", 1),
        ("entered-in-error", 1),
        ("unknown", Bounds(1, 4)),
        ("", Bounds(1, 4)),
    ],
)
def test_only_what_is_taken_counts(status: str, expected: Any) -> None:
    assert told(COUNT, taken(GLARGINE, 1), taken(LISPRO, 3, status=status)) == expected
    ended = taken(LISPRO, 3, end=days_ago(1), status=status)
    assert told(COUNT, taken(GLARGINE, 1), ended) == 1


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        ("active", True),
        ("on-hold", False),
        ("cancelled", False),
        ("completed", False),
        ("stopped", False),
        ("draft", False),
        ("entered-in-error", False),
        ("unknown", False),
    ],
)
def test_only_an_active_prescription_counts(status: str, counts: bool) -> None:
    request = prescribed(
        LISPRO, 3, end=days_ago(1) if status in ("completed", "stopped", "on-hold") else "", status=status
    )
    assert told(COUNT, taken(GLARGINE, 1), request) == (4 if counts else 1)


@pytest.mark.parametrize(
    ("intent", "counts"), [("order", True), ("plan", True), ("proposal", False), ("option", False)]
)
def test_a_proposal_is_no_prescription(intent: str, counts: bool) -> None:
    assert told(COUNT, taken(GLARGINE, 1), prescribed(LISPRO, 3, intent=intent)) == (4 if counts else 1)


def test_a_prescription_not_to_give_a_drug_is_none() -> None:
    assert told(COUNT, taken(GLARGINE, 1), prescribed(LISPRO, 3, doNotPerform=True)) == 1


@pytest.mark.parametrize(
    ("period", "count"),
    [
        ({"since": days_ago(0)}, 4),
        ({"since": days_ago(-1)}, 1),
        ({"since": "2024-01-01", "end": days_ago(0)}, 4),
        ({"since": "2024-01-01", "end": days_ago(1)}, 1),
        ({"since": "2026-02"}, Bounds(1, 4)),
    ],
)
def test_the_drug_is_taken_on_the_day_of_the_order(period: dict[str, str], count: Any) -> None:
    assert told(COUNT, taken(GLARGINE, 1), taken(LISPRO, 3, **period)) == count


def test_a_drug_that_was_stopped_on_the_day_of_the_order_is_no_longer_taken() -> None:
    assert told(COUNT, taken(GLARGINE, 1), taken(LISPRO, 3, end=days_ago(0), status="stopped")) == 1
    assert told(COUNT, taken(GLARGINE, 1), taken(LISPRO, 3, end=days_ago(-1), status="stopped")) == 4


@pytest.mark.parametrize(
    "not_injected",
    [
        taken(
            LISPRO,
            3,
            dosage=[PUMPED | {"timing": {"repeat": {"frequency": 3, "period": 1, "periodUnit": "d"}}}],
        ),
        taken(INHALED, 3),
        taken(LISPRO, 3, dosage=[dosage(3, route="47625008")]),
    ],
)
def test_what_is_pumped_inhaled_or_given_into_a_vein_is_no_injection(not_injected: Any) -> None:
    assert told(COUNT, taken(GLARGINE, 1), not_injected) == 1


def test_insulin_by_pump_alone_is_zero_injections() -> None:
    assert told(COUNT, taken(LISPRO, None, dosage=[PUMPED])) == 0


def test_the_drug_drafted_for_the_pump_is_no_injection() -> None:
    pump, drafted = insulin_pump_order()
    drafted = drafted | {"dosageInstruction": [dosage(3)]}
    on_the_server = drafted | {"status": "active"}
    assert told(COUNT, taken(GLARGINE, 1), on_the_server, order=(pump, drafted)) == 1


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        ([taken(LISPRO, 3), prescribed(LISPRO, 3)], 3),
        ([taken(LISPRO, 2), prescribed(LISPRO, 3)], Bounds(2, 3)),
        ([taken(LISPRO, 3), prescribed(LISPRO, None)], 3),
        ([taken(LISPRO, None), prescribed(LISPRO, 3)], 3),
        ([taken(LISPRO, 3), taken(LISPRO, 3)], Bounds(3, 6)),
        ([taken(LISPRO, 1), taken(LISPRO, 1)], Bounds(1, 2)),
    ],
)
def test_one_drug_on_file_twice_counts_once(chart: Any, expected: Any) -> None:
    assert told(COUNT, chart) == expected


def test_one_drug_at_different_moments_of_the_day_is_one_regimen() -> None:
    parts = [
        taken(
            LISPRO,
            None,
            dosage=[{"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "when": [when]}}}],
        )
        for when in ("ACM", "ACD", "ACV")
    ]
    assert told(COUNT, parts) == 3


def test_several_instructions_of_one_prescription_add_up() -> None:
    assert told(COUNT, taken(ISOPHANE, None, dosage=[dosage(1), dosage(1)])) == 2


def test_a_record_of_insulin_without_a_name_may_be_one_of_the_others() -> None:
    unnamed = taken("5856", 3)
    assert told(COUNT, taken(LISPRO, 3), unnamed) == Bounds(3, 6)
    assert told(COUNT, unnamed) == 3


def test_a_drug_in_a_medication_of_its_own_is_found() -> None:
    medication = resource("Medication", {"subject": None, "id": "m", "code": concept((RXNORM, GLARGINE))})
    request = resource(
        "MedicationStatement",
        {"status": "active", "medicationReference": {"reference": "Medication/m"}, "dosage": [dosage(1)]},
    )
    assert told(COUNT, medication, request) == 1


def test_another_drug_is_no_insulin() -> None:
    assert told(COUNT, taken("6809", 2)) is Reason.NO_DATA


def test_insulin_that_is_no_longer_taken_says_nothing_of_today() -> None:
    found = reading(COUNT, taken(LISPRO, 3, end="2025-10-01", status="stopped"))
    assert (found.reason, len(found.evidence)) == (Reason.STALE, 1)
    assert told(COUNT) is Reason.NO_DATA


def test_each_insulin_is_evidence_with_its_doses() -> None:
    found = reading(COUNT, taken(GLARGINE, 1, id="g"), prescribed(LISPRO, 3, id="l"))
    assert [(e.resource, e.value, e.unit, e.date) for e in found.evidence] == [
        ("MedicationStatement/g", 1.0, "/d", "2023-08-31"),
        ("MedicationRequest/l", 3.0, "/d", "2023-08-31"),
    ]


# Over a period


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (ago("P3M", -1), True),
        (ago("P3M"), True),
        (ago("P3M", 1), False),
        (ago("P3M", 14), False),
        (ago("P2M"), False),
    ],
)
def test_the_regimen_has_begun_on_the_first_day_of_the_period(since: str, expected: bool) -> None:
    assert told(HELD, taken(GLARGINE, 1, "2020-01-01"), taken(LISPRO, 3, since)) is expected


def test_a_regimen_that_may_have_begun_earlier_leaves_it_open() -> None:
    late = prescribed(LISPRO, 3, "", authoredOn=ago("P3M", 1))
    assert told(HELD, taken(GLARGINE, 1, "2020-01-01"), late) is Reason.IMPRECISE
    month = taken(LISPRO, 3, ago("P3M")[:7])
    assert told(HELD, taken(GLARGINE, 1, "2020-01-01"), month) is Reason.IMPRECISE


@pytest.mark.parametrize(
    ("ended", "begun", "expected"),
    [
        (-5, 9, True),
        (-5, 10, True),
        (-5, 11, False),
        (-1, 14, True),
        (-15, 0, True),
        (-15, 1, False),
        (-14, 1, True),
        (-200, 0, True),
    ],
)
def test_a_break_across_the_first_day_is_bridged_for_two_weeks(
    ended: int, begun: int, expected: bool
) -> None:
    chart = [
        taken(GLARGINE, 1, "2020-01-01"),
        taken(LISPRO, 3, "2020-01-01", ago("P3M", ended)),
        taken(ASPART, 3, ago("P3M", begun)),
    ]
    assert told(HELD, chart) is expected


def test_the_duration_is_the_policy_s() -> None:
    chart = [taken(GLARGINE, 1, "2020-01-01"), taken(LISPRO, 3, ago("P4M"))]
    assert told(HELD, chart) is True
    assert told(HELD, chart, duration="P6M") is False


def test_two_injections_are_not_three() -> None:
    assert told(HELD, taken(GLARGINE, 1), taken(LISPRO, 2)) is True
    assert told(HELD, taken(GLARGINE, 1), taken(LISPRO, 1)) is False
    assert told(HELD, taken(PREMIX, 2)) is False


@pytest.mark.parametrize(("pause", "expected"), [(14, True), (15, False)])
def test_a_change_of_the_insulin_may_take_two_weeks(pause: int, expected: bool) -> None:
    chart = [
        taken(GLARGINE, 1),
        taken(LISPRO, 3, end=days_ago(30 + pause), status="stopped"),
        taken(ASPART, 3, days_ago(30)),
    ]
    assert told(HELD, chart) is expected
    chart[1] = taken(LISPRO, 3, end=days_ago(30 + pause + 1))
    assert told(HELD, chart) is expected


def test_a_prescription_may_be_a_renewal_of_what_was_taken_before() -> None:
    renewed = prescribed(LISPRO, 3, "", authoredOn=days_ago(20))
    assert told(HELD, taken(GLARGINE, 1), renewed) is Reason.IMPRECISE
    assert told(HELD, taken(GLARGINE, 1), prescribed(LISPRO, 3, "", authoredOn="2025-06-01")) is True


def test_insulin_without_a_schedule_leaves_the_regimen_open() -> None:
    assert told(HELD, taken(GLARGINE, 1), taken(LISPRO, None)) is Reason.IMPRECISE
    assert told(HELD) is Reason.NO_DATA


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        ([taken(GLARGINE, 1, "2023-01-10"), taken(LISPRO, 3, "2024-03-18")], span("2024-03-18")),
        ([taken(GLARGINE, 1, "2023-01-10"), taken(LISPRO, 3, "2024-03")], span("2024-03")),
        ([taken(LISPRO, 3, "2023-01-10", days_ago(40)), taken(ASPART, 3, days_ago(30))], span("2023-01-10")),
        ([taken(LISPRO, 3, "2023-01-10", days_ago(60)), taken(ASPART, 3, days_ago(30))], span(days_ago(30))),
        ([taken(GLARGINE, 1), taken(LISPRO, 1)], Reason.NO_DATA),
        ([taken(LISPRO, 3, "")], Reason.IMPRECISE),
        ([], Reason.NO_DATA),
    ],
)
def test_the_regimen_began_when_three_a_day_began(chart: Any, expected: Span | Reason) -> None:
    assert told(SINCE, chart) == expected


# Which insulin


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        ([taken(LISPRO, 3)], True),
        ([taken(PREMIX, 2)], True),
        ([taken(INHALED, 3)], True),
        ([taken(LISPRO, None, dosage=[dosage(asNeededBoolean=True)])], True),
        ([taken(GLARGINE, 1)], False),
        ([taken(GLARGINE, 1), taken(LISPRO, 3, end="2025-01-01", status="stopped")], False),
        ([taken(GLARGINE, 1), taken("5856", 1)], Reason.NO_DATA),
        ([taken(GLARGINE, 1), taken(LISPRO, 3, status="unknown")], Reason.IMPRECISE),
        ([taken("6809", 2)], Reason.NO_DATA),
        ([], Reason.NO_DATA),
    ],
)
def test_bolus_insulin_is_in_use_or_the_regimen_is_basal_only(chart: Any, expected: Any) -> None:
    assert told("bolus_insulin_in_use", chart) == expected


def test_a_basal_regimen_is_a_no_that_yields_to_a_statement() -> None:
    said = asked(taken(GLARGINE, 1), statement(bolus_insulin_in_use={"valueBoolean": True}))
    assert said.reading("bolus_insulin_in_use").inferred
    assert said.book.value("bolus_insulin_in_use") is True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 unit per 10 g carbs before meals", True),
        ("per insulin-to-carb ratio 1:10", True),
        ("with correction scale", True),
        ("sliding scale", True),
        ("10 units before each meal", Reason.NO_DATA),
        ("no carb counting", Reason.NARRATIVE_ONLY),
        ("fixed dose without correction", Reason.NARRATIVE_ONLY),
        ("carboplatin", Reason.NO_DATA),
    ],
)
def test_an_instruction_to_adjust_shows_self_adjustment(text: str, expected: Any) -> None:
    assert told("insulin_self_adjusts", taken(LISPRO, None, dosage=[dosage(3, text)])) == expected


def test_the_instruction_of_a_drug_that_is_stopped_does_not_count() -> None:
    stopped = taken(LISPRO, None, end="2025-01-01", status="stopped", dosage=[dosage(3, "carb ratio 1:10")])
    assert told("insulin_self_adjusts", stopped) is Reason.NO_DATA


def test_an_additional_instruction_counts_too() -> None:
    instruction = dosage(3, additionalInstruction=[{"text": "adjust by carbohydrates"}])
    assert told("insulin_self_adjusts", taken(LISPRO, None, dosage=[instruction])) is True
