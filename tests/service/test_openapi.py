"""The description names every route and method, holds together, and takes what clients really send."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema_rs import Draft202012Validator, meta

from cds_service.openapi import describe
from cds_service.samples import SAMPLES
from cds_service.settings import Settings
from tests.service.bodies import SIGN, sign
from tests.service.conftest import client_of
from tests.service.fake_engine import FakeEngine


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


def test_every_route_and_method_is_described_and_no_other(client: FlaskClient) -> None:
    described = {
        (re.sub(r"\{\w+\}", "{}", path), method)
        for path, item in describe()["paths"].items()
        for method in item
    }
    routes = {
        (re.sub(r"<[^>]+>", "{}", rule.rule), method.lower())
        for rule in client.application.url_map.iter_rules()
        for method in rule.methods or ()
        if method not in ("HEAD", "OPTIONS")
    }
    assert described == routes


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


def test_errors_are_as_described(client: FlaskClient) -> None:
    outcome = validator("OperationOutcome")
    outcome.validate(client.post(SIGN, data=b"{").json)
    outcome.validate(client.post(SIGN, json=sign()).json)
    outcome.validate(client.get("/nowhere").json)
    assert not outcome.is_valid({"resourceType": "OperationOutcome", "issue": []})
