"""No name, identifier or token that was planted anywhere in a call is in a byte of the database or a log."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from cds_service.samples import SAMPLES
from cds_service.store.tables import call, determination, feedback, issued_card
from policies.engine import Engine
from tests.fhir_stub import Fault, FhirStub
from tests.service.bodies import SIGN, bundle, condition, observation, pump_order, sign
from tests.service.store.conftest import Open, Service, sqlite_url

TOKEN = "tok3n-Zyzzyva"
# Each stands in one kind of place.
PLANTED = (
    "Qwertyname",
    "PatientZzz9",
    "OrderZzz8",
    "DoctorZzz7",
    "EncounterZzz6",
    "MemberZzz5",
    "KeyZzz4",
    "InstanceZzz3",
    "NoteZzz2",
    "ObservationZzz1",
    "CodeZzz0",
    "serverzzz11",
    "CommentZzz12",
    "SuggestionZzz13",
    "UrlZzz14",
    "1931-07-19",
    TOKEN,
)


def planted(patient: str = "PatientZzz9") -> dict[str, Any]:
    """A request with something about the patient wherever a sender can write."""
    mine = {"reference": f"Patient/{patient}"}
    order = pump_order(
        "OrderZzz8",
        subject=mine,
        note=[{"text": "NoteZzz2"}],
        reasonCode=[{"text": "Qwertyname needs it"}],
        identifier=[{"value": "OrderZzz8"}],
    )
    odd = pump_order(
        "OrderZzz8-b",
        codeCodeableConcept={
            "coding": [{"system": "urn:CodeZzz0", "code": "CodeZzz0"}],
            "text": "Qwertyname",
        },
    )
    broken = {"resourceType": "NoteZzz2", "id": "OrderZzz8-c"}
    person = {
        "resourceType": "Patient",
        "id": patient,
        "birthDate": "1931-07-19",
        "name": [{"family": "Qwertyname"}],
        "identifier": [{"value": "MemberZzz5"}],
    }
    coverage = {
        "resourceType": "Coverage",
        "id": "MemberZzz5",
        "status": "active",
        "beneficiary": mine,
        "subscriberId": "MemberZzz5",
        "class": [{"type": {"coding": [{"code": "plan"}]}, "value": "MemberZzz5", "name": "Qwertyname plan"}],
        "payor": [{"display": "Qwertyname of Aetna"}],
    }
    doctor = {
        "resourceType": "Practitioner",
        "id": "DoctorZzz7",
        "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "DoctorZzz7"}],
    }
    strange = observation(
        "ObservationZzz1", subject={"reference": "Patient/Qwertyname"}, note=[{"text": "NoteZzz2"}]
    )
    mended = observation("ObservationZzz1-b", value="NoteZzz2", subject=mine, effectiveDateTime="NoteZzz2")
    nameless = observation("", subject=mine | {"display": "Qwertyname"})
    body = sign(
        order,
        odd,
        broken,
        prefetch={
            "patient": person,
            "KeyZzz4": bundle(strange, mended, nameless, fullUrl="UrlZzz14"),
            "observations": {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "NoteZzz2"}]},
            "conditions": bundle(condition("MemberZzz5") | {"subject": {"reference": "Group/Qwertyname"}}),
            "coverage": bundle(coverage),
            "user": doctor,
        },
        hookInstance="InstanceZzz3",
        fhirServer="https://serverzzz11.example/UrlZzz14",
        fhirAuthorization={"access_token": TOKEN, "subject": "DoctorZzz7", "patient": patient},
        extension={"x": "NoteZzz2"},
    )
    body["context"] |= {
        "patientId": patient,
        "userId": "Practitioner/DoctorZzz7",
        "encounterId": "EncounterZzz6",
    }
    return body


def bodies() -> list[dict[str, Any]]:
    bad_server = planted() | {"fhirServer": "https://user@serverzzz11.example"}
    samples = [
        json.loads(json.dumps(build()).replace("Patient/", "Patient/Qwertyname-"))
        for build in SAMPLES.values()
    ]
    return [planted(), bad_server, planted() | {"prefetch": {}, "fhirServer": None}, *samples]


def feedback_on(cards: list[str]) -> dict[str, Any]:
    return {
        "feedback": [
            {
                "card": card,
                "outcome": "overridden",
                "outcomeTimestamp": "2026-02-28T10:05:31Z",
                "overrideReason": {
                    "reason": {"code": "other", "system": "urn:reasons", "display": "CommentZzz12"},
                    "userComment": f"Qwertyname {TOKEN} CommentZzz12",
                },
                "extension": {"note": "CommentZzz12"},
            }
            for card in cards
        ]
    }


def ask(service: Service, body: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = service.client.post(f"{SIGN}?x=UrlZzz14", json=body, headers=headers)
    service.client.post("/determinations", json=body, headers=headers)
    cards = [card["uuid"] for card in answer.json.get("cards", ())]
    assert (
        service.client.post(f"{SIGN}/feedback", json=feedback_on(cards), headers=headers).status_code == 200
    )


def found_in(folder: Path) -> set[str]:
    """What stands in any byte of the files of a store, also as UTF-16 or in hexadecimal."""
    content = b"".join(path.read_bytes() for path in folder.iterdir()).lower()
    texts = {word: word.lower() for word in PLANTED}
    return {
        word
        for word, text in texts.items()
        if text.encode() in content
        or text.encode("utf-16-le") in content
        or text.encode().hex().encode() in content
    }


@pytest.mark.req("A8.81", "B6.156")
def test_nothing_planted_is_in_the_database_or_a_log(
    opened: Open, engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    service = opened(sqlite_url(tmp_path), engine)
    faults = {"Observation": Fault(status=403), "Condition": Fault(status=500)}
    with caplog.at_level(logging.DEBUG, "cds_service"), FhirStub([], faults=faults) as stub:
        for body in [*bodies(), planted() | {"fhirServer": stub.base, "prefetch": {}}]:
            ask(service, body)
    for table in (call, determination, issued_card, feedback):
        assert service.rows(table)
    assert found_in(tmp_path) == set()
    assert not [word for word in PLANTED if word.lower() in caplog.text.lower()]


def test_what_is_planted_would_be_found(opened: Open, engine: Engine, tmp_path: Path) -> None:
    service = opened(sqlite_url(tmp_path), engine, capture="full")
    ask(service, planted())
    found = found_in(tmp_path)
    assert "CommentZzz12" in found
    # The comment holds the token because somebody wrote it there; the request is kept without it.
    assert "Qwertyname" in found
