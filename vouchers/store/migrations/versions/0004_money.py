"""Funders, pools, contributions, accounts, transfers, stock."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vouchers.store.tables.types import Big, Instant, Json

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables of this area."""
    _funder()
    _pool()
    _contribution()
    _account()
    _transfer()
    _stock_batch()
    _code()
    _activation()


def _funder() -> None:
    op.create_table(
        "funder",
        sa.Column("id", Big, nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_funder")),
        sa.UniqueConstraint("slug", name=op.f("uq_funder_slug")),
    )


def _pool() -> None:
    op.create_table(
        "pool",
        sa.Column("id", Big, nullable=False),
        sa.Column("scheme_id", Big, nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="open", nullable=False),
        sa.CheckConstraint("state in ('open','closed')", name=op.f("ck_pool_state")),
        sa.ForeignKeyConstraint(
            ["scheme_id"], ["scheme.id"], name=op.f("fk_pool_scheme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool")),
        sa.UniqueConstraint("scheme_id", "slug", name=op.f("uq_pool_scheme_id_slug")),
    )


def _contribution() -> None:
    op.create_table(
        "contribution",
        sa.Column("id", Big, nullable=False),
        sa.Column("pool_id", Big, nullable=False),
        sa.Column("scheme_id", Big, nullable=False),
        sa.Column("funder_id", Big, nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("pledged_pence", sa.BigInteger(), nullable=False),
        sa.Column("restrictions", Json, nullable=False),
        sa.Column("matching", Json, nullable=True),
        sa.Column("priority", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column(
            "allows_costs", sa.SmallInteger(), server_default="0", nullable=False
        ),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("approved_by", sa.String(length=80), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "state in ('pledged','confirmed','received','lapsed','closed')",
            name=op.f("ck_contribution_state"),
        ),
        sa.CheckConstraint("pledged_pence >= 0", name=op.f("ck_contribution_pledged")),
        sa.ForeignKeyConstraint(
            ["funder_id"], ["funder.id"], name=op.f("fk_contribution_funder_id")
        ),
        sa.ForeignKeyConstraint(
            ["pool_id"], ["pool.id"], name=op.f("fk_contribution_pool_id")
        ),
        sa.ForeignKeyConstraint(
            ["scheme_id"], ["scheme.id"], name=op.f("fk_contribution_scheme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contribution")),
        sa.UniqueConstraint("slug", name=op.f("uq_contribution_slug")),
    )


def _account() -> None:
    op.create_table(
        "account",
        sa.Column("id", Big, autoincrement=False, nullable=False),
        sa.Column("scheme_id", Big, nullable=False),
        sa.Column("contribution_id", Big, nullable=True),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("balance_pence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("version", Big, server_default="0", nullable=False),
        sa.CheckConstraint(
            "balance_pence >= 0 or place in (0, 8, 9)", name=op.f("ck_account_floor")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint(
            "contribution_id", "place", name=op.f("uq_account_contribution_id_place")
        ),
    )


def _transfer() -> None:
    op.create_table(
        "transfer",
        sa.Column("id", Big, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("debit_id", Big, nullable=False),
        sa.Column("credit_id", Big, nullable=False),
        sa.Column("amount_pence", sa.BigInteger(), nullable=False),
        sa.Column("scheme_id", Big, nullable=False),
        sa.Column("contribution_id", Big, nullable=True),
        sa.Column("voucher_id", Big, nullable=True),
        sa.Column("reverses", sa.String(length=80), nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("event_at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.CheckConstraint("amount_pence > 0", name=op.f("ck_transfer_amount")),
        sa.CheckConstraint("debit_id <> credit_id", name=op.f("ck_transfer_sides")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
        sa.UniqueConstraint("key", name=op.f("uq_transfer_key")),
    )
    op.create_index(
        "ix_transfer_contribution", "transfer", ["contribution_id"], unique=False
    )
    op.create_index("ix_transfer_voucher", "transfer", ["voucher_id"], unique=False)


def _stock_batch() -> None:
    op.create_table(
        "stock_batch",
        sa.Column("id", Big, nullable=False),
        sa.Column("scheme_id", Big, nullable=False),
        sa.Column("network", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("value_pence", sa.BigInteger(), nullable=False),
        sa.Column("cost_pence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("imported_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "state in ('live','quarantined')", name=op.f("ck_stock_batch_state")
        ),
        sa.ForeignKeyConstraint(
            ["scheme_id"], ["scheme.id"], name=op.f("fk_stock_batch_scheme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_batch")),
        sa.UniqueConstraint("digest", name=op.f("uq_stock_batch_digest")),
    )


def _code() -> None:
    op.create_table(
        "code",
        sa.Column("id", Big, autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("network", sa.String(length=40), nullable=False),
        sa.Column("value_pence", sa.BigInteger(), nullable=False),
        sa.Column("stock_batch_id", Big, nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("tail_key", Big, nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("voucher_id", Big, nullable=True),
        sa.Column("activation_id", Big, nullable=True),
        sa.CheckConstraint(
            "state in ('free','bound','quarantined','void')", name=op.f("ck_code_state")
        ),
        sa.CheckConstraint("value_pence > 0", name=op.f("ck_code_value")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code")),
        sa.UniqueConstraint("digest", name=op.f("uq_code_digest")),
        sa.UniqueConstraint("voucher_id", name=op.f("uq_code_voucher_id")),
    )
    op.create_index(
        "ix_code_free",
        "code",
        ["network", "value_pence", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'free'"),
        sqlite_where=sa.text("state = 'free'"),
    )


def _activation() -> None:
    op.create_table(
        "activation",
        sa.Column("id", Big, nullable=False),
        sa.Column("network", sa.String(length=40), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("pence", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("exported_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activation")),
    )
