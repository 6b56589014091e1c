"""Functional class, pressures at rest and with exertion, causes of pulmonary hypertension."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.evidence import Bounds, Reason
from tests.builders import (
    LOINC,
    RXNORM,
    SNOMED,
    concept,
    condition,
    days_ago,
    drug,
    observation,
    pump,
    reading,
    taken,
    told,
)
from tests.mappings.orders import ICD, Json

REST, EXERTION = "mpap_rest_mmhg", "mpap_exertion_mmhg"
AT_REST, DURING_EXERCISE = "263678003", "309604004"
CAUSE, LUNG, LEFT = "ph_secondary_condition", "ph_secondary_to_respiratory", "ph_secondary_to_pvh"


def order_for(reason: str) -> tuple[Json, Json]:
    return pump("K0455", reasonCode=[concept((ICD, reason))]), drug((RXNORM, "343048"))


# NYHA class


def nyha(code: str = "", text: str = "", on: str = days_ago(5), **more: Any) -> Json:
    value = concept(*([(LOINC, code)] if code else []), text=text)
    return observation("88020-3", None, "", on, valueCodeableConcept=value, **more)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (nyha("LA28404-4"), "I"),
        (nyha("LA28405-1"), "II"),
        (nyha("LA28406-9"), "III"),
        (nyha("LA28407-7"), "IV"),
        (nyha(text="NYHA class IV"), "IV"),
        (nyha(text="Class 3"), "III"),
        (nyha(text="NYHA IIIb"), Reason.IMPRECISE),
        (nyha(text="NYHA class III-IV"), Reason.IMPRECISE),
        (nyha(text="NYHA class III/IV"), Reason.IMPRECISE),
        (nyha(text="stable"), Reason.NO_DATA),
        (observation("422293003", None, "", days_ago(5), SNOMED), "IV"),
        (condition("422293003", SNOMED), "IV"),
        (observation("88020-3", None, "", days_ago(5), valueString="NYHA Class II"), "II"),
    ],
)
def test_the_class_is_read_from_codes_and_words(record: Json, expected: Any) -> None:
    assert told("nyha_class", record) == expected


def test_a_component_may_hold_the_class() -> None:
    part = {"code": concept((LOINC, "88020-3")), "valueCodeableConcept": concept((LOINC, "LA28407-7"))}
    assert told("nyha_class", observation("93124-6", None, "", days_ago(5), component=[part])) == "IV"


def test_the_last_class_counts_even_when_it_is_between_two() -> None:
    older = nyha("LA28407-7", on=days_ago(30))
    assert told("nyha_class", older, nyha("LA28406-9", on=days_ago(2))) == "III"
    assert told("nyha_class", older, nyha(text="NYHA IIIb", on=days_ago(2))) is Reason.IMPRECISE


@pytest.mark.parametrize(("days", "expected"), [(1, "IV"), (0, "IV"), (-1, "II")])
def test_a_class_after_the_order_does_not_count(days: int, expected: str) -> None:
    assert (
        told("nyha_class", nyha("LA28405-1", on=days_ago(9)), nyha("LA28407-7", on=days_ago(days)))
        == expected
    )


def test_two_classes_of_one_day_contradict_each_other() -> None:
    assert told("nyha_class", nyha("LA28406-9"), nyha("LA28407-7")) is Reason.CONFLICTING


@pytest.mark.parametrize("status", ["preliminary", "cancelled", "entered-in-error"])
def test_a_class_that_is_not_final_does_not_count(status: str) -> None:
    assert told("nyha_class", nyha("LA28407-7", status=status)) is Reason.NO_DATA


@pytest.mark.parametrize(
    ("code", "system", "expected"),
    [
        ("I50.84", ICD, "D"),
        ("120851000119104", SNOMED, "D"),
        ("120861000119102", SNOMED, "C"),
        ("I50.22", ICD, Reason.NO_DATA),
    ],
)
def test_the_stage_is_in_the_diagnosis(code: str, system: str, expected: Any) -> None:
    assert told("hf_stage", condition(code, system)) == expected


def test_the_worst_stage_on_file_counts() -> None:
    assert told("hf_stage", condition("120861000119102", SNOMED), condition("I50.84")) == "D"


@pytest.mark.parametrize(("code", "expected"), [("20352", True), ("6809", Reason.NO_DATA)])
def test_guideline_therapy_is_shown_by_its_drugs_and_never_denied_by_others(code: str, expected: Any) -> None:
    assert told("gdmt_agents", taken(code, 2)) == expected


# Pressures


def pressure(value: float, where: str = "", on: str = days_ago(3), unit: str = "mm[Hg]", **more: Any) -> Json:
    posture = (
        [{"code": {"text": "state"}, "valueCodeableConcept": concept((SNOMED, where))}] if where else None
    )
    return observation("8414-5", value, unit, on, **{"component": posture, **more})


@pytest.mark.parametrize(
    ("record", "at_rest", "exerting"),
    [
        (pressure(26, AT_REST), 26, Reason.NO_DATA),
        (pressure(31, DURING_EXERCISE), Reason.NO_DATA, 31),
        (pressure(26, note=[{"text": "right heart catheterization at rest"}]), 26, Reason.NO_DATA),
        (pressure(31, note=[{"text": "measured during exercise"}]), Reason.NO_DATA, 31),
        (pressure(26, method={"text": "resting"}), 26, Reason.NO_DATA),
        (pressure(40), Reason.IMPRECISE, Reason.IMPRECISE),
        (pressure(40, note=[{"text": "at rest and with exertion"}]), Reason.IMPRECISE, Reason.IMPRECISE),
        (pressure(4, AT_REST, unit="kPa"), 30, Reason.NO_DATA),
        (pressure(26, AT_REST, unit="cm"), Reason.UNIT_MISMATCH, Reason.NO_DATA),
        (observation("8440-0", 60, "mm[Hg]", days_ago(3)), Reason.NO_DATA, Reason.NO_DATA),
    ],
)
def test_a_pressure_belongs_to_its_circumstance(record: Json, at_rest: Any, exerting: Any) -> None:
    assert told(REST, record) == at_rest
    assert told(EXERTION, record) == exerting


def test_the_newest_pressure_before_the_order_counts() -> None:
    values = (
        pressure(40, AT_REST, days_ago(90)),
        pressure(24, AT_REST, days_ago(1)),
        pressure(50, AT_REST, days_ago(-1)),
    )
    assert told(REST, *values) == 24


def test_a_newer_pressure_of_unknown_circumstance_leaves_the_older_one_out_of_date() -> None:
    assert told(REST, pressure(40, AT_REST, days_ago(90)), pressure(20, on=days_ago(1))) is Reason.IMPRECISE


def test_two_pressures_of_one_day_are_limits() -> None:
    assert told(REST, pressure(24, AT_REST), pressure(27, AT_REST)) == Bounds(24, 27)


@pytest.mark.parametrize("status", ["preliminary", "cancelled", "entered-in-error"])
def test_a_pressure_that_is_not_final_does_not_count(status: str) -> None:
    assert told(REST, pressure(40, AT_REST, status=status)) is Reason.NO_DATA


# Kinds and causes


@pytest.mark.parametrize(
    ("code", "system", "expected"),
    [
        ("I27.0", ICD, True),
        ("697898008", SNOMED, True),
        ("11399002", SNOMED, Reason.IMPRECISE),
        ("I27.21", ICD, False),
        ("I27.22", ICD, False),
        ("I27.29", ICD, False),
        ("I27.20", ICD, Reason.NO_DATA),
    ],
)
def test_primary_pulmonary_hypertension_is_told_from_secondary(code: str, system: str, expected: Any) -> None:
    assert told("dx_primary_ph", condition(code, system), order=order_for("I27.0")) == expected


@pytest.mark.parametrize(
    "code", ["I27.0", "I27.20", "I27.21", "I27.22", "I27.23", "I27.24", "I27.29", "I27.83"]
)
def test_each_kind_is_pulmonary_hypertension(code: str) -> None:
    assert told("dx_pulmonary_hypertension", condition(code)) is True


@pytest.mark.parametrize(
    ("codes", "left", "lung"),
    [
        (["I27.22"], True, False),
        (["I27.23"], False, True),
        (["I27.0"], False, False),
        (["I27.21"], False, False),
        (["I27.20"], Reason.NO_DATA, Reason.NO_DATA),
        (["I27.21", "M34.81"], False, Reason.IMPRECISE),
        (["I27.0", "J44.9"], False, Reason.IMPRECISE),
        (["I27.0", "G47.33"], False, Reason.IMPRECISE),
        (["I27.0", "I50.32"], Reason.IMPRECISE, False),
        (["I27.0", "I34.0"], Reason.IMPRECISE, False),
        (["I27.0", "I27.22"], Reason.CONFLICTING, False),
        (["J44.9"], Reason.NO_DATA, Reason.IMPRECISE),
    ],
)
def test_a_cause_is_what_the_diagnosis_names_and_no_mere_companion(
    codes: list[str], left: Any, lung: Any
) -> None:
    chart = [condition(code) for code in codes]
    assert told(LEFT, chart) == left
    assert told(LUNG, chart) == lung


def test_a_resolved_lung_disease_is_no_suspect() -> None:
    assert told(LUNG, condition("I27.0"), condition("J44.9", status="resolved")) is False


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["I27.21", "M34.9"], "connective-tissue-disease"),
        (["I27.24"], "thromboembolic"),
        (["I27.21", "B20"], "hiv"),
        (["I27.21", "K74.60"], "cirrhosis"),
        (["I27.21", "T50.5X5A"], "diet-drugs"),
        (["I27.21", "Q21.1"], "congenital-shunt"),
        (["I27.83"], "congenital-shunt"),
        (["I27.21"], Reason.IMPRECISE),
        (["I27.21", "M34.9", "B20"], Reason.IMPRECISE),
        (["M34.9"], Reason.NO_DATA),
        (["I27.20", "M34.9"], Reason.NO_DATA),
        (["I27.0", "M34.9"], "none"),
    ],
)
def test_the_cause_is_named_or_paired_with_secondary_hypertension(codes: list[str], expected: Any) -> None:
    assert told(CAUSE, [condition(code) for code in codes], order=order_for("I27.21")) == expected


def test_schistosomiasis_is_another_cause() -> None:
    assert told(CAUSE, condition("697907008", SNOMED)) == "other"


@pytest.mark.parametrize(
    ("fact", "code", "expected"),
    [
        ("syncope", "R55", True),
        ("angina", "I20.9", True),
        ("fatigability", "R53.83", True),
        ("angina", "R07.9", Reason.NO_DATA),
    ],
)
def test_symptoms_are_shown_by_their_codes_and_never_denied(fact: str, code: str, expected: Any) -> None:
    assert told(fact, condition(code)) == expected


def test_a_calcium_channel_blocker_without_effect_has_failed() -> None:
    stopped = taken(
        "7417",
        2,
        status="stopped",
        statusReason=[concept((SNOMED, "266721009"))],
        dosage=[{"route": concept((SNOMED, "26643006"))}],
    )
    assert told("ccb_tried_failed", stopped) is True
    assert reading("ccb_tried_failed", taken("7417", 2)).known is False
