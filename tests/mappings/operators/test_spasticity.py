"""Spasticity: how severe, of what origin, what was tried by mouth, the trial dose of baclofen."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.dates import Span
from mappings.evidence import Bounds, Reason
from tests.builders import allergy, condition, resource
from tests.implants import (
    BACLOFEN,
    DEFAULT,
    EPIDURAL,
    FAVORABLE,
    FOR_SPASTICITY,
    GABAPENTIN,
    INTRATHECAL,
    MORPHINE,
    NO_RESPONSE,
    NOT_TOLERATED,
    PARTLY,
    TIZANIDINE,
    UNFAVORABLE,
    computed,
    given,
    order,
    says,
    taken,
    told,
    trial,
)
from tests.mappings.orders import HCPCS, ICD, RXNORM, SNOMED, Json, concept, drug, pump

SEVERE, MODERATE = concept((SNOMED, "24484000")), concept((SNOMED, "6736007"))


@pytest.mark.parametrize(
    ("severity", "expected"),
    [(SEVERE, True), (MODERATE, False), (concept((SNOMED, "255604002")), False), (None, Reason.NO_DATA)],
)
def test_severity_is_what_the_record_says_of_it(severity: Json | None, expected: Any) -> None:
    assert told("spasticity_severe", condition("G80.1", severity=severity)) == expected


def test_one_severe_diagnosis_is_enough() -> None:
    assert (
        told("spasticity_severe", condition("G35", severity=MODERATE), condition("G80.1", severity=SEVERE))
        is True
    )


@pytest.mark.parametrize(
    "more", [{"status": "resolved"}, {"verified": "refuted"}, {"verified": "provisional"}]
)
def test_the_severity_of_a_diagnosis_that_does_not_stand_says_nothing(more: dict[str, Any]) -> None:
    assert told("spasticity_severe", condition("G80.1", severity=SEVERE, **more)) is Reason.NO_DATA


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("G80.0", "cerebral"),
        ("G80.9", "cerebral"),
        ("I69.351", "cerebral"),
        ("S06.2X5S", "cerebral"),
        ("G35", "spinal"),
        ("G82.21", "spinal"),
        ("S14.105S", "spinal"),
        ("G25.82", "spinal"),
        ("G71.19", "other"),
        ("G62.9", "other"),
        ("M54.50", Reason.NO_DATA),
        ("G81.01", Reason.NO_DATA),
    ],
)
def test_the_coded_cause_tells_the_origin(code: str, expected: Any) -> None:
    assert told("spasticity_origin", condition(code)) == expected


def test_the_cause_that_the_order_names_goes_before_another_one() -> None:
    chart = condition("G71.19"), condition("I69.351")
    assert told("spasticity_origin", *chart, order=order(BACLOFEN, "G71.19")) == "other"
    assert told("spasticity_origin", *chart, order=order(BACLOFEN, "I69.351")) == "cerebral"


def test_a_suspected_cause_leaves_the_origin_open() -> None:
    assert told("spasticity_origin", condition("G35", verified="provisional")) is Reason.IMPRECISE
    assert told("spasticity_origin", condition("G35", status="resolved")) is Reason.NO_DATA


WEEKS = "oral_antispasmodic_trial_weeks"


@pytest.mark.parametrize(("end", "days"), [("2025-07-25", 41), ("2025-07-26", 42), ("2025-07-27", 43)])
def test_a_trial_is_as_long_as_from_its_first_day_to_its_last(end: str, days: int) -> None:
    assert told(WEEKS, taken(BACLOFEN, "2025-06-14", end)) == days / 7


def test_one_drug_after_another_is_one_trial_where_there_is_no_break() -> None:
    first = taken(BACLOFEN, "2025-06-01", "2025-06-30")
    assert told(WEEKS, first, taken(TIZANIDINE, "2025-07-01", "2025-07-31")) == 60 / 7
    assert told(WEEKS, first, taken(TIZANIDINE, "2025-07-02", "2025-07-31")) == 29 / 7


def test_the_longest_of_several_trials_counts() -> None:
    chart = taken(BACLOFEN, "2024-01-01", "2024-01-15"), taken(BACLOFEN, "2025-01-01", "2025-03-01")
    assert told(WEEKS, *chart) == 59 / 7


@pytest.mark.parametrize(
    ("start", "end", "low", "high"),
    [
        ("2025-06", "2025-08-15", 46, 75),
        ("2025-06-14", "2025-07", 17, 47),
        ("2025-07", "2025-07", 0, 30),
    ],
)
def test_partial_dates_give_bounds(start: str, end: str, low: int, high: int) -> None:
    assert told(WEEKS, taken(BACLOFEN, start, end)) == Bounds(low / 7, high / 7)


@pytest.mark.parametrize(("start", "end"), [("", "2025-07-26"), ("2025-06-14", ""), ("", "")])
def test_without_a_start_or_an_end_the_length_is_open(start: str, end: str) -> None:
    assert told(WEEKS, taken(BACLOFEN, start, end)) == Bounds(0)


def test_a_drug_still_in_use_counts_up_to_the_day_of_the_order() -> None:
    assert told(WEEKS, taken(BACLOFEN, "2026-01-05", status="active")) == 6
    assert told(WEEKS, taken(BACLOFEN, "2026-01-05", "2026-03-31", status="active")) == 6


@pytest.mark.parametrize(
    "statement",
    [
        taken(BACLOFEN, "2025-01-01", "2025-06-01", status="intended"),
        taken(BACLOFEN, "2025-01-01", "2025-06-01", status="not-taken"),
        taken(BACLOFEN, "2025-01-01", "2025-06-01", status="entered-in-error"),
        taken(BACLOFEN, "2026-02-17", "2026-04-01", status="active"),
        taken(BACLOFEN, "2025-01-01", "2025-06-01", dateAsserted="2026-02-17"),
        taken(BACLOFEN, "2025-01-01", "2025-06-01", route=INTRATHECAL),
        taken(GABAPENTIN, "2025-01-01", "2025-06-01"),
    ],
)
def test_what_was_not_taken_by_mouth_before_the_order_is_no_trial(statement: Json) -> None:
    assert told(WEEKS, statement) is Reason.NO_DATA


def test_a_drug_without_a_route_may_have_been_taken_by_mouth() -> None:
    assert told(WEEKS, taken(BACLOFEN, "2025-01-01", "2025-03-12", route="")) == Bounds(0, 10)
    assert told(WEEKS, taken("197391", "2025-01-01", "2025-03-12", route="")) == 10


def test_a_prescription_that_was_carried_out_is_a_course_and_a_draft_is_none() -> None:
    def prescribed(status: str) -> Json:
        period = {"start": "2025-12-08", "end": "2026-04-01"}
        route = concept((SNOMED, "26643006"))
        return resource(
            "MedicationRequest",
            {
                "status": status,
                "intent": "order",
                "medicationCodeableConcept": concept((RXNORM, BACLOFEN)),
                "dosageInstruction": [{"route": route, "timing": {"repeat": {"boundsPeriod": period}}}],
            },
        )

    assert told(WEEKS, prescribed("active")) == 10
    assert told(WEEKS, prescribed("draft")) is Reason.NO_DATA
    assert told(WEEKS, prescribed("cancelled")) is Reason.NO_DATA


def test_the_trial_shows_the_drugs_that_it_rests_on() -> None:
    found = computed(WEEKS, taken(BACLOFEN, "2025-06-14", "2025-07-26"))
    assert [(e.date, e.says) for e in found.evidence] == [
        ("2025-06-14", "baclofen, 2025-06-14 to 2025-07-26")
    ]
    assert found.note == "longest trial without a break: 42 days"


def test_a_coded_reason_for_the_stop_tells_the_outcome() -> None:
    failed = taken(TIZANIDINE, "2025-01-01", "2025-03-01", why=NO_RESPONSE)
    assert told("oral_antispasmodic_ineffective", failed) is True
    assert told("oral_antispasmodic_response", failed) is False
    assert told("oral_antispasmodic_intolerance", failed) is False
    sedated = taken(TIZANIDINE, "2025-01-01", "2025-01-11", why=NOT_TOLERATED)
    assert told("oral_antispasmodic_intolerance", sedated) is True
    assert told("oral_antispasmodic_ineffective", sedated) is Reason.NO_DATA
    assert told("oral_antispasmodic_response", sedated) is Reason.NO_DATA


def test_side_effects_are_ruled_out_only_until_somebody_states_them() -> None:
    assert computed("oral_antispasmodic_intolerance", taken(BACLOFEN, why=NO_RESPONSE)).inferred
    both = taken(BACLOFEN, why=NO_RESPONSE), taken(TIZANIDINE, why=NOT_TOLERATED)
    assert told("oral_antispasmodic_intolerance", *both) is True


def test_a_reason_in_other_words_is_for_a_reader() -> None:
    course = taken(BACLOFEN, "2025-01-01", "2025-03-01", statusReason=[{"text": "did not help"}])
    assert told("oral_antispasmodic_ineffective", course) is Reason.NARRATIVE_ONLY


@pytest.mark.parametrize("fact", ["oral_baclofen_unresponsive", "oral_baclofen_intolerance"])
def test_another_antispasmodic_alone_means_that_baclofen_was_never_tried(fact: str) -> None:
    tizanidine = taken(TIZANIDINE, "2025-01-01", "2025-03-01", why=NO_RESPONSE)
    assert told(fact, tizanidine) is False
    assert computed(fact, tizanidine).inferred
    assert told(fact, taken(GABAPENTIN, "2025-01-01")) is Reason.NO_DATA
    assert told(fact) is Reason.NO_DATA


def test_baclofen_is_judged_by_its_own_outcome() -> None:
    assert told("oral_baclofen_unresponsive", taken(BACLOFEN, why=NO_RESPONSE)) is True
    assert told("oral_baclofen_intolerance", taken(BACLOFEN, why=NOT_TOLERATED)) is True
    assert told("oral_baclofen_intolerance", taken(BACLOFEN, why=NO_RESPONSE)) is Reason.NO_DATA
    assert (
        told("oral_baclofen_unresponsive", taken(BACLOFEN, why=NO_RESPONSE, route=INTRATHECAL))
        is Reason.NO_DATA
    )


MAXIMUM = "oral_antispasmodic_max_dose"


@pytest.mark.parametrize(
    ("code", "mg", "expected"),
    [
        (BACLOFEN, 79, Reason.NO_DATA),
        (BACLOFEN, 80, True),
        (BACLOFEN, 81, True),
        (BACLOFEN, 30, Reason.NO_DATA),
        (TIZANIDINE, 35, Reason.NO_DATA),
        (TIZANIDINE, 36, True),
        ("3105", 399, Reason.NO_DATA),
        ("3105", 400, True),
        (GABAPENTIN, 3600, Reason.NO_DATA),
    ],
)
def test_the_labelled_maximum_is_a_maximum_and_less_may_have_been_one(
    code: str, mg: float, expected: Any
) -> None:
    assert told(MAXIMUM, taken(code, mg_a_day=mg)) == expected


def test_the_record_may_call_a_lower_dose_the_maximum() -> None:
    assert told(MAXIMUM, taken(BACLOFEN, mg_a_day=30, maximal=True)) is True


def test_of_drugs_that_failed_only_the_failed_ones_count() -> None:
    high = taken(TIZANIDINE, mg_a_day=36, why=NOT_TOLERATED)
    assert told(MAXIMUM, taken(BACLOFEN, mg_a_day=30, why=NO_RESPONSE), high) is Reason.NO_DATA
    assert told(MAXIMUM, taken(BACLOFEN, mg_a_day=30), high) is True


def test_the_daily_amount_follows_from_dose_and_frequency() -> None:
    def three_times(mg: float) -> Json:
        dosage = {
            "route": concept((SNOMED, "26643006")),
            "timing": {"repeat": {"frequency": 4, "period": 1, "periodUnit": "d"}},
            "doseAndRate": [{"doseQuantity": {"value": mg, "code": "mg"}}],
        }
        return taken(BACLOFEN, dosage=[dosage])

    assert told(MAXIMUM, three_times(20)) is True
    assert told(MAXIMUM, three_times(15)) is Reason.NO_DATA


def dosed(
    mcg: float, outcome: str = "", on: str = "2026-01-10", unit: str = "ug", **more: Any
) -> tuple[Json, Json]:
    """A trial injection of intrathecal baclofen."""
    procedure = trial("62322", on, outcome=outcome, **more)
    return procedure, given(BACLOFEN, procedure, mcg, unit)


def test_a_trial_injection_gives_its_day_its_dose_and_its_response() -> None:
    chart = dosed(75, FAVORABLE)
    assert told("itb_trial_done", *chart) is True
    assert told("itb_trial_date", *chart) == Span(*2 * (computed("itb_trial_date", *chart).value.first,))
    assert computed("itb_trial_date", *chart).evidence[0].date == "2026-01-10"
    assert told("itb_trial_dose_mcg", *chart) == 75
    assert told("itb_trial_response", *chart) == "favorable"


@pytest.mark.parametrize(("dose", "unit"), [(100, "ug"), (100, "mcg"), (0.1, "mg"), (100_000, "ng")])
def test_the_dose_is_read_in_micrograms(dose: float, unit: str) -> None:
    assert told("itb_trial_dose_mcg", *dosed(dose, unit=unit)) == 100


def test_a_dose_in_no_unit_of_mass_is_no_dose() -> None:
    assert told("itb_trial_dose_mcg", *dosed(2, unit="mL")) is Reason.NO_DATA


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [(FAVORABLE, "favorable"), (UNFAVORABLE, "unfavorable"), (PARTLY, Reason.NO_DATA), ("", Reason.NO_DATA)],
)
def test_the_outcome_of_the_procedure_is_the_response(outcome: str, expected: Any) -> None:
    assert told("itb_trial_response", *dosed(50, outcome)) == expected


@pytest.mark.parametrize(
    ("trials", "response"),
    [
        ((dosed(50, UNFAVORABLE, "2026-01-10"), dosed(75, FAVORABLE, "2026-01-11")), "favorable"),
        ((dosed(50, UNFAVORABLE, "2026-01-10"), dosed(75, UNFAVORABLE, "2026-01-11")), "unfavorable"),
        ((dosed(50, FAVORABLE, "2026-01-10"), dosed(75, UNFAVORABLE, "2026-01-11")), Reason.CONFLICTING),
        ((dosed(50, FAVORABLE, "2026-01-10"), dosed(50, UNFAVORABLE, "2026-01-10")), Reason.CONFLICTING),
        ((dosed(50, UNFAVORABLE, "2026-01-10"), dosed(50, FAVORABLE, "2026-01-12")), "favorable"),
    ],
)
def test_doses_are_raised_until_one_works(trials: tuple[tuple[Json, Json], ...], response: Any) -> None:
    chart = [r for pair in trials for r in pair]
    assert told("itb_trial_response", *chart) == response
    assert told("itb_trial_dose_mcg", *chart) == max(pair[1]["dosage"]["dose"]["value"] for pair in trials)


@pytest.mark.parametrize(
    ("on", "done"),
    [("2026-02-15", True), ("2026-02-16", True), ("2026-02-17", False), ("2026", Reason.IMPRECISE)],
)
def test_a_trial_counts_up_to_the_day_of_the_order(on: str, done: Any) -> None:
    chart = dosed(75, FAVORABLE, on)
    assert told("itb_trial_done", *chart) == done
    assert told("itb_trial_response", *chart) == ("favorable" if done is True else Reason.NO_DATA)


@pytest.mark.parametrize(
    ("status", "done"),
    [
        ("preparation", False),
        ("not-done", False),
        ("in-progress", Reason.IMPRECISE),
        ("unknown", Reason.IMPRECISE),
        ("stopped", True),
        ("entered-in-error", Reason.NO_DATA),
    ],
)
def test_only_a_trial_that_took_place_is_done(status: str, done: Any) -> None:
    procedure = trial("62322", outcome=FAVORABLE, status=status)
    assert told("itb_trial_done", procedure, given(BACLOFEN, procedure, 50)) == done


def test_an_epidural_injection_without_baclofen_is_no_trial_of_it() -> None:
    steroid = trial("62322", outcome=FAVORABLE)
    assert told("itb_trial_done", steroid) is Reason.NO_DATA
    assert told("itb_trial_done", steroid, given(MORPHINE, steroid, 100)) is Reason.NO_DATA


def test_what_was_given_into_the_spine_on_the_same_day_belongs_to_the_injection() -> None:
    chart = (
        trial("62322", "2026-01-10", outcome=FAVORABLE),
        given(BACLOFEN, None, 50, effectiveDateTime="2026-01-10"),
    )
    assert told("itb_trial_dose_mcg", *chart) == 50
    later = given(BACLOFEN, None, 50, effectiveDateTime="2026-01-11")
    assert told("itb_trial_done", chart[0], later) is Reason.NO_DATA
    by_mouth = given(BACLOFEN, None, 50, effectiveDateTime="2026-01-10", route="26643006")
    assert told("itb_trial_done", chart[0], by_mouth) is Reason.NO_DATA


def test_the_drug_may_be_named_by_the_procedure_itself() -> None:
    named = trial("62322", outcome=FAVORABLE)
    named["code"]["text"] = "Intrathecal baclofen trial injection"
    assert told("itb_trial_response", named) == "favorable"
    used = trial("62322", outcome=FAVORABLE, usedCode=[concept((HCPCS, "J0476"))])
    assert told("itb_trial_response", used) == "favorable"


def test_the_billing_code_of_the_trial_dose_says_by_itself_that_it_was_one() -> None:
    lone = given(BACLOFEN, None, 50, effectiveDateTime="2026-01-10")
    assert told("itb_trial_done", lone) is Reason.NO_DATA
    lone["medicationCodeableConcept"] = concept((HCPCS, "J0476"), (RXNORM, BACLOFEN))
    assert told("itb_trial_done", lone) is True


def test_a_stated_response_shows_that_a_trial_was_done() -> None:
    stated = says(itb_trial_response="favorable")
    assert told("itb_trial_done", stated) is True
    assert computed("itb_trial_done", stated).inferred
    assert told("itb_trial_done", says(itb_trial_response="favorable", itb_trial_date="2026-02-17")) is False
    assert told("itb_trial_done", says(itb_trial_response="favorable", itb_trial_date="2026-02-16")) is True


def test_facts_of_spasticity_are_silent_on_an_empty_chart() -> None:
    silent = (
        "spasticity_severe",
        "spasticity_origin",
        WEEKS,
        MAXIMUM,
        "itb_trial_done",
        "itb_trial_response",
    )
    for fact in silent:
        found = computed(fact, order=FOR_SPASTICITY)
        assert (found.reason, found.evidence) == (Reason.NO_DATA, ()), fact


def test_a_query_that_failed_is_no_silence() -> None:
    failed = {"MedicationStatement": "HTTP 500"}
    assert told(WEEKS, failures=failed) is Reason.FETCH_FAILED


def test_the_drug_of_a_dose_without_a_route_may_have_gone_into_the_spine() -> None:
    procedure = trial("62323")
    assert told("itb_trial_dose_mcg", procedure, given(BACLOFEN, procedure, 50, route="")) == 50
    assert told("itb_trial_dose_mcg", procedure, given(BACLOFEN, procedure, 50, route=EPIDURAL)) == 50


def test_a_reservoir_of_several_drugs_is_told_by_its_ingredients() -> None:
    procedure = trial("62322", outcome=UNFAVORABLE)
    mixture = given(BACLOFEN, procedure, 50)
    del mixture["medicationCodeableConcept"]
    mixture["contained"] = [
        {
            "resourceType": "Medication",
            "id": "mix",
            "ingredient": [{"itemCodeableConcept": concept((RXNORM, c))} for c in (BACLOFEN, MORPHINE)],
        }
    ]
    mixture["medicationReference"] = {"reference": "#mix"}
    assert told("itb_trial_response", procedure, mixture) == "unfavorable"


def test_the_order_under_question_is_not_taken_for_a_course() -> None:
    active = pump("E0783", reasonCode=[concept((ICD, "G35"))]), drug((RXNORM, BACLOFEN))
    assert told(WEEKS, active[1], order=active) is Reason.NO_DATA
    assert told(WEEKS, order=DEFAULT) is Reason.NO_DATA


def on_list(**more: Any) -> Json:
    return allergy((RXNORM, BACLOFEN), **{"type": "intolerance", **more})


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, True),
        ({"verificationStatus": None}, True),
        ({"verificationStatus": {"coding": [{"code": "unconfirmed"}]}}, Reason.IMPRECISE),
        ({"type": ""}, Reason.IMPRECISE),
        ({"type": "allergy"}, Reason.NO_DATA),
        ({"verificationStatus": {"coding": [{"code": "refuted"}]}}, Reason.NO_DATA),
        ({"clinicalStatus": {"coding": [{"code": "resolved"}]}}, Reason.NO_DATA),
        ({"recordedDate": "2026-02-16"}, True),
        ({"recordedDate": "2026-02-17"}, Reason.NO_DATA),
    ],
)
def test_an_intolerance_on_the_list_of_allergies_shows_that_oral_baclofen_is_not_tolerated(
    more: Json, expected: Any
) -> None:
    assert told("oral_baclofen_intolerance", on_list(**more), order=FOR_SPASTICITY) is expected


def test_an_intolerance_goes_before_what_is_only_inferred_from_other_drugs() -> None:
    other = taken(TIZANIDINE, why=NO_RESPONSE)
    assert told("oral_baclofen_intolerance", other, order=FOR_SPASTICITY) is False
    assert told("oral_baclofen_intolerance", other, on_list(), order=FOR_SPASTICITY) is True
    of_tizanidine = allergy((RXNORM, TIZANIDINE), type="intolerance")
    assert told("oral_baclofen_intolerance", of_tizanidine, order=FOR_SPASTICITY) is Reason.NO_DATA


def test_a_trial_of_one_day_is_said_so() -> None:
    found = computed("oral_antispasmodic_trial_weeks", taken(BACLOFEN, "2025-02-01", "2025-02-02"))
    assert found.note == "longest trial without a break: 1 day"
