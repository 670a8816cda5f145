"""Who is who: residents, households, match keys, reviews and rulings."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
)

from vouchers.store.tables.types import Big, Instant, Json, metadata

resident = Table(
    "resident",
    metadata,
    # The number of the referral that first brought this person.
    Column("id", Big, primary_key=True, autoincrement=False),
    Column("identity_sealed", LargeBinary),
    # What the matcher compares, apart from the rest: it is opened for every candidate.
    Column("faces_sealed", LargeBinary),
    Column("protected", Boolean, nullable=False),
    Column("provisional", Boolean, nullable=False, server_default="0"),
    Column("merged_into", Big),
    Column("erased_at", Instant),
    Column("created_at", Instant, nullable=False),
)

# Few residents were ever merged; without this every look at a household's past would
# begin with all vouchers.
Index(
    "ix_resident_merged_into",
    resident.c.merged_into,
    postgresql_where=resident.c.merged_into.is_not(None),
    sqlite_where=resident.c.merged_into.is_not(None),
)

household = Table(
    "household",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=False),
    Column("communal", Boolean, nullable=False, server_default="0"),
    Column("over_cap", Boolean, nullable=False, server_default="0"),
    # Locked (select for update) while caps are checked; bumped by every award.
    Column("version", Big, nullable=False, server_default="0"),
    Column("created_at", Instant, nullable=False),
)

membership = Table(
    "membership",
    metadata,
    Column("household_id", Big, primary_key=True, autoincrement=False),
    Column("resident_id", Big, primary_key=True, autoincrement=False),
    Column("from_on", Date, primary_key=True),
    Column("to_on", Date),
)
Index("ix_membership_resident", membership.c.resident_id)

match_key = Table(
    "match_key",
    metadata,
    Column("key", Big, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("version", SmallInteger, primary_key=True, autoincrement=False),
    Column("resident_id", Big, primary_key=True, autoincrement=False),
    # The key is the row: a tree of its own beside it would be read and written twice.
    sqlite_with_rowid=False,
)
Index("ix_match_key_resident", match_key.c.resident_id)

crowded_key = Table(
    "crowded_key",
    metadata,
    # A match key that too many residents share to say who somebody is.
    Column("key", Big, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("version", SmallInteger, primary_key=True, autoincrement=False),
    # Rows that were matched without it.
    Column("rows_met", Big, nullable=False),
    Column("met_on", Date, nullable=False),
)

review = Table(
    "review",
    metadata,
    # The referral that waits for the ruling.
    Column("id", Big, primary_key=True, autoincrement=False),
    Column("scheme_id", Big, nullable=False),
    Column("kind", String(24), nullable=False),
    Column("state", String(16), nullable=False),
    Column("protected", Boolean, nullable=False),
    Column("need_rank", Integer, nullable=False),
    # [{resident_id, person, household, parts:[[field, level, weight]]}]
    Column("candidates", Json, nullable=False),
    Column("model", String(40), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("decided_at", Instant),
    Column("decided_by", String(80)),
    Column("ruling", String(24)),
    Column("same_as", Big),
    Column("note_code", String(40)),
    # What the ruling changed, so that it can be taken back step by step.
    Column("effect", JSON),
    Column("escalated_at", Instant),
    # undone = decided once, taken back, and open again.
    CheckConstraint("state in ('open','decided','undone')", name="state"),
)
Index("ix_review_state", review.c.state, review.c.need_rank)

identity_edge = Table(
    "identity_edge",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("a", Big, nullable=False),
    Column("b", Big, nullable=False),
    Column("kind", String(24), nullable=False),
    Column("score", Float),
    Column("model", String(40)),
    Column("actor", String(80), nullable=False),
    Column("reason", Text),
    Column("at", Instant, nullable=False),
)
Index("ix_identity_edge_a", identity_edge.c.a)
Index("ix_identity_edge_b", identity_edge.c.b)

registry_lock = Table(
    "registry_lock",
    metadata,
    # One row: the matcher that holds it is the only one at work.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("passes", Big, nullable=False),
    # Counted here by each pass: counting a million rows again each time would not do.
    Column("residents", Big, nullable=False, server_default="0"),
    # Rows that had more candidates than one row is compared with.
    Column("rows_cut", Big, nullable=False, server_default="0"),
)
