"""One way to open PostgreSQL and SQLite so that both keep the same promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url

#: Milliseconds that one statement may take before the database ends it.
STATEMENT_MS = 120_000
#: Milliseconds to wait for a lock; longer means somebody must be told.
LOCK_MS = 5_000
#: Milliseconds a transaction may do nothing: a killed host's locks go after this.
IDLE_MS = 30_000


def open_engine(url: str, *, pool_size: int = 12) -> Engine:
    """Open the database at `url`, a SQLAlchemy URL of PostgreSQL or SQLite."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(url)
    if parsed.get_backend_name() != "postgresql":
        raise ValueError("the database must be PostgreSQL or SQLite")
    options = (
        f"-c statement_timeout={STATEMENT_MS} -c lock_timeout={LOCK_MS} "
        f"-c idle_in_transaction_session_timeout={IDLE_MS} -c timezone=UTC "
        # Compiling a plan costs more than any of our statements takes.
        "-c jit=off"
    )
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=8,
        # An exception's text must not show the row that the database refused.
        hide_parameters=True,
        # A restarted server must not cost a job its turn.
        pool_pre_ping=True,
        connect_args={"options": options, "connect_timeout": 5},
    )


def _open_sqlite(url: str) -> Engine:
    path = make_url(url).database
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        # Ours alone to read, whatever the folder is; its journal takes after it.
        Path(path).touch(mode=0o600)
    engine = create_engine(
        url,
        hide_parameters=True,
        connect_args={"timeout": 30, "check_same_thread": False},
        pool_size=20,
    )

    @event.listens_for(engine, "connect")
    def _prepare(raw: Any, _record: Any) -> None:
        # We begin by hand: a deferred read that turns into a write fails at once with
        # SQLITE_BUSY, whatever the timeout.
        raw.isolation_level = None
        cursor = raw.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        # FULL: no text may be sent for a voucher that a power cut takes back.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        # Of each connection, and there are many; the system keeps the pages as well.
        cursor.execute("PRAGMA cache_size=-16384")
        cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(conn: Connection) -> None:
        kind = conn.get_execution_options().get("sqlite_begin", "IMMEDIATE")
        conn.exec_driver_sql(f"BEGIN {kind}")

    return engine
