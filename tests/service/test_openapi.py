"""The description names every route and method, holds together, and takes what clients really send."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema_rs import Draft202012Validator, meta

from cds_service.openapi import describe
from cds_service.samples import SAMPLES
from cds_service.settings import Settings
from cds_service.trust.guard import OPEN
from policies.engine import Engine
from tests.service.bodies import (
    BOOK,
    DISCHARGE,
    DISPATCH,
    PATIENT,
    SELECT,
    SIGN,
    START,
    Json,
    book,
    dispatch,
    pump_order,
    select,
    sign,
    visit,
)
from tests.service.conftest import client_of
from tests.service.fake_engine import FakeEngine
from tests.service.store.test_feedback import accepted, overridden
from tests.service.test_questionnaires import COVERAGE, PACKAGE, parameters
from tests.service.trust.world import world


def validator(name: str) -> Draft202012Validator:
    whole = describe()
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": whole["components"]})


def references(value: Any) -> set[str]:
    if isinstance(value, list):
        return {found for inner in value for found in references(inner)}
    if not isinstance(value, dict):
        return set()
    own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
    return own.union(*(references(inner) for inner in value.values()))


def test_it_is_served_with_the_address_of_the_service(fake_engine: FakeEngine) -> None:
    served = client_of(fake_engine, public_url="https://cds.example.org/").get("/openapi.json")
    assert (served.status_code, served.mimetype) == (200, "application/json")
    assert served.json["openapi"].startswith("3.1")
    assert served.json["servers"] == [{"url": "https://cds.example.org"}]
    assert Settings().base_url not in served.text


def routes(client: FlaskClient) -> dict[tuple[str, str], str]:
    """Path and method of each route -> its blueprint."""
    return {
        (re.sub(r"<[^>]+>", "{}", rule.rule), method.lower()): rule.endpoint.partition(".")[0]
        for rule in client.application.url_map.iter_rules()
        for method in rule.methods or ()
        if method not in ("HEAD", "OPTIONS")
    }


def operations() -> dict[tuple[str, str], Json]:
    """Path and method -> what is described."""
    return {
        (re.sub(r"\{\w+\}", "{}", path), method): operation
        for path, item in describe()["paths"].items()
        for method, operation in item.items()
    }


def test_every_route_and_method_is_described_and_no_other(client: FlaskClient) -> None:
    assert operations().keys() == routes(client).keys()


def test_a_token_is_described_for_every_route_that_asks_for_one(client: FlaskClient) -> None:
    described = operations()
    for route, blueprint in routes(client).items():
        open_ = described[route].get("security") == []
        assert open_ == (blueprint in OPEN), route
        assert open_ or {"401", "403", "503"} <= described[route]["responses"].keys()


def test_it_says_whether_a_token_is_asked(fake_engine: FakeEngine, tmp_path: Path) -> None:
    assert client_of(fake_engine).get("/openapi.json").json["security"] == []
    with world(tmp_path, fake_engine) as asking:
        answer = asking.get("/openapi.json", asking.token(path="/openapi.json")).json()
        validator("OperationOutcome").validate(asking.get("/openapi.json").json())
    assert answer["security"] == [{"bearer": []}]
    assert answer["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_every_reference_leads_somewhere() -> None:
    whole = describe()
    found = references(whole)
    assert len(found) > 20
    for reference in found:
        node = whole
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


def test_every_schema_is_a_schema() -> None:
    for schema in describe()["components"]["schemas"].values():
        meta.validate(schema)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_and_their_answers_are_as_described(name: str, client: FlaskClient) -> None:
    body = SAMPLES[name]()
    validator("HookRequest").validate(body)
    validator("HookResponse").validate(client.post(SIGN, json=body).json)
    validator("Answer").validate(client.post("/determinations", json=body).json)
    validator("Discovery").validate(client.get("/cds-services").json)


OF_EACH_HOOK: dict[str, Json] = {
    SIGN: sign(prefetch={"patient": PATIENT}),
    SELECT: select(selections=["DeviceRequest/pump-1"], prefetch={"patient": PATIENT}),
    DISPATCH: dispatch(prefetch={"order": pump_order(), "patient": PATIENT}),
    BOOK: book(
        {"resourceType": "Appointment", "basedOn": [{"reference": "DeviceRequest/pump-1"}]},
        prefetch={"patient": PATIENT},
    ),
    START: visit("encounter-start", prefetch={"patient": PATIENT}),
    DISCHARGE: visit("encounter-discharge", prefetch={"patient": PATIENT}, fhirServer=None),
}


@pytest.mark.parametrize("path", OF_EACH_HOOK)
def test_a_request_of_each_hook_and_its_answer_are_as_described(path: str, client: FlaskClient) -> None:
    body = OF_EACH_HOOK[path]
    validator("HookRequest").validate(body)
    answer = client.post(path, json=body)
    assert answer.status_code == 200
    validator("HookResponse").validate(answer.json)
    assert validator("HookRequest").is_valid(body | {"hook": "order-sign"}) == (path in (SIGN, SELECT))


def test_both_versions_of_order_dispatch_are_described() -> None:
    one = dispatch()
    del one["context"]["dispatchedOrders"]
    assert not validator("HookRequest").is_valid(one)
    one["context"]["order"] = "DeviceRequest/1"
    validator("HookRequest").validate(one)


def test_feedback_is_as_described() -> None:
    described = validator("Feedback")
    described.validate({"feedback": [overridden(), accepted()]})
    alone = accepted()
    del alone["acceptedSuggestions"]
    assert not described.is_valid({"feedback": [alone]})


def test_questionnaires_and_their_packages_are_as_described(engine: Engine) -> None:
    client = client_of(engine)
    validator("CapabilityStatement").validate(client.get("/fhir/metadata").json)
    found = client.get("/fhir/Questionnaire").json
    validator("Searchset").validate(found)
    asked = parameters(
        ("order", pump_order()), ("coverage", COVERAGE), ("questionnaire", found["entry"][0]["fullUrl"])
    )
    validator("PackageRequest").validate(asked)
    answer = client.post(PACKAGE, json=asked)
    assert answer.status_code == 200
    validator("PackageAnswer").validate(answer.json)


def test_errors_are_as_described(client: FlaskClient) -> None:
    outcome = validator("OperationOutcome")
    outcome.validate(client.post(SIGN, data=b"{").json)
    outcome.validate(client.post(SIGN, json=sign()).json)
    outcome.validate(client.get("/nowhere").json)
    assert not outcome.is_valid({"resourceType": "OperationOutcome", "issue": []})
