"""Whether a worker of this machine gave a sign of life lately: a container's health."""

from __future__ import annotations

import socket
import sys

from sqlalchemy import select

from config import settings
from vouchers.store.engine import open_engine
from vouchers.store.tables import db_from_now
from vouchers.store.tables.work import worker

#: Seconds of silence after which a worker counts as ill.
SILENT_S = 60.0


def alive(database_url: str) -> bool:
    """Whether any worker of this host has been heard of in the last minute."""
    engine = open_engine(database_url, pool_size=1)
    try:
        with engine.connect() as conn:
            recent = select(worker.c.name).where(
                worker.c.name.startswith(socket.gethostname()[:40], autoescape=True),
                worker.c.beat_at > db_from_now(-SILENT_S),
            )
            return conn.execute(recent.limit(1)).first() is not None
    finally:
        engine.dispose()


if __name__ == "__main__":
    sys.exit(0 if alive(settings.read().database) else 1)
