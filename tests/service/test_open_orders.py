"""The encounter hooks look at the open orders of the visit, from prefetch or from the server."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from mappings.fhir import DeviceRequest
from tests.fhir_stub import Fault, FhirStub
from tests.service.bodies import (
    DISCHARGE,
    PATIENT,
    START,
    Json,
    bundle,
    code,
    condition,
    issue,
    judged,
    pump_order,
    unchecked,
    visit,
)
from tests.service.fake_engine import FakeEngine

HERE: Json = {"reference": "Encounter/e1"}
OPEN = pump_order(status="active", encounter=HERE)
OF_THE_VISIT = "the open orders of this visit"
NONE: Json = {"patient": PATIENT, "serviceRequests": bundle(), "medicationRequests": None}
BOTH = pytest.mark.parametrize(
    ("url", "hook"), [(START, "encounter-start"), (DISCHARGE, "encounter-discharge")]
)


@pytest.mark.req("A2.21")
@pytest.mark.req("B1.98")
@BOTH
def test_an_open_order_of_the_visit_is_answered(client: FlaskClient, url: str, hook: str) -> None:
    answer = client.post(url, json=visit(hook, prefetch={"deviceRequests": bundle(OPEN), **NONE})).json
    assert judged(answer) == ["DeviceRequest/pump-1"]
    assert unchecked(answer) == {}


@pytest.mark.parametrize(
    ("changes", "answered"),
    [
        ({"status": "active"}, True),
        ({"status": "draft"}, True),
        ({"status": "completed"}, False),
        ({"status": "revoked"}, False),
        ({"encounter": {"reference": "Encounter/other"}}, False),
        ({"encounter": {"reference": "https://ehr.example.org/fhir/Encounter/e1"}}, True),
        ({"encounter": None}, False),
        ({"subject": {"reference": "Patient/p2"}}, False),
        ({"doNotPerform": True}, False),
    ],
)
def test_only_open_orders_of_this_visit_and_patient_count(
    client: FlaskClient, changes: Json, answered: bool
) -> None:
    body = visit("encounter-start", prefetch={"deviceRequests": bundle(OPEN | changes), **NONE})
    answer = client.post(START, json=body).json
    assert judged(answer) == (["DeviceRequest/pump-1"] if answered else [])
    assert unchecked(answer) == {}


@pytest.mark.req("A7.75")
@BOTH
def test_open_orders_are_asked_of_the_server(
    client: FlaskClient, fake_engine: FakeEngine, url: str, hook: str
) -> None:
    elsewhere = pump_order("old", status="active", encounter={"reference": "Encounter/e0"})
    with FhirStub([OPEN, elsewhere, PATIENT, condition()], page_size=1) as stub:
        answer = client.post(url, json=visit(hook, fhirServer=stub.base)).json
        (asked,) = [seen.query for seen in stub.asked("DeviceRequest") if ("encounter", "e1") in seen.query]
    assert judged(answer) == ["DeviceRequest/pump-1"]
    assert ("status", "active,draft") in asked
    assert [order.id for order in fake_engine.chart.of(DeviceRequest)] == []


def test_what_prefetch_answers_is_not_asked_for(client: FlaskClient) -> None:
    with FhirStub([PATIENT, condition()]) as stub:
        body = visit(
            "encounter-start", prefetch={"deviceRequests": bundle(OPEN), **NONE}, fhirServer=stub.base
        )
        client.post(START, json=body)
        asked = [seen for seen in stub.seen if ("encounter", "e1") in seen.query]
    assert asked == []


@pytest.mark.req("B6.157")
@pytest.mark.parametrize(
    "prefetch", [{"encounter": {"resourceType": "Encounter", "id": "e1"}}, {"order": OPEN}]
)
def test_orders_that_nobody_told_of_are_a_card(client: FlaskClient, prefetch: Json) -> None:
    response = client.post(START, json=visit("encounter-start", prefetch=prefetch))
    assert response.status_code == 200
    text = unchecked(response.json)[OF_THE_VISIT]
    assert "device orders, service orders, prescriptions: not in the request, and no FHIR server" in text


def test_a_query_that_fails_is_a_card_beside_the_orders_that_were_found(client: FlaskClient) -> None:
    with FhirStub([OPEN, PATIENT, condition()], faults={"ServiceRequest": Fault(status=500)}) as stub:
        answer = client.post(DISCHARGE, json=visit("encounter-discharge", fhirServer=stub.base)).json
    assert judged(answer) == ["DeviceRequest/pump-1"]
    assert "service orders: the FHIR server had an error (500)" in unchecked(answer)[OF_THE_VISIT]


@pytest.mark.req("A7.74")
def test_an_error_in_place_of_the_orders_is_no_answer(client: FlaskClient) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
    body = visit("encounter-start", prefetch={"deviceRequests": outcome, **NONE})
    assert "device orders: not in the request" in unchecked(client.post(START, json=body).json)[OF_THE_VISIT]


@pytest.mark.req("A3.26")
def test_without_prefetch_and_server_the_precondition_fails(client: FlaskClient) -> None:
    response = client.post(START, json=visit("encounter-start"))
    assert (response.status_code, code(response.json)) == (412, "no-data")


@pytest.mark.req("A2.21")
@pytest.mark.parametrize("name", ["userId", "patientId", "encounterId"])
def test_every_part_of_the_context_is_required(client: FlaskClient, name: str) -> None:
    body = visit("encounter-start", prefetch=NONE)
    del body["context"][name]
    response = client.post(START, json=body)
    assert (response.status_code, code(response.json)) == (422, "invalid-request")
    assert issue(response.json)["expression"] == [f"context.{name}"]
