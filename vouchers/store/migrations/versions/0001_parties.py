"""Schemes, rule versions, partners, people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vouchers.store.tables.types import Big, Instant, Json

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables of this area."""
    _scheme()
    _scheme_version()
    _partner()
    _partner_listing()
    _person()
    _ask_count()


def _scheme() -> None:
    op.create_table(
        "scheme",
        sa.Column("id", Big, nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="open", nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("supply_version", Big, server_default="0", nullable=False),
        sa.CheckConstraint(
            "state in ('open','paused','closed')", name=op.f("ck_scheme_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheme")),
        sa.UniqueConstraint("slug", name=op.f("uq_scheme_slug")),
    )


def _scheme_version() -> None:
    op.create_table(
        "scheme_version",
        sa.Column("id", Big, nullable=False),
        sa.Column("scheme_id", Big, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("loaded_by", sa.String(length=64), nullable=False),
        sa.Column("approved_by", sa.String(length=64), nullable=True),
        sa.Column("loaded_at", Instant(), nullable=False),
        sa.Column("approved_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "state in ('proposed','active','replaced')",
            name=op.f("ck_scheme_version_state"),
        ),
        sa.ForeignKeyConstraint(
            ["scheme_id"], ["scheme.id"], name=op.f("fk_scheme_version_scheme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheme_version")),
        sa.UniqueConstraint(
            "scheme_id", "number", name=op.f("uq_scheme_version_scheme_id_number")
        ),
    )


def _partner() -> None:
    op.create_table(
        "partner",
        sa.Column("id", Big, nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("known_as", sa.String(length=60), nullable=False),
        sa.Column("contact_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("homes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("region", sa.String(length=64), nullable=True),
        sa.Column("refuge", sa.Boolean(), server_default="0", nullable=False),
        sa.Column(
            "safe_contact",
            sa.String(length=16),
            server_default="sms_ok",
            nullable=False,
        ),
        sa.Column("agreement_on", sa.Date(), nullable=True),
        sa.Column("dry_run_at", Instant(), nullable=True),
        sa.Column(
            "state", sa.String(length=16), server_default="active", nullable=False
        ),
        sa.Column("excluded", Json, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "state in ('active','suspended')", name=op.f("ck_partner_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner")),
        sa.UniqueConstraint("slug", name=op.f("uq_partner_slug")),
    )


def _partner_listing() -> None:
    op.create_table(
        "partner_listing",
        sa.Column("id", Big, nullable=False),
        sa.Column("partner_id", Big, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("key", Big, nullable=False),
        sa.CheckConstraint(
            "kind in ('communal','worker_phone')", name=op.f("ck_partner_listing_kind")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partner.id"], name=op.f("fk_partner_listing_partner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_listing")),
        sa.UniqueConstraint(
            "partner_id",
            "kind",
            "key",
            name=op.f("uq_partner_listing_partner_id_kind_key"),
        ),
    )
    op.create_index("ix_partner_listing_key", "partner_listing", ["key"], unique=False)


def _person() -> None:
    op.create_table(
        "person",
        sa.Column("id", Big, nullable=False),
        sa.Column("handle", sa.String(length=64), nullable=False),
        sa.Column("roles", Json, nullable=False),
        sa.Column("partner_id", Big, nullable=True),
        sa.Column("token_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column(
            "state", sa.String(length=16), server_default="active", nullable=False
        ),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "state in ('active','suspended')", name=op.f("ck_person_state")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partner.id"], name=op.f("fk_person_partner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("handle", name=op.f("uq_person_handle")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_person_token_digest")),
    )


def _ask_count() -> None:
    op.create_table(
        "ask_count",
        sa.Column("who", sa.String(length=8), nullable=False),
        sa.Column("who_id", Big, autoincrement=False, nullable=False),
        sa.Column("slot", Big, autoincrement=False, nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("turned_away", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "who in ('partner','person')", name=op.f("ck_ask_count_who")
        ),
        sa.PrimaryKeyConstraint("who", "who_id", "slot", name=op.f("pk_ask_count")),
    )
