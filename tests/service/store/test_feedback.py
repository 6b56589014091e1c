"""Feedback is kept once, whatever is sent how often, and joined with the cards it is about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cds_service.store.feedback import by_policy, unknown_cards
from cds_service.store.tables import feedback
from tests.service.bodies import PATIENT, SIGN, bundle, code, encoded, issue, observation, sign
from tests.service.conftest import NOW
from tests.service.store.conftest import Open, Service, migrated

URL = f"{SIGN}/feedback"
CARD = "4e0a3a1e-3283-4575-ab82-028d55fe2719"
OTHER = "f6b95768-b1c8-40dc-8385-bf3504b82ffb"
SUGGESTION = "e56e1945-20b3-4393-8503-a1a20fd73152"
MOMENT = "2026-02-28T10:05:31Z"
REASON = {"code": "patient-ineligible", "system": "http://terminology.hl7.org/CodeSystem/reasons"}


def overridden(card: str = CARD, **more: Any) -> dict[str, Any]:
    return {"card": card, "outcome": "overridden", "outcomeTimestamp": MOMENT} | more


def accepted(*suggestions: str, card: str = CARD) -> dict[str, Any]:
    ids = [{"id": suggestion} for suggestion in suggestions or (SUGGESTION,)]
    return {"card": card, "outcome": "accepted", "acceptedSuggestions": ids, "outcomeTimestamp": MOMENT}


def give(service: Service, *entries: Any, url: str = URL) -> Any:
    return service.client.post(url, json={"feedback": list(entries)})


@pytest.mark.req("A6.63")
@pytest.mark.req("A6.64")
@pytest.mark.req("A6.67")
def test_feedback_is_kept(service: Service) -> None:
    response = give(service, overridden(overrideReason={"reason": REASON, "userComment": "seen in clinic"}))
    assert (response.status_code, response.json) == (200, {})
    (row,) = service.rows(feedback)
    assert row["card_hash"] == service.store.hash.of("card", CARD)
    assert row["service"] == "infusion-pump-order-sign"
    assert row["outcome"] == "overridden"
    assert row["outcome_at"] == datetime(2026, 2, 28, 10, 5, 31, tzinfo=UTC)
    assert (row["reason_system"], row["reason_code"]) == (REASON["system"], REASON["code"])
    assert row["received_at"] == NOW


@pytest.mark.req("A6.65")
def test_each_accepted_suggestion_is_kept(service: Service) -> None:
    assert give(service, accepted(SUGGESTION, OTHER)).status_code == 200
    hashes = {row["suggestion_hash"] for row in service.rows(feedback)}
    assert hashes == {service.store.hash.of("suggestion", one) for one in (SUGGESTION, OTHER)}


@pytest.mark.req("A6.66")
def test_what_is_sent_again_is_kept_once(service: Service) -> None:
    entries = [overridden(), accepted(), overridden(OTHER)]
    for _ in range(3):
        assert give(service, *entries, *entries).status_code == 200
    assert (
        give(service, overridden(CARD.upper(), outcomeTimestamp="2026-02-28T12:05:31+02:00")).status_code
        == 200
    )
    assert len(service.rows(feedback)) == 3


@pytest.mark.req("A6.66")
def test_the_same_card_may_be_reported_at_several_moments(service: Service) -> None:
    for moment in ("2026-02-28T10:05:31Z", "2026-02-28T10:05:31.5Z", "2026-02-28T11:00:00+01:00"):
        assert give(service, overridden(outcomeTimestamp=moment)).status_code == 200
    assert len(service.rows(feedback)) == 3


@pytest.mark.req("A6.66")
def test_cards_of_several_calls_and_unknown_ones_come_in_one_batch(service: Service) -> None:
    cards = []
    for instance in ("5a3c0e1e-0000-4000-8000-000000000001", "5a3c0e1e-0000-4000-8000-000000000002"):
        body = sign(
            prefetch={"patient": PATIENT, "observations": bundle(observation())}, hookInstance=instance
        )
        cards += [card["uuid"] for card in service.client.post(SIGN, json=body).json["cards"]]
    entries = [
        overridden(cards[0], overrideReason={"reason": REASON}),
        accepted(card=cards[1]),
        overridden(OTHER),
    ]
    assert give(service, *entries).status_code == 200
    with service.store.reading() as connection:
        (found,) = by_policy(connection)
        assert unknown_cards(connection) == 1
    assert (found.policy, found.version, found.outcome) == ("plan.pump", "1", "needs-documentation")
    assert (found.issued, found.accepted, found.overridden) == (2, 1, 1)
    assert found.reasons == {f"{REASON['system']}|{REASON['code']}": 1}


def test_an_empty_batch_is_nothing_to_keep(service: Service) -> None:
    assert give(service).status_code == 200
    assert service.rows(feedback) == []


@pytest.mark.req("A6.65")
@pytest.mark.parametrize("comment", ["Jane\0 Doe \U0001f600", "  "])
@pytest.mark.parametrize("capture", ["none", "full"])
def test_a_comment_is_kept_in_full_capture_only(
    opened: Open, database_url: str, capture: str, comment: str
) -> None:
    service = opened(migrated(database_url), capture=capture)
    assert give(service, overridden(overrideReason={"userComment": comment})).status_code == 200
    (row,) = service.rows(feedback)
    said = comment.replace("\0", "").strip()
    assert row["has_comment"] is bool(said)
    assert row["comment"] == (said if said and capture == "full" else None)


BAD = [
    (overridden("no uuid"), 400, "card"),
    ({"outcome": "overridden", "outcomeTimestamp": MOMENT}, 400, "card"),
    (overridden(outcome="ignored"), 400, "outcome"),
    (overridden(outcome=None), 400, "outcome"),
    (overridden(outcomeTimestamp="2026-02-28T10:05:31"), 400, "outcomeTimestamp"),
    (overridden(outcomeTimestamp="yesterday"), 400, "outcomeTimestamp"),
    (overridden(outcomeTimestamp="2026-02-30T10:05:31Z"), 400, "outcomeTimestamp"),
    (overridden(overrideReason={"reason": {"system": "urn:x"}}), 400, "overrideReason.reason.code"),
    (overridden(overrideReason={"reason": {"code": "Jane Doe"}}), 400, "overrideReason.reason.code"),
    (overridden(overrideReason={"reason": {"code": "x" * 65}}), 400, "overrideReason.reason.code"),
    (overridden(overrideReason={"userComment": "x" * 10_001}), 400, "overrideReason.userComment"),
    (accepted("x"), 400, "acceptedSuggestions[0].id"),
    (overridden(outcome="accepted"), 422, "acceptedSuggestions"),
    (accepted() | {"acceptedSuggestions": []}, 422, "acceptedSuggestions"),
    (accepted() | {"overrideReason": {}}, 422, "overrideReason"),
    (overridden(acceptedSuggestions=[{"id": SUGGESTION}]), 422, "acceptedSuggestions"),
]


@pytest.mark.req("A6.64")
@pytest.mark.parametrize(
    ("entry", "status", "where"), BAD, ids=[f"{where}-{n}" for n, (_, _, where) in enumerate(BAD)]
)
def test_a_bad_entry_is_named_and_nothing_of_its_batch_is_kept(
    sqlite_service: Service, entry: Any, status: int, where: str
) -> None:
    response = give(sqlite_service, overridden(OTHER), entry)
    found = issue(response.json)
    assert (response.status_code, found["expression"]) == (status, [f"feedback[1].{where}"])
    assert code(response.json) == ("invalid-request" if status == 400 else "unusable-feedback")
    assert found["diagnostics"]
    assert "Jane" not in response.text
    assert sqlite_service.rows(feedback) == []


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"", 400, "not-json"),
        (b"{", 400, "not-json"),
        (b"[]", 400, "invalid-request"),
        (b"{}", 400, "invalid-request"),
        (b'{"feedback": {}}', 400, "invalid-request"),
        (b'{"feedback": [null]}', 400, "invalid-request"),
        (encoded({"feedback": [overridden()] * 1001}), 413, "too-large"),
        (b" " * 1_000_001, 413, "too-large"),
    ],
)
def test_a_body_that_is_no_batch_is_refused(
    sqlite_service: Service, body: bytes, status: int, error: str
) -> None:
    response = sqlite_service.client.post(URL, data=body, content_type="application/json")
    assert (response.status_code, code(response.json)) == (status, error)
    assert sqlite_service.rows(feedback) == []


def test_a_thousand_entries_are_kept(service: Service) -> None:
    moments = [f"2026-02-28T10:{second // 60:02}:{second % 60:02}Z" for second in range(1000)]
    assert give(service, *(overridden(outcomeTimestamp=moment) for moment in moments)).status_code == 200
    assert len(service.rows(feedback)) == 1000


def test_elements_that_nobody_reads_are_ignored(sqlite_service: Service) -> None:
    entry = overridden(extension={"x": 1}, overrideReason={"reason": REASON | {"display": "Not eligible"}})
    body = {"feedback": [entry | {"acceptedSuggestions": None}], "extension": {}}
    assert sqlite_service.client.post(URL, json=body).status_code == 200


def test_an_unknown_service_is_told(sqlite_service: Service) -> None:
    response = give(sqlite_service, overridden(), url="/cds-services/nothing/feedback")
    assert (response.status_code, code(response.json)) == (404, "unknown-service")


def test_without_a_store_there_is_no_feedback(client: Any) -> None:
    response = client.post(URL, json={"feedback": [overridden()]})
    assert (response.status_code, code(response.json)) == (404, "no-feedback")


def test_other_methods_are_not_allowed(sqlite_service: Service) -> None:
    response = sqlite_service.client.get(URL)
    assert (response.status_code, response.headers["Allow"]) == (405, "OPTIONS, POST")
    assert (
        sqlite_service.client.options(URL).headers["Access-Control-Allow-Headers"]
        == "Authorization, Content-Type"
    )
