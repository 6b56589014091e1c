"""Questionnaires over HTTP: read, search, $questionnaire-package, errors."""

from __future__ import annotations

import json
import logging
from datetime import date
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.parameters import Parameters
from flask.testing import FlaskClient
from msgspec import structs

from cds_service.questionnaire_shelf import questionnaire_canonical
from policies.determination import Determination, Node, PolicyRef
from policies.engine import Engine
from policies.registry import Registry
from tests.service.bodies import Json, code, issue, pump_order
from tests.service.conftest import client_of

BASE = "https://cds.example.org"
PUMP = "aetna.cpb-0161.external-insulin-pump"
VERSION = "2026-01-01"
FORM = f"{BASE}/fhir/Questionnaire/{PUMP}"
PACKAGE = "/fhir/Questionnaire/$questionnaire-package"
COVERAGE: Json = {
    "resourceType": "Coverage",
    "id": "cov",
    "status": "active",
    "beneficiary": {"reference": "Patient/p1"},
    "payor": [{"display": "Aetna"}],
}


@pytest.fixture(scope="module")
def client(engine: Engine) -> FlaskClient:
    return client_of(engine, public_url=f"{BASE}/")


def parameters(*parts: tuple[str, Any]) -> Json:
    """Parameters; a text becomes a canonical, anything else a resource."""
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": name, "valueCanonical" if isinstance(value, str) else "resource": value}
            for name, value in parts
        ],
    }


def packages(answer: Json) -> list[list[Json]]:
    """The resources of each PackageBundle."""
    Parameters.model_validate(answer)
    bundles = [p["resource"] for p in answer["parameter"] if p["name"] == "PackageBundle"]
    assert all(bundle["type"] == "collection" for bundle in bundles)
    return [[entry["resource"] for entry in bundle["entry"]] for bundle in bundles]


def issues(answer: Json) -> list[tuple[str, str]]:
    """Severity and text of what Outcome says."""
    found = [p["resource"]["issue"] for p in answer["parameter"] if p["name"] == "Outcome"]
    return [(i["severity"], i["details"]["text"]) for outcome in found for i in outcome]


# Read and search


def test_a_questionnaire_is_read_by_its_id(client: FlaskClient) -> None:
    response = client.get(f"/fhir/Questionnaire/{PUMP}")
    assert (response.status_code, response.mimetype) == (200, "application/fhir+json")
    assert (response.json["url"], response.json["version"]) == (FORM, VERSION)


def test_the_canonical_address_is_where_it_is_served(client: FlaskClient) -> None:
    url = client.get(f"/fhir/Questionnaire/{PUMP}").json["url"]
    assert client.get(url.removeprefix(BASE)).json["url"] == url
    assert client.get(f"{url}|{VERSION}".removeprefix(BASE)).json["version"] == VERSION


def test_a_version_is_chosen(client: FlaskClient) -> None:
    assert client.get(f"/fhir/Questionnaire/{PUMP}?version={VERSION}").json["version"] == VERSION
    for path in (f"{PUMP}?version=1", f"{PUMP}|1"):
        response = client.get(f"/fhir/Questionnaire/{path}")
        assert (response.status_code, code(response.json)) == (404, "unknown-questionnaire")


