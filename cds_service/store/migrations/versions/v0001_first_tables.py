"""The first tables: calls, determinations, issued cards, feedback, captures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "call",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("took_ms", sa.Float(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("hook", sa.String(), nullable=False),
        sa.Column("hook_instance", sa.String(), nullable=False),
        sa.Column("patient_hash", sa.String(), nullable=False),
        sa.Column("service_version", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("token_use", sa.String(), nullable=False),
        sa.Column("user_npi", sa.String(), nullable=False),
        sa.Column("group_npi", sa.String(), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("could_not", sa.JSON(), nullable=False),
        sa.Column("left_out", sa.JSON(), nullable=False),
        sa.Column("not_evaluated", sa.JSON(), nullable=False),
        sa.Column("problems", sa.Integer(), nullable=False),
        sa.Column("coverage_information", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
    )
    op.create_index(op.f("ix_call_asked_at"), "call", ["asked_at"], unique=False)
    op.create_index(op.f("ix_call_decision"), "call", ["decision"], unique=False)
    op.create_index(op.f("ix_call_patient_hash"), "call", ["patient_hash"], unique=False)
    op.create_table(
        "feedback",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("card_hash", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("outcome_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("suggestion_hash", sa.String(), nullable=False),
        sa.Column("reason_system", sa.String(), nullable=False),
        sa.Column("reason_code", sa.String(), nullable=False),
        sa.Column("has_comment", sa.Boolean(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
        sa.UniqueConstraint("card_hash", "outcome", "outcome_at", "suggestion_hash", name="uq_feedback"),
    )
    op.create_index(op.f("ix_feedback_received_at"), "feedback", ["received_at"], unique=False)
    op.create_table(
        "capture",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("call", sa.String(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["call"], ["call.id"], name=op.f("fk_capture_call"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capture")),
    )
    op.create_index(op.f("ix_capture_call"), "capture", ["call"], unique=False)
    op.create_table(
        "determination",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("call", sa.String(), nullable=False),
        sa.Column("order_hash", sa.String(), nullable=False),
        sa.Column("order_type", sa.String(), nullable=False),
        sa.Column("code_system", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("policy_version", sa.String(), nullable=False),
        sa.Column("policy_sha256", sa.String(), nullable=False),
        sa.Column("payer", sa.String(), nullable=False),
        sa.Column("line_of_business", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("as_of", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("states", sa.JSON(), nullable=False),
        sa.Column("lacking", sa.JSON(), nullable=False),
        sa.Column("asks", sa.JSON(), nullable=False),
        sa.Column("prior_authorization", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["call"], ["call.id"], name=op.f("fk_determination_call"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_determination")),
    )
    op.create_index(op.f("ix_determination_call"), "determination", ["call"], unique=False)
    op.create_table(
        "issued_card",
        sa.Column("card_hash", sa.String(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("call", sa.String(), nullable=False),
        sa.Column("policy_version", sa.String(), nullable=False),
        sa.Column("order_hash", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("indicator", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["call"], ["call.id"], name=op.f("fk_issued_card_call"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint(
            "card_hash", "policy", "policy_version", "order_hash", name=op.f("pk_issued_card")
        ),
    )
    op.create_index(op.f("ix_issued_card_call"), "issued_card", ["call"], unique=False)


def downgrade() -> None:
    op.drop_table("issued_card")
    op.drop_table("determination")
    op.drop_table("capture")
    op.drop_table("feedback")
    op.drop_table("call")
