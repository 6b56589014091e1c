"""Chronic pain: its origin, what failed, the trial of a spinal analgesic, the evaluation before a pump."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.evidence import Bounds, Reason
from tests.builders import condition, encounter, observation, resource
from tests.implants import (
    BACLOFEN,
    BUPIVACAINE,
    DEFAULT,
    EPIDURAL,
    FAVORABLE,
    GABAPENTIN,
    INTRATHECAL,
    MORPHINE,
    NO_RESPONSE,
    NOT_TOLERATED,
    OXYCODONE,
    UNFAVORABLE,
    ZICONOTIDE,
    computed,
    given,
    order,
    says,
    score,
    taken,
    told,
    trial,
)
from tests.mappings.orders import CPT, HCPCS, SNOMED, Json, concept

BEGUN, ENDED = "2026-01-20T09:00:00-05:00", "2026-01-23T12:00:00-05:00"
DURING = "2026-01-22T10:00:00-05:00"


def catheter(
    drug: str = MORPHINE,
    route: str = INTRATHECAL,
    code: str = "62326",
    start: str = BEGUN,
    end: str = ENDED,
    **more: Any,
) -> tuple[Json, Json]:
    """A trial through a temporary catheter."""
    procedure = trial(code, start, end, **more)
    return procedure, given(drug, procedure, route=route)


BEFORE, WHILE = "2026-01-20T08:00:00-05:00", "2026-01-22T12:00:00-05:00"


def reduction(*scores: Json, chart: tuple[Json, ...] = ()) -> Any:
    return told("pain_trial_reduction_pct", *(chart or TRIAL), *scores)


TRIAL = catheter()
PROCEDURE = TRIAL[0]


def before(value: float, on: str = "2026-01-20T08:00:00-05:00", **more: Any) -> Json:
    return score(value, on, **more)


def during(value: float, on: str = DURING, **more: Any) -> Json:
    return score(value, on, PROCEDURE, **more)


def test_a_trial_gives_its_method_its_route_and_its_drug() -> None:
    assert told("pain_trial_done", *TRIAL) is True
    assert told("pain_trial_method", *TRIAL) == "temporary-catheter"
    assert told("pain_trial_route", *TRIAL) == "intrathecal"
    assert told("pain_trial_drug", *TRIAL) == "morphine"
    assert told("pain_trial_drug_class", *TRIAL) == ("analgesic", "opioid")


@pytest.mark.parametrize(
    ("code", "method"),
    [
        ("62324", "temporary-catheter"),
        ("62327", "temporary-catheter"),
        ("62320", "single-shot"),
        ("62323", "single-shot"),
    ],
)
def test_the_code_tells_a_catheter_from_a_single_injection(code: str, method: str) -> None:
    assert told("pain_trial_method", *catheter(code=code)) == method


def test_a_catheter_that_was_used_goes_before_the_code_of_the_injection() -> None:
    used = catheter(code="62323", usedCode=[concept((HCPCS, "C1755"))])
    assert told("pain_trial_method", *used) == "temporary-catheter"


def test_a_procedure_without_a_spinal_code_is_a_trial_by_what_was_given_in_it() -> None:
    chart = catheter(code="99999")
    assert told("pain_trial_done", *chart) is True
    assert told("pain_trial_method", *chart) is Reason.UNMAPPED_CODE


def test_the_route_is_the_one_of_the_drug() -> None:
    assert told("pain_trial_route", *catheter(route=EPIDURAL)) == "epidural"
    assert told("pain_trial_route", *catheter(route="418418000")) is Reason.IMPRECISE
    assert told("pain_trial_route", *catheter(route="")) is Reason.NO_DATA
    other = given(MORPHINE, PROCEDURE, route=EPIDURAL)
    assert told("pain_trial_route", *TRIAL, other) is Reason.CONFLICTING


def test_a_drug_that_went_elsewhere_is_no_part_of_the_trial() -> None:
    intravenous = given(MORPHINE, PROCEDURE, route="47625008")
    assert told("pain_trial_done", PROCEDURE, intravenous) is Reason.IMPRECISE


def test_several_drugs_are_named_together() -> None:
    chart = *TRIAL, given(BUPIVACAINE, PROCEDURE)
    assert told("pain_trial_drug", *chart) == "bupivacaine + morphine"
    assert "local-anaesthetic" in told("pain_trial_drug_class", *chart)


def test_a_stated_drug_tells_the_class_as_well() -> None:
    assert told("pain_trial_drug_class", says(pain_trial_drug="ziconotide")) == (
        "analgesic",
        "nonopioid-analgesic",
    )
    assert told("pain_trial_drug_class", says(pain_trial_drug="something")) is Reason.UNMAPPED_CODE
    assert told("pain_trial_drug_class") is Reason.NO_DATA


def test_a_catheter_without_a_drug_may_be_a_trial_and_an_injection_without_one_is_none() -> None:
    assert told("pain_trial_done", trial("62326", BEGUN, ENDED)) is Reason.IMPRECISE
    assert told("pain_trial_done", trial("62323", BEGUN)) is Reason.NO_DATA


def test_a_trial_of_baclofen_is_no_trial_of_an_analgesic() -> None:
    assert told("pain_trial_done", *catheter(BACLOFEN)) is Reason.NO_DATA


@pytest.mark.parametrize(
    ("start", "done"),
    [("2026-02-15", True), ("2026-02-16", True), ("2026-02-17", False), ("2026", Reason.IMPRECISE)],
)
def test_a_trial_counts_up_to_the_day_of_the_order(start: str, done: Any) -> None:
    assert told("pain_trial_done", *catheter(start=start, end="2026-12-31")) == done


@pytest.mark.parametrize(
    ("status", "done"),
    [
        ("preparation", False),
        ("not-done", False),
        ("in-progress", Reason.IMPRECISE),
        ("entered-in-error", Reason.NO_DATA),
    ],
)
def test_only_a_trial_that_took_place_is_done(status: str, done: Any) -> None:
    procedure = trial(start=BEGUN, end=ENDED, status=status)
    assert told("pain_trial_done", procedure, given(MORPHINE, procedure)) == done


@pytest.mark.parametrize(
    ("drug", "route", "more", "expected"),
    [
        (MORPHINE, INTRATHECAL, {}, Reason.IMPRECISE),
        (MORPHINE, EPIDURAL, {}, Reason.IMPRECISE),
        (MORPHINE, INTRATHECAL, {"effectiveDateTime": "2026-02-16"}, Reason.IMPRECISE),
        (MORPHINE, INTRATHECAL, {"effectiveDateTime": "2026-02-17"}, Reason.NO_DATA),
        (MORPHINE, INTRATHECAL, {"status": "not-done"}, Reason.NO_DATA),
        (MORPHINE, "47625008", {}, Reason.NO_DATA),
        (MORPHINE, "", {}, Reason.NO_DATA),
        (BACLOFEN, INTRATHECAL, {}, Reason.NO_DATA),
    ],
)
def test_an_analgesic_into_the_spine_without_a_procedure_may_be_a_trial(
    drug: str, route: str, more: Json, expected: Any
) -> None:
    loose = given(drug, None, route=route, **{"effectiveDateTime": "2026-01-20", **more})
    assert told("pain_trial_done", loose) is expected


@pytest.mark.parametrize(
    ("status", "done"), [("active", False), ("revoked", Reason.NO_DATA), ("completed", Reason.NO_DATA)]
)
def test_a_trial_that_is_only_ordered_is_not_done(status: str, done: Any) -> None:
    asked_for = resource(
        "ServiceRequest", {"status": status, "intent": "order", "code": concept((CPT, "62326"))}
    )
    assert told("pain_trial_done", asked_for) == done
    assert told("pain_trial_done", asked_for, *TRIAL) is True


def test_of_several_trials_the_latest_by_the_planned_route_counts() -> None:
    epidural = catheter(route=EPIDURAL, start="2026-02-01", end="2026-02-03")
    assert told("pain_trial_route", *TRIAL, *epidural) == "intrathecal"
    assert (
        told("pain_trial_route", *TRIAL, *epidural, order=order(MORPHINE, "M96.1", route=EPIDURAL))
        == "epidural"
    )
    later = catheter(ZICONOTIDE, start="2026-02-01", end="2026-02-03")
    assert told("pain_trial_drug", *TRIAL, *later) == "ziconotide"


@pytest.mark.parametrize(
    ("baseline", "best", "percent"),
    [
        (8, 4, 50),
        (8, 3.9, 51.25),
        (8, 4.1, 48.75),
        (10, 4.9, 51),
        (7, 4, 42.857),
        (9, 2, 77.778),
        (6, 7, -16.667),
    ],
)
def test_the_reduction_is_measured_against_the_score_before_the_trial(
    baseline: float, best: float, percent: float
) -> None:
    assert reduction(before(baseline), during(best)) == pytest.approx(percent, abs=0.001)


def test_half_is_exactly_half() -> None:
    assert reduction(before(8), during(4)) == 50.0
    assert reduction(before(0.6), during(0.3)) == 50.0


def test_the_last_score_before_the_trial_is_the_baseline() -> None:
    assert reduction(before(4, "2026-01-10"), before(8, "2026-01-19"), during(4)) == 50
    assert reduction(before(8, "2026-01-10"), before(4, "2026-01-19"), during(4)) == 0


@pytest.mark.parametrize(
    ("values", "percent"),
    [((6, 3), 62.5), ((4, 3, 6), 50), ((2, 7), 12.5), ((4, 4), 50), ((3, 7, 4), 50), ((2, 8, 8), 0)],
)
def test_a_low_score_counts_when_it_was_held(values: tuple[float, ...], percent: float) -> None:
    scores = [during(value, f"2026-01-21T{8 + hour:02}:00:00-05:00") for hour, value in enumerate(values)]
    assert reduction(before(8), *scores) == percent


def test_a_score_taken_while_the_trial_lasted_is_one_of_the_trial() -> None:
    assert reduction(before(8), score(4, DURING)) == 50
    assert reduction(before(8), score(4, "2026-01-23T12:00:01-05:00")) is Reason.NO_DATA


def test_without_one_of_the_two_scores_there_is_no_reduction() -> None:
    assert reduction(during(4)) is Reason.NO_DATA
    assert reduction(before(8)) is Reason.NO_DATA
    assert reduction() is Reason.NO_DATA
    assert "before the trial" in computed("pain_trial_reduction_pct", *TRIAL, during(4)).note


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("2025-10-19", Reason.STALE),
        ("2025-10-20", 50),
        ("2025-10-21", 50),
        ("2025-10", Reason.STALE),
        ("2021-06-01", Reason.STALE),
    ],
)
def test_a_baseline_is_at_most_three_months_older_than_the_trial(on: str, expected: Any) -> None:
    assert reduction(before(8, on), during(4)) == expected


def test_an_old_score_is_shown_and_does_not_stand_in_for_a_recent_one() -> None:
    found = computed("pain_trial_reduction_pct", *TRIAL, before(8, "2024-03-01"), during(4))
    assert found.note == "the last pain score is from more than 3 months before the trial"
    assert [e.date for e in found.evidence] == ["2024-03-01", "2026-01-22"]
    recent = before(80, "2026-01-19", code="38214-3")
    assert reduction(before(8, "2024-03-01"), recent, during(4)) is Reason.UNIT_MISMATCH
    assert reduction(before(8, "2024-03-01"), before(6, "2026-01-19"), during(3)) == 50


def test_a_score_of_the_same_day_without_a_time_is_no_baseline() -> None:
    assert reduction(before(8, "2026-01-20"), during(4)) is Reason.NO_DATA


def test_from_no_pain_there_is_no_reduction() -> None:
    assert reduction(before(0), during(0)) is Reason.IMPRECISE


def test_scores_on_different_scales_are_not_compared() -> None:
    assert reduction(before(80, code="38214-3"), during(4)) is Reason.UNIT_MISMATCH
    assert reduction(before(80, "2026-01-19", code="38214-3"), before(8, "2026-01-18"), during(4)) == 50


def test_a_score_beyond_its_scale_is_no_score() -> None:
    assert reduction(before(80), during(4)) is Reason.IMPRECISE
    assert reduction(before(10), during(5)) == 50


def written(on: str, code: str = "72514-3", **value: Any) -> Json:
    return observation(code, None, "", on, **value)


@pytest.mark.parametrize(
    ("first", "second", "percent"),
    [("8", "4", 50), ("8/10", "4/10", 50), ("8 / 10", "3 out of 10", 62.5), ("8.5", "1.7", 80)],
)
def test_a_score_may_be_a_number_in_words(first: str, second: str, percent: float) -> None:
    scored = written(BEFORE, valueString=first), written(WHILE, valueString=second)
    assert reduction(*scored) == pytest.approx(percent)


@pytest.mark.parametrize(
    ("code", "unit", "best", "percent"),
    [
        ("38214-3", "mm", 40, 50),
        ("38214-3", "mm", 39, 51.25),
        ("38214-3", "cm", 4, Reason.IMPRECISE),
        ("38214-3", "mg", 39, Reason.IMPRECISE),
    ],
)
def test_the_unit_of_a_score_tells_where_its_scale_ends(
    code: str, unit: str, best: float, percent: Any
) -> None:
    scored = (
        written(on, code, valueQuantity={"value": value, "unit": unit})
        for on, value in ((BEFORE, 80), (WHILE, best))
    )
    assert reduction(*scored) == percent


def test_a_score_may_carry_its_end_as_a_unit() -> None:
    scored = [written(on, valueQuantity={"value": v, "unit": "/10"}) for on, v in ((BEFORE, 8), (WHILE, 3))]
    assert reduction(*scored) == 62.5


def test_scores_of_scales_with_different_ends_are_not_compared() -> None:
    first = written(BEFORE, "38208-5", valueString="60/100")
    assert reduction(first, written(WHILE, "38208-5", valueString="3/10")) is Reason.UNIT_MISMATCH
    assert reduction(first, written(WHILE, "38208-5", valueString="30/100")) == 50


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"valueCodeableConcept": {"text": "mild"}}, "mild during the trial"),
        ({"valueQuantity": {"value": 3, "comparator": "<"}}, "<3 during the trial"),
        ({"valueString": "better"}, "better during the trial"),
    ],
)
def test_a_score_that_is_no_number_is_shown_and_asks(value: Json, shown: str) -> None:
    found = computed("pain_trial_reduction_pct", *TRIAL, before(8), written(WHILE, **value))
    assert found.reason is Reason.IMPRECISE
    assert [entry.says for entry in found.evidence] == ["before the trial", shown]


@pytest.mark.parametrize("status", ["preliminary", "cancelled", "entered-in-error", "registered"])
def test_a_score_that_is_not_final_does_not_count(status: str) -> None:
    assert reduction(before(8), during(4, status=status)) is Reason.NO_DATA
    assert reduction(before(8), during(4, status="amended")) == 50


def test_a_score_from_after_the_order_does_not_count() -> None:
    lasting = catheter(start="2026-02-14", end="2026-02-20")
    late = score(4, "2026-02-17", lasting[0])
    assert reduction(before(8, "2026-02-10"), late, chart=lasting) is Reason.NO_DATA


def test_the_reduction_shows_the_scores_it_rests_on() -> None:
    found = computed("pain_trial_reduction_pct", *TRIAL, before(8), during(4))
    assert [(e.date, e.value, e.says) for e in found.evidence] == [
        ("2026-01-20", 8, "before the trial"),
        ("2026-01-22", 4, "during the trial"),
    ]
    assert found.note == "pain 8 before the trial, 4 held during it: 50.0 % less"


@pytest.mark.parametrize(
    ("reasons", "malignant"),
    [
        (("G89.3",), True),
        (("C25.9",), True),
        (("M96.1",), False),
        (("G89.4",), False),
        (("G90.521",), False),
        (("G89.3", "M96.1"), Reason.IMPRECISE),
        (("E11.9",), Reason.NO_DATA),
        ((), Reason.NO_DATA),
    ],
)
def test_the_reason_of_the_order_tells_the_origin_of_the_pain(
    reasons: tuple[str, ...], malignant: Any
) -> None:
    assert told("pain_malignant", condition("I10"), order=order(MORPHINE, *reasons)) == malignant


def test_a_cancer_on_file_leaves_unspecific_pain_open_and_not_pain_with_a_cause() -> None:
    cancer = condition("C50.911")
    assert told("pain_malignant", cancer, order=order(MORPHINE, "G89.4")) is Reason.IMPRECISE
    assert told("pain_malignant", cancer, order=order(MORPHINE, "M96.1")) is False
    assert (
        told("pain_malignant", condition("C50.911", status="resolved"), order=order(MORPHINE, "G89.4"))
        is False
    )


def test_a_diagnosis_of_pain_does_not_make_it_severe_and_intractable() -> None:
    assert told("pain_severe_chronic_intractable", condition("G89.4")) is Reason.NO_DATA


def test_systemic_opioids_failed_when_one_gave_no_response() -> None:
    fact = "systemic_opioids_failed"
    assert told(fact, taken(OXYCODONE, why=NO_RESPONSE)) is True
    assert told(fact, taken("4337", why=NO_RESPONSE, route="45890007")) is True
    assert told(fact, taken(OXYCODONE, why=NOT_TOLERATED)) is Reason.NO_DATA
    assert told(fact, taken(MORPHINE, why=NO_RESPONSE, route=INTRATHECAL)) is Reason.NO_DATA
    assert told(fact, taken(GABAPENTIN, why=NO_RESPONSE)) is False
    assert computed(fact, taken(GABAPENTIN, why=NO_RESPONSE)).inferred
    assert told(fact) is Reason.NO_DATA


EVALUATED, FINDING, ON = "psych_eval_done", "psych_eval_favorable", "psych_eval_date"


def evaluated(on: str = "2026-01-05", outcome: str = "", code: str = "90791", **more: Any) -> Json:
    return trial(code, on, outcome=outcome, **more)


@pytest.mark.parametrize(
    ("outcome", "favorable"), [(FAVORABLE, True), (UNFAVORABLE, False), ("", Reason.NO_DATA)]
)
def test_an_evaluation_gives_its_result(outcome: str, favorable: Any) -> None:
    assert told(EVALUATED, evaluated(outcome=outcome)) is True
    assert told(FINDING, evaluated(outcome=outcome)) == favorable
    assert computed(ON, evaluated()).value.first.isoformat() == "2026-01-05"


def test_the_latest_evaluation_counts() -> None:
    assert told(FINDING, evaluated("2025-01-05", UNFAVORABLE), evaluated("2026-01-05", FAVORABLE)) is True
    same_day = evaluated("2026-01-05", UNFAVORABLE), evaluated("2026-01-05", FAVORABLE)
    assert told(FINDING, *same_day) is Reason.CONFLICTING


@pytest.mark.parametrize(("on", "done"), [("2026-02-15", True), ("2026-02-16", True), ("2026-02-17", False)])
def test_an_evaluation_counts_up_to_the_day_of_the_order(on: str, done: bool) -> None:
    assert told(EVALUATED, evaluated(on, FAVORABLE)) is done
    assert told(FINDING, evaluated(on, FAVORABLE)) == (True if done else Reason.NO_DATA)


@pytest.mark.parametrize("status", ["preparation", "not-done"])
def test_an_evaluation_that_did_not_take_place_is_not_done(status: str) -> None:
    assert told(EVALUATED, evaluated(outcome=FAVORABLE, status=status)) is False
    assert told(FINDING, evaluated(outcome=FAVORABLE, status=status)) is Reason.NO_DATA


def test_a_visit_for_the_evaluation_shows_that_it_was_done_and_not_with_what_result() -> None:
    kind = [concept((CPT, "90791"))]
    assert told(EVALUATED, encounter("2026-01-05", type=kind)) is True
    assert told(FINDING, encounter("2026-01-05", type=kind)) is Reason.NO_DATA
    assert told(EVALUATED, encounter("2026-03-05", status="planned", type=kind)) is False
    assert told(EVALUATED, encounter("2026-01-05")) is Reason.NO_DATA


def test_an_evaluation_that_is_booked_or_ordered_is_not_done() -> None:
    code = concept((CPT, "90791"))
    booked = resource(
        "Appointment", {"subject": None, "status": "booked", "start": "2026-03-01", "serviceType": [code]}
    )
    ordered = resource("ServiceRequest", {"status": "active", "intent": "order", "code": code})
    assert told(EVALUATED, booked) is False
    assert told(EVALUATED, ordered) is False
    assert told(EVALUATED, booked, evaluated()) is True
    assert told(EVALUATED, resource("ServiceRequest", {"status": "revoked", "code": code})) is Reason.NO_DATA
    cancelled = resource("Appointment", {"subject": None, "status": "cancelled", "serviceType": [code]})
    assert told(EVALUATED, cancelled) is Reason.NO_DATA


def test_a_stated_result_or_day_shows_that_the_evaluation_was_done() -> None:
    assert told(EVALUATED, says(psych_eval_favorable=False)) is True
    assert told(EVALUATED, says(psych_eval_date="2026-02-16")) is True
    assert told(EVALUATED, says(psych_eval_date="2026-02-17", psych_eval_favorable=True)) is False
    assert told(EVALUATED) is Reason.NO_DATA


MONTHS = "life_expectancy_months"


def test_life_is_expected_where_nothing_on_file_shortens_it() -> None:
    found = computed(MONTHS, condition("M96.1"))
    assert (found.value, found.inferred) == (Bounds(12), True)


@pytest.mark.parametrize("code", ["C50.911", "I50.84", "G12.21"])
def test_a_disease_that_may_shorten_life_leaves_the_expectancy_open(code: str) -> None:
    assert told(MONTHS, condition("M96.1"), condition(code)) is Reason.NO_DATA
    assert told(MONTHS, condition("M96.1"), condition(code, verified="provisional")) is Reason.NO_DATA
    assert told(MONTHS, condition("M96.1"), condition(code, status="resolved")) == Bounds(12)


def test_hospice_care_leaves_the_expectancy_open() -> None:
    assert told(MONTHS, condition("Z51.5")) is Reason.IMPRECISE
    hospice = encounter("2026-01-05", type=[concept((SNOMED, "385763009"))])
    assert told(MONTHS, condition("M96.1"), hospice) is Reason.IMPRECISE


def test_nothing_is_inferred_for_malignant_pain_or_from_a_chart_without_diagnoses() -> None:
    assert told(MONTHS, condition("I10"), order=order(MORPHINE, "G89.3")) is Reason.NO_DATA
    assert told(MONTHS) is Reason.NO_DATA


def test_facts_of_pain_are_silent_on_an_empty_chart() -> None:
    for fact in ("pain_trial_done", "pain_trial_method", "pain_trial_reduction_pct", EVALUATED, FINDING, ON):
        found = computed(fact, order=DEFAULT)
        assert (found.reason, found.evidence) == (Reason.NO_DATA, ()), fact
