"""How the tables came to be, in numbered steps split by area."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

#: The newest step; a database at this number needs nothing.
HEAD = "0008"
#: Two hosts that start at once must not both make the tables.
_LOCK = 4_711_001


def migrate(engine: Engine) -> bool:
    """Bring the database to the newest shape; tell whether there was anything to do."""
    if current(engine) == HEAD:
        return False
    # Alembic is slow to import and most starts do not need it.
    from alembic import command
    from alembic.config import Config

    with engine.begin() as conn:
        if conn.dialect.name == "postgresql":
            conn.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent))
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
    return True


def current(engine: Engine) -> str | None:
    """Number of the step the database stands at; None when it has no tables yet."""
    with engine.connect() as conn:
        return _current(conn)


def _current(conn: Connection) -> str | None:
    if not inspect(conn).has_table("alembic_version"):
        return None
    found = conn.scalar(text("select version_num from alembic_version"))
    return None if found is None else str(found)
