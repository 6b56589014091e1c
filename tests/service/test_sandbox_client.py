"""The public CDS Hooks sandbox as a client: what it sends across origins, and what it reads of the cards.

Its shapes were recorded from its current build: a Bundle without type, `category` as an object, an
order without a medication on every keystroke, a token that nobody asked for.
"""

from __future__ import annotations

import threading
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from cds_service.contexts import HOOKS
from tests.service.bodies import DISPATCH, HCPCS, PATIENT, SELECT, SIGN, Json, code, pump_order
from tests.service.conftest import client_of
from tests.service.fake_engine import FakeEngine

SANDBOX = "https://sandbox.cds-hooks.org"
HEADERS = {"Origin": SANDBOX, "Authorization": "Bearer eyJhbGciOiJFUzM4NCJ9.e30.sig"}
INSTANCE = "0f7ab2ab-8f0b-4b8a-9c3b-6a1d3f9f2f10"


def prescription(**elements: Any) -> Json:
    """The draft of the sandbox's prescription screen."""
    draft: Json = {
        "resourceType": "MedicationRequest",
        "id": "request-123",
        "status": "draft",
        "intent": "order",
        "category": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/medicationrequest-category",
                    "code": "outpatient",
                }
            ]
        },
        "subject": {"reference": "Patient/p1"},
        "medicationCodeableConcept": {
            "text": "Insulin lispro",
            "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "865098"}],
        },
        "reasonCode": [],
    }
    return {name: value for name, value in (draft | elements).items() if value is not None}


def order_sign(*orders: Json, prefetch: Json | None = None) -> Json:
    """Its order-sign: no encounter, no fhirAuthorization, a Bundle without type."""
    return {
        "hookInstance": INSTANCE,
        "hook": "order-sign",
        "fhirServer": "https://launch.smarthealthit.org/v/r4/fhir",
        "context": {
            "patientId": "p1",
            "userId": "Practitioner/COREPRACTITIONER1",
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": order} for order in orders]},
        },
        "prefetch": {"patient": PATIENT} if prefetch is None else prefetch,
    }


def order_select(order: Json) -> Json:
    request = order_sign(order)
    request["context"]["selections"] = [f"{order['resourceType']}/{order['id']}"]
    return request | {"hook": "order-select"}


@pytest.mark.req("A10.95")
@pytest.mark.parametrize(
    "path", ["/cds-services", *(f"/cds-services/infusion-pump-{hook}" for hook in HOOKS)]
)
def test_a_preflight_of_every_service_allows_the_token(client: FlaskClient, path: str) -> None:
    asked = {
        "Origin": SANDBOX,
        "Access-Control-Request-Method": "GET" if path == "/cds-services" else "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    response = client.options(path, headers=asked)
    assert response.status_code // 100 == 2
    assert response.headers["Access-Control-Allow-Origin"] in ("*", SANDBOX)
    allowed = {name.strip().lower() for name in response.headers["Access-Control-Allow-Headers"].split(",")}
    assert allowed >= {"authorization", "content-type"}
    assert asked["Access-Control-Request-Method"] in response.headers["Access-Control-Allow-Methods"]


def test_discovery_is_what_the_sandbox_takes_for_services(client: FlaskClient) -> None:
    response = client.get("/cds-services", headers=HEADERS)
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    services = response.json["services"]
    assert services
    for service in services:
        # It calls discovery URL + "/" + id, and fills only these tokens.
        assert client.options(f"/cds-services/{service['id']}").status_code == 200
        assert all(isinstance(template, str) for template in service["prefetch"].values())


def test_a_pump_order_of_its_shape_gives_a_card_that_it_can_show(client: FlaskClient) -> None:
    order = pump_order(
        category={"text": "DME"},
        codeCodeableConcept={"coding": [{"system": HCPCS, "code": "E0784"}], "text": "<b>Pump</b>"},
    )
    response = client.post(SIGN, json=order_sign(order), headers=HEADERS)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    (card,) = response.json["cards"]
    # The sandbox sorts by indicator, shows summary, source.label, detail (raw HTML passed through)
    # and links; the feedback button needs card.uuid.
    assert card["indicator"] in ("info", "warning", "critical")
    assert card["summary"]
    assert card["source"]["label"]
    assert card["uuid"]
    assert "<b>" not in card["detail"]


def test_its_prescription_is_read_though_a_list_is_an_object(client: FlaskClient) -> None:
    response = client.post(SIGN, json=order_sign(prescription()), headers=HEADERS)
    assert (response.status_code, response.json) == (200, {"cards": [], "systemActions": []})
    answer = client.post("/determinations", json=order_sign(prescription())).json
    assert answer["not_evaluated"][0]["order"] == "MedicationRequest/request-123"


def test_a_keystroke_without_a_medication_is_no_error(client: FlaskClient) -> None:
    bare = prescription(medicationCodeableConcept=None, intent=None)
    for order in (bare, prescription()):
        response = client.post(SELECT, json=order_select(order), headers=HEADERS)
        assert (response.status_code, response.json) == (200, {"cards": []})


def test_order_sign_without_drafts_is_told_and_may_be_read_by_the_page(client: FlaskClient) -> None:
    request = order_sign()
    del request["context"]["draftOrders"]
    response = client.post(SIGN, json=request, headers=HEADERS)
    assert (response.status_code, code(response.json)) == (422, "invalid-request")
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_keys_in_any_order_and_keys_that_are_left_out_are_no_error(client: FlaskClient) -> None:
    prefetch = {"zzz": {"resourceType": "Bundle", "type": "searchset", "total": 0}, "patient": PATIENT}
    response = client.post(SIGN, json=order_sign(pump_order(), prefetch=prefetch), headers=HEADERS)
    assert response.status_code == 200
    assert len(response.json["cards"]) == 1


def test_a_fault_of_the_service_is_no_all_clear(client: FlaskClient, fake_engine: FakeEngine) -> None:
    fake_engine.error = ValueError()
    response = client.post(SIGN, json=order_sign(pump_order()), headers=HEADERS)
    assert response.status_code == 200
    assert response.json["cards"]


def test_an_unknown_hook_of_the_sandbox_is_told(client: FlaskClient) -> None:
    response = client.post(DISPATCH, json=order_sign(pump_order()), headers=HEADERS)
    assert (response.status_code, code(response.json)) == (422, "wrong-hook")
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_its_calls_over_a_real_connection(fake_engine: FakeEngine) -> None:
    server = make_server("127.0.0.1", 0, client_of(fake_engine).application, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        base = f"http://127.0.0.1:{server.server_port}"
        with requests.Session() as page:
            assert page.options(f"{base}{SIGN}", headers={"Origin": SANDBOX}, timeout=10).ok
            services = page.get(f"{base}/cds-services", headers=HEADERS, timeout=10).json()["services"]
            url = f"{base}/cds-services/{services[0]['id']}"
            answer = page.post(url, json=order_sign(pump_order()), headers=HEADERS, timeout=10)
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert len(answer.json()["cards"]) == 1
    finally:
        server.shutdown()
        server.server_close()
