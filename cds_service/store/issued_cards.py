"""The cards that were sent, so that feedback about them leads to the decision and its policy."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import Connection

from cds_service.store.tables import issued_card
from cds_service.store.upsert import Insert, insert_of

_KEY = [column.name for column in issued_card.primary_key]


def write(connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Keep issued cards. A card that is sent again belongs to the call that sent it last."""
    # In one order, so that two servers never wait for each other.
    latest = {tuple(row[name] for name in _KEY): row for row in rows}
    if not latest:
        return
    connection.execute(_statement(connection.dialect.name), [latest[key] for key in sorted(latest)])


@cache
def _statement(dialect: str) -> Insert:
    statement = insert_of(dialect, issued_card)
    changed = {name: statement.excluded[name] for name in issued_card.c.keys() if name not in _KEY}  # noqa: SIM118
    return statement.on_conflict_do_update(index_elements=_KEY, set_=changed)
