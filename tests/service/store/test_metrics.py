"""CRDMetricData of the calls: what CRD asks payers to count."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cds_service.store.metrics import crd_metric_data
from tests.service.bodies import PATIENT, SIGN, bundle, observation, pump_order, sign
from tests.service.conftest import NOW
from tests.service.fake_engine import FakeEngine
from tests.service.store.conftest import Service

PREFETCH = {"patient": PATIENT, "observations": bundle(observation(), observation("o2"))}
INSTANCE = "5a3c0e1e-0000-4000-8000-00000000000"


def exported(
    service: Service, since: datetime = NOW, until: datetime = NOW + timedelta(days=1)
) -> list[dict[str, Any]]:
    with service.store.reading() as connection:
        return list(crd_metric_data(connection, since, until))


def ask(service: Service, number: int, *orders: Any, **more: Any) -> list[str]:
    """The cards of a call."""
    body = sign(*orders, **{"prefetch": PREFETCH, "hookInstance": f"{INSTANCE}{number}"} | more)
    return [card["uuid"] for card in service.client.post(SIGN, json=body).json.get("cards", ())]


def give(service: Service, card: str, outcome: str, moment: str) -> None:
    entry: dict[str, Any] = {"card": card, "outcome": outcome, "outcomeTimestamp": moment}
    if outcome == "accepted":
        entry["acceptedSuggestions"] = [{"id": f"{INSTANCE}9"}]
    assert service.client.post(f"{SIGN}/feedback", json={"feedback": [entry]}).status_code == 200


@pytest.mark.req("B6.159")
def test_a_call_is_counted_with_what_it_rests_on(service: Service) -> None:
    ask(service, 1)
    (data,) = exported(service)
    assert data["responseTime"] >= data.pop("requestTime") == "2026-03-01T12:00:00.000+00:00"
    del data["responseTime"]
    unknown = {
        "extension": [
            {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
        ]
    }
    assert data == {
        "source": "payer-src",
        "hookInstance": f"{INSTANCE}1",
        "hookType": "order-sign",
        "providerId": unknown,
        "groupId": unknown,
        "payerId": {"system": "urn:coverage-hooks:payer", "value": "Plan"},
        "httpResponse": 200,
        "tokenUse": "not-used",
        "resources": [
            {"type": "Observation", "count": 2, "prefetch": True},
            {"type": "Patient", "count": 1, "prefetch": True},
        ],
        "request": [
            {
                "type": "DeviceRequest",
                "orderDetail": {
                    "coding": [
                        {"system": "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "code": "E0784"}
                    ]
                },
                "response": [{"type": "guideline", "focus": ["DeviceRequest"], "engagement": "ignore"}],
            }
        ],
    }


def test_the_last_feedback_tells_how_the_card_was_taken(service: Service) -> None:
    cards = [ask(service, number)[0] for number in range(3)]
    give(service, cards[0], "overridden", "2026-03-01T12:00:00Z")
    give(service, cards[1], "overridden", "2026-03-01T12:00:00Z")
    give(service, cards[1], "accepted", "2026-03-01T12:01:00Z")
    taken = {
        data["hookInstance"][-1]: data["request"][0]["response"][0]["engagement"]
        for data in exported(service)
    }
    assert taken == {"0": "override", "1": "accept", "2": "ignore"}


def test_each_order_is_counted_with_its_own_cards(service: Service) -> None:
    ask(service, 1, pump_order("a"), pump_order("b"))
    (data,) = exported(service)
    assert [len(request["response"]) for request in data["request"]] == [1, 1]


def test_an_order_that_no_policy_judges_is_counted_without_its_code(service: Service) -> None:
    ask(service, 1, pump_order(codeCodeableConcept={"coding": [{"system": "urn:x", "code": "E0250"}]}))
    (data,) = exported(service)
    (request,) = data["request"]
    assert request["type"] == "DeviceRequest"
    assert "E0250" not in json.dumps(data)
    assert "response" not in request


def test_a_refusal_is_counted_with_its_issue(service: Service) -> None:
    ask(service, 1, prefetch=None)
    (data,) = exported(service)
    assert data["httpResponse"] == 412
    coding = {"system": "urn:coverage-hooks:error", "code": "no-data"}
    assert data["issue"] == [{"code": "required", "details": {"coding": [coding]}}]


def test_coverage_information_is_counted(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {
        "order": service.store.hash.of("order", "DeviceRequest/pump-1"),
        "covered": "covered",
        "assertionId": "a",
    }
    entry["questionnaire"] = ["https://x.example/Questionnaire/q|1"]  # type: ignore[assignment]
    monkeypatch.setattr("cds_service.decision_log.coverage_information", lambda *_: [entry])
    ask(service, 1)
    (data,) = exported(service)
    assert data["request"][0]["response"][1] == {
        "type": "coverage-info",
        "focus": ["DeviceRequest"],
        "coverageInfo": [
            {
                "covered": "covered",
                "assertionId": "a",
                "questionnaire": [
                    {"reference": "https://x.example/Questionnaire/q|1", "adaptive": False, "response": False}
                ],
            }
        ],
    }


def test_calls_of_programs_and_of_other_days_are_not_exported(service: Service) -> None:
    ask(service, 1)
    service.client.post("/determinations", json=sign(prefetch=PREFETCH))
    assert len(exported(service)) == 1
    assert exported(service, until=NOW) == []
    assert exported(service, since=NOW + timedelta(microseconds=1)) == []
    assert len(exported(service, datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))) == 1


# Against the model itself


def elements(shared: Path) -> dict[str, dict[str, Any]]:
    """Path below CRDMetricData -> element of the logical model."""
    with tarfile.open(shared / "conformance" / "packages" / "davinci_crd_2.2.0-preview.tgz") as package:
        file = package.extractfile("package/StructureDefinition-CRDMetricData.json")
        assert file is not None
        model = json.load(file)
    return {element["path"].partition(".")[2]: element for element in model["snapshot"]["element"]}


def breaches(data: Any, model: dict[str, dict[str, Any]], at: str = "") -> Iterator[str]:
    """Where data has what the model does not know, too much of it, or lacks what it requires."""
    prefix = f"{at}." if at else ""
    children = {path for path in model if path.startswith(prefix) and "." not in path[len(prefix) :] and path}
    if not children:
        return
    absent = "extension" in data
    for name in data:
        if f"{prefix}{name}" not in children:
            yield f"{prefix}{name} is unknown"
    for path in children:
        element, value = model[path], data.get(path[len(prefix) :])
        if value is None:
            if element["min"] and not absent:
                yield f"{path} is missing"
            continue
        many = element["max"] == "*"
        if many != isinstance(value, list):
            yield f"{path} is {'no' if many else 'a'} list"
            continue
        for item in value if many else [value]:
            if isinstance(item, dict):
                yield from breaches(item, model, path)


@pytest.mark.req("B6.159")
def test_exports_fit_the_logical_model(
    sqlite_service: Service, shared: Path, fake_engine: FakeEngine
) -> None:
    model = elements(shared)
    ask(sqlite_service, 1)
    ask(sqlite_service, 2, prefetch=None)
    ask(sqlite_service, 3, pump_order("a"), pump_order("b", codeCodeableConcept={"text": "?"}))
    fake_engine.undecided = True
    ask(sqlite_service, 4)
    found = exported(sqlite_service)
    assert len(found) == 4
    # A refusal says nothing about its orders.
    assert [breach for data in found for breach in breaches(data, model)] == []
    assert list(breaches(found[0] | {"tokenuse": 1}, model)) == ["tokenuse is unknown"]
