"""What partners hand in: batches, chunks still to be read, referrals, row errors."""

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
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
)

from vouchers.store.tables.types import Big, Instant, Json, metadata

batch = Table(
    "batch",
    metadata,
    Column("id", Big, primary_key=True),
    Column("partner_id", Big, ForeignKey("partner.id"), nullable=False),
    Column("scheme_id", Big, ForeignKey("scheme.id"), nullable=False),
    Column("digest", LargeBinary(16), nullable=False),
    Column("name_key", LargeBinary(16), nullable=False),
    Column("name_sealed", LargeBinary),
    # Header, delimiter and encoding as found, sealed: a header may be a person's row.
    Column("layout_sealed", LargeBinary),
    Column("state", String(16), nullable=False),
    Column("refused_code", String(40)),
    Column("notices", Json, nullable=False),
    Column("via", String(16), nullable=False),
    Column("actor", String(80), nullable=False),
    Column("revision_of", Big),
    Column("rows_staged", Integer, nullable=False, server_default="0"),
    Column("rows_total", Integer),
    # Rows that are a referral or an error by now; what the matcher made of them.
    Column("rows_read", Integer, nullable=False, server_default="0"),
    Column("rows_matched", Integer, nullable=False, server_default="0"),
    Column("rows_repeated", Integer, nullable=False, server_default="0"),
    # Its bulk rows wait until the whole file has been read and looks right.
    Column("gated", Boolean, nullable=False, server_default="0"),
    # Counts by keyed hash while the file is read, deleted when it passes its gate.
    Column("watch", Json),
    # [{reason, rows, of, limit}]: why it was stopped, also after it was let go.
    Column("stopped_for", Json),
    # Codes of those reasons that a person has looked at.
    Column("released_for", Json),
    Column("stopped_at", Instant),
    Column("received_at", Instant, nullable=False),
    Column("finished_at", Instant),
    # The result file is rewritten when `changed` has passed `written`.
    Column("changed", Big, nullable=False, server_default="1"),
    Column("written", Big, nullable=False, server_default="0"),
    # When the newest change was seen; while a batch is in motion its file can wait.
    Column("changed_at", Instant),
    Column("written_at", Instant),
    UniqueConstraint("partner_id", "scheme_id", "digest"),
    CheckConstraint(
        "state in ('receiving','open','stopped','finished','refused','rejected')",
        name="state",
    ),
)
Index("ix_batch_name", batch.c.partner_id, batch.c.name_key)

batch_chunk = Table(
    "batch_chunk",
    metadata,
    Column("batch_id", Big, ForeignKey("batch.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("row_first", Integer, nullable=False),
    Column("row_last", Integer, nullable=False),
    Column("urgent", Boolean, nullable=False, server_default="0"),
    Column("sealed", LargeBinary, nullable=False),
)

referral = Table(
    "referral",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=False),
    Column("batch_id", Big, ForeignKey("batch.id"), nullable=False),
    Column("partner_id", Big, nullable=False),
    Column("scheme_id", Big, nullable=False),
    Column("row_no", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(40)),
    Column("action", String(16), nullable=False),
    Column("reference_key", LargeBinary(16), nullable=False),
    Column("content_key", LargeBinary(16), nullable=False),
    Column("outcode", String(4), nullable=False),
    Column("region", String(64)),
    Column("meter_type", String(16), nullable=False),
    Column("supplier", String(40), nullable=False),
    Column("gas_supplier", String(40)),
    Column("network", String(40)),
    Column("off_supply", Boolean, nullable=False),
    Column("days_left", SmallInteger),
    # 1 is the neediest band; the rank orders within and between bands, lower first.
    Column("need_band", SmallInteger, nullable=False),
    Column("need_rank", Integer, nullable=False),
    Column("household_size", SmallInteger, nullable=False),
    Column("safe_contact", String(16), nullable=False),
    Column("protected", Boolean, nullable=False),
    Column("separate_household", Boolean, nullable=False),
    Column("text_any_time", Boolean, nullable=False),
    Column("language", String(8), nullable=False),
    Column("notices", Json, nullable=False),
    # The row as understood and the row as it came, each sealed on its own.
    Column("row_sealed", LargeBinary),
    Column("original_sealed", LargeBinary),
    Column("received_at", Instant, nullable=False),
    Column("received_on", Date, nullable=False),
    Column("resident_id", Big),
    Column("household_id", Big),
    # The referral that this one repeats, corrects or withdraws.
    Column("first_referral_id", Big),
    # Next date on which the household could be supported again.
    Column("next_on", Date),
    # How the decision came about, for `explain`: ids, scores, rules; nobody's name.
    Column("judged", Json),
    Column("decided_at", Instant),
    Column("updated_at", Instant, nullable=False),
    CheckConstraint(
        "state in ('received','checking','matched','waiting','granted','declined',"
        "'withdrawn','held')",
        name="state",
    ),
)
Index("ix_referral_batch", referral.c.batch_id, referral.c.state)
Index(
    "ix_referral_reference",
    referral.c.partner_id,
    referral.c.reference_key,
)
Index("ix_referral_household", referral.c.household_id)
Index("ix_referral_resident", referral.c.resident_id)
Index(
    "ix_referral_open",
    referral.c.scheme_id,
    referral.c.need_rank,
    postgresql_where=referral.c.state.in_(("received", "matched")),
    sqlite_where=referral.c.state.in_(("received", "matched")),
)

row_error = Table(
    "row_error",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=False),
    Column("batch_id", Big, ForeignKey("batch.id"), nullable=False),
    Column("row_no", Integer, nullable=False),
    # [{code, column, cell}], never the value itself.
    Column("faults", Json, nullable=False),
    Column("original_sealed", LargeBinary),
    Column("held", Boolean, nullable=False, server_default="0"),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("batch_id", "row_no"),
)

contact = Table(
    "contact",
    metadata,
    Column("referral_id", Big, primary_key=True, autoincrement=False),
    Column("kind", String(8), primary_key=True),
    Column("resident_id", Big),
    Column("key", Big, nullable=False),
    Column("sealed", LargeBinary),
    CheckConstraint("kind in ('mobile','email')", name="kind"),
)
Index("ix_contact_key", contact.c.key)

outcomes_file = Table(
    "outcomes_file",
    metadata,
    Column("partner_id", Big, primary_key=True, autoincrement=False),
    Column("on_day", Date, primary_key=True),
    Column("written_at", Instant, nullable=False),
)
