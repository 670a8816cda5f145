"""Batches, chunks, referrals, row errors, contacts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vouchers.store.tables.types import Big, Instant, Json

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables of this area."""
    _batch()
    _batch_chunk()
    _referral()
    _row_error()
    _contact()
    _outcomes_file()


def _batch() -> None:
    op.create_table(
        "batch",
        sa.Column("id", Big, nullable=False),
        sa.Column("partner_id", Big, nullable=False),
        sa.Column("scheme_id", Big, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("name_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("layout_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("refused_code", sa.String(length=40), nullable=True),
        sa.Column("notices", Json, nullable=False),
        sa.Column("via", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("revision_of", Big, nullable=True),
        sa.Column("rows_staged", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rows_total", sa.Integer(), nullable=True),
        sa.Column("rows_read", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rows_matched", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rows_repeated", sa.Integer(), server_default="0", nullable=False),
        sa.Column("gated", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("watch", Json, nullable=True),
        sa.Column("stopped_for", Json, nullable=True),
        sa.Column("released_for", Json, nullable=True),
        sa.Column("stopped_at", Instant(), nullable=True),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("changed", Big, server_default="1", nullable=False),
        sa.Column("written", Big, server_default="0", nullable=False),
        sa.Column("changed_at", Instant(), nullable=True),
        sa.Column("written_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "state in ('receiving','open','stopped','finished','refused','rejected')",
            name=op.f("ck_batch_state"),
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partner.id"], name=op.f("fk_batch_partner_id")
        ),
        sa.ForeignKeyConstraint(
            ["scheme_id"], ["scheme.id"], name=op.f("fk_batch_scheme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
        sa.UniqueConstraint(
            "partner_id",
            "scheme_id",
            "digest",
            name=op.f("uq_batch_partner_id_scheme_id_digest"),
        ),
    )
    op.create_index("ix_batch_name", "batch", ["partner_id", "name_key"], unique=False)


def _batch_chunk() -> None:
    op.create_table(
        "batch_chunk",
        sa.Column("batch_id", Big, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("row_first", sa.Integer(), nullable=False),
        sa.Column("row_last", sa.Integer(), nullable=False),
        sa.Column("urgent", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batch.id"], name=op.f("fk_batch_chunk_batch_id")
        ),
        sa.PrimaryKeyConstraint("batch_id", "number", name=op.f("pk_batch_chunk")),
    )


def _referral() -> None:
    op.create_table(
        "referral",
        sa.Column("id", Big, autoincrement=False, nullable=False),
        sa.Column("batch_id", Big, nullable=False),
        sa.Column("partner_id", Big, nullable=False),
        sa.Column("scheme_id", Big, nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("reference_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("content_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("outcode", sa.String(length=4), nullable=False),
        sa.Column("region", sa.String(length=64), nullable=True),
        sa.Column("meter_type", sa.String(length=16), nullable=False),
        sa.Column("supplier", sa.String(length=40), nullable=False),
        sa.Column("gas_supplier", sa.String(length=40), nullable=True),
        sa.Column("network", sa.String(length=40), nullable=True),
        sa.Column("off_supply", sa.Boolean(), nullable=False),
        sa.Column("days_left", sa.SmallInteger(), nullable=True),
        sa.Column("need_band", sa.SmallInteger(), nullable=False),
        sa.Column("need_rank", sa.Integer(), nullable=False),
        sa.Column("household_size", sa.SmallInteger(), nullable=False),
        sa.Column("safe_contact", sa.String(length=16), nullable=False),
        sa.Column("protected", sa.Boolean(), nullable=False),
        sa.Column("separate_household", sa.Boolean(), nullable=False),
        sa.Column("text_any_time", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("notices", Json, nullable=False),
        sa.Column("row_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("original_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("resident_id", Big, nullable=True),
        sa.Column("household_id", Big, nullable=True),
        sa.Column("first_referral_id", Big, nullable=True),
        sa.Column("next_on", sa.Date(), nullable=True),
        sa.Column("judged", Json, nullable=True),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "state in ('received','checking','matched','waiting','granted','declined','withdrawn','held')",
            name=op.f("ck_referral_state"),
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batch.id"], name=op.f("fk_referral_batch_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral")),
    )
    op.create_index(
        "ix_referral_batch", "referral", ["batch_id", "state"], unique=False
    )
    op.create_index("ix_referral_household", "referral", ["household_id"], unique=False)
    op.create_index(
        "ix_referral_open",
        "referral",
        ["scheme_id", "need_rank"],
        unique=False,
        postgresql_where=sa.text("state IN ('received', 'matched')"),
        sqlite_where=sa.text("state IN ('received', 'matched')"),
    )
    op.create_index(
        "ix_referral_reference",
        "referral",
        ["partner_id", "reference_key"],
        unique=False,
    )
    op.create_index("ix_referral_resident", "referral", ["resident_id"], unique=False)


def _row_error() -> None:
    op.create_table(
        "row_error",
        sa.Column("id", Big, autoincrement=False, nullable=False),
        sa.Column("batch_id", Big, nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=False),
        sa.Column("faults", Json, nullable=False),
        sa.Column("original_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("held", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batch.id"], name=op.f("fk_row_error_batch_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_row_error")),
        sa.UniqueConstraint(
            "batch_id", "row_no", name=op.f("uq_row_error_batch_id_row_no")
        ),
    )


def _contact() -> None:
    op.create_table(
        "contact",
        sa.Column("referral_id", Big, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("resident_id", Big, nullable=True),
        sa.Column("key", Big, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("kind in ('mobile','email')", name=op.f("ck_contact_kind")),
        sa.PrimaryKeyConstraint("referral_id", "kind", name=op.f("pk_contact")),
    )
    op.create_index("ix_contact_key", "contact", ["key"], unique=False)


def _outcomes_file() -> None:
    op.create_table(
        "outcomes_file",
        sa.Column("partner_id", Big, autoincrement=False, nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("written_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("partner_id", "on_day", name=op.f("pk_outcomes_file")),
    )
