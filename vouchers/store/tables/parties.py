"""Who takes part: schemes and their rule versions, partners, people with roles."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from vouchers.store.tables.types import Big, Instant, Json, metadata

scheme = Table(
    "scheme",
    metadata,
    Column("id", Big, primary_key=True),
    Column("slug", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("state", String(16), nullable=False, server_default="open"),
    Column("version", Integer, nullable=False, server_default="0"),
    # Counts every arrival of money or stock: a waiting referral that was passed over
    # at the present number need not be looked at again.
    Column("supply_version", Big, nullable=False, server_default="0"),
    CheckConstraint("state in ('open','paused','closed')", name="state"),
)

scheme_version = Table(
    "scheme_version",
    metadata,
    Column("id", Big, primary_key=True),
    Column("scheme_id", Big, ForeignKey("scheme.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("loaded_by", String(64), nullable=False),
    Column("approved_by", String(64)),
    Column("loaded_at", Instant, nullable=False),
    Column("approved_at", Instant),
    UniqueConstraint("scheme_id", "number"),
    CheckConstraint("state in ('proposed','active','replaced')", name="state"),
)

partner = Table(
    "partner",
    metadata,
    Column("id", Big, primary_key=True),
    Column("slug", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    # The name that the partner's residents know it by; it is written in the SMS.
    Column("known_as", String(60), nullable=False),
    Column("contact_sealed", LargeBinary),
    Column("homes", Integer, nullable=False, server_default="0"),
    Column("region", String(64)),
    Column("refuge", Boolean, nullable=False, server_default="0"),
    Column("safe_contact", String(16), nullable=False, server_default="sms_ok"),
    Column("agreement_on", Date),
    Column("dry_run_at", Instant),
    Column("state", String(16), nullable=False, server_default="active"),
    # Names of schemes that this partner may not draw from.
    Column("excluded", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    CheckConstraint("state in ('active','suspended')", name="state"),
)

partner_listing = Table(
    "partner_listing",
    metadata,
    Column("id", Big, primary_key=True),
    Column("partner_id", Big, ForeignKey("partner.id"), nullable=False),
    # communal: a dwelling's match key; worker_phone: a mobile's match key.
    Column("kind", String(16), nullable=False),
    Column("key", Big, nullable=False),
    UniqueConstraint("partner_id", "kind", "key"),
    CheckConstraint("kind in ('communal','worker_phone')", name="kind"),
)
Index("ix_partner_listing_key", partner_listing.c.key)

person = Table(
    "person",
    metadata,
    Column("id", Big, primary_key=True),
    Column("handle", String(64), nullable=False, unique=True),
    Column("roles", Json, nullable=False),
    Column("partner_id", Big, ForeignKey("partner.id")),
    Column("token_digest", LargeBinary(32), nullable=False, unique=True),
    Column("state", String(16), nullable=False, server_default="active"),
    Column("created_at", Instant, nullable=False),
    CheckConstraint("state in ('active','suspended')", name="state"),
)

ask_count = Table(
    "ask_count",
    metadata,
    # How often somebody asked about residents in a slot of minutes; never about whom.
    Column("who", String(8), primary_key=True),
    Column("who_id", Big, primary_key=True, autoincrement=False),
    Column("slot", Big, primary_key=True, autoincrement=False),
    Column("asked", Integer, nullable=False),
    Column("turned_away", Integer, nullable=False),
    CheckConstraint("who in ('partner','person')", name="who"),
)
