"""What residents are granted: awards, vouchers, waitlist, redemptions."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
)

from vouchers.store.tables.types import Big, Instant, Json, metadata

award = Table(
    "award",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=False),
    Column("referral_id", Big, nullable=False),
    Column("partner_id", Big, nullable=False),
    Column("scheme_id", Big, nullable=False),
    Column("cap_group", String(64), nullable=False),
    Column("pool_id", Big, nullable=False),
    Column("resident_id", Big, nullable=False),
    Column("household_id", Big, nullable=False),
    Column("network", String(40), nullable=False),
    Column("state", String(16), nullable=False),
    Column("amount_pence", BigInteger, nullable=False),
    Column("full_pence", BigInteger, nullable=False),
    Column("granted_at", Instant, nullable=False),
    Column("granted_on", Date, nullable=False),
    # What the cap was judged on: {count, pence, household_id, rules_version}.
    Column("judged", Json, nullable=False),
    CheckConstraint("amount_pence > 0 and amount_pence <= full_pence", name="amount"),
    CheckConstraint("state in ('granted','ended')", name="state"),
)
Index("ix_award_household", award.c.household_id, award.c.granted_on)
Index("ix_award_resident", award.c.resident_id)
Index("ix_award_referral", award.c.referral_id)

voucher = Table(
    "voucher",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=False),
    Column("award_id", Big, nullable=False),
    Column("scheme_id", Big, nullable=False),
    Column("contribution_id", Big, nullable=False),
    Column("network", String(40), nullable=False),
    Column("number", SmallInteger, nullable=False),
    Column("value_pence", BigInteger, nullable=False),
    Column("redeemed_pence", BigInteger, nullable=False, server_default="0"),
    Column("code_id", Big, unique=True),
    Column("state", String(20), nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("expires_on", Date, nullable=False),
    Column("expired_at", Instant),
    Column("released_at", Instant),
    Column("replaces", Big),
    CheckConstraint("value_pence > 0", name="value"),
    CheckConstraint(
        "redeemed_pence >= 0 and redeemed_pence <= value_pence", name="redeemed"
    ),
    CheckConstraint(
        "state in ('committed','live','part_redeemed','redeemed','awaiting_network',"
        "'released','void_requested','voided','refused_used','written_off')",
        name="state",
    ),
)
Index("ix_voucher_award", voucher.c.award_id)
Index("ix_voucher_contribution", voucher.c.contribution_id)
Index(
    "ix_voucher_expiry",
    voucher.c.expires_on,
    postgresql_where=voucher.c.state.in_(("live", "part_redeemed", "awaiting_network")),
    sqlite_where=voucher.c.state.in_(("live", "part_redeemed", "awaiting_network")),
)

waitlist = Table(
    "waitlist",
    metadata,
    Column("referral_id", Big, primary_key=True, autoincrement=False),
    Column("scheme_id", Big, nullable=False),
    Column("need_rank", Integer, nullable=False),
    Column("since", Instant, nullable=False),
    # The scheme's supply number when this referral was last passed over, and the rule.
    Column("supply_version", Big, nullable=False),
    Column("rule", String(40), nullable=False),
    Column("detail", Json),
)
Index("ix_waitlist_order", waitlist.c.scheme_id, waitlist.c.need_rank, waitlist.c.since)

feed_file = Table(
    "feed_file",
    metadata,
    Column("id", Big, primary_key=True),
    Column("network", String(40), nullable=False),
    Column("digest", LargeBinary(16), nullable=False, unique=True),
    Column("lines", Integer, nullable=False),
    # Local days that the file speaks of: a gap between files is a discrepancy.
    Column("covers_from", Date),
    Column("covers_to", Date),
    Column("actor", String(80), nullable=False),
    Column("imported_at", Instant, nullable=False),
)

redemption = Table(
    "redemption",
    metadata,
    Column("id", Big, primary_key=True),
    Column("feed_file_id", Big, nullable=False),
    Column("network", String(40), nullable=False),
    Column("transaction_id", String(80), nullable=False),
    Column("type", String(16), nullable=False),
    Column("code_digest", LargeBinary(32), nullable=False),
    Column("voucher_id", Big),
    Column("amount_pence", BigInteger, nullable=False),
    Column("balance_pence", BigInteger),
    Column("at", Instant, nullable=False),
    Column("state", String(16), nullable=False),
    UniqueConstraint("network", "transaction_id", "type"),
    CheckConstraint("state in ('new','applied','discrepancy')", name="state"),
)
Index("ix_redemption_voucher", redemption.c.voucher_id)

discrepancy = Table(
    "discrepancy",
    metadata,
    Column("id", Big, primary_key=True),
    Column("key", String(80), nullable=False, unique=True),
    Column("scheme_id", Big),
    Column("kind", String(40), nullable=False),
    Column("voucher_id", Big),
    Column("redemption_id", Big),
    Column("amount_pence", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("owner", String(80)),
    Column("settled", Boolean, nullable=False, server_default="0"),
    Column("opened_at", Instant, nullable=False),
)