def test_an_unchanged_questionnaire_is_not_sent_again(client: FlaskClient) -> None:
    tag = client.get(f"/fhir/Questionnaire/{PUMP}").headers["ETag"]
    again = client.get(f"/fhir/Questionnaire/{PUMP}", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    other = client.get("/fhir/Questionnaire/anthem.cg-surg-79.replacement", headers={"If-None-Match": tag})
    assert other.status_code == 200


def test_an_unknown_questionnaire_is_an_operation_outcome(client: FlaskClient) -> None:
    response = client.get("/fhir/Questionnaire/Jane-Doe")
    assert (response.status_code, response.mimetype) == (404, "application/fhir+json")
    assert issue(response.json)["code"] == "not-found"
    assert b"Jane" not in response.data


def test_search_lists_every_service_that_asks_something(client: FlaskClient, engine: Engine) -> None:
    answer = client.get("/fhir/Questionnaire").json
    Bundle.model_validate(answer)
    assert answer["total"] == len(answer["entry"]) == sum(len(p.services) for p in engine.registry.policies)


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ({"url": FORM}, 1),
        ({"url": f"{FORM}|{VERSION}"}, 1),
        ({"url": FORM, "version": VERSION}, 1),
        ({"url": f"{FORM}|1"}, 0),
        ({"url": FORM, "version": "1"}, 0),
        ({"url": "https://other.example.org/fhir/Questionnaire/x"}, 0),
        ({"_id": PUMP}, 1),
        ({"_id": PUMP, "url": FORM}, 1),
        ({"_id": "other", "url": FORM}, 0),
        ({"version": VERSION}, 5),
    ],
)
def test_search_finds_by_address_version_and_id(client: FlaskClient, query: Json, total: int) -> None:
    answer = client.get("/fhir/Questionnaire", query_string=query).json
    Bundle.model_validate(answer)
    assert (answer["type"], answer["total"], len(answer.get("entry", []))) == ("searchset", total, total)
    assert answer["link"][0]["url"].startswith(f"{BASE}/fhir/Questionnaire?")


def test_metadata_says_what_can_be_done(client: FlaskClient) -> None:
    answer = client.get("/fhir/metadata").json
    CapabilityStatement.model_validate(answer)
    (resource,) = answer["rest"][0]["resource"]
    assert resource["operation"][0]["name"] == "questionnaire-package"
    assert answer["implementation"]["url"] == f"{BASE}/fhir"


@pytest.mark.parametrize(
    "path", ["/fhir/metadata", "/fhir/Questionnaire", f"/fhir/Questionnaire/{PUMP}", PACKAGE]
)
def test_a_browser_may_ask(client: FlaskClient, path: str) -> None:
    headers = {"Origin": "https://dtr.example.org", "Access-Control-Request-Method": "GET"}
    assert client.options(path, headers=headers).headers["Access-Control-Allow-Origin"] == "*"


def test_without_a_version_the_one_in_force_is_read(engine: Engine) -> None:
    (aetna,) = [policy for policy in engine.registry.policies if policy.id == "aetna.cpb-0161"]
    versions = [
        structs.replace(aetna, version="next", effective_from=date(2027, 1, 1)),
        structs.replace(
            aetna, version="old", effective_from=date(2025, 1, 1), effective_to=date(2025, 12, 31)
        ),
        structs.replace(aetna, version="draft", status="draft", effective_from=date(2026, 2, 1)),
        aetna,
    ]
    registry = Registry(versions, engine.value_sets)
    here = client_of(structs.replace(engine, registry=registry), public_url=BASE)
    assert here.get(f"/fhir/Questionnaire/{PUMP}").json["version"] == VERSION
    assert here.get(f"/fhir/Questionnaire/{PUMP}|next").json["effectivePeriod"]["start"] == "2027-01-01"
    assert here.get(f"/fhir/Questionnaire/{PUMP}|draft").json["status"] == "draft"
    assert here.get("/fhir/Questionnaire").json["total"] == len(aetna.services)
    answer = here.post(PACKAGE, json=parameters(("order", pump_order(authoredOn="2025-06-01")))).json
    assert [form["version"] for form, _ in packages(answer)] == ["old"]


# $questionnaire-package


def test_an_order_with_its_coverage_gets_the_form_and_a_draft(client: FlaskClient) -> None:
    answer = client.post(PACKAGE, json=parameters(("coverage", COVERAGE), ("order", pump_order())))
    assert (answer.status_code, answer.mimetype) == (200, "application/fhir+json")
    ((form, response),) = packages(answer.json)
    assert (form["url"], form["version"]) == (FORM, VERSION)
    assert response["questionnaire"] == f"{FORM}|{VERSION}"
    assert response["status"] == "in-progress"
    assert response["subject"] == {"reference": "Patient/p1"}
    context = [e["valueReference"]["reference"] for e in response["extension"]]
    assert context == ["DeviceRequest/pump-1", "Coverage/cov"]
    assert "item" not in response
    assert issues(answer.json) == []


