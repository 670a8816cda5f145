"""What networks' files said that does not fit: read for finance, settled once."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from vouchers.store.listed import among
from vouchers.store.tables.awards import discrepancy, feed_file, redemption


def listing(conn: Connection, *, settled: bool, limit: int) -> list[Row[Any]]:
    """Discrepancies with the line that caused each, the oldest first."""
    line = redemption.c
    return list(
        conn.execute(
            select(
                *discrepancy.c,
                line.transaction_id,
                line.type,
                line.network,
            )
            .outerjoin(redemption, line.id == discrepancy.c.redemption_id)
            .where(discrepancy.c.settled == settled)
            .order_by(discrepancy.c.id)
            .limit(limit)
        )
    )


def networks_of_files(conn: Connection, ids: Collection[int]) -> dict[int, str]:
    """Whose files these are."""
    rows = conn.execute(
        select(feed_file.c.id, feed_file.c.network).where(
            among(conn, feed_file.c.id, ids)
        )
    )
    return {row.id: row.network for row in rows}


def open_sum(conn: Connection) -> tuple[int, int]:
    """How many wait for a person, and the pence that they speak of."""
    row = conn.execute(
        select(
            func.count().label("lines"),
            func.coalesce(func.sum(discrepancy.c.amount_pence), 0).label("pence"),
        ).where(discrepancy.c.settled.is_(False))
    ).one()
    return int(row.lines), int(row.pence)


def lock_open(conn: Connection, ids: Collection[int]) -> set[int]:
    """Which of these nobody has settled yet; locked."""
    return set(
        conn.scalars(
            select(discrepancy.c.id)
            .where(among(conn, discrepancy.c.id, ids), discrepancy.c.settled.is_(False))
            .order_by(discrepancy.c.id)
            .with_for_update()
        )
    )


def settle(conn: Connection, ids: Collection[int], owner: str) -> None:
    """Mark them as settled by somebody."""
    conn.execute(
        update(discrepancy)
        .where(among(conn, discrepancy.c.id, ids))
        .values(state="settled", settled=True, owner=owner)
    )
