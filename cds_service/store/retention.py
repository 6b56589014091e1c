"""Deleting what is older than it has to be kept."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, delete

from cds_service.store.tables import call, feedback


class Deleted(Struct, frozen=True):
    """How many calls (with their determinations, cards and captures) and feedback entries are gone."""

    calls: int
    feedback: int


def delete_before(connection: Connection, moment: datetime) -> Deleted:
    """Delete calls asked and feedback received before `moment`."""
    entries = connection.execute(delete(feedback).where(feedback.c.received_at < moment)).rowcount
    calls = connection.execute(delete(call).where(call.c.asked_at < moment)).rowcount
    return Deleted(calls, entries)