def test_a_version_in_force_on_the_day_of_the_order_is_given_and_else_none(client: FlaskClient) -> None:
    old = pump_order(authoredOn="2025-06-01")
    answer = client.post(PACKAGE, json=parameters(("coverage", COVERAGE), ("order", old))).json
    assert packages(answer) == []
    ((severity, text),) = issues(answer)
    assert severity == "information"
    assert text.startswith("DeviceRequest/pump-1: ")
    assert "does not apply" in text


def test_without_a_coverage_every_policy_that_lists_the_order_answers(client: FlaskClient) -> None:
    answer = client.post(PACKAGE, json=parameters(("order", pump_order()))).json
    assert FORM in [form["url"] for form, _ in packages(answer)]


def test_two_orders_of_one_service_share_a_form(client: FlaskClient) -> None:
    orders = [("order", pump_order("a")), ("order", pump_order("b"))]
    answer = client.post(PACKAGE, json=parameters(("coverage", COVERAGE), *orders)).json
    ((_, response),) = packages(answer)
    context = [e["valueReference"]["reference"] for e in response["extension"]]
    assert context == ["DeviceRequest/a", "Coverage/cov", "DeviceRequest/b"]


def test_a_form_asked_for_by_name_and_by_order_comes_once(client: FlaskClient) -> None:
    asked = parameters(("questionnaire", FORM), ("coverage", COVERAGE), ("order", pump_order()))
    assert len(packages(client.post(PACKAGE, json=asked).json)) == 1


def test_a_form_asked_for_by_name_alone_comes_without_a_draft(client: FlaskClient) -> None:
    for answer in (
        client.post(PACKAGE, json=parameters(("questionnaire", f"{FORM}|{VERSION}"))),
        client.get(PACKAGE, query_string={"questionnaire": FORM}),
    ):
        ((form,),) = packages(answer.json)
        assert form["url"] == FORM


def test_what_is_missing_among_what_is_asked_is_a_warning(client: FlaskClient) -> None:
    asked = parameters(("questionnaire", f"{BASE}/fhir/Questionnaire/gone"), ("questionnaire", FORM))
    answer = client.post(PACKAGE, json=asked).json
    assert len(packages(answer)) == 1
    assert issues(answer) == [("warning", "Questionnaire 1 of those asked for is not here.")]


def test_an_order_that_no_policy_lists_is_a_warning(client: FlaskClient) -> None:
    chair = pump_order(codeCodeableConcept={"coding": [{"system": "urn:x", "code": "chair"}]})
    answer = client.post(PACKAGE, json=parameters(("coverage", COVERAGE), ("order", chair))).json
    assert packages(answer) == []
    assert issues(answer) == [("warning", "DeviceRequest/pump-1: no loaded policy lists this order.")]


def test_a_context_beside_an_order_is_said_to_be_of_no_use(client: FlaskClient) -> None:
    asked = parameters(("coverage", COVERAGE), ("order", pump_order()))
    asked["parameter"].append({"name": "context", "valueString": "4711"})
    assert [severity for severity, _ in issues(client.post(PACKAGE, json=asked).json)] == ["information"]


