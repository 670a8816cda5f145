"""Other people's money: funders, pools, contributions, accounts, transfers."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
)

from vouchers.store.tables.types import Big, Instant, Json, metadata

funder = Table(
    "funder",
    metadata,
    Column("id", Big, primary_key=True),
    Column("slug", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
)

pool = Table(
    "pool",
    metadata,
    Column("id", Big, primary_key=True),
    Column("scheme_id", Big, ForeignKey("scheme.id"), nullable=False),
    Column("slug", String(64), nullable=False),
    Column("name", String(200), nullable=False),
    Column("state", String(16), nullable=False, server_default="open"),
    UniqueConstraint("scheme_id", "slug"),
    CheckConstraint("state in ('open','closed')", name="state"),
)

contribution = Table(
    "contribution",
    metadata,
    Column("id", Big, primary_key=True),
    Column("pool_id", Big, ForeignKey("pool.id"), nullable=False),
    Column("scheme_id", Big, ForeignKey("scheme.id"), nullable=False),
    Column("funder_id", Big, ForeignKey("funder.id"), nullable=False),
    Column("slug", String(64), nullable=False, unique=True),
    Column("state", String(16), nullable=False),
    Column("pledged_pence", BigInteger, nullable=False),
    # regions, outcodes, partners, meter types, bands: see domain/restrictions.
    Column("restrictions", Json, nullable=False),
    # ratio, ceiling, which gifts it matches; null when it matches none.
    Column("matching", Json),
    Column("priority", SmallInteger, nullable=False, server_default="0"),
    Column("starts_on", Date),
    Column("ends_on", Date),
    Column("allows_costs", SmallInteger, nullable=False, server_default="0"),
    Column("created_by", String(80), nullable=False),
    Column("approved_by", String(80)),
    Column("created_at", Instant, nullable=False),
    CheckConstraint(
        "state in ('pledged','confirmed','received','lapsed','closed')", name="state"
    ),
    CheckConstraint("pledged_pence >= 0", name="pledged"),
)

account = Table(
    "account",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=False),
    Column("scheme_id", Big, nullable=False),
    Column("contribution_id", Big),
    Column("place", SmallInteger, nullable=False),
    Column("balance_pence", BigInteger, nullable=False, server_default="0"),
    Column("version", Big, nullable=False, server_default="0"),
    # Only what a funder gave, suspense and prepaid may stand below zero.
    CheckConstraint("balance_pence >= 0 or place in (0, 8, 9)", name="floor"),
    UniqueConstraint("contribution_id", "place"),
)

transfer = Table(
    "transfer",
    metadata,
    Column("id", Big, primary_key=True),
    Column("key", String(80), nullable=False, unique=True),
    Column("kind", String(24), nullable=False),
    Column("debit_id", Big, nullable=False),
    Column("credit_id", Big, nullable=False),
    Column("amount_pence", BigInteger, nullable=False),
    Column("scheme_id", Big, nullable=False),
    Column("contribution_id", Big),
    Column("voucher_id", Big),
    Column("reverses", String(80)),
    Column("actor", String(80), nullable=False),
    Column("event_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    CheckConstraint("amount_pence > 0", name="amount"),
    CheckConstraint("debit_id <> credit_id", name="sides"),
)
Index("ix_transfer_voucher", transfer.c.voucher_id)
Index("ix_transfer_contribution", transfer.c.contribution_id)

stock_batch = Table(
    "stock_batch",
    metadata,
    Column("id", Big, primary_key=True),
    Column("scheme_id", Big, ForeignKey("scheme.id"), nullable=False),
    Column("network", String(40), nullable=False),
    Column("digest", LargeBinary(16), nullable=False, unique=True),
    Column("state", String(16), nullable=False),
    Column("reason", String(40)),
    Column("units", Integer, nullable=False),
    Column("value_pence", BigInteger, nullable=False),
    Column("cost_pence", BigInteger, nullable=False, server_default="0"),
    Column("actor", String(80), nullable=False),
    Column("imported_at", Instant, nullable=False),
    CheckConstraint("state in ('live','quarantined')", name="state"),
)

code = Table(
    "code",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("network", String(40), nullable=False),
    Column("value_pence", BigInteger, nullable=False),
    Column("stock_batch_id", Big),
    Column("state", String(16), nullable=False),
    Column("sealed", LargeBinary),
    # Keyed hash of the last four characters: for a search with a reason.
    Column("tail_key", Big, nullable=False),
    Column("expires_on", Date),
    Column("voucher_id", Big, unique=True),
    # Which activation file announced a minted code to its network.
    Column("activation_id", Big),
    CheckConstraint("state in ('free','bound','quarantined','void')", name="state"),
    CheckConstraint("value_pence > 0", name="value"),
)
Index(
    "ix_code_free",
    code.c.network,
    code.c.value_pence,
    code.c.id,
    postgresql_where=code.c.state == "free",
    sqlite_where=code.c.state == "free",
)

activation = Table(
    "activation",
    metadata,
    Column("id", Big, primary_key=True),
    Column("network", String(40), nullable=False),
    Column("units", Integer, nullable=False),
    Column("pence", BigInteger, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("exported_at", Instant, nullable=False),
)
