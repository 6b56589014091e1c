"""The decision log: what is kept of an answer, how it is found again, and what never harms the answer."""

from __future__ import annotations

import gzip
import json
import logging
import time
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from cds_service.decision_log import HEADER
from cds_service.samples import SAMPLES
from cds_service.settings import PREFIX, Settings
from cds_service.store.place import StoreError
from cds_service.store.store import open_store
from cds_service.store.tables import call, capture, determination, issued_card
from cds_service.version import VERSION
from policies.engine import Engine
from tests.fhir_stub import Fault, FhirStub
from tests.service.bodies import PATIENT, SELECT, SIGN, bundle, code, observation, pump_order, select, sign
from tests.service.conftest import NOW, client_of
from tests.service.fake_engine import FakeEngine
from tests.service.store.conftest import Open, Service, migrated, sqlite_url

PREFETCH = {
    "patient": PATIENT,
    "observations": bundle(observation(), observation("o2", subject={"reference": "Patient/x"})),
}
FULL = sign(prefetch=PREFETCH)


def decision_of(card: dict[str, Any]) -> str:
    found: str = card["extension"]["coverage-hooks.decision"]
    return found


@pytest.mark.req("B6.155")
def test_a_decision_is_kept_with_what_it_rests_on(service: Service) -> None:
    response = service.client.post(SIGN, json=FULL)
    (card,) = response.json["cards"]
    decision = response.headers[HEADER]
    assert decision_of(card) == decision == str(UUID(decision))
    (row,) = service.rows(call)
    assert (row["decision"], row["asked_at"], row["service_version"]) == (decision, NOW, VERSION)
    assert (row["service"], row["hook"]) == ("infusion-pump-order-sign", "order-sign")
    assert (row["hook_instance"], row["status"], row["error"]) == (FULL["hookInstance"], 200, "")
    assert row["patient_hash"] == service.store.hash.of("patient", "p1")
    assert row["took_ms"] > 0
    assert set(row["stages"]) == {"receive", "read", "gather", "decide", "answer"}
    assert sum(row["stages"].values()) <= row["took_ms"] + 0.5  # each is rounded
    assert row["sources"] == [
        {"type": "Observation", "from": "prefetch", "count": 1},
        {"type": "Patient", "from": "prefetch", "count": 1},
    ]
    assert row["left_out"] == [{"type": "Observation", "why": "it is about another patient", "count": 1}]
    assert any("no FHIR server was named" in line for line in row["could_not"])
    (found,) = service.rows(determination)
    assert found["call"] == row["id"]
    assert found["order_hash"] == service.store.hash.of("order", "DeviceRequest/pump-1")
    assert (found["order_type"], found["code"]) == ("DeviceRequest", "E0784")
    assert (found["policy"], found["policy_version"], found["payer"]) == ("plan.pump", "1", "Plan")
    assert (found["outcome"], found["lacking"], found["as_of"]) == (
        "needs-documentation",
        ["hba1c"],
        "2026-02-16",
    )
    assert found["states"]["criteria"] == {"criteria": "unknown", "hba1c": "unknown:no_data"}
    (issued,) = service.rows(issued_card)
    assert issued["card_hash"] == service.store.hash.of("card", card["uuid"])
    assert (issued["decision"], issued["policy"], issued["outcome"]) == (
        decision,
        "plan.pump",
        "needs-documentation",
    )


def test_the_packaged_policies_are_kept_with_their_hash(
    opened: Open, database_url: str, engine: Engine
) -> None:
    service = opened(migrated(database_url), engine)
    for build in SAMPLES.values():
        assert service.client.post(SIGN, json=build()).status_code == 200
    rows = service.rows(determination)
    assert len(rows) == len(SAMPLES)
    for row in rows:
        policy = engine.registry.find(row["policy"])
        assert policy is not None
        assert row["policy_sha256"] == policy.sha256
        assert len(row["states"]["criteria"]) > 5
        assert bool(row["asks"]) == (row["outcome"] == "needs-documentation" or bool(row["lacking"]))


def test_policies_that_do_not_decide_are_kept_without_a_part(
    opened: Open, database_url: str, engine: Engine
) -> None:
    service = opened(migrated(database_url), engine)
    assert service.client.post(SIGN, json=sign(prefetch={"patient": PATIENT})).headers[HEADER]
    parts = {row["policy"]: row["part"] for row in service.rows(determination)}
    assert parts["aetna.cpb-0161"] == "external-insulin-pump"
    assert parts["anthem.cg-surg-79"] == ""


def test_the_same_answer_to_the_same_call_has_the_same_id_and_cards_that_are_known_once(
    service: Service,
) -> None:
    first, second = (service.client.post(SIGN, json=FULL) for _ in range(2))
    assert first.data == second.data
    assert first.headers[HEADER] == second.headers[HEADER]
    assert len(service.rows(call)) == 2
    (issued,) = service.rows(issued_card)
    assert issued["call"] in {row["id"] for row in service.rows(call)}


