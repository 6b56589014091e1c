"""What clinicians did with cards. Source: CDS Hooks 2.0, section Feedback.

A batch is kept as a whole or not at all, and 200 means that the disk has it. It may be sent again at
any time, and may speak of cards that this service does not know or no longer.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from flask import Blueprint, Response, request
from msgspec import Meta, Raw, Struct
from sqlalchemy.exc import SQLAlchemyError

from cds_service.body import read_body
from cds_service.desk import desk, json_response
from cds_service.errors import (
    BadRequestError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from cds_service.guide import Guide
from cds_service.store.feedback import Given
from cds_service.store.store import Store
from cds_service.telemetry.observed import observed, stage

log = logging.getLogger(__name__)
feedback = Blueprint("feedback", __name__)

_LIMIT = 1_000_000
_MOST = 1_000
_RETRY_SECONDS = "5"

_guide = Guide(
    {
        "feedback": "It must be a list of outcomes, one for each card.",
        "feedback[].card": "It must be the uuid of the card.",
        "feedback[].outcome": 'It must be "accepted" or "overridden".',
        "feedback[].outcomeTimestamp": 'It must be a moment with its time zone, e.g. "2026-03-01T12:00:00Z".',
        "feedback[].acceptedSuggestions": 'It must be a list of the accepted ones, each {"id": its uuid}.',
        "feedback[].acceptedSuggestions[].id": "It must be the uuid of the suggestion.",
        "feedback[].overrideReason.reason.code": "It must be a code of up to 64 characters without blanks.",
        "feedback[].overrideReason.userComment": "It must be a text of up to 10,000 characters.",
    },
    else_="See CDS Hooks 2.0, Feedback.",
    contradiction="unusable-feedback",
)


class _Suggestion(Struct):
    id: UUID


class _Reason(Struct):
    code: Annotated[str, Meta(max_length=64, pattern=r"^[^\s\x00]+$")]
    system: Annotated[str, Meta(max_length=255, pattern=r"^[^\s\x00]*$")] | None = None


class _Override(Struct):
    reason: _Reason | None = None
    userComment: Annotated[str, Meta(max_length=10_000)] | None = None


class _Entry(Struct):
    card: UUID
    outcome: str
    outcomeTimestamp: Annotated[datetime, Meta(tz=True)]
    acceptedSuggestions: Annotated[list[_Suggestion], Meta(max_length=100)] | None = None
    overrideReason: _Override | None = None


class _Batch(Struct):
    feedback: list[Raw]


_batch = msgspec.json.Decoder(_Batch)
_entry = msgspec.json.Decoder(_Entry)


@feedback.post("/cds-services/<service_id>/feedback")
def give(service_id: str) -> Response:
    here = desk()
    service = here.services.get(service_id)
    store = here.store
    if store is None:
        what, mend = "This service keeps no feedback.", "Whoever runs it can switch the store on."
        raise NotFoundError("no-feedback", what, mend=mend)
    seen = observed()
    seen.service = service.id
    received = here.now()
    with stage("read"):
        entries = _entries(_read())
    try:
        with stage("keep"):
            given = [one for entry in entries for one in _given(entry, service.id, received, store)]
            seen.feedback = store.keep(given)
    except SQLAlchemyError as error:
        # The type alone: the message of an error holds what was to be written.
        log.warning("feedback was not stored: %s", type(getattr(error, "orig", None) or error).__name__)
        what, mend = "The feedback could not be stored; none of it was.", "Send it again."
        headers = {"Retry-After": _RETRY_SECONDS}
        raise UnavailableError("store-unavailable", what, mend=mend, headers=headers) from None
    return json_response({})


def _read() -> bytes:
    try:
        return read_body(request, _LIMIT)
    except TooLargeError:
        raise _too_large() from None


def _too_large() -> TooLargeError:
    what = f"There are more than {_LIMIT // 1_000_000} MB or {_MOST:,} entries."
    return TooLargeError("too-large", what, where="feedback", mend="Send several batches.")


def _entries(body: bytes) -> list[_Entry]:
    """The entries of a batch. Raises BadRequestError, TooLargeError, UnusableError."""
    if not body.strip():
        raise BadRequestError("not-json", "The body is empty.", mend='Send {"feedback": [...]} as JSON.')
    batch = _guide.decode(_batch, body).feedback
    if len(batch) > _MOST:
        raise _too_large()
    return [_checked(raw, f"feedback[{index}]") for index, raw in enumerate(batch)]


def _checked(raw: Raw, where: str) -> _Entry:
    entry = _guide.decode(_entry, raw, where)
    if entry.outcome not in ("accepted", "overridden"):
        raise _guide.invalid(f"{where}.outcome", "is no outcome")
    accepted = entry.outcome == "accepted"
    if accepted and not entry.acceptedSuggestions:
        raise _guide.unusable(f"{where}.acceptedSuggestions", "is missing, though the outcome is accepted")
    if entry.acceptedSuggestions and not accepted:
        raise _guide.unusable(f"{where}.acceptedSuggestions", "stands on a card that was overridden")
    if entry.overrideReason is not None and accepted:
        raise _guide.unusable(f"{where}.overrideReason", "stands on a card that was accepted")
    return entry


def _given(entry: _Entry, service: str, received: datetime, store: Store) -> Iterator[Given]:
    """What is kept of an entry: a comment may name the patient, so it is kept in full capture only."""
    override = entry.overrideReason or _Override()
    reason = override.reason
    comment = (override.userComment or "").replace("\0", "").strip()
    for suggestion in entry.acceptedSuggestions or (None,):
        yield Given(
            card_hash=store.hash.of("card", str(entry.card)),
            service=service,
            outcome=entry.outcome,
            outcome_at=entry.outcomeTimestamp,
            received_at=received,
            suggestion_hash=store.hash.of("suggestion", str(suggestion.id)) if suggestion else "",
            reason_system=(reason.system or "") if reason else "",
            reason_code=reason.code if reason else "",
            has_comment=bool(comment),
            comment=comment if comment and store.full_capture else None,
        )