STRANGE = {**COVERAGE, "beneficiary": {"reference": "Patient/p2"}}


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        (b"no json", 400, "not-json"),
        (b"", 400, "not-json"),
        (b"[]", 400, "invalid-request"),
        (b'{"resourceType": "Bundle"}', 400, "invalid-request"),
        (b'{"resourceType": "Parameters", "parameter": [{"name": 1}]}', 400, "invalid-request"),
        (parameters(), 400, "invalid-request"),
        (parameters(("coverage", COVERAGE)), 400, "invalid-request"),
        (parameters(("order", "DeviceRequest/1")), 400, "invalid-request"),
        (parameters(("questionnaire", "https://x.example.org/q")), 404, "unknown-questionnaire"),
        (
            {"resourceType": "Parameters", "parameter": [{"name": "context", "valueString": "1"}]},
            422,
            "unusable-context",
        ),
        (parameters(("order", pump_order()), ("coverage", STRANGE)), 422, "unusable-context"),
        (parameters(("order", pump_order(subject={}))), 422, "unusable-context"),
        (parameters(("order", {"id": "1"})), 422, "unusable-context"),
        (b'{"resourceType":"Parameters","x":' + b"[" * 200_000, 422, "too-deep"),
    ],
)
def test_bad_input_is_an_operation_outcome(client: FlaskClient, body: Any, status: int, why: str) -> None:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = client.post(PACKAGE, data=sent, content_type="application/fhir+json")
    assert (response.status_code, code(response.json)) == (status, why)
    assert issue(response.json)["diagnostics"]


@pytest.mark.parametrize("broken", [rb"\ud800", rb"\x", b"\xff"])
@pytest.mark.parametrize("inside", [b"Aetna", b"Insulin pump"], ids=["coverage", "order"])
def test_a_text_that_is_no_json_is_an_operation_outcome(
    client: FlaskClient, broken: bytes, inside: bytes
) -> None:
    body = json.dumps(parameters(("order", pump_order()), ("coverage", COVERAGE))).encode()
    response = client.post(PACKAGE, data=body.replace(inside, broken), content_type="application/fhir+json")
    assert (response.status_code, code(response.json)) == (400, "not-json")


@pytest.mark.parametrize("query", [{}, {"context": "1"}, {"questionnaire": "x"}])
def test_a_get_that_asks_for_nothing_that_is_here_fails(client: FlaskClient, query: Json) -> None:
    assert client.get(PACKAGE, query_string=query).status_code in (400, 404, 422)


def test_another_method_or_type_is_refused(client: FlaskClient) -> None:
    assert client.delete(PACKAGE).status_code == 405
    assert client.post(PACKAGE, data="x", content_type="text/plain").status_code == 415


def test_no_patient_gets_into_a_log_or_an_error(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    planted = pump_order("order-Planted", subject={"reference": "Patient/Planted", "display": "Planted"})
    stranger = {**COVERAGE, "beneficiary": {"reference": "Patient/Other-Planted"}, "subscriberId": "Planted"}
    asked = [
        parameters(("order", planted), ("coverage", stranger)),
        parameters(("order", {**planted, "resourceType": "Planted"})),
        parameters(("questionnaire", "https://x.example.org/Planted")),
    ]
    with caplog.at_level(logging.DEBUG):
        for body in asked:
            response = client.post(PACKAGE, json=body)
            assert response.status_code >= 400 or issues(response.json)
            if response.status_code >= 400:
                assert b"Planted" not in response.data
        client.get("/fhir/Questionnaire/Planted?version=Planted")
    assert "Planted" not in caplog.text


# Which form a determination gets


def determination(**changes: Any) -> Determination:
    """One that leaves a criterion of the insulin pump open."""
    node = Node(id="pump_team", state=changes.pop("state", "unknown"))
    return Determination(
        order="DeviceRequest/1",
        policy=PolicyRef("aetna.cpb-0161", changes.pop("version", VERSION), "Aetna", "Pumps"),
        service=changes.pop("service", "external-insulin-pump"),
        as_of="2026-02-16",
        outcome="needs-documentation",
        criteria=Node(id="all", state=node.state, operator="all", criteria=[node]),
    )


@pytest.mark.req("B3.136")
def test_a_determination_that_waits_for_a_statement_has_a_form(engine: Engine) -> None:
    canonical = questionnaire_canonical(BASE, engine)
    assert canonical(determination()) == f"{FORM}|{VERSION}"


@pytest.mark.parametrize(
    "changes", [{"state": "met"}, {"state": "unmet"}, {"service": ""}, {"service": "x"}, {"version": "0"}]
)
def test_one_that_waits_for_none_has_no_form(engine: Engine, changes: Json) -> None:
    assert questionnaire_canonical(BASE, engine)(determination(**changes)) is None
