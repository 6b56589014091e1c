"""What is deleted is gone: by age, and by patient, from the bytes of the file too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text, update

from cds_service.cli import main
from cds_service.store.erasure import delete_patient
from cds_service.store.retention import Deleted, delete_before
from cds_service.store.tables import call, capture, determination, feedback, issued_card
from tests.service.bodies import PATIENT, SIGN, bundle, observation, pump_order, sign
from tests.service.store.conftest import KEY, Open, Service, migrated, sqlite_url

TABLES = (call, determination, issued_card, capture, feedback)
DAY = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def full(opened: Open, database_url: str) -> Service:
    """A service that captures all."""
    return opened(migrated(database_url), capture="full")


def ask(service: Service, patient: str, day: datetime = DAY) -> None:
    """A call about a patient and feedback on its card, both of one day."""
    mine = {"reference": f"Patient/{patient}"}
    prefetch = {"patient": PATIENT | {"id": patient}, "observations": bundle(observation(subject=mine))}
    body = sign(pump_order(subject=mine), prefetch=prefetch)
    body["context"]["patientId"] = patient
    (card,) = service.client.post(SIGN, json=body).json["cards"]
    entry = {
        "card": card["uuid"],
        "outcome": "overridden",
        "outcomeTimestamp": day.isoformat(),
        "overrideReason": {"userComment": f"comment on {patient}"},
    }
    assert service.client.post(f"{SIGN}/feedback", json={"feedback": [entry]}).status_code == 200
    with service.store.writing() as connection:
        mine_ = call.c.patient_hash == service.store.hash.of("patient", patient)
        connection.execute(update(call).where(mine_).values(asked_at=day))
        card_ = feedback.c.card_hash == service.store.hash.of("card", card["uuid"])
        connection.execute(update(feedback).where(card_).values(received_at=day))


def counts(service: Service) -> list[int]:
    return [len(service.rows(table)) for table in TABLES]


def test_what_is_older_than_the_limit_is_deleted_with_all_that_belongs_to_it(full: Service) -> None:
    ask(full, "old", DAY - timedelta(days=2))
    ask(full, "edge", DAY)
    ask(full, "new", DAY + timedelta(days=2))
    with full.store.writing() as connection:
        assert delete_before(connection, DAY) == Deleted(calls=1, feedback=1)
    assert counts(full) == [2, 2, 2, 2, 2]
    hashes = {row["patient_hash"] for row in full.rows(call)}
    assert hashes == {full.store.hash.of("patient", name) for name in ("edge", "new")}


def test_all_about_a_patient_is_deleted_and_nothing_of_others(full: Service) -> None:
    for patient in ("p1", "p2", "p1"):
        ask(full, patient)
    with full.store.writing() as connection:
        assert delete_patient(connection, full.store.hash.of("patient", "p1")) == Deleted(calls=2, feedback=1)
        assert delete_patient(connection, full.store.hash.of("patient", "p3")) == Deleted(calls=0, feedback=0)
    assert counts(full) == [1, 1, 1, 1, 1]
    assert full.rows(feedback)[0]["comment"] == "comment on p2"


def test_feedback_on_unknown_cards_goes_by_age(full: Service) -> None:
    ask(full, "p1")
    with full.store.writing() as connection:
        connection.execute(text("DELETE FROM call"))
    assert counts(full) == [0, 0, 0, 0, 1]
    with full.store.writing() as connection:
        assert delete_before(connection, DAY + timedelta(seconds=1)) == Deleted(calls=0, feedback=1)


def test_what_is_erased_is_in_no_byte_of_the_files(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = sqlite_url(tmp_path)
    service = opened(url, capture="full")
    for number in range(20):
        ask(service, f"p{number}")
    hashed = service.store.hash.of("patient", "p7").encode()
    assert any(b"comment on p7" in path.read_bytes() for path in tmp_path.iterdir())
    assert any(hashed in path.read_bytes() for path in tmp_path.iterdir())
    service.store.close()
    monkeypatch.setenv("COVERAGE_HOOKS_DATABASE_URL", url)
    monkeypatch.setenv("COVERAGE_HOOKS_HASH_KEY", KEY)
    assert main(["store", "erase", "p7"]) == 0
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        assert b"comment on p7" not in content
        assert hashed not in content
    assert len(service.rows(call)) == 19
