"""order-dispatch and appointment-book name their orders; they are found in prefetch or on the server."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from mappings.fhir import DeviceRequest, Organization
from tests.fhir_stub import Fault, FhirStub
from tests.service.bodies import (
    BOOK,
    DISPATCH,
    HCPCS,
    PATIENT,
    SIGN,
    Json,
    book,
    bundle,
    code,
    condition,
    dispatch,
    issue,
    judged,
    pump_order,
    sign,
    unchecked,
)
from tests.service.conftest import client_of
from tests.service.fake_engine import FakeEngine

DME: Json = {"resourceType": "Organization", "id": "dme", "name": "Pumps and more"}
ACTIVE = pump_order(status="active")
NOBODY = "no FHIR server was named"
ALTERNATE = "http://hl7.org/fhir/StructureDefinition/alternate-reference"


def appointment(*based_on: Any, id_: str = "a1") -> Json:
    return {"resourceType": "Appointment", "id": id_, "status": "proposed", "basedOn": list(based_on)}


# order-dispatch


@pytest.mark.req("A2.19")
@pytest.mark.req("B5.152")
@pytest.mark.parametrize("key", ["order", "deviceRequests", "whatever"])
@pytest.mark.parametrize("whole", [ACTIVE, bundle(ACTIVE, PATIENT)], ids=["resource", "Bundle"])
def test_a_dispatched_order_is_found_in_prefetch_whatever_its_key(
    client: FlaskClient, key: str, whole: Json
) -> None:
    answer = client.post(DISPATCH, json=dispatch(prefetch={key: whole, "patient": PATIENT})).json
    assert judged(answer) == ["DeviceRequest/pump-1"]


@pytest.mark.req("A2.19")
@pytest.mark.parametrize(
    "context",
    [
        {"order": "DeviceRequest/pump-1", "performer": "Organization/dme"},
        {"order": "DeviceRequest/pump-1", "performer": "Organization/dme", "task": {"resourceType": "Task"}},
        {"dispatchedOrders": ["DeviceRequest/pump-1"], "performer": "Organization/dme"},
        {"dispatchedOrders": ["DeviceRequest/pump-1"], "fulfillmentTasks": [{"resourceType": "Task"}]},
        {"dispatchedOrders": ["https://ehr.example.org/fhir/DeviceRequest/pump-1/_history/3"]},
        {"order": "DeviceRequest/pump-1", "dispatchedOrders": ["DeviceRequest/pump-1"]},
        {"dispatchedOrders": ["DeviceRequest/pump-1", "https://ehr.example.org/fhir/DeviceRequest/pump-1"]},
    ],
    ids=[
        "1.0",
        "1.0 with task",
        "1.1",
        "1.1 with tasks and no performer",
        "absolute, of a version",
        "both",
        "twice",
    ],
)
def test_both_shapes_of_the_context_are_read(client: FlaskClient, context: Json) -> None:
    body = dispatch(prefetch={"order": ACTIVE, "patient": PATIENT})
    body["context"] = {"patientId": "p1", **context}
    assert judged(client.post(DISPATCH, json=body).json) == ["DeviceRequest/pump-1"]


@pytest.mark.req("B1.102")
def test_only_dispatched_orders_are_answered(client: FlaskClient) -> None:
    held = bundle(*(pump_order(name, status="active") for name in ("a", "b", "c")))
    body = dispatch("DeviceRequest/c", "DeviceRequest/a", prefetch={"deviceRequests": held})
    assert judged(client.post(DISPATCH, json=body).json) == ["DeviceRequest/c", "DeviceRequest/a"]


@pytest.mark.req("A8.80")
def test_a_dispatched_order_is_read_from_the_server(client: FlaskClient, fake_engine: FakeEngine) -> None:
    with FhirStub([ACTIVE, PATIENT, condition(), DME], token="secret") as stub:
        token = {
            "access_token": "secret",
            "token_type": "Bearer",
            "expires_in": 30,
            "scope": "user/*.read",
            "subject": "x",
        }
        body = dispatch(fhirServer=stub.base, fhirAuthorization=token)
        answer = client.post(DISPATCH, json=body).json
    assert judged(answer) == ["DeviceRequest/pump-1"]
    assert fake_engine.chart.of(DeviceRequest) == []  # what is asked about is no evidence
    assert [payee.name for payee in fake_engine.chart.of(Organization)] == ["Pumps and more"]  # the performer


def test_a_performer_that_cannot_be_had_is_no_gap(client: FlaskClient, fake_engine: FakeEngine) -> None:
    with FhirStub([ACTIVE, PATIENT, condition()]) as stub:
        client.post(DISPATCH, json=dispatch(fhirServer=stub.base))
        assert stub.asked("Organization")
    assert fake_engine.chart.failures == {}


@pytest.mark.req("B6.157")
@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault(status=404), "the FHIR server does not have it (404)"),
        (Fault(body=b"{"), "the FHIR server sent something else than was asked for"),
        (Fault(closed=True), "the connection to the FHIR server broke"),
    ],
)
def test_a_dispatched_order_that_cannot_be_had_is_a_card(client: FlaskClient, fault: Fault, why: str) -> None:
    with FhirStub([ACTIVE], faults={"DeviceRequest": fault}) as stub:
        response = client.post(DISPATCH, json=dispatch(fhirServer=stub.base))
    assert response.status_code == 200
    ((what, text),) = unchecked(response.json).items()
    assert what == "DeviceRequest/pump-1"
    assert why in text
    (card,) = response.json["cards"]
    assert card["extension"] == {"davinci-crd.associated-resource": [{"reference": "DeviceRequest/pump-1"}]}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("DeviceRequest/pump-1", f"it is not in prefetch, and {NOBODY}"),
        ("pump-1", "this names no order"),
        ("Patient/p1", "this names no order"),
        ("https://other.example.org/DeviceRequest/../x", "this names no order"),
    ],
)
def test_an_order_that_prefetch_does_not_hold_is_a_card_without_a_server(
    client: FlaskClient, name: str, why: str
) -> None:
    response = client.post(DISPATCH, json=dispatch(name, prefetch={"patient": PATIENT}))
    assert response.status_code == 200
    assert [why in text for text in unchecked(response.json).values()] == [True]


def test_an_order_on_another_server_is_not_asked_for(client: FlaskClient) -> None:
    with FhirStub([ACTIVE]) as stub:
        name = "https://other.example.org/fhir/DeviceRequest/pump-1"
        answer = client.post(DISPATCH, json=dispatch(name, fhirServer=stub.base)).json
        assert stub.asked("DeviceRequest") == []
    assert "it lies on another server" in unchecked(answer)["DeviceRequest/pump-1"]


def test_an_order_for_another_patient_is_not_judged(client: FlaskClient) -> None:
    other = pump_order(status="active", subject={"reference": "Patient/p2"})
    answer = client.post(DISPATCH, json=dispatch(prefetch={"order": other})).json
    assert judged(answer) == []
    assert "it is about another patient" in unchecked(answer)["DeviceRequest/pump-1"]


def test_a_draft_for_another_patient_is_not_judged_by_this_chart(client: FlaskClient) -> None:
    other = pump_order(id="theirs", subject={"reference": "Patient/p2"})
    answer = client.post(SIGN, json=sign(other, pump_order(), prefetch={"patient": PATIENT})).json
    assert judged(answer) == ["DeviceRequest/pump-1"]
    assert "it is about another patient" in unchecked(answer)["DeviceRequest/theirs"]
    assert not [action for action in answer.get("systemActions", ()) if action["resource"]["id"] == "theirs"]


def test_one_order_that_is_missing_does_not_hold_up_the_other(client: FlaskClient) -> None:
    body = dispatch(
        "DeviceRequest/pump-1", "DeviceRequest/gone", prefetch={"order": ACTIVE, "patient": PATIENT}
    )
    answer = client.post(DISPATCH, json=body).json
    assert judged(answer) == ["DeviceRequest/pump-1"]
    assert list(unchecked(answer)) == ["DeviceRequest/gone"]


@pytest.mark.req("A3.26")
def test_without_prefetch_and_server_the_precondition_fails(client: FlaskClient) -> None:
    response = client.post(DISPATCH, json=dispatch())
    assert (response.status_code, code(response.json)) == (412, "no-data")


@pytest.mark.req("A2.19")
@pytest.mark.parametrize("names", [{}, {"dispatchedOrders": []}, {"dispatchedOrders": [""]}, {"order": None}])
def test_a_dispatch_of_nothing_is_refused(client: FlaskClient, names: Json) -> None:
    response = client.post(DISPATCH, json={**dispatch(), "context": {"patientId": "p1", **names}})
    assert (response.status_code, code(response.json)) == (422, "invalid-request")
    assert issue(response.json)["expression"] == ["context.dispatchedOrders"]


@pytest.mark.req("B1.107")
def test_an_order_not_to_do_something_has_no_card(client: FlaskClient) -> None:
    body = dispatch(prefetch={"order": pump_order(status="active", doNotPerform=True)})
    assert client.post(DISPATCH, json=body).json == {"cards": [], "systemActions": []}


def test_a_missing_order_is_listed_among_those_without_a_determination(client: FlaskClient) -> None:
    answer = client.post("/determinations", json=dispatch(prefetch={"patient": PATIENT})).json
    assert answer["not_evaluated"] == [
        {"order": "DeviceRequest/pump-1", "why": f"it is not in prefetch, and {NOBODY}"}
    ]


def test_the_deadline_holds_for_orders_and_record_together(fake_engine: FakeEngine) -> None:
    slow = client_of(fake_engine, fhir_deadline=0.5)
    with FhirStub([ACTIVE], faults={"*": Fault(delay=0.4)}) as stub:
        answer = slow.post(DISPATCH, json=dispatch(fhirServer=stub.base)).json
    # 0.4 of the half second went to the order: nothing of the record comes in time.
    (card,) = answer["cards"]
    assert "no patient data" in card["summary"]
    assert "did not answer in time" in card["detail"]


# appointment-book


@pytest.mark.req("A2.20")
@pytest.mark.req("B1.106")
@pytest.mark.parametrize(
    "based_on",
    [
        {"reference": "DeviceRequest/pump-1"},
        {"extension": [{"url": ALTERNATE, "valueReference": {"reference": "DeviceRequest/pump-1"}}]},
        {"reference": "https://ehr.example.org/fhir/DeviceRequest/pump-1"},
    ],
    ids=["basedOn", "alternate reference", "absolute"],
)
def test_the_order_behind_an_appointment_is_answered(client: FlaskClient, based_on: Json) -> None:
    body = book(appointment(based_on), prefetch={"requests": bundle(ACTIVE), "patient": PATIENT})
    assert judged(client.post(BOOK, json=body).json) == ["DeviceRequest/pump-1"]


def test_two_appointments_for_one_order_are_one_question(client: FlaskClient) -> None:
    named = {"reference": "DeviceRequest/pump-1"}
    body = book(
        appointment(named),
        appointment(named, id_="a2"),
        prefetch={"requests": bundle(ACTIVE), "patient": PATIENT},
    )
    assert judged(client.post(BOOK, json=body).json) == ["DeviceRequest/pump-1"]


def test_an_order_behind_an_appointment_that_cannot_be_had_is_a_card(client: FlaskClient) -> None:
    with FhirStub() as stub:
        body = book(appointment({"reference": "ServiceRequest/s1"}), fhirServer=stub.base)
        response = client.post(BOOK, json=body)
    assert response.status_code == 200
    assert list(unchecked(response.json)) == ["ServiceRequest/s1"]


@pytest.mark.parametrize(
    "based_on",
    [None, "text", 5, [None], [{"reference": 5}], [{"extension": {"url": ALTERNATE}}], {"display": "pump"}],
)
def test_an_appointment_that_names_no_order_has_no_card(client: FlaskClient, based_on: Any) -> None:
    body = book({"resourceType": "Appointment", "id": "a1", "basedOn": based_on})
    response = client.post(BOOK, json=body)
    assert (response.status_code, response.json) == (200, {"cards": [], "systemActions": []})


@pytest.mark.parametrize(("code_", "listed"), [("E0784", True), ("E0250", False)])
def test_an_appointment_for_a_listed_item_without_an_order_is_a_card(
    client: FlaskClient, code_: str, listed: bool
) -> None:
    service = {"coding": [{"system": HCPCS, "code": code_, "display": "Pump fitting"}]}
    alone = {"resourceType": "Appointment", "id": "a1", "status": "proposed", "serviceType": [service]}
    response = client.post(BOOK, json=book(alone))
    assert response.status_code == 200
    assert list(unchecked(response.json)) == (["Pump fitting"] if listed else [])


@pytest.mark.req("A2.20")
def test_appointments_must_be_a_bundle(client: FlaskClient) -> None:
    body = book()
    body["context"]["appointments"] = [appointment()]
    response = client.post(BOOK, json=body)
    assert (response.status_code, code(response.json)) == (422, "unusable-context")
    assert issue(response.json)["expression"] == ["context.appointments"]
