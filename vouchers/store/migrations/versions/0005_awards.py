"""Awards, vouchers, waitlist, feeds, discrepancies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vouchers.store.tables.types import Big, Instant, Json

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables of this area."""
    _award()
    _voucher()
    _waitlist()
    _feed_file()
    _redemption()
    _discrepancy()


def _award() -> None:
    op.create_table(
        "award",
        sa.Column("id", Big, autoincrement=False, nullable=False),
        sa.Column("referral_id", Big, nullable=False),
        sa.Column("partner_id", Big, nullable=False),
        sa.Column("scheme_id", Big, nullable=False),
        sa.Column("cap_group", sa.String(length=64), nullable=False),
        sa.Column("pool_id", Big, nullable=False),
        sa.Column("resident_id", Big, nullable=False),
        sa.Column("household_id", Big, nullable=False),
        sa.Column("network", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("amount_pence", sa.BigInteger(), nullable=False),
        sa.Column("full_pence", sa.BigInteger(), nullable=False),
        sa.Column("granted_at", Instant(), nullable=False),
        sa.Column("granted_on", sa.Date(), nullable=False),
        sa.Column("judged", Json, nullable=False),
        sa.CheckConstraint("state in ('granted','ended')", name=op.f("ck_award_state")),
        sa.CheckConstraint(
            "amount_pence > 0 and amount_pence <= full_pence",
            name=op.f("ck_award_amount"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_award")),
    )
    op.create_index(
        "ix_award_household", "award", ["household_id", "granted_on"], unique=False
    )
    op.create_index("ix_award_referral", "award", ["referral_id"], unique=False)
    op.create_index("ix_award_resident", "award", ["resident_id"], unique=False)


def _voucher() -> None:
    op.create_table(
        "voucher",
        sa.Column("id", Big, autoincrement=False, nullable=False),
        sa.Column("award_id", Big, nullable=False),
        sa.Column("scheme_id", Big, nullable=False),
        sa.Column("contribution_id", Big, nullable=False),
        sa.Column("network", sa.String(length=40), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("value_pence", sa.BigInteger(), nullable=False),
        sa.Column(
            "redeemed_pence", sa.BigInteger(), server_default="0", nullable=False
        ),
        sa.Column("code_id", Big, nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("issued_at", Instant(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("expired_at", Instant(), nullable=True),
        sa.Column("released_at", Instant(), nullable=True),
        sa.Column("replaces", Big, nullable=True),
        sa.CheckConstraint(
            "state in ('committed','live','part_redeemed','redeemed','awaiting_network','released','void_requested','voided','refused_used','written_off')",
            name=op.f("ck_voucher_state"),
        ),
        sa.CheckConstraint(
            "redeemed_pence >= 0 and redeemed_pence <= value_pence",
            name=op.f("ck_voucher_redeemed"),
        ),
        sa.CheckConstraint("value_pence > 0", name=op.f("ck_voucher_value")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher")),
        sa.UniqueConstraint("code_id", name=op.f("uq_voucher_code_id")),
    )
    op.create_index("ix_voucher_award", "voucher", ["award_id"], unique=False)
    op.create_index(
        "ix_voucher_contribution", "voucher", ["contribution_id"], unique=False
    )
    op.create_index(
        "ix_voucher_expiry",
        "voucher",
        ["expires_on"],
        unique=False,
        postgresql_where=sa.text(
            "state IN ('live', 'part_redeemed', 'awaiting_network')"
        ),
        sqlite_where=sa.text("state IN ('live', 'part_redeemed', 'awaiting_network')"),
    )


def _waitlist() -> None:
    op.create_table(
        "waitlist",
        sa.Column("referral_id", Big, autoincrement=False, nullable=False),
        sa.Column("scheme_id", Big, nullable=False),
        sa.Column("need_rank", sa.Integer(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("supply_version", Big, nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("detail", Json, nullable=True),
        sa.PrimaryKeyConstraint("referral_id", name=op.f("pk_waitlist")),
    )
    op.create_index(
        "ix_waitlist_order",
        "waitlist",
        ["scheme_id", "need_rank", "since"],
        unique=False,
    )


def _feed_file() -> None:
    op.create_table(
        "feed_file",
        sa.Column("id", Big, nullable=False),
        sa.Column("network", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("covers_from", sa.Date(), nullable=True),
        sa.Column("covers_to", sa.Date(), nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("imported_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_file")),
        sa.UniqueConstraint("digest", name=op.f("uq_feed_file_digest")),
    )


def _redemption() -> None:
    op.create_table(
        "redemption",
        sa.Column("id", Big, nullable=False),
        sa.Column("feed_file_id", Big, nullable=False),
        sa.Column("network", sa.String(length=40), nullable=False),
        sa.Column("transaction_id", sa.String(length=80), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("code_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("voucher_id", Big, nullable=True),
        sa.Column("amount_pence", sa.BigInteger(), nullable=False),
        sa.Column("balance_pence", sa.BigInteger(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.CheckConstraint(
            "state in ('new','applied','discrepancy')", name=op.f("ck_redemption_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redemption")),
        sa.UniqueConstraint(
            "network",
            "transaction_id",
            "type",
            name=op.f("uq_redemption_network_transaction_id_type"),
        ),
    )
    op.create_index("ix_redemption_voucher", "redemption", ["voucher_id"], unique=False)


def _discrepancy() -> None:
    op.create_table(
        "discrepancy",
        sa.Column("id", Big, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("scheme_id", Big, nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("voucher_id", Big, nullable=True),
        sa.Column("redemption_id", Big, nullable=True),
        sa.Column("amount_pence", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=True),
        sa.Column("settled", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discrepancy")),
        sa.UniqueConstraint("key", name=op.f("uq_discrepancy_key")),
    )
