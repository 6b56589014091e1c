"""Routes, methods, errors and headers, as clients of CDS Hooks see them."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.contexts import HOOKS
from cds_service.hooks import hooks as hooks_blueprint
from cds_service.settings import Settings
from tests.fhir_stub import Fault, FhirStub
from tests.service.bodies import (
    PATIENT,
    SELECT,
    SIGN,
    bundle,
    code,
    condition,
    encoded,
    issue,
    observation,
    pump_order,
    select,
    sign,
)
from tests.service.conftest import NOW, client_of
from tests.service.fake_engine import FakeEngine

ROUTES = ["/", "/cds-services", SIGN, SELECT, "/determinations", "/health/live", "/health/ready"]
PREFETCH = {"patient": PATIENT, "observations": bundle(observation())}


@pytest.mark.req("A1.1")
@pytest.mark.req("A1.2")
@pytest.mark.req("A1.4")
@pytest.mark.req("A1.5")
@pytest.mark.req("B1.100")
def test_discovery_lists_each_service_with_what_clients_need(client: FlaskClient) -> None:
    response = client.get("/cds-services")
    assert (response.status_code, response.mimetype) == (200, "application/json")
    services = response.json["services"]
    assert [entry["hook"] for entry in services] == list(HOOKS)
    for entry in services:
        assert entry["id"] == f"infusion-pump-{entry['hook']}"
        assert entry["title"]
        assert entry["description"]
        assert entry["prefetch"]["patient"] == "Patient/{{context.patientId}}"
        assert all(isinstance(template, str) and template for template in entry["prefetch"].values())


@pytest.mark.parametrize("path", ["/cds-services/", f"{SIGN}/"])
def test_a_slash_at_the_end_does_no_harm(client: FlaskClient, path: str) -> None:
    assert client.open(path, method="OPTIONS").status_code == 200


@pytest.mark.req("A3.25")
@pytest.mark.req("A1.9")
def test_an_order_sign_request_is_answered_with_a_card(client: FlaskClient) -> None:
    response = client.post(SIGN, json=sign(prefetch=PREFETCH))
    assert (response.status_code, response.mimetype) == (200, "application/json")
    (card,) = response.json["cards"]
    assert "HbA1c" in card["summary"]
    determination = card["extension"]["coverage-hooks.determination"]
    assert determination["order"] == "DeviceRequest/pump-1"


@pytest.mark.req("B1.102")
def test_order_select_answers_only_what_is_selected(client: FlaskClient) -> None:
    orders = [pump_order("a"), pump_order("b")]
    body = select(*orders, selections=["DeviceRequest/b"], prefetch=PREFETCH)
    cards = client.post(SELECT, json=body).json["cards"]
    assert [card["extension"]["coverage-hooks.determination"]["order"] for card in cards] == [
        "DeviceRequest/b"
    ]


@pytest.mark.req("A3.34")
@pytest.mark.req("A4.35")
def test_nothing_selected_is_answered_without_a_card(client: FlaskClient) -> None:
    response = client.post(SELECT, json=select(selections=[], prefetch=PREFETCH))
    assert (response.status_code, response.json) == (200, {"cards": []})


@pytest.mark.req("A3.34")
def test_no_order_is_answered_without_a_card(client: FlaskClient) -> None:
    body = sign()
    body["context"]["draftOrders"]["entry"] = []
    response = client.post(SIGN, json=body)
    assert (response.status_code, response.json) == (200, {"cards": [], "systemActions": []})


def test_two_hundred_orders_are_all_answered(client: FlaskClient) -> None:
    body = sign(*(pump_order(f"o{n}") for n in range(200)), prefetch=PREFETCH)
    assert len(client.post(SIGN, json=body).json["cards"]) == 200


@pytest.mark.req("A2.24")
def test_the_same_request_gives_the_same_answer(client: FlaskClient) -> None:
    body = sign(prefetch=PREFETCH)
    assert client.post(SIGN, json=body).data == client.post(SIGN, json=body).data


@pytest.mark.req("A4.42")
def test_cards_of_different_calls_and_orders_have_different_ids(client: FlaskClient) -> None:
    ids = set()
    for instance in ("1", "2"):
        body = sign(pump_order("a"), pump_order("b"), prefetch=PREFETCH, hookInstance=instance)
        ids |= {card["uuid"] for card in client.post(SIGN, json=body).json["cards"]}
    assert len(ids) == 4


def test_day_zero_comes_from_the_clock(client: FlaskClient, fake_engine: FakeEngine) -> None:
    client.post(SIGN, json=sign(prefetch=PREFETCH))
    assert fake_engine.today == NOW.date()


# What could not be judged is said on a card, not by a status


@pytest.mark.req("B6.157")
def test_a_fault_of_the_service_is_a_card_with_an_id_and_without_data(
    client: FlaskClient, fake_engine: FakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    fake_engine.error = KeyError("Doe, Jane 1990-05-01")
    with caplog.at_level(logging.ERROR):
        response = client.post(SIGN, json=sign(prefetch=PREFETCH))
    assert response.status_code == 200
    (card,) = response.json["cards"]
    assert card["indicator"] == "info"
    assert "could not be checked" in card["summary"]
    (record,) = caplog.records
    fault_id = record.getMessage().split()[1].rstrip(":")
    assert fault_id in card["detail"]
    assert "KeyError while answering infusion-pump-order-sign" in record.getMessage()
    assert "fake_engine.py" in record.getMessage()
    for text in (record.getMessage(), card["detail"]):
        assert "Doe" not in text
        assert "1990" not in text


def test_deep_nesting_met_while_judging_is_refused(client: FlaskClient, fake_engine: FakeEngine) -> None:
    fake_engine.error = RecursionError()
    response = client.post(SIGN, json=sign(prefetch=PREFETCH))
    assert (response.status_code, code(response.json)) == (422, "too-deep")


def test_a_listed_order_that_no_policy_decides_is_told(client: FlaskClient, fake_engine: FakeEngine) -> None:
    fake_engine.undecided = True
    (card,) = client.post(SIGN, json=sign(prefetch=PREFETCH)).json["cards"]
    assert card["indicator"] == "info"
    assert card["summary"] == "Coverage not checked: Insulin pump (E0784)"
    assert "it does not tell what it is for" in card["detail"]


@pytest.mark.req("B6.154")
def test_an_order_that_no_policy_lists_has_no_card_and_needs_no_data(client: FlaskClient) -> None:
    bed = pump_order(
        codeCodeableConcept={"coding": [{"system": "https://bluebutton.cms.gov/x", "code": "E0250"}]}
    )
    response = client.post(SIGN, json=sign(bed))
    assert (response.status_code, response.json) == (200, {"cards": [], "systemActions": []})


def test_orders_without_a_code_or_of_an_unknown_type_have_no_card(client: FlaskClient) -> None:
    orders = [
        {"resourceType": "MedicationRequest", "id": "request-123", "status": "draft"},
        {"resourceType": "MedicationOrder", "id": "old"},
        {"resourceType": "NutritionOrder", "id": "n", "status": "draft"},
        pump_order(codeCodeableConcept={"text": "a pump"}),
    ]
    response = client.post(SIGN, json=sign(*orders, prefetch=PREFETCH))
    assert (response.status_code, response.json) == (200, {"cards": [], "systemActions": []})


@pytest.mark.req("B6.158")
def test_an_answer_holds_no_blanks_between_its_parts(client: FlaskClient) -> None:
    for response in (client.post(SIGN, json=sign(prefetch=PREFETCH)), client.get("/cds-services")):
        assert response.data == json.dumps(response.json, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.req("A3.32")
def test_a_server_that_fails_wholly_is_one_card_that_says_so(client: FlaskClient) -> None:
    with FhirStub(faults={"*": Fault(status=503)}) as stub:
        response = client.post(SIGN, json=sign(fhirServer=stub.base))
    assert response.status_code == 200
    (card,) = response.json["cards"]
    assert card["indicator"] == "info"
    assert card["summary"] == "Coverage not checked, no patient data: Insulin pump (E0784)"
    assert "the FHIR server had an error (503)" in card["detail"]


def test_what_could_not_be_had_is_named_on_the_card(client: FlaskClient) -> None:
    with FhirStub([PATIENT, condition()], faults={"Observation": Fault(status=403)}) as stub:
        (card,) = client.post(SIGN, json=sign(fhirServer=stub.base)).json["cards"]
    assert "Results and measurements: the FHIR server refused access (403)." in card["detail"]


def test_what_has_nothing_to_do_with_what_lacks_is_not_named(client: FlaskClient) -> None:
    with FhirStub([PATIENT, observation()], faults={"Condition": Fault(status=403)}) as stub:
        (card,) = client.post(SIGN, json=sign(fhirServer=stub.base)).json["cards"]
    assert "refused access" not in card["detail"]


@pytest.mark.req("A4.43")
def test_text_of_the_request_is_escaped_on_cards(client: FlaskClient, fake_engine: FakeEngine) -> None:
    fake_engine.undecided = True
    order = pump_order()
    order["codeCodeableConcept"]["text"] = "<img src=x onerror=alert(1)> [x](javascript:alert(1))"
    (card,) = client.post(SIGN, json=sign(order, prefetch=PREFETCH)).json["cards"]
    assert "<img" not in card["detail"]
    assert not re.search(r"(?<!\\)\]\(", card["detail"])


def test_a_card_for_everything_met_is_a_setting(fake_engine: FakeEngine) -> None:
    fake_engine.outcome = "met"
    body = sign(prefetch=PREFETCH)
    assert client_of(fake_engine).post(SIGN, json=body).json == {"cards": [], "systemActions": []}
    assert len(client_of(fake_engine, show_met=True).post(SIGN, json=body).json["cards"]) == 1


@pytest.mark.req("A3.26")
def test_without_prefetch_and_server_the_precondition_fails(client: FlaskClient) -> None:
    for body in (sign(), sign(prefetch={}), sign(prefetch=None)):
        response = client.post(SIGN, json=body)
        assert (response.status_code, code(response.json)) == (412, "no-data")


@pytest.mark.req("A3.27")
@pytest.mark.req("A3.32")
@pytest.mark.parametrize("prefetch", [{"patient": None}, {"x": {"resourceType": "OperationOutcome"}}])
def test_prefetch_without_data_is_no_failed_precondition(client: FlaskClient, prefetch: Any) -> None:
    response = client.post(SIGN, json=sign(prefetch=prefetch))
    assert response.status_code == 200
    assert "no patient data" in response.json["cards"][0]["summary"]


@pytest.mark.req("A8.84")
def test_a_server_that_may_not_be_called_is_no_failed_precondition(client: FlaskClient) -> None:
    response = client.post(SIGN, json=sign(fhirServer="https://ehr.example.org/fhir"))
    assert response.status_code == 200
    assert "not one of those" in response.json["cards"][0]["detail"]


# The determination


def test_a_determination_is_answered(client: FlaskClient) -> None:
    response = client.post("/determinations", json=sign(prefetch=PREFETCH))
    assert (response.status_code, response.mimetype) == (200, "application/json")
    (determination,) = response.json["determinations"]
    assert determination["criteria"]["criteria"][0]["evidence"] == [
        {"resource": "Observation/o1", "from": "prefetch"}
    ]
    assert response.json["not_evaluated"] == []


@pytest.mark.req("A4.36")
def test_nothing_in_a_determination_is_null_or_empty(client: FlaskClient) -> None:
    def walk(value: Any, at: str) -> None:
        assert value is not None, at
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, f"{at}.{key}")
        elif isinstance(value, list):
            for inner in value:
                walk(inner, at)
        elif isinstance(value, str):
            assert value != "", at

    walk(client.post("/determinations", json=sign(prefetch=PREFETCH)).json, "$")


def test_determinations_take_every_hook_of_the_service_and_no_other(client: FlaskClient) -> None:
    body = select(pump_order("a"), pump_order("b"), selections=["DeviceRequest/b"], prefetch=PREFETCH)
    answer = client.post("/determinations", json=body).json
    assert [d["order"] for d in answer["determinations"]] == ["DeviceRequest/b"]
    response = client.post("/determinations", json=sign(hook="patient-view"))
    assert (response.status_code, code(response.json)) == (422, "wrong-hook")


def test_policies_can_be_chosen(client: FlaskClient, fake_engine: FakeEngine) -> None:
    client.post(
        "/determinations?policies=plan.pump,plan.pump&policies=plan.pump", json=sign(prefetch=PREFETCH)
    )
    assert fake_engine.policies == ["plan.pump"] * 3
    client.post("/determinations?policies=", json=sign(prefetch=PREFETCH))
    assert fake_engine.policies is None


def test_an_unknown_policy_is_not_found_and_the_nearest_is_named(client: FlaskClient) -> None:
    response = client.post("/determinations?policies=plan.pumps", json=sign(prefetch=PREFETCH))
    assert (response.status_code, code(response.json)) == (404, "unknown-policy")
    assert "plan.pump?" in issue(response.json)["diagnostics"]


def test_orders_that_cannot_be_read_are_listed_with_the_reason(client: FlaskClient) -> None:
    orders = [{"resourceType": "MedicationOrder", "id": "old"}, {"resourceType": "NutritionOrder", "id": "n"}]
    answer = client.post("/determinations", json=sign(*orders, prefetch=PREFETCH)).json
    assert answer["not_evaluated"] == [
        {"order": "MedicationOrder/old", "why": "no loaded policy reads a MedicationOrder"},
        {"order": "NutritionOrder/n", "why": "no loaded policy reads a NutritionOrder"},
    ]


def test_what_was_mended_and_left_out_is_told(client: FlaskClient) -> None:
    other = observation("o2", subject={"reference": "Patient/p2"})
    body = sign(prefetch={"patient": PATIENT, "x": bundle(observation(value="many"), other)})
    answer = client.post("/determinations", json=body).json
    assert [p["where"] for p in answer["problems"]] == ["prefetch.x.entry[0].resource.valueQuantity.value"]
    assert answer["left_out"] == [{"resource": "Observation/o2", "why": "it is about another patient"}]


def test_a_fault_behind_a_determination_is_an_outcome_with_its_id(
    client: FlaskClient, fake_engine: FakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    fake_engine.error = ValueError("Doe, Jane")
    with caplog.at_level(logging.ERROR):
        response = client.post("/determinations", json=sign(prefetch=PREFETCH))
    assert (response.status_code, code(response.json)) == (500, "internal")
    (record,) = caplog.records
    assert "ValueError while answering POST /determinations" in record.getMessage()
    assert record.getMessage().split()[1].rstrip(":") in issue(response.json)["diagnostics"]
    assert "Doe" not in record.getMessage() + response.text


# Errors


@pytest.mark.parametrize("path", ["/nothing", "/cds-services/a/b/c", "/CDS-services"])
def test_an_unknown_route_is_not_found(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, code(response.json)) == (404, "unknown-route")
    assert response.mimetype == "application/fhir+json"


@pytest.mark.req("A3.33")
def test_an_unknown_service_is_not_found_and_the_nearest_is_named(client: FlaskClient) -> None:
    response = client.post("/cds-services/infusion-pump-ordersign", json=sign())
    assert (response.status_code, code(response.json)) == (404, "unknown-service")
    assert "infusion-pump-order-sign" in issue(response.json)["diagnostics"]


@pytest.mark.req("A3.33")
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", SIGN, {"POST", "OPTIONS"}),
        ("PUT", SIGN, {"POST", "OPTIONS"}),
        ("DELETE", "/determinations", {"POST", "OPTIONS"}),
        ("POST", "/cds-services", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/health/live", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_a_wrong_method_is_answered_with_the_right_ones(
    client: FlaskClient, method: str, path: str, allowed: set[str]
) -> None:
    response = client.open(path, method=method)
    assert (response.status_code, code(response.json)) == (405, "wrong-method")
    assert set(response.headers["Allow"].split(", ")) == allowed


@pytest.mark.req("A3.29")
@pytest.mark.req("A3.31")
def test_an_error_leads_to_the_element(client: FlaskClient) -> None:
    body = sign()
    del body["context"]["patientId"]
    response = client.post(SIGN, json=body)
    assert response.status_code == 422
    found = issue(response.json)
    assert found["severity"] == "error"
    assert found["code"] == "structure"
    assert found["expression"] == ["context.patientId"]
    assert found["details"]["text"] == "context.patientId is missing."
    assert found["diagnostics"].startswith("It must be the id of the patient")


@pytest.mark.req("A2.13")
@pytest.mark.parametrize(("version", "status"), [("2.0", 422), ("2.2", 400)])
def test_the_wrong_hook_for_a_service_is_refused(client: FlaskClient, version: str, status: int) -> None:
    extension = {"davinci-crd.requestedVersion": version}
    response = client.post(SELECT, json=sign(prefetch=PREFETCH, extension=extension))
    assert (response.status_code, code(response.json)) == (status, "wrong-hook")


def test_prefetch_that_is_no_json_is_a_bad_request(client: FlaskClient) -> None:
    body = encoded(sign(prefetch={"conditions": {"resourceType": "Condition", "id": "HERE"}}))
    response = client.post(SIGN, data=body.replace(b"HERE", b"\xff"), content_type="application/json")
    assert (response.status_code, code(response.json)) == (400, "not-json")
    assert issue(response.json)["expression"] == ["prefetch.conditions"]


# Cross-origin


@pytest.mark.req("A10.95")
@pytest.mark.parametrize("path", ROUTES)
def test_a_browser_may_ask_on_every_route(client: FlaskClient, path: str) -> None:
    headers = {
        "Origin": "https://sandbox.example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    response = client.options(path, headers=headers)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Access-Control-Allow-Methods"] == "GET, POST, OPTIONS"
    assert response.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type"
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.req("A10.95")
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/cds-services", b""),
        ("POST", SIGN, encoded(sign(prefetch=PREFETCH))),
        ("POST", SIGN, b"not json"),
        ("POST", SIGN, encoded(sign())),
        ("GET", SIGN, b""),
        ("GET", "/nothing", b""),
    ],
)
def test_answers_and_errors_may_be_read_by_a_browser(
    client: FlaskClient, method: str, path: str, body: bytes
) -> None:
    response = client.open(path, method=method, data=body, headers={"Origin": "https://sandbox.example.org"})
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_an_unexpected_error_may_be_read_by_a_browser(client: FlaskClient, fake_engine: FakeEngine) -> None:
    fake_engine.error = ValueError()
    response = client.post("/determinations", json=sign(prefetch=PREFETCH), headers={"Origin": "https://a"})
    assert response.status_code == 500
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_a_list_of_origins_allows_these_alone(fake_engine: FakeEngine) -> None:
    client = client_of(fake_engine, cors_origins=("https://ehr.example.org", "https://b.example.org"))
    allowed = client.get("/cds-services", headers={"Origin": "https://b.example.org"})
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://b.example.org"
    assert "Origin" in allowed.headers["Vary"]
    for origin in ("https://evil.example.org", "https://b.example.org.evil.example", "null"):
        refused = client.get("/cds-services", headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in refused.headers
        assert "Origin" in refused.headers["Vary"]


# Health and home


def test_the_service_lives(client: FlaskClient) -> None:
    assert client.get("/health/live").json == {"status": "ok"}


def test_the_service_is_ready_when_policies_are_loaded(client: FlaskClient, fake_engine: FakeEngine) -> None:
    assert client.get("/health/ready").json == {"status": "ok", "policies": 1}
    fake_engine.registry.policies = ()
    assert client.get("/health/ready").status_code == 503


def test_the_home_page_lists_services_and_policies(client: FlaskClient) -> None:
    page = client.get("/")
    assert page.mimetype == "text/html"
    assert "infusion-pump-order-sign" in page.text
    assert "Pump policy" in page.text
    assert "no token is asked" in page.text


def test_apps_do_not_share_their_state(fake_engine: FakeEngine) -> None:
    first = create_app(Settings(body_limit_mb=1), fake_engine)  # type: ignore[arg-type]
    second = create_app(Settings(), fake_engine)  # type: ignore[arg-type]
    large = encoded(sign(prefetch=PREFETCH)) + b" " * 2_000_000
    statuses = [
        app.test_client().post(SIGN, data=large, content_type="application/json").status_code
        for app in (first, second)
    ]
    assert statuses == [413, 200]
    assert hooks_blueprint.name in first.blueprints
