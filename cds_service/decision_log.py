"""Keeping what was answered: one entry for each call, and its id on the cards and in a header."""

from __future__ import annotations

import logging
import time
from secrets import token_hex
from typing import Any

import msgspec

from cds_service.clock import Clock
from cds_service.coverage_record import coverage_information
from cds_service.decision_rows import card_rows, determination_rows, judgement_row, request_row
from cds_service.errors import ServiceError
from cds_service.hook_request import HookRequest
from cds_service.judging import Judgement
from cds_service.store.decisions import Entry, Row
from cds_service.store.store import Store
from cds_service.telemetry.observed import observed, stage
from cds_service.version import VERSION

log = logging.getLogger(__name__)

HEADER = "Coverage-Hooks-Decision"
EXTENSION = "coverage-hooks.decision"
FAULT = "fault"
_NOTHING: Row = {
    "token_use": "not-used",
    "user_npi": "",
    "group_npi": "",
    "sources": [],
    "could_not": [],
    "left_out": [],
    "not_evaluated": [],
    "problems": 0,
}


class Call:
    """One call while it is answered. store: None keeps nothing.

    Nothing here raises, whatever fails: an answer is worth more than its log.
    """

    def __init__(self, store: Store | None, service: str, clock: Clock) -> None:
        self._store = store
        self._service = service
        self._asked_at = clock()
        self._started = time.perf_counter()
        self.body = b""

    def read(self, body: bytes) -> bytes:
        """The body of the call, remembered where full capture is set."""
        if self._store is not None and self._store.full_capture:
            self.body = body
        return body

    def answered(self, request: HookRequest, judgement: Judgement | None, answer: Any) -> str:
        """Log an answer; the id of the decision, "" when none is kept.

        judgement: None for a fault. answer: of a hook, whose cards get the id, or another value. The
        same answer to the same call has the same id.
        """
        if self._store is None:
            return ""
        try:
            return self._log(self._store, request, judgement, answer)
        except Exception as error:
            log.warning("a decision was not logged: %s", type(error).__name__)
            return ""

    def refused(self, request: HookRequest, error: ServiceError) -> None:
        """Log that a request was answered by an error."""
        if self._store is None:
            return
        try:
            row = self._row(self._store, request, None, error.code)
            row["status"] = error.status
            self._store.record(Entry(row))
        except Exception as fault:
            log.warning("a refusal was not logged: %s", type(fault).__name__)

    def _log(self, store: Store, request: HookRequest, judgement: Judgement | None, answer: Any) -> str:
        determinations = determination_rows(judgement, store.hash) if judgement else []
        row = self._row(store, request, judgement, "" if judgement else FAULT, determinations)
        decision: str = row["decision"]
        call = row["id"]
        hook_answer = answer if isinstance(answer, dict) else {}
        row["coverage_information"] = coverage_information(hook_answer.get("systemActions", ()), store.hash)
        whence = {"call": call, "decision": decision, "service": self._service, "issued_at": self._asked_at}
        cards: list[Row] = []
        for card in hook_answer.get("cards", ()):
            card.setdefault("extension", {})[EXTENSION] = decision
            cards += [found | whence for found in card_rows(card, store.hash)]
        captured = (_without_token(self.body), msgspec.json.encode(answer)) if self.body else None
        with stage("keep"):
            store.record(Entry(row, [found | {"call": call} for found in determinations], cards, captured))
        return decision

    def _row(
        self,
        store: Store,
        request: HookRequest,
        judgement: Judgement | None,
        error: str,
        determinations: list[Row] | None = None,
    ) -> Row:
        found = judgement_row(request, judgement, store.hash) if judgement else _NOTHING
        said = msgspec.json.encode([error, found["not_evaluated"], determinations])
        call = (self._service, request.hook_instance, request.patient_id)
        return {
            "id": _next_id(),
            "decision": store.hash.uuid("decision", *call, said),
            "asked_at": self._asked_at,
            "took_ms": _ms(time.perf_counter() - self._started),
            "stages": {name: _ms(seconds) for name, seconds in observed().seconds().items()},
            "service": self._service,
            "service_version": VERSION,
            "status": 200,
            "error": error,
            "coverage_information": [],
            **request_row(request, store.hash),
            **found,
        }


def _next_id() -> str:
    # By time, so that rows which are written together lie together in the indexes of a large log.
    return f"{time.time_ns():016x}{token_hex(8)}"


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _without_token(body: bytes) -> bytes:
    """A request without the access token that it brought."""
    parts = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    parts.pop("fhirAuthorization", None)
    return msgspec.json.encode(parts)
