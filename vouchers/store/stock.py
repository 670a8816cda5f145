"""Remembers codes: free units of stock, codes already known, what each network has."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, and_, case, func, select

from vouchers.domain.allocation import Shelf
from vouchers.store.bulk import IN_MAX, chunks, update_by
from vouchers.store.listed import among
from vouchers.store.tables.money import code, stock_batch


class Level(NamedTuple):
    """How many units of one network and value there are."""

    scheme_id: int
    network: str
    value_pence: int
    free: int
    bound: int
    first_expires_on: date | None


def shelves(
    conn: Connection, scheme_id: int, wanted: Mapping[tuple[str, int], int]
) -> dict[tuple[str, int], Shelf]:
    """Free units for each (network, value), locked against anyone who imports or voids.

    Units that somebody else holds are passed over, not waited for.
    """
    found = {}
    for (network, value), units in wanted.items():
        free = and_(
            code.c.network == network,
            code.c.value_pence == value,
            code.c.state == "free",
            stock_batch.c.scheme_id == scheme_id,
            stock_batch.c.state == "live",
        )
        joined = code.join(stock_batch, stock_batch.c.id == code.c.stock_batch_id)
        rows = conn.execute(
            select(code.c.expires_on, code.c.id)
            .select_from(joined)
            .where(free)
            .order_by(code.c.expires_on.nulls_last(), code.c.id)
            .limit(units)
            .with_for_update(of=code, skip_locked=True)
        ).all()
        beyond = 0
        if len(rows) == units:
            total = conn.execute(
                select(func.count()).select_from(joined).where(free)
            ).scalar_one()
            beyond = max(0, total - units)
        found[network, value] = Shelf([(row[0], row[1]) for row in rows], beyond)
    return found


def bind(conn: Connection, units: Mapping[int, int]) -> int:
    """Bind free units (code -> voucher); gives how many were."""
    return update_by(
        conn,
        code,
        [
            {"id": unit, "state": "bound", "voucher_id": voucher}
            for unit, voucher in units.items()
        ],
    )


def known_digests(conn: Connection, digests: Collection[bytes]) -> set[bytes]:
    """Which of these codes have been seen before, on any network."""
    return {
        found
        for some in chunks(digests, IN_MAX)
        for found in conn.scalars(
            select(code.c.digest).where(among(conn, code.c.digest, some))
        )
    }


def levels(conn: Connection, scheme_id: int | None = None) -> list[Level]:
    """What is on the shelves, by scheme, network and value."""
    free = func.sum(case((code.c.state == "free", 1), else_=0))
    bound = func.sum(case((code.c.state == "bound", 1), else_=0))
    statement = (
        select(
            stock_batch.c.scheme_id,
            code.c.network,
            code.c.value_pence,
            free,
            bound,
            func.min(code.c.expires_on),
        )
        .join(stock_batch, stock_batch.c.id == code.c.stock_batch_id)
        .where(stock_batch.c.state == "live")
        .group_by(stock_batch.c.scheme_id, code.c.network, code.c.value_pence)
        .order_by(stock_batch.c.scheme_id, code.c.network, code.c.value_pence)
    )
    if scheme_id is not None:
        statement = statement.where(stock_batch.c.scheme_id == scheme_id)
    return [Level(*row) for row in conn.execute(statement)]
