"""The order under the code that the policy covers, with nothing else changed."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from cards.proposals.recoded import with_code
from cards.response_types import ALTERNATE_REQUEST
from mappings.codes import HCPCS
from policies.engine import Engine
from policies.repeated import Replacement
from tests.mappings.orders import SNOMED, Json, concept
from tests.policies.northwood import coverage, device_order, drug_order, practitioner
from tests.proposals import answered, broken, cards, hook, only

BLUEBUTTON = "https://bluebutton.cms.gov/resources/codesystem/hcpcs"
TREPROSTINIL = drug_order("343048", "treprostinil", route="subcutaneous")
NEW = Replacement(HCPCS, "K0455", "Infusion pump")


def request(*drafts: Json, **context: Any) -> Json:
    return hook(*drafts, chart=[coverage("512"), *practitioner("dr", "207RX0202X")], **context)


def pump(code: str = "E0781", **elements: Any) -> Json:
    return device_order(code, "2026-02-16", text="Pump", facts={"quantity": 1}, **elements)


@pytest.mark.req("B2.124")
@pytest.mark.parametrize("code", ["E0779", "E0781", "E0791"])
def test_treprostinil_with_another_pump_is_proposed_under_k0455(code: str, engine: Engine) -> None:
    order = pump(code, note=[{"text": "keep me"}])
    asked = request(order, TREPROSTINIL)
    response = answered(engine, asked)
    assert broken(asked, response) == []
    card = only(response, ALTERNATE_REQUEST)
    (suggestion,) = card["suggestions"]
    (action,) = suggestion["actions"]
    assert action["type"] == "update"
    changed = action["resource"]
    assert changed.pop("codeCodeableConcept")["coding"][0] == {
        "system": HCPCS,
        "code": "K0455",
        "display": "Infusion pump used for uninterrupted parenteral administration of medication (e.g., epoprostenol or treprostinil)",
    }
    assert changed == {name: value for name, value in order.items() if name != "codeCodeableConcept"}
    assert card["selectionBehavior"] == "at-most-one"
    assert card["source"]["label"] == "Northwood"
    assert card["extension"]["davinci-crd.associated-resource"] == [{"reference": "DeviceRequest/pump"}]
    assert (
        f"**Pump ({code})**: Epoprostenol or treprostinil is ordered with another infusion" in card["detail"]
    )
    assert card["summary"] == f"Northwood External Infusion Pump and Supplies: order K0455 in place of {code}"
    assert "Claims for usage of infusion pumps other than K0455" in card["detail"]


def test_supplies_that_go_with_no_pump_are_proposed_under_the_code_of_those_that_do(engine: Engine) -> None:
    supplies = device_order("A4223", "2026-02-16", name="supplies", text="Cassettes")
    asked = request(supplies, pump("K0455"), TREPROSTINIL)
    card = only(answered(engine, asked), ALTERNATE_REQUEST)
    (action,) = card["suggestions"][0]["actions"]
    assert action["resource"]["id"] == "supplies"
    assert action["resource"]["codeCodeableConcept"]["coding"][0]["code"] == "A4222"
    assert (
        "**Cassettes (A4223)**: the policy asks that the infusion supplies are for use with an external pump, which the "
        "order as it stands does not show. Northwood External Infusion Pump and Supplies takes **A4222**"
    ) in card["detail"]


SILENT: dict[str, tuple[Json, ...]] = {
    "the covered pump": (pump("K0455"), TREPROSTINIL),
    "another drug": (pump(), drug_order("1790099", "dobutamine")),
    "the covered pump is drafted beside": (pump(), pump("K0455", name="other"), TREPROSTINIL),
}


@pytest.mark.parametrize("name", SILENT)
def test_no_other_code_is_proposed_for(name: str, engine: Engine) -> None:
    assert cards(answered(engine, request(*SILENT[name])), ALTERNATE_REQUEST) == []


@pytest.mark.parametrize(
    "elements",
    [
        {"extension": {}},
        {"extension": [3]},
        {"id": None},
        {"codeCodeableConcept": concept((HCPCS, "E0781")) | {"extension": {}}},
    ],
)
def test_an_order_that_cannot_be_changed_as_written_is_left_alone(elements: Json, engine: Engine) -> None:
    order = {k: v for k, v in (pump() | elements).items() if v is not None}
    response = answered(engine, request(order, TREPROSTINIL))
    assert response["cards"]
    assert cards(response, ALTERNATE_REQUEST) == []


def test_no_other_code_is_proposed_where_another_exclusion_applies(engine: Engine) -> None:
    compounded = json.loads(json.dumps(TREPROSTINIL))
    compounded["medicationCodeableConcept"]["coding"].append({"system": HCPCS, "code": "J7999"})
    response = answered(engine, request(pump(), compounded))
    assert "compounded" in json.dumps(response)
    assert cards(response, ALTERNATE_REQUEST) == []


def test_the_suggestion_is_recommended_unless_something_else_is_unmet(engine: Engine) -> None:
    open_ = only(answered(engine, request(pump(), TREPROSTINIL)), ALTERNATE_REQUEST)
    assert open_["suggestions"][0]["isRecommended"] is True
    assert "Still needed then: " in open_["detail"]


def test_what_is_needed_under_the_new_code_tells_the_ways_apart_and_nothing_twice(engine: Engine) -> None:
    drug = drug_order("343048", "treprostinil", route="subcutaneous", hours=None)
    text = only(answered(engine, request(pump(), drug)), ALTERNATE_REQUEST)["detail"]
    assert "; either (each infusion lasts at least 8 hours and the infusion is prolonged" in text
    assert ") or (each infusion lasts less than 8 hours and " in text
    assert text.count("an infusion pump is necessary") == 1


def changed(order: Json | str) -> Json:
    text = order if isinstance(order, str) else json.dumps(order)
    found = with_code(Raw(text.encode()), NEW)
    assert found is not None
    decoded: Json = json.loads(msgspec.json.encode(found))
    return decoded


def test_what_is_not_changed_stays_the_text_that_came_in() -> None:
    text = (
        '{"resourceType":"DeviceRequest","id":"1","codeCodeableConcept":{"text":"Pump"},'
        '"extension":[{"url":"http://x","valueDecimal":1.50}],"zz":{"n":1e2,"big":12345678901234567890}}'
    )
    found = with_code(Raw(text.encode()), NEW)
    encoded = msgspec.json.encode(found).decode()
    assert '"extension":[{"url":"http://x","valueDecimal":1.50}]' in encoded
    assert '"zz":{"n":1e2,"big":12345678901234567890}' in encoded


def test_the_sender_s_spelling_of_the_code_system_stays_and_codings_of_the_former_item_go() -> None:
    order = pump(codeCodeableConcept=concept((SNOMED, "1"), (BLUEBUTTON, "E0781"), text="CADD"))
    assert changed(order)["codeCodeableConcept"] == {
        "coding": [{"system": BLUEBUTTON, "code": "K0455", "display": "Infusion pump"}],
        "text": "Infusion pump",
    }


def test_what_was_said_about_the_former_code_does_not_stay() -> None:
    crd = "http://hl7.org/fhir/us/davinci-crd/StructureDefinition/"
    code = concept((HCPCS, "E0781")) | {"id": "c", "extension": [{"url": crd + "ext-billing-options"}]}
    order = pump(
        codeCodeableConcept=code, extension=[{"url": crd + "ext-coverage-information"}, {"url": "http://x"}]
    )
    found = changed(order)
    assert found["extension"] == [{"url": "http://x"}]
    assert found["codeCodeableConcept"].keys() == {"id", "coding", "text"}


@pytest.mark.parametrize(
    ("elements", "kept"),
    [
        ({}, [{"resourceType": "Organization", "id": "o"}]),
        (
            {"supportingInfo": [{"reference": "#d"}]},
            [{"resourceType": "Device", "id": "d"}, {"resourceType": "Organization", "id": "o"}],
        ),
    ],
)
def test_a_device_that_the_order_points_to_gives_way_to_the_code(elements: Json, kept: list[Json]) -> None:
    order: Json = {
        "resourceType": "DeviceRequest",
        "contained": [{"resourceType": "Device", "id": "d"}, {"resourceType": "Organization", "id": "o"}],
        "codeReference": {"reference": "#d"},
        "performer": {"reference": "#o"},
        **elements,
    }
    found = changed(order)
    assert "codeReference" not in found
    assert found["codeCodeableConcept"]["coding"][0]["code"] == "K0455"
    assert found["contained"] == kept


def test_an_order_of_a_drug_has_no_code_to_change() -> None:
    assert with_code(Raw(b'{"resourceType":"MedicationRequest"}'), NEW) is None
