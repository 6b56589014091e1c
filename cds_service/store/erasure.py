"""Deleting all that is kept about one patient."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from cds_service.store.retention import Deleted
from cds_service.store.tables import call, feedback, issued_card


def delete_patient(connection: Connection, patient_hash: str) -> Deleted:
    """Delete a patient's calls with what belongs to them, full captures too, and feedback on the cards."""
    mine = call.c.patient_hash == patient_hash
    cards = select(issued_card.c.card_hash).join(call, call.c.id == issued_card.c.call).where(mine)
    entries = connection.execute(delete(feedback).where(feedback.c.card_hash.in_(cards))).rowcount
    calls = connection.execute(delete(call).where(mine)).rowcount
    return Deleted(calls, entries)
