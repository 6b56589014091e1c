"""Which pump is ordered, and what follows from its code and model."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.evidence import Origin, Reason
from tests.mappings.orders import CPT, HCPCS, RXNORM, SNOMED, Asked, Json, concept, drug, pump

LABELLED = {"coding": [{"system": "urn:coverage-hooks:device-property", "code": "labelled-drug"}]}
MORPHINE, BACLOFEN, ZICONOTIDE = (RXNORM, "7052"), (RXNORM, "1292"), (RXNORM, "68503")
INSULIN_LISPRO = (RXNORM, "86009")


def device(name: str = "", *, kind: str = "model-name", **elements: Any) -> Json:
    named = {"deviceName": [{"name": name, "type": kind}]} if name else {}
    return {"resourceType": "Device", "id": "d"} | named | elements


def with_device(code: str, contained: Json, **elements: Any) -> Json:
    return pump(code, contained=[contained], supportingInfo=[{"reference": "#d"}], **elements)


@pytest.mark.parametrize(
    ("code", "system", "pump_class"),
    [
        ("E0781", HCPCS, "external-ambulatory"),
        ("E0781", "urn:oid:2.16.840.1.113883.6.285", "external-ambulatory"),
        ("E0784", CPT, "external-insulin"),
        ("A4305", HCPCS, "disposable"),
        ("62360", CPT, "reservoir"),
        ("62361", HCPCS, "implantable-fixed"),
        ("69805005", SNOMED, "external-insulin"),
        ("43148-6", "http://loinc.org", "external-insulin"),
        ("A4230", HCPCS, "supply"),
        ("E0776", HCPCS, "accessory"),
        ("36561", CPT, "port"),
    ],
)
def test_the_code_tells_the_class(code: str, system: str, pump_class: str) -> None:
    assert Asked(pump(code, system)).value("pump_class") == pump_class


@pytest.mark.parametrize("code", ["36260", "E0785"])
def test_an_implantable_pump_of_open_kind_is_read_as_the_usual_kind_and_yields(code: str) -> None:
    reading = Asked(pump(code)).reading("pump_class")
    assert (reading.value, reading.inferred) == ("implantable-programmable", True)
    assert "not stated" in reading.note
    assert reading.evidence[0].value == "implantable"


def test_the_model_settles_what_the_code_leaves_open() -> None:
    reading = Asked(with_device("36260", device("Intera 3000"))).reading("pump_class")
    assert (reading.value, reading.inferred) == ("implantable-fixed", False)


def test_a_code_and_a_device_of_different_classes_contradict() -> None:
    reading = Asked(with_device("E0784", device("SynchroMed II"))).reading("pump_class")
    assert (reading.value, reading.reason) == (None, Reason.CONFLICTING)
    assert "SynchroMed II" in reading.note


@pytest.mark.parametrize(
    ("text", "pump_class"),
    [
        ("Insulin pump", "external-insulin"),
        ("Tandem t:slim X2", "external-insulin"),
        ("Infusion controller", "infusion-controller"),
    ],
)
def test_an_order_in_words_is_read_where_the_words_are_clear(text: str, pump_class: str) -> None:
    assert Asked(pump(codeCodeableConcept={"text": text})).value("pump_class") == pump_class


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (pump("E1399"), Reason.UNMAPPED_CODE),
        (pump("E0601"), Reason.UNMAPPED_CODE),
        (pump(codeCodeableConcept={"text": "pump"}), Reason.NO_DATA),
    ],
)
def test_what_tells_no_class_is_unknown(order: Json, reason: Reason) -> None:
    assert Asked(order).reading("pump_class").reason is reason


def test_a_miscellaneous_code_with_words_is_read_by_its_words() -> None:
    order = pump(codeCodeableConcept=concept((HCPCS, "E1399"), text="Infusion controller device"))
    assert Asked(order).value("pump_class") == "infusion-controller"


def test_an_order_for_a_drug_names_no_pump() -> None:
    reading = Asked(drug(MORPHINE)).reading("pump_class")
    assert (reading.value, reading.reason) == (None, Reason.NO_DATA)


def test_model_and_maker_come_from_the_contained_device() -> None:
    asked = Asked(with_device("E0787", device("t:slim X2", manufacturer="Tandem Diabetes Care")))
    assert asked.value("device_model") == "t:slim X2"
    assert asked.value("pump_model") == "Tandem Diabetes Care t:slim X2"
    assert asked.reading("pump_model").evidence[0].origin == Origin.ORDER


def test_an_unknown_model_is_given_as_written() -> None:
    asked = Asked(with_device("E0783", device(kind="", modelNumber="SM-40", manufacturer="Acme")))
    assert asked.value("pump_model") == "Acme SM-40"


def test_a_name_for_the_user_is_no_model() -> None:
    reading = Asked(
        with_device("E0783", device("Programmable implantable pump", kind="user-friendly-name"))
    ).reading("pump_model")
    assert (reading.value, reading.reason) == (None, Reason.NO_DATA)


def test_a_known_model_under_a_name_for_the_user_is_the_model() -> None:
    asked = Asked(with_device("E0784", device("Omnipod 5 pods", kind="user-friendly-name")))
    assert asked.value("device_model") == "Omnipod 5"


def test_a_family_name_leaves_the_model_open() -> None:
    reading = Asked(with_device("A9274", device("Omnipod"))).reading("device_model")
    assert (reading.value, reading.reason) == (None, Reason.IMPRECISE)


def test_the_model_may_stand_in_the_words_of_the_order() -> None:
    order = pump(codeCodeableConcept=concept((HCPCS, "E0784"), text="Tandem Mobi insulin pump"))
    assert Asked(order).value("device_model") == "Tandem Mobi"


def test_the_pump_in_use_is_not_the_ordered_one() -> None:
    own = device("MiniMed 670G", patient={"reference": "Patient/p"})
    use = {
        "resourceType": "DeviceUseStatement",
        "id": "u",
        "status": "active",
        "subject": {"reference": "Patient/p"},
        "device": {"reference": "Device/d"},
    }
    order = pump("E0784", supportingInfo=[{"reference": "Device/d"}])
    assert Asked(order, chart=[own, use]).value("device_model") is None


def test_a_glucose_monitor_beside_the_pump_is_not_the_ordered_pump() -> None:
    monitor = device("Dexcom G7", type=concept((HCPCS, "E2103")))
    assert Asked(with_device("E0784", monitor)).value("device_model") is None


def test_a_catalogue_device_on_file_is_the_ordered_one_and_its_own_evidence() -> None:
    order = pump("E0784", supportingInfo=[{"reference": "Device/d"}])
    reading = Asked(order, chart=[device("Omnipod DASH")]).reading("device_model")
    assert (reading.value, reading.evidence[0].resource) == ("Omnipod DASH", "Device/d")


@pytest.mark.parametrize(
    ("order", "wireless"),
    [
        (pump("E0787"), True),
        (pump("S1034"), True),
        (with_device("E0784", device("MiniMed 780G")), True),
        (with_device("A9274", device("Omnipod DASH")), False),
        (with_device("A9274", device("V-Go")), False),
        (pump("E0783"), False),
        (pump("E0781"), False),
        (pump("E0784"), None),
        (pump("A9274"), None),
        (with_device("A9274", device("Omnipod")), None),
        (pump("A4230"), None),
        (pump("E1399"), None),
    ],
)
def test_the_wireless_link_follows_from_code_or_model(order: Json, wireless: bool | None) -> None:
    assert Asked(order).value("device_wireless_to_cgm") is wireless


def test_a_code_with_and_a_model_without_the_link_contradict() -> None:
    reading = Asked(with_device("E0787", device("Omnipod DASH"))).reading("device_wireless_to_cgm")
    assert reading.reason is Reason.CONFLICTING


@pytest.mark.parametrize(
    ("name", "approved", "automation", "disposable", "basal_only"),
    [
        ("MiniMed 630G", True, "low-glucose-suspend", False, False),
        ("iLet", True, "closed-loop", False, False),
        ("Omnipod 5", True, "hybrid-closed-loop", True, False),
        ("Omnipod GO", False, "none", True, True),
        ("Omnipod", None, None, True, None),
        ("Acme 1", None, None, None, None),
    ],
)
def test_what_depends_on_the_model_is_unknown_without_it(
    name: str, approved: bool | None, automation: str | None, disposable: bool | None, basal_only: bool | None
) -> None:
    asked = Asked(with_device("E0784", device(name)))
    assert asked.value("fda_approved_cgm_pump") is approved
    assert asked.value("pump_automation") == automation
    assert asked.value("device_is_disposable") is disposable
    assert asked.value("pump_basal_only") is basal_only


def test_the_code_of_a_disposable_pump_tells_that_it_is_disposable() -> None:
    assert Asked(pump("A4306")).value("device_is_disposable") is True


def labelled(*drugs: tuple[str, str]) -> Json:
    return device("P", property=[{"type": LABELLED, "valueCode": [concept(code) for code in drugs]}])


def mixture(*drugs: tuple[str, str]) -> Json:
    medication = {
        "resourceType": "Medication",
        "id": "m",
        "ingredient": [{"itemCodeableConcept": concept(code)} for code in drugs],
    }
    return drug(
        medicationCodeableConcept=None, medicationReference={"reference": "#m"}, contained=[medication]
    )


@pytest.mark.parametrize(
    ("listed", "ordered", "approved"),
    [
        ([MORPHINE, BACLOFEN], drug(MORPHINE), True),
        ([MORPHINE], drug(ZICONOTIDE), False),
        ([MORPHINE, ZICONOTIDE], mixture(MORPHINE, ZICONOTIDE), True),
        ([MORPHINE], mixture(MORPHINE, ZICONOTIDE), False),
        ([], drug(MORPHINE), None),
        ([MORPHINE], drug(("http://local", "1"), text="study drug"), None),
        ([MORPHINE, ("http://local", "1")], drug(ZICONOTIDE), None),
        ([(RXNORM, "5856")], drug(INSULIN_LISPRO), True),
    ],
)
def test_the_labelling_must_list_every_drug(
    listed: list[tuple[str, str]], ordered: Json, approved: bool | None
) -> None:
    order = with_device("E0783", labelled(*listed) if listed else device("P"))
    assert Asked(order, ordered).value("pump_fda_approved_for_drug") is approved


def test_a_drug_outside_the_labelling_is_named() -> None:
    reading = Asked(with_device("E0783", labelled(MORPHINE)), mixture(MORPHINE, ZICONOTIDE)).reading(
        "pump_fda_approved_for_drug"
    )
    assert "ziconotide" in reading.note
    assert {entry.value for entry in reading.evidence} >= {"morphine"}


def test_a_property_of_another_system_is_no_labelling() -> None:
    other = {"coding": [{"system": "http://other", "code": "labelled-drug"}]}
    contained = device("P", property=[{"type": other, "valueCode": [concept(MORPHINE)]}])
    assert Asked(with_device("E0783", contained), drug(MORPHINE)).value("pump_fda_approved_for_drug") is None
