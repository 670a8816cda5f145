"""Remembers what the provider reported, until it is applied."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, literal, select, update

from vouchers.store.bulk import insert_rows
from vouchers.store.listed import among
from vouchers.store.tables.messages import callback
from vouchers.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Reported:
    """One status callback: numbers and codes, nothing of a person."""

    attempt_id: int | None
    sid: str
    status: str
    error_code: int | None


def _new() -> Any:
    # A literal, not a parameter: only so the partial index is used.
    return callback.c.applied == literal(0, literal_execute=True)


def add(uow: UnitOfWork, reported: Sequence[Reported]) -> None:
    """Keep callbacks; one that came before is dropped."""
    rows = {(one.sid, one.status): one for one in reported}
    insert_rows(
        uow.conn,
        callback,
        [
            {
                "attempt_id": one.attempt_id,
                "sid": one.sid,
                "status": one.status,
                "error_code": one.error_code,
                "received_at": uow.now,
                "applied": 0,
            }
            for one in rows.values()
        ],
        on_conflict="ignore",
    )


def any_new(conn: Connection) -> bool:
    """Whether a callback waits to be applied."""
    return conn.scalar(select(callback.c.id).where(_new()).limit(1)) is not None


def lock_new(conn: Connection, limit: int) -> list[Row[Any]]:
    """Lock the oldest callbacks that nobody else is applying."""
    return list(
        conn.execute(
            select(callback)
            .where(_new())
            .order_by(callback.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()
    )


def mark(conn: Connection, ids: Collection[int], *, applied: int) -> None:
    """Note that these are applied (1) or belong to nothing of ours (2)."""
    if ids:
        conn.execute(
            update(callback)
            .where(among(conn, callback.c.id, ids))
            .values(applied=applied)
        )