def test_another_answer_or_call_has_another_id(service: Service, fake_engine: FakeEngine) -> None:
    ids = {service.client.post(SIGN, json=FULL).headers[HEADER]}
    ids.add(
        service.client.post(
            SIGN, json=FULL | {"hookInstance": "5a3c0e1e-0000-4000-8000-000000000001"}
        ).headers[HEADER]
    )
    fake_engine.outcome = "not-met"
    ids.add(service.client.post(SIGN, json=FULL).headers[HEADER])
    assert len(ids) == 3


def test_determinations_name_their_decision(service: Service) -> None:
    response = service.client.post("/determinations", json=FULL)
    assert response.json["decision"] == response.headers[HEADER]
    (row,) = service.rows(call)
    assert (row["decision"], row["service"]) == (response.json["decision"], "determinations")
    assert service.rows(issued_card) == []


def test_an_answer_without_a_card_has_its_id_in_the_header(service: Service, fake_engine: FakeEngine) -> None:
    fake_engine.outcome = "met"
    response = service.client.post(SIGN, json=FULL)
    assert response.json == {"cards": [], "systemActions": []}
    assert service.rows(call)[0]["decision"] == response.headers[HEADER]


def test_an_order_without_a_determination_is_kept_with_the_reason(
    service: Service, fake_engine: FakeEngine
) -> None:
    fake_engine.undecided = True
    (card,) = service.client.post(SIGN, json=FULL).json["cards"]
    (row,) = service.rows(call)
    order = service.store.hash.of("order", "DeviceRequest/pump-1")
    assert row["not_evaluated"] == [
        {"order": order, "type": "DeviceRequest", "why": "it does not tell what it is for"}
    ]
    (issued,) = service.rows(issued_card)
    assert (issued["card_hash"], issued["policy"]) == (service.store.hash.of("card", card["uuid"]), "")


@pytest.mark.req("B6.155")
def test_faults_and_refusals_are_kept(service: Service, fake_engine: FakeEngine) -> None:
    assert service.client.post(SIGN, json=sign()).status_code == 412
    fake_engine.error = KeyError("x")
    assert service.client.post(SIGN, json=FULL).status_code == 200
    rows = service.rows(call)
    assert sorted((row["status"], row["error"]) for row in rows) == [(200, "fault"), (412, "no-data")]


@pytest.mark.parametrize(
    ("token", "fault", "use"),
    [("t", None, "used"), ("t", 401, "rejected"), ("t", 403, "rejected"), ("", 401, "not-used")],
)
def test_what_became_of_the_token_is_kept(
    sqlite_service: Service, token: str, fault: int | None, use: str
) -> None:
    faults = {"*": Fault(status=fault)} if fault else {}
    with FhirStub([PATIENT, observation()], faults=faults) as stub:
        body = sign(fhirServer=stub.base) | ({"fhirAuthorization": {"access_token": token}} if token else {})
        assert sqlite_service.client.post(SIGN, json=body).status_code == 200
    (row,) = sqlite_service.rows(call)
    assert row["token_use"] == use
    if not fault:
        assert {"type": "Observation", "from": "fhir-server", "count": 1} in row["sources"]


