"""Audit events, leaves, nodes, checkpoints, and guards on what is append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vouchers.store import guards
from vouchers.store.tables.types import Big, Instant

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables of this area."""
    _audit_event()
    _audit_pending()
    _audit_leaf()
    _audit_node()
    _audit_checkpoint()
    guards.install(op.get_bind())


def _audit_event() -> None:
    op.create_table(
        "audit_event",
        sa.Column("id", Big, nullable=False),
        sa.Column("kind", sa.String(length=48), nullable=False),
        sa.Column("entity_id", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
    )
    op.create_index("ix_audit_event_entity", "audit_event", ["entity_id"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        # One draw is good for a block of events, see store/audit.
        op.execute("alter sequence audit_event_id_seq increment by 64")


def _audit_pending() -> None:
    op.create_table(
        "audit_pending",
        sa.Column("event_id", Big, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_audit_pending")),
    )


def _audit_leaf() -> None:
    op.create_table(
        "audit_leaf",
        sa.Column("seq", Big, autoincrement=False, nullable=False),
        sa.Column("event_id", Big, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_leaf")),
        sa.UniqueConstraint("event_id", name=op.f("uq_audit_leaf_event_id")),
    )


def _audit_node() -> None:
    op.create_table(
        "audit_node",
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("position", Big, autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("level", "position", name=op.f("pk_audit_node")),
    )


def _audit_checkpoint() -> None:
    op.create_table(
        "audit_checkpoint",
        sa.Column("size", Big, autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_audit_checkpoint")),
    )
