"""Which drug the pump is to deliver, wherever the order or the chart says so."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.evidence import Reason
from tests.mappings.orders import CONTINUOUS, CPT, HCPCS, RXNORM, SNOMED, Asked, Json, concept, drug, pump

MORPHINE, BUPIVACAINE = (RXNORM, "7052"), (RXNORM, "1815")
SALINE = {"itemCodeableConcept": {"text": "sodium chloride 0.9 %"}, "isActive": False}


def medication(*drugs: tuple[str, str], **elements: Any) -> Json:
    ingredients = [{"itemCodeableConcept": concept(code), "isActive": True} for code in drugs]
    return {"resourceType": "Medication", "id": "m", "ingredient": ingredients} | elements


def drug_from(contained: Json, **elements: Any) -> Json:
    return drug(
        medicationCodeableConcept=None,
        medicationReference={"reference": "#m"},
        contained=[contained],
        **elements,
    )


def in_chart(kind: str, code: tuple[str, str], **elements: Any) -> Json:
    dosage = "dosage" if kind == "MedicationStatement" else "dosageInstruction"
    return {
        "resourceType": kind,
        "id": "m1",
        "status": "active",
        "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": concept(code),
        dosage: [{"method": CONTINUOUS}],
    } | elements


@pytest.mark.parametrize(
    "ordered",
    [
        drug(MORPHINE),
        drug((HCPCS, "J2270")),
        drug((RXNORM, "203358")),
        drug(text="Morphine sulfate, preservative-free"),
        drug_from(medication(MORPHINE)),
        drug_from({"resourceType": "Medication", "id": "m", "code": concept(MORPHINE)}),
        drug_from(medication(MORPHINE) | {"ingredient": [*medication(MORPHINE)["ingredient"], SALINE]}),
        drug(
            medicationCodeableConcept=None, medicationReference={"reference": "#none", "display": "morphine"}
        ),
    ],
    ids=["ingredient", "HCPCS", "brand", "text", "contained", "contained code", "vehicle", "display"],
)
def test_the_drug_is_read_from_its_order(ordered: Json) -> None:
    asked = Asked(pump("E0783"), ordered)
    assert asked.value("drug") == "morphine"
    assert asked.value("drug_set") == ("morphine",)
    assert "opioid" in asked.value("drug_class")
    assert asked.reading("drug").evidence[0].resource == "MedicationRequest/drug"


def test_a_medication_on_file_is_followed() -> None:
    ordered = drug(medicationCodeableConcept=None, medicationReference={"reference": "Medication/m"})
    assert Asked(pump("E0783"), ordered, chart=[medication(MORPHINE)]).value("drug") == "morphine"


def test_a_mixture_has_all_its_ingredients() -> None:
    asked = Asked(pump("E0783"), drug_from(medication(MORPHINE, BUPIVACAINE)))
    assert asked.value("drug_set") == ("bupivacaine", "morphine")
    assert asked.value("drug") == "bupivacaine + morphine"
    assert {"opioid", "local-anaesthetic"} <= set(asked.value("drug_class"))


def test_two_drug_orders_of_one_pump_fill_one_reservoir() -> None:
    group = {"groupIdentifier": {"value": "g"}}
    asked = Asked(pump("E0783", **group), drug(MORPHINE, **group), drug(BUPIVACAINE, id="drug2", **group))
    assert asked.value("drug_set") == ("bupivacaine", "morphine")


def test_the_only_drug_belongs_to_the_pump_and_not_to_the_pole_beside_it() -> None:
    asked = Asked(pump("E0791"), pump("E0776", id="pole"), drug(MORPHINE))
    assert asked.value("drug") == "morphine"
    assert [order.reference for order in asked.orders] == ["DeviceRequest/pump", "DeviceRequest/pole"]


def test_the_only_drug_beside_two_pumps_belongs_to_neither() -> None:
    assert Asked(pump("E0791"), pump("E0781", id="other"), drug(MORPHINE)).value("drug") is None


def test_a_drug_beside_a_supply_alone_belongs_to_it() -> None:
    assert Asked(pump("A4222"), drug(MORPHINE)).value("drug") == "morphine"


def test_a_line_flush_beside_the_drug_is_not_in_the_reservoir() -> None:
    group = {"groupIdentifier": {"value": "g"}}
    asked = Asked(
        pump(**group),
        drug((RXNORM, "11124"), **group),
        drug(text="sodium chloride 0.9 % flush", id="flush", **group),
        drug(text="heparin lock flush", id="lock", **group),
    )
    assert asked.value("drug_set") == ("vancomycin",)


def test_a_tablet_of_the_order_set_is_not_in_the_reservoir() -> None:
    group = {"groupIdentifier": {"value": "g"}}
    oral = {"dosageInstruction": [{"route": concept((SNOMED, "26643006"))}]}
    unsaid = {"dosageInstruction": [{"text": "as ordered"}]}
    tablet = drug(text="ondansetron 8 mg tablet", id="tablet", **group, **oral)
    beside = Asked(pump(**group), drug((RXNORM, "11124"), **group, **unsaid), tablet)
    assert beside.value("drug_set") == ("vancomycin",)
    assert [order.reference for order in beside.orders] == ["DeviceRequest/pump", "MedicationRequest/tablet"]
    alone = Asked(pump(**group), drug(MORPHINE, **group, **oral))
    assert (alone.value("drug_set"), alone.value("drug_route")) == (("morphine",), "oral")


def test_an_unknown_drug_makes_the_drug_unknown_and_is_named() -> None:
    reading = Asked(pump("E0783"), drug(("http://local", "9"), text="study drug X")).reading("drug")
    assert (reading.value, reading.reason) == (None, Reason.UNMAPPED_CODE)
    assert "study drug X" in reading.note


def test_an_unknown_part_of_a_mixture_makes_the_set_unknown() -> None:
    asked = Asked(pump("E0783"), drug_from(medication(MORPHINE, ("http://local", "9"))))
    assert asked.reading("drug_set").reason is Reason.UNMAPPED_CODE


def test_an_ingredient_that_cannot_be_followed_makes_the_set_unknown() -> None:
    contained = medication() | {
        "ingredient": [{"itemReference": {"reference": "#gone", "display": "a substance"}}]
    }
    reading = Asked(pump("E0783"), drug_from(contained)).reading("drug_set")
    assert (reading.reason, "a substance" in reading.note) == (Reason.UNMAPPED_CODE, True)


def test_without_a_drug_the_note_says_what_would_settle_it() -> None:
    reading = Asked(pump("E0781")).reading("drug")
    assert (reading.value, reading.reason) == (None, Reason.NO_DATA)
    assert "drug's order" in reading.note


def test_a_drug_order_without_a_medication_yet_names_none() -> None:
    assert Asked(pump("E0781"), drug(medicationCodeableConcept=None)).reading("drug").reason is Reason.NO_DATA


@pytest.mark.parametrize("code", ["E0784", "E0787", "A9274", "A4230"])
def test_an_insulin_pump_delivers_insulin_by_its_nature(code: str) -> None:
    asked = Asked(pump(code))
    assert asked.value("drug") == "insulin"
    assert "insulin" in asked.value("drug_class")
    assert "by its nature" in asked.reading("drug").note


def test_the_drug_that_is_ordered_goes_before_the_nature_of_the_pump() -> None:
    assert Asked(pump("E0784"), drug((RXNORM, "86009"))).value("drug") == "insulin lispro"


def test_an_order_for_the_drug_alone_names_it() -> None:
    asked = Asked(drug((HCPCS, "J2278")))
    assert (asked.value("drug"), asked.value("drug_code")) == ("ziconotide", "J2278")


def test_a_service_request_may_be_for_the_drug_or_name_it_in_its_details() -> None:
    order = {"resourceType": "ServiceRequest", "id": "s", "status": "draft", "intent": "order"}
    assert Asked(order | {"code": concept((HCPCS, "J0476"))}).value("drug") == "baclofen"
    detailed = order | {"code": concept((CPT, "62362")), "orderDetail": [concept((HCPCS, "J2278"))]}
    assert Asked(detailed).value("drug") == "ziconotide"


def test_the_pump_may_name_a_medication_that_is_no_draft() -> None:
    order = pump("E0781", supportingInfo=[{"reference": "MedicationStatement/m1"}])
    known = in_chart("MedicationStatement", (RXNORM, "3131"), dosage=[])
    reading = Asked(order, chart=[known]).reading("drug")
    assert (reading.value, reading.evidence[0].resource) == ("deferoxamine", "MedicationStatement/m1")


@pytest.mark.parametrize("status", ["cancelled", "stopped", "entered-in-error"])
def test_a_drug_order_that_is_withdrawn_does_not_go_into_the_pump(status: str) -> None:
    order = pump("E0781", supportingInfo=[{"reference": "MedicationRequest/m1"}])
    withdrawn = drug((RXNORM, "3131"), id="m1", status=status)
    assert Asked(order, withdrawn).value("drug") is None
    assert Asked(order, chart=[withdrawn]).value("drug") is None
    assert Asked(order, drug((RXNORM, "3131"), id="m1")).value("drug") == "deferoxamine"


@pytest.mark.parametrize("kind", ["MedicationStatement", "MedicationRequest"])
def test_an_active_drug_that_is_given_by_pump_counts_where_no_draft_names_one(kind: str) -> None:
    reading = Asked(pump("E0781"), chart=[in_chart(kind, (RXNORM, "343048"))]).reading("drug")
    assert reading.value == "treprostinil"
    assert "m1" in reading.note


@pytest.mark.parametrize(
    ("code", "ordered", "route", "value"),
    [
        ((RXNORM, "51428"), "E0783", "34206005", None),
        ((RXNORM, "51428"), "E0783", "", None),
        ((RXNORM, "343048"), "E0783", "34206005", None),
        ((RXNORM, "343048"), "E0783", "47625008", "treprostinil"),
        (MORPHINE, "E0783", "72607000", "morphine"),
        (MORPHINE, "E0781", "72607000", None),
        (MORPHINE, "E0781", "404820008", None),
        (MORPHINE, "E0781", "47625008", "morphine"),
    ],
)
def test_a_drug_of_another_kind_of_pump_is_not_the_one_of_the_order(
    code: tuple[str, str], ordered: str, route: str, value: str | None
) -> None:
    dosage = {"method": CONTINUOUS} | ({"route": concept((SNOMED, route))} if route else {})
    given = in_chart("MedicationStatement", code, dosage=[dosage])
    assert Asked(pump(ordered), chart=[given]).value("drug") == value


@pytest.mark.parametrize(
    "change",
    [
        {"status": "stopped"},
        {"status": "entered-in-error"},
        {"status": "completed"},
        {"effectivePeriod": {"start": "2025-01-01", "end": "2026-02-15"}},
        {"effectivePeriod": {"start": "2026-02-17"}},
        {"dosage": [{"text": "one tablet"}]},
        {"subject": {"reference": "Patient/other"}},
    ],
)
def test_a_drug_that_is_not_given_by_pump_now_does_not_count(change: Json) -> None:
    known = in_chart("MedicationStatement", (RXNORM, "343048"), **change)
    assert Asked(pump("E0781"), chart=[known]).value("drug") is None


@pytest.mark.parametrize("end", ["2026-02-16", "2026-02"])
def test_a_drug_that_may_still_be_given_on_the_day_counts(end: str) -> None:
    known = in_chart(
        "MedicationStatement", (RXNORM, "343048"), effectivePeriod={"start": "2025-01", "end": end}
    )
    assert Asked(pump("E0781"), chart=[known]).value("drug") == "treprostinil"


@pytest.mark.parametrize(
    ("ordered", "formulation"),
    [
        (drug((RXNORM, "3639"), (HCPCS, "J9000")), "conventional"),
        (drug((HCPCS, "Q2050")), "liposomal"),
        (drug(text="AmBisome"), "liposomal"),
        (drug(text="Abelcet"), "lipid-complex"),
        (drug((RXNORM, "732"), (HCPCS, "J0285")), "conventional"),
        (drug(MORPHINE), None),
    ],
)
def test_the_formulation_follows_from_code_or_product(ordered: Json, formulation: str | None) -> None:
    assert Asked(pump(), ordered).value("drug_formulation") == formulation


def test_the_product_is_the_brand() -> None:
    assert Asked(pump(), drug((HCPCS, "J1559"))).value("drug_product") == "Hizentra"
    assert Asked(pump(), drug(MORPHINE)).value("drug_product") is None


@pytest.mark.parametrize(
    ("ordered", "code", "coding"),
    [
        (drug(MORPHINE, (HCPCS, "J2270")), "J2270", "other"),
        (drug((HCPCS, "J2270"), (HCPCS, "J7999")), "J7999", "compounded"),
        (drug(MORPHINE), None, "none"),
    ],
)
def test_the_billing_code_of_the_drug_and_what_it_says_of_compounding(
    ordered: Json, code: str | None, coding: str
) -> None:
    asked = Asked(pump(), ordered)
    assert (asked.value("drug_code"), asked.value("compounded_coding")) == (code, coding)


@pytest.mark.parametrize(
    ("ordered", "compounded"),
    [
        (drug(MORPHINE, (HCPCS, "J7999")), True),
        (drug(MORPHINE, (HCPCS, "Q9977")), True),
        (drug(MORPHINE, text="morphine 50 mg/mL, compounded"), True),
        (drug(MORPHINE, note=[{"text": "prepared by a compounding pharmacy"}]), True),
        (drug(MORPHINE, text="Infumorph, not compounded"), False),
        (drug(MORPHINE, text="non-compounded morphine"), False),
        (drug(MORPHINE), None),
        (drug((RXNORM, "203358")), None),
        (drug_from(medication(MORPHINE, BUPIVACAINE)), None),
    ],
)
def test_compounding_is_known_only_where_the_order_says_so(ordered: Json, compounded: bool | None) -> None:
    assert Asked(pump("E0783"), ordered).value("drug_compounded") is compounded


def test_compounded_and_not_compounded_contradict() -> None:
    ordered = drug(MORPHINE, text="not compounded", note=[{"text": "compounded by the pharmacy"}])
    assert Asked(pump("E0783"), ordered).reading("drug_compounded").reason is Reason.CONFLICTING


def test_a_drug_coded_in_another_system_only_is_unknown() -> None:
    assert Asked(pump(), drug((SNOMED, "1"))).reading("drug").reason is Reason.UNMAPPED_CODE
