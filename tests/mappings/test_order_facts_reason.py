"""Why the pump is ordered, and where it is to be used."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.evidence import Basis, Reason
from tests.mappings.orders import ANSWER, FACT, HCPCS, ICD, RXNORM, SNOMED, Asked, Json, concept, drug, pump

LISPRO = (RXNORM, "86009")


def condition(code: str = "E10.65", system: str = ICD, **elements: Any) -> Json:
    return {
        "resourceType": "Condition",
        "id": "c",
        "subject": {"reference": "Patient/p"},
        "code": concept((system, code)),
        "recordedDate": "2020-01-02",
    } | elements


def test_the_reasons_of_pump_and_drug_are_codes_with_their_system() -> None:
    order = pump(
        "E0784", reasonCode=[concept(("urn:oid:2.16.840.1.113883.6.90", "E1065"), (SNOMED, "46635009"))]
    )
    medicine = drug(LISPRO, reasonReference=[{"reference": "Condition/c"}])
    reading = Asked(order, medicine, chart=[condition("E11.9")]).reading("treatment_indication")
    assert reading.value == (f"{ICD}|E10.65", f"{SNOMED}|46635009", f"{ICD}|E11.9")
    assert [entry.resource for entry in reading.evidence] == ["DeviceRequest/pump", "Condition/c"]
    assert reading.evidence[1].date == "2020-01-02"


def test_one_reason_under_two_orders_counts_once() -> None:
    order = pump("E0784", reasonReference=[{"reference": "Condition/c"}])
    medicine = drug(LISPRO, reasonReference=[{"reference": "Condition/c"}])
    assert Asked(order, medicine, chart=[condition()]).value("treatment_indication") == (f"{ICD}|E10.65",)


@pytest.mark.parametrize("status", ["refuted", "entered-in-error"])
def test_a_refuted_condition_is_no_reason(status: str) -> None:
    order = pump(reasonReference=[{"reference": "Condition/c"}])
    known = condition(verificationStatus={"coding": [{"code": status}]})
    assert Asked(order, chart=[known]).reading("treatment_indication").reason is Reason.NO_DATA


def test_a_condition_of_another_patient_is_no_reason() -> None:
    order = pump(reasonReference=[{"reference": "Condition/c"}])
    known = condition(subject={"reference": "Patient/other"})
    assert Asked(order, chart=[known]).value("treatment_indication") is None


@pytest.mark.parametrize(
    "order",
    [pump(reasonCode=[{"text": "gastroparesis"}]), pump(reasonReference=[{"display": "gastroparesis"}])],
)
def test_a_reason_in_words_only_is_narrative_and_shown(order: Json) -> None:
    reading = Asked(order).reading("treatment_indication")
    assert (reading.value, reading.reason) == (None, Reason.NARRATIVE_ONLY)
    assert "gastroparesis" in reading.note


def test_without_a_reason_the_note_says_what_would_settle_it() -> None:
    reading = Asked(pump()).reading("treatment_indication")
    assert (reading.reason, "coded condition" in reading.note) == (Reason.NO_DATA, True)


def service(**elements: Any) -> Json:
    return {
        "resourceType": "ServiceRequest",
        "id": "s",
        "status": "draft",
        "intent": "order",
        "code": concept((HCPCS, "E0781")),
    } | elements


@pytest.mark.parametrize(
    ("code", "setting"),
    [
        ("PTRES", "home"),
        ("HOSP", "institutional"),
        ("12", "home"),
        ("21", "inpatient"),
        ("11", "office"),
        ("99", None),
    ],
)
def test_the_location_of_a_service_tells_the_setting(code: str, setting: str | None) -> None:
    asked = Asked(service(locationCode=[concept(("http://location", code))]))
    assert asked.value("care_setting") == setting


def encounter(code: str) -> Json:
    return {
        "resourceType": "Encounter",
        "id": "e",
        "status": "in-progress",
        "class": {"code": code},
        "subject": {"reference": "Patient/p"},
    }


@pytest.mark.parametrize(("code", "setting"), [("HH", "home"), ("AMB", None), ("IMP", None)])
def test_the_encounter_of_the_order_tells_home_health_only(code: str, setting: str | None) -> None:
    order = pump(encounter={"reference": "Encounter/e"})
    assert Asked(order, chart=[encounter(code)]).value("care_setting") == setting


def test_an_order_from_an_inpatient_stay_says_that_the_place_of_use_is_open() -> None:
    order = pump(encounter={"reference": "Encounter/e"})
    reading = Asked(order, chart=[encounter("IMP")]).reading("care_setting")
    assert (reading.reason, "not stated" in reading.note) == (Reason.NO_DATA, True)


def test_a_drug_that_is_ordered_for_the_stay_is_given_there() -> None:
    asked = Asked(pump(), drug(LISPRO, category=[concept(("http://category", "inpatient"))]))
    assert (asked.value("care_setting"), asked.value("home_administration")) == ("inpatient", False)


@pytest.mark.parametrize(("setting", "home"), [("home", True), ("institutional", False), ("office", False)])
def test_home_administration_follows_the_setting_on_the_order(setting: str, home: bool) -> None:
    parameter = {
        "code": concept((FACT, "care_setting")),
        "valueCodeableConcept": concept((ANSWER, setting)),
    }
    assert Asked(pump(parameter=[parameter])).value("home_administration") is home


def test_home_administration_that_rests_on_a_statement_is_attested() -> None:
    answer = {"valueCoding": {"system": ANSWER, "code": "home"}}
    response = {
        "resourceType": "QuestionnaireResponse",
        "id": "q",
        "status": "completed",
        "authored": "2026-02-01",
        "subject": {"reference": "Patient/p"},
        "item": [{"linkId": "care_setting", "answer": [answer]}],
    }
    reading = Asked(pump(), chart=[response]).reading("home_administration")
    assert (reading.value, reading.basis) == (True, Basis.ATTESTED)


def test_home_administration_is_unknown_without_a_setting() -> None:
    assert Asked(pump()).value("home_administration") is None
