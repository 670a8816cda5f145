"""What happened: audit events, numbered leaves, the tree above, checkpoints."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
)

from vouchers.store.tables.types import Big, Instant, metadata

audit_event = Table(
    "audit_event",
    metadata,
    Column("id", Big, primary_key=True),
    Column("kind", String(48), nullable=False),
    Column("entity_id", BigInteger, nullable=False),
    # Canonical JSON: exactly these bytes are the leaf.
    Column("body", Text, nullable=False),
)
Index("ix_audit_event_entity", audit_event.c.entity_id)

audit_pending = Table(
    "audit_pending",
    metadata,
    # No foreign key: it would be looked up for each of nine events a resident, and the
    # two rows are written by one statement of ours anyway.
    Column("event_id", Big, primary_key=True, autoincrement=False),
)

audit_leaf = Table(
    "audit_leaf",
    metadata,
    Column("seq", Big, primary_key=True, autoincrement=False),
    Column("event_id", Big, nullable=False, unique=True),
    Column("hash", LargeBinary(32), nullable=False),
)

audit_node = Table(
    "audit_node",
    metadata,
    # Roots of complete subtrees: the peaks from which the next batch goes on.
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("position", Big, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
)

audit_checkpoint = Table(
    "audit_checkpoint",
    metadata,
    Column("size", Big, primary_key=True, autoincrement=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("note", Text, nullable=False),
    Column("signed_at", Instant, nullable=False),
)
