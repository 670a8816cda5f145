"""What residents are told: messages, attempts, callbacks, pace."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
)

from vouchers.store.tables.types import Big, Instant, metadata

message = Table(
    "message",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=False),
    Column("award_id", Big, nullable=False),
    Column("referral_id", Big, nullable=False),
    Column("scheme_id", Big, nullable=False),
    Column("purpose", SmallInteger, nullable=False),
    Column("generation", SmallInteger, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(40)),
    Column("urgent", SmallInteger, nullable=False),
    Column("template", String(40), nullable=False),
    Column("language", String(8), nullable=False),
    Column("segments", SmallInteger),
    Column("sender", String(40)),
    Column("sid", String(64)),
    Column("error_code", Integer),
    Column("tries", SmallInteger, nullable=False, server_default="0"),
    Column("queued_at", Instant, nullable=False),
    # Not before: quiet hours and backoff.
    Column("not_before", Instant),
    Column("accepted_at", Instant),
    Column("delivered_at", Instant),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("award_id", "purpose", "generation"),
    CheckConstraint(
        "state in ('queued','sending','unknown','accepted','sent','delivered',"
        "'undelivered','failed','cancelled','held')",
        name="state",
    ),
)
Index("ix_message_referral", message.c.referral_id)
Index(
    "ix_message_open",
    message.c.state,
    message.c.updated_at,
    postgresql_where=message.c.state.in_(("queued", "sending", "unknown")),
    sqlite_where=message.c.state.in_(("queued", "sending", "unknown")),
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=False),
    Column("message_id", Big, nullable=False),
    Column("number", SmallInteger, nullable=False),
    Column("state", String(16), nullable=False),
    # Who was called, and is asked what became of it, whatever the rules say by then.
    Column("provider", String(16), nullable=False),
    Column("sender", String(40), nullable=False),
    Column("sid", String(64)),
    Column("error_code", Integer),
    # answer, callback or look-up: what told us.
    Column("evidence", String(16)),
    Column("claimed_at", Instant, nullable=False),
    Column("settled_at", Instant),
    UniqueConstraint("message_id", "number"),
    CheckConstraint(
        "state in ('claimed','accepted','refused','unknown','absent')", name="state"
    ),
)
Index(
    "ix_attempt_open",
    attempt.c.claimed_at,
    postgresql_where=attempt.c.state.in_(("claimed", "unknown")),
    sqlite_where=attempt.c.state.in_(("claimed", "unknown")),
)
Index("ix_attempt_sid", attempt.c.sid)

callback = Table(
    "callback",
    metadata,
    Column("id", Big, primary_key=True),
    Column("attempt_id", Big),
    Column("sid", String(64), nullable=False),
    Column("status", String(24), nullable=False),
    Column("error_code", Integer),
    Column("received_at", Instant, nullable=False),
    Column("applied", SmallInteger, nullable=False, server_default="0"),
    UniqueConstraint("sid", "status"),
)
Index(
    "ix_callback_new",
    callback.c.id,
    postgresql_where=callback.c.applied == 0,
    sqlite_where=callback.c.applied == 0,
)

pace = Table(
    "pace",
    metadata,
    Column("sender", String(40), primary_key=True),
    Column("per_second", Float, nullable=False),
    Column("tokens", Float, nullable=False),
    Column("refilled_at", Instant, nullable=False),
)

suppression = Table(
    "suppression",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("reason", String(40), nullable=False),
    Column("since", Instant, nullable=False),
)
