"""The tables. Patients, orders, cards and suggestions stand in them as keyed hashes only.

Card ids are hashed too: they follow from the call, the patient and the order, so whoever guesses
these could otherwise prove the guess. A change needs a migration (migrations/versions); a test
compares the two.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcTime(TypeDecorator[datetime]):
    """A moment, in UTC on either side; SQLite keeps no time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, _: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _hash(name: str, **options: Any) -> Column[str]:
    return Column(name, String, nullable=False, **options)


def _word(name: str) -> Column[str]:
    """A word of ours, of a policy or of the sender's software; "" where there is none."""
    return Column(name, String, nullable=False)


# One row for each call that was answered, whether by cards or by an error that tells the request.
call = Table(
    "call",
    metadata,
    Column("id", String, primary_key=True),
    Column("decision", String, nullable=False),
    Column("asked_at", UtcTime, nullable=False),
    Column("took_ms", Float, nullable=False),
    Column("stages", JSON, nullable=False, server_default="{}"),
    _word("service"),
    _word("hook"),
    _word("hook_instance"),
    _hash("patient_hash"),
    _word("service_version"),
    Column("status", Integer, nullable=False),
    _word("error"),
    _word("token_use"),
    _word("user_npi"),
    _word("group_npi"),
    Column("sources", JSON, nullable=False),
    Column("could_not", JSON, nullable=False),
    Column("left_out", JSON, nullable=False),
    Column("not_evaluated", JSON, nullable=False),
    Column("problems", Integer, nullable=False),
    Column("coverage_information", JSON, nullable=False),
    Index(None, "decision"),
    Index(None, "patient_hash"),
    Index(None, "asked_at"),
)


def _of_call() -> Column[str]:
    key = ForeignKey("call.id", ondelete="CASCADE")
    return Column("call", String, key, nullable=False, index=True)


# What one policy says of one order.
determination = Table(
    "determination",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    _of_call(),
    _hash("order_hash"),
    _word("order_type"),
    _word("code_system"),
    _word("code"),
    _word("policy"),
    _word("policy_version"),
    _word("policy_sha256"),
    _word("payer"),
    _word("line_of_business"),
    _word("part"),
    _word("as_of"),
    _word("outcome"),
    Column("states", JSON, nullable=False),
    Column("lacking", JSON, nullable=False),
    Column("asks", JSON, nullable=False),
    _word("prior_authorization"),
)

# The cards that were sent; a card of several policies has a row for each.
issued_card = Table(
    "issued_card",
    metadata,
    _hash("card_hash", primary_key=True),
    Column("policy", String, primary_key=True),
    _of_call(),
    Column("policy_version", String, primary_key=True),
    Column("order_hash", String, primary_key=True),
    Column("decision", String, nullable=False),
    _word("service"),
    _word("outcome"),
    _word("indicator"),
    _word("topic"),
    Column("issued_at", UtcTime, nullable=False),
)

# One row for each card and moment, or for each suggestion of it that was accepted.
feedback = Table(
    "feedback",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    _hash("card_hash"),
    _word("service"),
    _word("outcome"),
    Column("outcome_at", UtcTime, nullable=False),
    Column("suggestion_hash", String, nullable=False),
    _word("reason_system"),
    _word("reason_code"),
    Column("has_comment", Boolean, nullable=False),
    Column("comment", Text),
    Column("received_at", UtcTime, nullable=False),
    UniqueConstraint("card_hash", "outcome", "outcome_at", "suggestion_hash", name="uq_feedback"),
    Index(None, "received_at"),
)

# Full capture, by explicit setting only: request (without its token) and answer, as gzip.
capture = Table(
    "capture",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    _of_call(),
    Column("request", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
)
