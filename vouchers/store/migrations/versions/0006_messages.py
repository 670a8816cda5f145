"""Messages, attempts, callbacks, pace."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vouchers.store.tables.types import Big, Instant

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables of this area."""
    _message()
    _attempt()
    _callback()
    _pace()
    _suppression()


def _message() -> None:
    op.create_table(
        "message",
        sa.Column("id", Big, autoincrement=False, nullable=False),
        sa.Column("award_id", Big, nullable=False),
        sa.Column("referral_id", Big, nullable=False),
        sa.Column("scheme_id", Big, nullable=False),
        sa.Column("purpose", sa.SmallInteger(), nullable=False),
        sa.Column("generation", sa.SmallInteger(), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("urgent", sa.SmallInteger(), nullable=False),
        sa.Column("template", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("segments", sa.SmallInteger(), nullable=True),
        sa.Column("sender", sa.String(length=40), nullable=True),
        sa.Column("sid", sa.String(length=64), nullable=True),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("queued_at", Instant(), nullable=False),
        sa.Column("not_before", Instant(), nullable=True),
        sa.Column("accepted_at", Instant(), nullable=True),
        sa.Column("delivered_at", Instant(), nullable=True),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "state in ('queued','sending','unknown','accepted','sent','delivered','undelivered','failed','cancelled','held')",
            name=op.f("ck_message_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint(
            "award_id",
            "purpose",
            "generation",
            name=op.f("uq_message_award_id_purpose_generation"),
        ),
    )
    op.create_index(
        "ix_message_open",
        "message",
        ["state", "updated_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued', 'sending', 'unknown')"),
        sqlite_where=sa.text("state IN ('queued', 'sending', 'unknown')"),
    )
    op.create_index("ix_message_referral", "message", ["referral_id"], unique=False)


def _attempt() -> None:
    op.create_table(
        "attempt",
        sa.Column("id", Big, autoincrement=False, nullable=False),
        sa.Column("message_id", Big, nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("provider", sa.String(length=16), nullable=False),
        sa.Column("sender", sa.String(length=40), nullable=False),
        sa.Column("sid", sa.String(length=64), nullable=True),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("evidence", sa.String(length=16), nullable=True),
        sa.Column("claimed_at", Instant(), nullable=False),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "state in ('claimed','accepted','refused','unknown','absent')",
            name=op.f("ck_attempt_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
        sa.UniqueConstraint(
            "message_id", "number", name=op.f("uq_attempt_message_id_number")
        ),
    )
    op.create_index(
        "ix_attempt_open",
        "attempt",
        ["claimed_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('claimed', 'unknown')"),
        sqlite_where=sa.text("state IN ('claimed', 'unknown')"),
    )
    op.create_index("ix_attempt_sid", "attempt", ["sid"], unique=False)


def _callback() -> None:
    op.create_table(
        "callback",
        sa.Column("id", Big, nullable=False),
        sa.Column("attempt_id", Big, nullable=True),
        sa.Column("sid", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("applied", sa.SmallInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callback")),
        sa.UniqueConstraint("sid", "status", name=op.f("uq_callback_sid_status")),
    )
    op.create_index(
        "ix_callback_new",
        "callback",
        ["id"],
        unique=False,
        postgresql_where=sa.text("applied = 0"),
        sqlite_where=sa.text("applied = 0"),
    )


def _pace() -> None:
    op.create_table(
        "pace",
        sa.Column("sender", sa.String(length=40), nullable=False),
        sa.Column("per_second", sa.Float(), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("refilled_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("sender", name=op.f("pk_pace")),
    )


def _suppression() -> None:
    op.create_table(
        "suppression",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_suppression")),
    )
