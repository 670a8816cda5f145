"""How the tables came to be, in numbered steps split by area."""

from __future__ import annotations

from sqlalchemy import Engine, inspect

from vouchers.store.tables import metadata


def migrate(engine: Engine) -> None:
    """Bring the database to the newest shape; a second run changes nothing."""
    with engine.begin() as conn:
        if not inspect(conn).has_table("job"):
            metadata.create_all(conn)
            from vouchers.store import guards

            guards.install(conn)
