"""Feedback that clinicians gave on cards, as it came in.

One row for a card, an outcome and a moment, and one for each accepted suggestion. What is sent
again changes nothing, so a client may repeat until it is told that all is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, distinct, func, select

from cds_service.store.tables import feedback, issued_card
from cds_service.store.upsert import insert_of

_KEY = ("card_hash", "outcome", "outcome_at", "suggestion_hash")


class Given(Struct, frozen=True):
    """One outcome of a card, or of one suggestion of it. The fields are the columns."""

    card_hash: str
    service: str
    outcome: str
    outcome_at: datetime
    received_at: datetime
    suggestion_hash: str = ""
    reason_system: str = ""
    reason_code: str = ""
    has_comment: bool = False
    comment: str | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in _KEY)


def write(connection: Connection, given: Iterable[Given]) -> Counter[str]:
    """Keep feedback; of what is there already, the first counts. Returns outcome -> cards that are new.

    connection: of a transaction that writes. With PostgreSQL, who sends the same twice at the same
    moment may be counted twice; it is kept once.
    """
    by_key: dict[tuple[Any, ...], Given] = {}
    for item in given:
        by_key.setdefault(item.key, item)
    if not by_key:
        return Counter()
    cards = {(item.card_hash, item.outcome, item.outcome_at) for item in by_key.values()}
    new = cards - _there(connection, {item.card_hash for item in by_key.values()})
    # In one order, so that two servers never wait for each other.
    rows = [msgspec.structs.asdict(by_key[key]) for key in sorted(by_key)]
    statement = insert_of(connection.dialect.name, feedback).on_conflict_do_nothing(index_elements=_KEY)
    connection.execute(statement, rows)
    return Counter(outcome for _, outcome, _ in new)


def _there(connection: Connection, card_hashes: set[str]) -> set[tuple[str, str, datetime]]:
    """What is kept about cards: card, outcome and moment."""
    columns = (feedback.c.card_hash, feedback.c.outcome, feedback.c.outcome_at)
    found = connection.execute(select(*columns).where(feedback.c.card_hash.in_(card_hashes)))
    return {(card, outcome, moment) for card, outcome, moment in found}


class PolicyFeedback(Struct, frozen=True):
    """What became of the cards of one policy and outcome. Counts are of cards.

    reasons: "system|code" -> how many cards were overridden for it.
    """

    policy: str
    version: str
    outcome: str
    issued: int
    accepted: int
    overridden: int
    reasons: dict[str, int]


def by_policy(connection: Connection) -> Iterator[PolicyFeedback]:
    """How clinicians took the cards, by policy and outcome of the decision."""
    group = (issued_card.c.policy, issued_card.c.policy_version, issued_card.c.outcome)
    joined = issued_card.join(feedback, feedback.c.card_hash == issued_card.c.card_hash)
    cards = func.count(distinct(issued_card.c.card_hash))
    taken: dict[tuple[str, ...], Counter[str]] = {}
    for *names, outcome, count in connection.execute(
        select(*group, feedback.c.outcome, cards).select_from(joined).group_by(*group, feedback.c.outcome)
    ):
        taken.setdefault(tuple(names), Counter())[outcome] = count
    reasons: dict[tuple[str, ...], Counter[str]] = {}
    reason = (feedback.c.reason_system, feedback.c.reason_code)
    for *names, system, code, count in connection.execute(
        select(*group, *reason, cards)
        .select_from(joined)
        .where(feedback.c.outcome == "overridden", feedback.c.reason_code != "")
        .group_by(*group, *reason)
    ):
        reasons.setdefault(tuple(names), Counter())[f"{system}|{code}"] = count
    issued_cards = select(*group, cards).group_by(*group).order_by(*group)
    for policy, version, outcome, issued in connection.execute(issued_cards):
        key = (policy, version, outcome)
        counts = taken.get(key, Counter())
        why = dict(reasons.get(key, {}))
        yield PolicyFeedback(policy, version, outcome, issued, counts["accepted"], counts["overridden"], why)


def unknown_cards(connection: Connection) -> int:
    """How many cards have feedback that this store does not know, or no longer."""
    known = select(issued_card.c.card_hash)
    cards = func.count(distinct(feedback.c.card_hash))
    return connection.execute(select(cards).where(feedback.c.card_hash.not_in(known))).scalar_one()