NPI = {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}
GROUP = {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1992000008"}


@pytest.mark.parametrize("user", ["Practitioner/dr", "PractitionerRole/role"])
def test_the_numbers_of_the_user_and_the_organisation_are_kept(sqlite_service: Service, user: str) -> None:
    doctor = {
        "resourceType": "Practitioner",
        "id": "dr",
        "identifier": [{"system": "urn:x", "value": "Doe"}, NPI],
    }
    clinic = {"resourceType": "Organization", "id": "clinic", "identifier": [GROUP]}
    role = {
        "resourceType": "PractitionerRole",
        "id": "role",
        "practitioner": {"reference": "Practitioner/dr"},
        "organization": {"reference": "Organization/clinic"},
    }
    body = sign(prefetch=PREFETCH | {"user": bundle(doctor, role, clinic)})
    body["context"]["userId"] = user
    sqlite_service.client.post(SIGN, json=body)
    (row,) = sqlite_service.rows(call)
    assert (row["user_npi"], row["group_npi"]) == ("1234567893", "1992000008")


@pytest.mark.req("B6.155")
def test_coverage_information_is_kept_as_far_as_it_is_counted(
    sqlite_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def part(url: str, **value: str) -> dict[str, str]:
        return {"url": url, **value}

    extension = {
        "url": "http://hl7.org/fhir/us/davinci-crd/StructureDefinition/ext-coverage-information",
        "extension": [
            {"url": "coverage", "valueReference": {"reference": "Coverage/1"}},
            part("covered", valueCode="conditional"),
            part("pa-needed", valueCode="auth-needed"),
            part("questionnaire", valueCanonical="https://x.example/Questionnaire/q|1"),
            part("coverage-assertion-id", valueString="a-1"),
        ],
    }
    action = {"type": "update", "resource": pump_order() | {"extension": [extension, {"url": "urn:other"}]}}
    monkeypatch.setattr(
        "cds_service.hooks.hook_answer",
        lambda *a, **k: {"cards": [], "systemActions": [action, {"type": "delete"}]},
    )
    sqlite_service.client.post(SIGN, json=FULL)
    (row,) = sqlite_service.rows(call)
    assert row["coverage_information"] == [
        {
            "order": sqlite_service.store.hash.of("order", "DeviceRequest/pump-1"),
            "covered": "conditional",
            "paNeeded": "auth-needed",
            "questionnaire": ["https://x.example/Questionnaire/q|1"],
            "assertionId": "a-1",
        }
    ]


# What is set


def test_the_log_can_be_switched_off_while_feedback_is_kept(opened: Open, tmp_path: Any) -> None:
    service = opened(sqlite_url(tmp_path), decision_log="off")
    response = service.client.post(SIGN, json=FULL)
    assert HEADER not in response.headers
    assert "coverage-hooks.decision" not in response.text
    assert service.rows(call) == []
    assert service.client.post(f"{SIGN}/feedback", json={"feedback": []}).status_code == 200


def test_without_a_store_an_answer_names_no_decision(fake_engine: FakeEngine) -> None:
    response = client_of(fake_engine).post("/determinations", json=FULL)
    assert HEADER not in response.headers
    assert "decision" not in response.json


@pytest.mark.req("A8.81")
def test_full_capture_keeps_request_and_answer_but_no_token(opened: Open, database_url: str) -> None:
    service = opened(migrated(database_url), capture="full")
    server = {"fhirServer": "http://127.0.0.1:9/fhir"}
    with_token = server | {"fhirAuthorization": {"access_token": "secret", "token_type": "Bearer"}}
    response = service.client.post(SIGN, json=FULL | with_token)
    (row,) = service.rows(capture)
    assert json.loads(gzip.decompress(row["request"])) == FULL | server
    assert json.loads(gzip.decompress(row["answer"])) == response.json
    service.client.post("/determinations", json=FULL)
    assert len(service.rows(capture)) == 2


@pytest.mark.req("B6.156")
def test_nothing_is_captured_by_default(service: Service) -> None:
    service.client.post(SIGN, json=FULL)
    assert service.rows(capture) == []


def test_full_capture_needs_the_log(tmp_path: Any) -> None:
    with pytest.raises(StoreError, match=f"{PREFIX}DECISION_LOG=on"):
        open_store(Settings(database_url=sqlite_url(tmp_path), capture="full", decision_log="off"))


# A store that fails


def test_a_store_that_fails_harms_no_answer_but_takes_no_feedback(
    sqlite_service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    with sqlite_service.store.writing() as connection:
        for table in ("call", "feedback"):
            connection.execute(text(f"ALTER TABLE {table} RENAME TO gone_{table}"))
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            response = sqlite_service.client.post(SIGN, json=FULL)
            assert response.status_code == 200
            assert len(response.json["cards"]) == 1
        refused = sqlite_service.client.post(
            f"{SIGN}/feedback",
            json={
                "feedback": [
                    {
                        "card": FULL["hookInstance"],
                        "outcome": "overridden",
                        "outcomeTimestamp": "2026-02-28T10:05:31Z",
                    }
                ]
            },
        )
    assert (refused.status_code, code(refused.json)) == (503, "store-unavailable")
    assert int(refused.headers["Retry-After"]) > 0
    end = time.monotonic() + 10
    while len(caplog.records) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    assert {record.getMessage() for record in caplog.records} == {
        "the decision log cannot be written: OperationalError; it is tried again",
        "feedback was not stored: OperationalError",
    }
    with sqlite_service.store.writing() as connection:
        for table in ("call", "feedback"):
            connection.execute(text(f"ALTER TABLE gone_{table} RENAME TO {table}"))
    sqlite_service.store.close()
    assert len(sqlite_service.rows(call)) == 2


def test_a_fault_in_logging_harms_no_answer(
    sqlite_service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> Any:
        raise KeyError("Jane Doe")

    monkeypatch.setattr("cds_service.decision_log.request_row", fail)
    assert sqlite_service.client.post(SIGN, json=FULL).status_code == 200
    assert sqlite_service.client.post(SIGN, json=sign()).status_code == 412
    messages = [record.getMessage() for record in caplog.records]
    assert messages == ["a decision was not logged: KeyError", "a refusal was not logged: KeyError"]


def test_order_select_is_kept_too(sqlite_service: Service) -> None:
    sqlite_service.client.post(
        SELECT, json=select(pump_order(), selections=["DeviceRequest/pump-1"], prefetch=PREFETCH)
    )
    assert sqlite_service.rows(call)[0]["hook"] == "order-select"
