"""Every place of the database that holds sealed data, and how to seal it anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    bindparam,
    func,
    select,
    update,
)

from vouchers.domain.ids import ROW_BITS
from vouchers.store.sealing import Keyring
from vouchers.store.tables.identity import resident
from vouchers.store.tables.intake import (
    batch,
    batch_chunk,
    contact,
    referral,
    row_error,
)
from vouchers.store.tables.money import code
from vouchers.store.tables.parties import partner


@dataclass(frozen=True)
class Place:
    """A sealed column, and the number that its seals are bound to."""

    column: Column[Any]
    number: ColumnElement[int]

    @property
    def name(self) -> str:
        """As `Keyring.seal` is told: table.column."""
        return f"{self.column.table.name}.{self.column.name}"


#: A chunk's seal is bound to the number of the row after its own number.
_CHUNK = batch_chunk.c.batch_id * (1 << ROW_BITS) + batch_chunk.c.number + 1

PLACES: dict[str, Place] = {
    place.name: place
    for place in (
        Place(resident.c.identity_sealed, resident.c.id),
        Place(resident.c.faces_sealed, resident.c.id),
        Place(contact.c.sealed, contact.c.referral_id),
        Place(referral.c.row_sealed, referral.c.id),
        Place(referral.c.original_sealed, referral.c.id),
        Place(row_error.c.original_sealed, row_error.c.id),
        Place(code.c.sealed, code.c.id),
        Place(batch.c.name_sealed, batch.c.id),
        Place(batch.c.layout_sealed, batch.c.id),
        Place(batch_chunk.c.sealed, _CHUNK),
        Place(partner.c.contact_sealed, partner.c.id),
    )
}


def reseal(
    conn: Connection, keys: Keyring, place: Place, *, after: int, limit: int
) -> int | None:
    """Seal the next rows anew with the current key; where to go on, or None at the end.

    A row that was written meanwhile keeps what was written: it has the new key already.
    """
    rows = conn.execute(
        select(place.number.label("number"), place.column.label("sealed"))
        .where(place.number > after, place.column.is_not(None))
        .order_by(place.number)
        .limit(limit)
    ).all()
    fresh = [
        {
            "_old": row.sealed,
            "_number": row.number,
            "_new": keys.seal(
                place.name,
                row.number,
                keys.open(place.name, row.number, row.sealed),
            ),
        }
        for row in rows
        if row.sealed[0] != keys.sealing_current
    ]
    if fresh:
        conn.execute(
            update(place.column.table)
            .where(
                place.number == bindparam("_number"),
                place.column == bindparam("_old"),
            )
            .values({place.column: bindparam("_new")}),
            fresh,
        )
    if len(rows) < limit:
        return None
    # Two contacts may share the last number: look at it once more.
    return int(rows[-1].number) - 1


def by_key(conn: Connection) -> Iterator[tuple[str, int, int]]:
    """How many seals each key has made: (place, key's number, seals)."""
    for place in PLACES.values():
        first = func.substr(place.column, 1, 1)
        rows = conn.execute(
            select(first, func.count()).where(place.column.is_not(None)).group_by(first)
        )
        for mark, count in rows:
            yield place.name, bytes(mark)[0], count
