"""Diagnoses: what proves one, what only points at one, and what rules one out."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.evidence import Reading, Reason
from mappings.operators.indicated_for import indicated_for
from tests.builders import (
    DAY,
    ICD,
    SNOMED,
    ago,
    asked,
    concept,
    condition,
    days_ago,
    encounter,
    insulin_pump_order,
    reading,
    told,
)

ICD_9 = "http://hl7.org/fhir/sid/icd-9-cm"
OBESITY = condition("E66.9")
FOR_CANCER = insulin_pump_order(reason="C18.9")
NO_REASON = insulin_pump_order(reason="")


@pytest.mark.parametrize("code", ["E10.65", "E11.9", "E08.9", "E13.10", "O24.410", "E1065"])
def test_any_type_of_diabetes_is_diabetes(code: str) -> None:
    assert told("dx_diabetes", condition(code)) is True


@pytest.mark.parametrize("code", ["R73.03", "E66.9", "E23.2"])
def test_prediabetes_and_other_diseases_are_not(code: str) -> None:
    assert told("dx_diabetes", condition(code), order=NO_REASON) is Reason.NO_DATA


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("active", True),
        ("recurrence", True),
        ("relapse", True),
        ("", True),
        ("inactive", Reason.NO_DATA),
        ("resolved", Reason.NO_DATA),
        ("remission", Reason.NO_DATA),
    ],
)
def test_only_an_active_diagnosis_proves(status: str, expected: Any) -> None:
    assert told("dx_diabetes", condition("E10.65", status=status)) == expected


@pytest.mark.parametrize(
    ("verified", "expected"),
    [
        ("confirmed", True),
        ("", True),
        ("provisional", Reason.IMPRECISE),
        ("differential", Reason.IMPRECISE),
        ("unconfirmed", Reason.IMPRECISE),
        ("refuted", Reason.NO_DATA),
        ("entered-in-error", Reason.NO_DATA),
    ],
)
def test_only_a_confirmed_diagnosis_proves(verified: str, expected: Any) -> None:
    assert told("dx_diabetes", condition("E10.65", verified=verified)) == expected


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ({"onsetDateTime": days_ago(1)}, True),
        ({"onsetDateTime": days_ago(0)}, True),
        ({"onsetDateTime": days_ago(-1)}, Reason.NO_DATA),
        ({"onsetDateTime": "2026"}, Reason.IMPRECISE),
        ({"onsetDateTime": "2026", "recordedDate": days_ago(3)}, True),
        ({"onsetDateTime": "2026-02-16T23:59:00-05:00"}, True),
        ({"onsetDateTime": None}, True),
        ({"onsetDateTime": None, "recordedDate": days_ago(-1)}, Reason.NO_DATA),
        ({"onsetDateTime": None, "onsetPeriod": {"start": "2024-01"}}, True),
        ({"abatementDateTime": days_ago(1)}, Reason.NO_DATA),
        ({"abatementDateTime": days_ago(-1)}, True),
    ],
)
def test_the_diagnosis_is_there_on_the_day_of_the_order(dates: dict[str, Any], expected: Any) -> None:
    assert told("dx_diabetes", condition("E10.65", **dates)) == expected


def test_one_that_was_resolved_after_the_order_was_active_on_its_day() -> None:
    resolved = condition("E10.65", status="resolved", abatementDateTime=days_ago(-30))
    assert told("dx_diabetes", resolved) is True


def test_the_reason_of_the_order_only_points_at_a_diagnosis() -> None:
    found = reading("dx_diabetes", OBESITY)
    assert found.reason is Reason.NO_DATA
    assert [evidence.resource for evidence in found.evidence] == ["DeviceRequest/pump"]


def test_a_presymptomatic_disease_or_one_in_remission_leaves_it_open() -> None:
    for code in ("E10.A1", "E11.A"):
        found = reading("dx_diabetes", condition(code))
        assert (found.reason, len(found.evidence)) == (Reason.IMPRECISE, 2)
    assert told("dx_diabetes", condition("E10.A1"), condition("E10.9")) is True


def test_an_order_for_another_reason_closes_the_path() -> None:
    found = reading("dx_diabetes", OBESITY, order=FOR_CANCER)
    assert (found.value, found.inferred) == (False, True)


@pytest.mark.parametrize(
    ("chart", "order"),
    [
        ([], FOR_CANCER),
        ([OBESITY], NO_REASON),
        ([OBESITY], insulin_pump_order(reason="", note=[{"text": "cancer"}])),
        ([OBESITY, condition("E10.65", verified="provisional")], FOR_CANCER),
    ],
)
def test_the_path_stays_open_without_diagnoses_or_without_a_coded_reason(
    chart: list[Any], order: Any
) -> None:
    assert not reading("dx_diabetes", chart, order=order).known


def for_reasons(*codes: str) -> Any:
    order = insulin_pump_order(reason="")
    order[0]["reasonCode"] = [concept((ICD, code)) for code in codes]
    return order


@pytest.mark.parametrize("code", ["Z46.81", "Z79.4", "Z79.899", "Z51.11", "Z45.1", "Z51.5", "z4681"])
def test_an_encounter_or_a_status_is_no_other_reason(code: str) -> None:
    assert told("dx_diabetes", OBESITY, order=for_reasons(code)) is Reason.NO_DATA


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (("Z46.81", "C18.9"), False),
        (("C18.9", "Z51.11"), False),
        (("Z46.81", "E10.65"), Reason.NO_DATA),
        (("Y83.1",), False),
    ],
)
def test_a_disease_beside_an_encounter_is_the_reason(codes: tuple[str, ...], expected: Any) -> None:
    assert told("dx_diabetes", OBESITY, order=for_reasons(*codes)) is expected


def test_an_encounter_beside_a_reason_that_is_not_known_leaves_it_open() -> None:
    order = for_reasons("Z46.81", "C18.9")
    order[0]["reasonCode"].append({"text": "see letter"})
    assert told("dx_diabetes", OBESITY, order=order) is Reason.NO_DATA


def test_the_order_is_for_no_disease_when_it_names_an_encounter_alone() -> None:
    def found(*codes: str) -> Reading:
        return indicated_for.function(asked(order=for_reasons(*codes)).book, value_sets="cond-diabetes-type1")

    assert (found("C18.9").value, found("C18.9", "Z51.11").value) == (False, False)
    alone = found("Z51.11")
    assert (alone.reason, len(alone.evidence)) == (Reason.IMPRECISE, 1)


def in_words(text: str, *codings: tuple[str, str], **more: Any) -> Any:
    written = more.pop("code", concept(*codings, text=text))
    return condition("", **more) | {"code": written}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, Reason.NO_DATA),
        ({"onsetDateTime": days_ago(-1)}, False),
        ({"status": "resolved"}, False),
        ({"verified": "refuted"}, False),
        ({"verified": "provisional"}, Reason.NO_DATA),
        ({"code": concept((ICD, "E78.5"), text="Sugar disease")}, False),
        ({"code": concept((ICD_9, "272.4"), text="Sugar disease")}, Reason.NO_DATA),
        ({"code": {}}, False),
    ],
)
def test_a_diagnosis_in_words_may_be_the_one_that_is_asked_for(more: dict[str, Any], expected: Any) -> None:
    assert told("dx_diabetes", OBESITY, in_words("Sugar disease", **more), order=FOR_CANCER) is expected


@pytest.mark.parametrize("text", ["Type 1 diabetes mellitus", "type 1 Diabetes Mellitus."])
def test_the_very_words_of_a_diagnosis_are_told(text: str) -> None:
    found = reading("dx_diabetes", OBESITY, in_words(text, id="t"), order=NO_REASON)
    assert (found.reason, [e.resource for e in found.evidence]) == (Reason.NARRATIVE_ONLY, ["Condition/t"])
    old = reading("dx_diabetes", OBESITY, in_words(text, (ICD_9, "250.01"), id="t"), order=NO_REASON)
    assert (old.reason, [e.resource for e in old.evidence]) == (Reason.UNMAPPED_CODE, ["Condition/t"])


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("Family history of type 1 diabetes mellitus", {}),
        ("No type 1 diabetes mellitus", {}),
        ("Type 1 diabetes mellitus", {"status": "resolved"}),
        ("Type 1 diabetes mellitus", {"verified": "refuted"}),
    ],
)
def test_words_that_only_sound_like_a_diagnosis_are_not_told(text: str, more: dict[str, Any]) -> None:
    found = reading("dx_diabetes", OBESITY, in_words(text, **more), order=NO_REASON)
    assert (found.reason, found.evidence) == (Reason.NO_DATA, ())


def test_an_active_diagnosis_that_leaves_it_open_is_not_said_to_be_missing() -> None:
    chart = condition("E11.A", id="c")
    found = reading("dx_diabetes", chart)
    assert found.note == "an active diagnosis is on file, but its code leaves it open"
    by_reference = insulin_pump_order(reason="")
    by_reference[0]["reasonReference"] = [{"reference": "Condition/c"}]
    found = reading("dx_diabetes", chart, order=by_reference)
    assert [e.resource for e in found.evidence] == ["Condition/c"]
    suspected = reading("dx_diabetes", condition("E11.A", verified="refuted"), order=NO_REASON)
    assert (suspected.reason, suspected.evidence) == (Reason.NO_DATA, ())


def test_a_condition_that_both_orders_name_is_one_reason() -> None:
    order = insulin_pump_order(reason="")
    for request in order:
        request["reasonReference"] = [{"reference": "Condition/o"}]
    found = reading("dx_diabetes", condition("E66.9", id="o"), order=order)
    assert (found.value, [e.resource for e in found.evidence]) == (False, ["Condition/o"])


def test_a_reason_that_no_value_set_knows_closes_nothing() -> None:
    order = (*insulin_pump_order(reason=""),)
    order[0]["reasonCode"] = [concept((SNOMED, "404684003"))]
    assert told("dx_diabetes", OBESITY, order=order) is Reason.NO_DATA


def test_a_snomed_reason_that_another_set_knows_closes_the_path() -> None:
    order = (*insulin_pump_order(reason=""),)
    order[0]["reasonCode"] = [concept((SNOMED, "49049000"))]
    assert told("dx_diabetes", OBESITY, order=order) is False


@pytest.mark.parametrize(
    ("codes", "type_1", "type_2"),
    [
        (["E11.9"], False, True),
        (["E10.9"], True, False),
        (["E10.9", "E11.9"], Reason.CONFLICTING, Reason.CONFLICTING),
        (["E13.9"], Reason.NO_DATA, Reason.NO_DATA),
    ],
)
def test_the_types_of_diabetes_exclude_each_other(codes: list[str], type_1: Any, type_2: Any) -> None:
    chart = [condition(code) for code in codes]
    assert told("dx_type1_diabetes", chart, order=NO_REASON) == type_1
    assert told("dx_type2_diabetes", chart, order=NO_REASON) == type_2


def test_a_type_1_that_is_over_does_not_contradict_type_2() -> None:
    chart = [condition("E10.9", status="inactive"), condition("E11.9")]
    assert told("dx_type2_diabetes", chart) is True


def test_every_reading_of_a_diagnosis_names_its_resource() -> None:
    found = reading("dx_diabetes", condition("E10.65", id="dm"))
    assert [(e.resource, e.date) for e in found.evidence] == [("Condition/dm", "2015-03-02")]


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        ([condition("E10.10", status="resolved", onsetDateTime=ago("P2M"))], True),
        ([condition("E10.641", onsetDateTime=ago("P1Y"))], True),
        ([condition("E10.641", onsetDateTime=ago("P1Y", -1))], Reason.STALE),
        ([condition("E10.10", onsetDateTime=days_ago(-1))], Reason.NO_DATA),
        ([condition("E10.10", verified="provisional", onsetDateTime=ago("P2M"))], Reason.NO_DATA),
        ([condition("E10.10", verified="refuted", onsetDateTime=ago("P2M"))], Reason.NO_DATA),
        ([condition("E10.65", onsetDateTime=ago("P2M"))], Reason.NO_DATA),
        ([condition("E10.649", onsetDateTime=ago("P2M"))], Reason.NO_DATA),
        ([encounter(ago("P2M"), reasonCode=[concept((ICD, "E11.00"))])], True),
        ([encounter(ago("P2M"), status="cancelled", reasonCode=[concept((ICD, "E11.00"))])], Reason.NO_DATA),
        ([encounter(ago("P2M"), status="planned", reasonCode=[concept((ICD, "E11.00"))])], Reason.NO_DATA),
        ([], Reason.NO_DATA),
    ],
)
def test_a_severe_excursion_stays_true_after_it_is_over(chart: list[Any], expected: Any) -> None:
    assert told("severe_glycemic_excursions", chart) == expected


def test_the_day_of_the_order_is_the_day_as_written_in_its_own_offset() -> None:
    assert DAY.isoformat() == "2026-02-16"
    assert (
        told("dx_diabetes", condition("E10.65", onsetDateTime="2026-02-17T00:01:00+00:00")) is Reason.NO_DATA
    )
