"""Promises to do something: jobs, queues that may be paused, ticks, live workers."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
)

from vouchers.store.tables.types import Big, Instant, Json, metadata

job = Table(
    "job",
    metadata,
    Column("id", Big, primary_key=True),
    Column("queue", String(16), nullable=False),
    Column("kind", String(32), nullable=False),
    # 0 urgent, 1 bulk.
    Column("lane", SmallInteger, nullable=False),
    Column("state", String(8), nullable=False),
    Column("items", Json, nullable=False),
    # Numbers and codes only: nothing of a person.
    Column("payload", Json, nullable=False),
    Column("need", Integer, nullable=False),
    # Rises with each job of one partner, so that partners take turns.
    Column("turn", Integer, nullable=False),
    Column("parent_id", Big),
    Column("batch_id", Big),
    # Set for work that must exist once at most while it is open (a drain, a sweep).
    Column("once", String(64)),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("error_class", String(80)),
    Column("token", String(32)),
    Column("worker", String(80)),
    Column("created_at", Instant, nullable=False),
    Column("run_at", Instant, nullable=False),
    Column("published_at", Instant),
    Column("claimed_at", Instant),
    Column("lease_until", Instant),
    Column("finished_at", Instant),
    CheckConstraint("state in ('ready','running','done','held','dead')", name="state"),
)
Index(
    "ix_job_ready",
    job.c.queue,
    job.c.lane,
    job.c.need,
    job.c.turn,
    job.c.run_at,
    postgresql_where=job.c.state == "ready",
    sqlite_where=job.c.state == "ready",
)
Index(
    "ix_job_running",
    job.c.lease_until,
    postgresql_where=job.c.state == "running",
    sqlite_where=job.c.state == "running",
)
Index(
    "uq_job_once",
    job.c.once,
    unique=True,
    postgresql_where=job.c.state == "ready",
    sqlite_where=job.c.state == "ready",
)
Index("ix_job_batch", job.c.batch_id)

queue = Table(
    "queue",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("paused_at", Instant),
    Column("paused_by", String(80)),
    Column("paused_reason", String(200)),
    Column("limit", Integer),
)

tick = Table(
    "tick",
    metadata,
    # Whoever inserts the slot runs it: a clock that may stand on many hosts.
    Column("name", String(40), primary_key=True),
    Column("slot", Big, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
)

worker = Table(
    "worker",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("queues", Json, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("beat_at", Instant, nullable=False),
)

key_fingerprint = Table(
    "key_fingerprint",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("fingerprint", LargeBinary(16), nullable=False),
)
