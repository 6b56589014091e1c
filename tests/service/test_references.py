"""References are followed however they are written; what the request names is no answer about a type."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from mappings.chart import Chart
from mappings.codes import BILLING_OPTIONS, HCPCS, SNOMED, order_codes
from mappings.evidence import Origin
from mappings.fhir import (
    CodeableConcept,
    Coding,
    Device,
    DeviceRequest,
    Extension,
    Identifier,
    OrderedItem,
    Organization,
    Practitioner,
    Reference,
)
from mappings.parsing import Item
from mappings.terminology import ValueSets
from tests.fhir_stub import FhirStub
from tests.service.bodies import DISPATCH, PATIENT, SIGN, Json, bundle, dispatch, judged, pump_order, sign
from tests.service.conftest import client_of
from tests.service.fake_engine import FakeEngine

NPI = "http://hl7.org/fhir/sid/us-npi"
DEVICE: Json = {
    "resourceType": "Device",
    "id": "d1",
    "type": {"coding": [{"system": HCPCS, "code": "E0784"}]},
}


def by_device(reference: Json, **elements: Any) -> Json:
    order = pump_order(codeReference=reference, **elements)
    del order["codeCodeableConcept"]
    return order


@pytest.fixture
def chart(value_sets: ValueSets) -> Chart:
    return Chart("p1", value_sets)


@pytest.mark.parametrize(
    ("reference", "contained", "full_url"),
    [
        ({"reference": "#d1"}, True, ""),
        ({"reference": "Device/d1"}, False, ""),
        ({"reference": "https://ehr.example.org/fhir/Device/d1"}, False, ""),
        ({"reference": "Device/d1/_history/2"}, False, ""),
        (
            {"reference": "urn:uuid:6e4b6f2c-0a3a-4c6e-9f3c-2f7f7c1f0001"},
            False,
            "urn:uuid:6e4b6f2c-0a3a-4c6e-9f3c-2f7f7c1f0001",
        ),
        ({"type": "Device", "identifier": {"system": "urn:udi", "value": "77"}}, False, ""),
        ({"identifier": {"system": "urn:udi", "value": "77"}}, False, ""),
    ],
    ids=[
        "contained",
        "relative",
        "absolute",
        "of a version",
        "fullUrl",
        "identifier with type",
        "identifier",
    ],
)
def test_a_device_that_is_ordered_by_reference_is_found(
    client: FlaskClient, reference: Json, contained: bool, full_url: str
) -> None:
    device = DEVICE | {"identifier": [{"system": "urn:udi", "value": "77"}]}
    order = by_device(reference, **({"contained": [device]} if contained else {}))
    held = bundle(PATIENT, *([] if contained else [device]))
    if full_url:
        held["entry"][1]["fullUrl"] = full_url
    answer = client.post(SIGN, json=sign(order, prefetch={"x": held})).json
    assert judged(answer) == ["DeviceRequest/pump-1"]


def test_an_order_by_device_is_answered_from_the_server(client: FlaskClient) -> None:
    order = by_device({"reference": "Device/d1"}, status="active")
    with FhirStub([DEVICE, PATIENT, order]) as stub:
        answer = client.post(DISPATCH, json=dispatch(fhirServer=stub.base)).json
    assert judged(answer) == ["DeviceRequest/pump-1"]


def test_a_payer_that_is_only_identified_is_searched_for(
    client: FlaskClient, fake_engine: FakeEngine
) -> None:
    payer: Json = {
        "resourceType": "Organization",
        "id": "o1",
        "name": "Plan",
        "identifier": [{"system": NPI, "value": "7"}],
    }
    other = payer | {"id": "o2", "identifier": [{"system": NPI, "value": "8"}]}
    cover: Json = {
        "resourceType": "Coverage",
        "id": "c",
        "beneficiary": {"reference": "Patient/p1"},
        "payor": [{"type": "Organization", "identifier": {"system": NPI, "value": "7"}}],
    }
    with FhirStub([PATIENT, cover, payer, other]) as stub:
        client.post(SIGN, json=sign(fhirServer=stub.base))
        (seen,) = stub.asked("Organization")
    assert ("identifier", f"{NPI}|7") in seen.query
    assert [found.id for found in fake_engine.chart.of(Organization)] == ["o1"]


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        (Reference(identifier=Identifier(system=NPI, value="1")), "a"),
        (Reference(type="Organization", identifier=Identifier(system=NPI, value="1")), "a"),
        (Reference(type="Practitioner", identifier=Identifier(system=NPI, value="1")), None),
        (Reference(identifier=Identifier(system=NPI, value="2")), None),
        (Reference(identifier=Identifier(value="1")), None),
        (Reference(identifier=Identifier(system=NPI, value="3")), None),
        (Reference(), None),
    ],
)
def test_an_identifier_leads_to_the_one_resource_that_has_it(
    chart: Chart, reference: Reference, found: str | None
) -> None:
    one = Organization(id="a", identifier=(Identifier(system=NPI, value="1"),))
    twice = [Practitioner(id=name, identifier=(Identifier(system=NPI, value="3"),)) for name in ("b", "c")]
    chart.add([Item(resource) for resource in (one, *twice)], Origin.PREFETCH)
    resolved = chart.resolve(reference)
    assert (resolved.id if resolved is not None else None) == found


# What the request names is no search


def test_copies_of_what_the_request_names_do_not_stand_for_the_record(
    client: FlaskClient, fake_engine: FakeEngine
) -> None:
    order = by_device({"reference": "Device/d1"}, status="active")
    prescription: Json = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "status": "active",
        "subject": {"reference": "Patient/p1"},
    }
    body = dispatch(
        "DeviceRequest/pump-1",
        "MedicationRequest/m",
        prefetch={"patient": PATIENT, "x": bundle(order, DEVICE, prescription)},
    )
    client.post(DISPATCH, json=body)
    assert "MedicationRequest" not in fake_engine.chart.answered
    assert fake_engine.chart.of(DeviceRequest) == []
    other = prescription | {"id": "other"}
    body["prefetch"]["y"] = bundle(prescription, other)
    client.post(DISPATCH, json=body)
    assert "MedicationRequest" in fake_engine.chart.answered


@pytest.mark.req("B5.148")
def test_in_the_style_of_crd_2_2_a_standard_key_is_no_answer_about_the_record(value_sets: ValueSets) -> None:
    engine = FakeEngine(value_sets, {"Device": None})
    client = client_of(engine, prefetch_style="2.2")
    templates = client.get("/cds-services").json["services"][0]["prefetch"]
    assert templates["devices"].startswith("Device?_id=")
    client.post(SIGN, json=sign(prefetch={"patient": PATIENT, "devices": None}))
    assert "Device" not in engine.chart.answered
    client.post(SIGN, json=sign(prefetch={"patient": PATIENT, "patientDevices": None}))
    assert "Device" in engine.chart.answered
    assert engine.chart.of(Device) == []


# Billing options


@pytest.mark.req("B1.110")
def test_codes_under_which_an_item_may_be_billed_count_after_its_own(client: FlaskClient) -> None:
    option = CodeableConcept(coding=(Coding(system=HCPCS, code="E0784"),))
    item = OrderedItem(
        coding=(Coding(system=SNOMED, code="69805005"),),
        extension=(Extension(url=BILLING_OPTIONS, valueCodeableConcept=option), Extension(url="urn:other")),
    )
    assert order_codes(item) == ((SNOMED, "69805005"), (HCPCS, "E0784"))
    order = pump_order(
        codeCodeableConcept={
            "extension": [
                {
                    "url": BILLING_OPTIONS,
                    "valueCodeableConcept": {"coding": [{"system": HCPCS, "code": "E0784"}]},
                }
            ],
            "coding": [{"system": "http://snomed.info/sct", "code": "69805005"}],
        }
    )
    answer = client.post(SIGN, json=sign(order, prefetch={"patient": PATIENT})).json
    assert judged(answer) == ["DeviceRequest/pump-1"]


@pytest.mark.parametrize(
    "system",
    [
        "https://bluebutton.cms.gov/resources/codesystem/hcpcs",
        "http://bluebutton.cms.gov/resources/codesystem/hcpcs/",
        "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
        "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
        "urn:oid:2.16.840.1.113883.6.285",
        "2.16.840.1.113883.6.285",
        "hhttps://bluebutton.cms.gov/resources/codesystem/hcpcs",
    ],
)
def test_every_spelling_of_hcpcs_that_requests_hold_is_one_system(client: FlaskClient, system: str) -> None:
    order = pump_order(codeCodeableConcept={"coding": [{"system": system, "code": "E0784"}]})
    assert judged(client.post(SIGN, json=sign(order, prefetch={"patient": PATIENT})).json)
