"""The decision log: what was answered, why, from which data and how fast."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, insert

from cds_service.store import issued_cards
from cds_service.store.tables import call, capture, determination

Row = dict[str, Any]


class Entry(Struct, frozen=True):
    """All that is kept of one call: a row of `call` and those that belong to it, by column.

    captured: request and answer in full, only where full capture is set.
    """

    call: Row
    determinations: list[Row] = []
    cards: list[Row] = []
    captured: tuple[bytes, bytes] | None = None

    @property
    def size(self) -> int:
        """What it takes at most in memory beside its rows, in bytes."""
        return sum(map(len, self.captured)) if self.captured else 0


# Made once: what SQLAlchemy works out about a statement, it remembers with it.
_CALLS, _DETERMINATIONS, _CAPTURES = insert(call), insert(determination), insert(capture)


def write(connection: Connection, entries: Sequence[Entry]) -> None:
    """Insert calls with what belongs to them."""
    connection.execute(_CALLS, [entry.call for entry in entries])
    if rows := [row for entry in entries for row in entry.determinations]:
        connection.execute(_DETERMINATIONS, rows)
    issued_cards.write(connection, [row for entry in entries for row in entry.cards])
    for entry in entries:
        if entry.captured:
            request, answer = (gzip.compress(text, compresslevel=1) for text in entry.captured)
            row = {"call": entry.call["id"], "request": request, "answer": answer}
            connection.execute(_CAPTURES, row)
