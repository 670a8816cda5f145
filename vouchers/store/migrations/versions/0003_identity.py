"""Residents, households, match keys, reviews, rulings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vouchers.store.tables.types import Big, Instant, Json

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables of this area."""
    _resident()
    _household()
    _membership()
    _match_key()
    _crowded_key()
    _review()
    _identity_edge()
    _registry_lock()


def _resident() -> None:
    op.create_table(
        "resident",
        sa.Column("id", Big, autoincrement=False, nullable=False),
        sa.Column("identity_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("faces_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("protected", sa.Boolean(), nullable=False),
        sa.Column("provisional", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("merged_into", Big, nullable=True),
        sa.Column("erased_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resident")),
    )
    op.create_index(
        "ix_resident_merged_into",
        "resident",
        ["merged_into"],
        unique=False,
        postgresql_where=sa.text("merged_into IS NOT NULL"),
        sqlite_where=sa.text("merged_into IS NOT NULL"),
    )


def _household() -> None:
    op.create_table(
        "household",
        sa.Column("id", Big, autoincrement=False, nullable=False),
        sa.Column("communal", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("over_cap", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("version", Big, server_default="0", nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household")),
    )


def _membership() -> None:
    op.create_table(
        "membership",
        sa.Column("household_id", Big, autoincrement=False, nullable=False),
        sa.Column("resident_id", Big, autoincrement=False, nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint(
            "household_id", "resident_id", "from_on", name=op.f("pk_membership")
        ),
    )
    op.create_index(
        "ix_membership_resident", "membership", ["resident_id"], unique=False
    )


def _match_key() -> None:
    op.create_table(
        "match_key",
        sa.Column("key", Big, autoincrement=False, nullable=False),
        sa.Column("kind", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("resident_id", Big, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint(
            "key", "kind", "version", "resident_id", name=op.f("pk_match_key")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_match_key_resident", "match_key", ["resident_id"], unique=False)


def _crowded_key() -> None:
    op.create_table(
        "crowded_key",
        sa.Column("key", Big, autoincrement=False, nullable=False),
        sa.Column("kind", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("rows_met", Big, nullable=False),
        sa.Column("met_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("key", "kind", "version", name=op.f("pk_crowded_key")),
    )


def _review() -> None:
    op.create_table(
        "review",
        sa.Column("id", Big, autoincrement=False, nullable=False),
        sa.Column("scheme_id", Big, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("protected", sa.Boolean(), nullable=False),
        sa.Column("need_rank", sa.Integer(), nullable=False),
        sa.Column("candidates", Json, nullable=False),
        sa.Column("model", sa.String(length=40), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("ruling", sa.String(length=24), nullable=True),
        sa.Column("same_as", Big, nullable=True),
        sa.Column("note_code", sa.String(length=40), nullable=True),
        sa.Column("effect", Json, nullable=True),
        sa.Column("escalated_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "state in ('open','decided','undone')", name=op.f("ck_review_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
    )
    op.create_index("ix_review_state", "review", ["state", "need_rank"], unique=False)


def _identity_edge() -> None:
    op.create_table(
        "identity_edge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("a", Big, nullable=False),
        sa.Column("b", Big, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("model", sa.String(length=40), nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_edge")),
    )
    op.create_index("ix_identity_edge_a", "identity_edge", ["a"], unique=False)
    op.create_index("ix_identity_edge_b", "identity_edge", ["b"], unique=False)


def _registry_lock() -> None:
    op.create_table(
        "registry_lock",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("passes", Big, nullable=False),
        sa.Column("residents", Big, server_default="0", nullable=False),
        sa.Column("rows_cut", Big, server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_lock")),
    )
