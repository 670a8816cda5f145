"""Remembers batches: what came in, how far it is staged, what became of each row."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    delete,
    func,
    insert,
    select,
    update,
)

from vouchers.domain.ids import referral_id
from vouchers.domain.intake import Layout, match_header
from vouchers.store.listed import among
from vouchers.store.sealing import Keyring
from vouchers.store.tables.intake import (
    batch,
    batch_chunk,
    referral,
    row_error,
)

#: Row number, cells, and the code of what makes the row unreadable, if anything does.
Staged = tuple[int, list[str], str | None]


# ---------------------------------------------------------------- keys


def reference_key(keys: Keyring, partner_id: int, reference: str) -> bytes:
    """Keyed hash by which a reference is found; case and blanks are no part of it."""
    folded = "".join(reference.casefold().split())
    return keys.index_key("reference", partner_id, folded)


def name_key(keys: Keyring, partner_id: int, name: str) -> bytes:
    """Keyed hash by which a file's name is found."""
    return keys.index_key("file name", partner_id, name.casefold())


# ---------------------------------------------------------------- batches


def find(
    conn: Connection, *, partner_id: int, scheme_id: int, digest: bytes
) -> Row[Any] | None:
    """The batch that these very bytes made, or None."""
    return conn.execute(
        select(batch).where(
            batch.c.partner_id == partner_id,
            batch.c.scheme_id == scheme_id,
            batch.c.digest == digest,
        )
    ).one_or_none()


def by_id(conn: Connection, batch_id: int) -> Row[Any] | None:
    """A batch by its number."""
    return conn.execute(select(batch).where(batch.c.id == batch_id)).one_or_none()


def newest_named(conn: Connection, partner_id: int, key: bytes) -> int | None:
    """The newest batch of a partner whose file had this name."""
    return conn.execute(
        select(func.max(batch.c.id)).where(
            batch.c.partner_id == partner_id,
            batch.c.name_key == key,
            batch.c.state != "refused",
        )
    ).scalar()


def insert_batch(conn: Connection, keys: Keyring, *, name: str, **values: Any) -> int:
    """Remember a file that came in; gives its batch number."""
    number = int(
        conn.execute(
            insert(batch)
            .values(name_key=name_key(keys, values["partner_id"], name), **values)
            .returning(batch.c.id)
        ).scalar_one()
    )
    sealed = keys.seal("batch.name_sealed", number, name.encode())
    change(conn, number, name_sealed=sealed)
    return number


def change(conn: Connection, batch_id: int, **values: Any) -> None:
    """Set columns of one batch."""
    conn.execute(update(batch).where(batch.c.id == batch_id).values(**values))


def opened(conn: Connection, batch_id: int) -> bool:
    """Open a batch that is staged whole; False when it is not being received."""
    return bool(
        conn.execute(
            update(batch)
            .where(batch.c.id == batch_id, batch.c.state == "receiving")
            .values(state="open")
        ).rowcount
    )


def partners_of(conn: Connection, batch_ids: Collection[int]) -> dict[int, int]:
    """The partner of each of these batches."""
    found = select(batch.c.id, batch.c.partner_id).where(
        among(conn, batch.c.id, list(batch_ids))
    )
    return {row.id: row.partner_id for row in conn.execute(found)}


def file_name(keys: Keyring, row: Row[Any]) -> str:
    """The name under which a batch's file came."""
    if row.name_sealed is None:
        return f"batch-{row.id}"
    return keys.open("batch.name_sealed", row.id, row.name_sealed).decode()


def seal_layout(keys: Keyring, batch_id: int, layout: Layout) -> bytes:
    """A file's header, sealed: without a real header it might be a person's row."""
    packed = json.dumps([layout.header_row, *layout.header]).encode()
    return keys.seal("batch.layout_sealed", batch_id, packed)


def open_layout(keys: Keyring, row: Row[Any]) -> Layout:
    """The layout that `seal_layout` kept."""
    packed = keys.open("batch.layout_sealed", row.id, row.layout_sealed)
    header_row, *header = json.loads(packed)
    return match_header(header, header_row=header_row)


# ---------------------------------------------------------------- chunks


def stage(
    conn: Connection,
    keys: Keyring,
    *,
    batch_id: int,
    number: int,
    urgent: bool,
    rows: Sequence[Staged],
    staged_before: int,
) -> bool:
    """Keep a chunk of raw rows; False when somebody else has staged it meanwhile."""
    moved = conn.execute(
        update(batch)
        .where(batch.c.id == batch_id, batch.c.rows_staged == staged_before)
        .values(rows_staged=staged_before + len(rows))
    ).rowcount
    if moved != 1:
        return False
    packed = zlib.compress(json.dumps(rows, separators=(",", ":")).encode(), 1)
    conn.execute(
        insert(batch_chunk).values(
            batch_id=batch_id,
            number=number,
            row_first=rows[0][0],
            row_last=rows[-1][0],
            urgent=urgent,
            sealed=keys.seal("batch_chunk.sealed", _place(batch_id, number), packed),
        )
    )
    return True


def open_chunk(
    conn: Connection, keys: Keyring, batch_id: int, number: int
) -> list[Staged] | None:
    """The raw rows of a chunk, or None when all of them are settled."""
    sealed = conn.execute(
        select(batch_chunk.c.sealed).where(
            batch_chunk.c.batch_id == batch_id, batch_chunk.c.number == number
        )
    ).scalar()
    if sealed is None:
        return None
    packed = keys.open("batch_chunk.sealed", _place(batch_id, number), sealed)
    return [
        (row, cells, fault) for row, cells, fault in json.loads(zlib.decompress(packed))
    ]


def staged_cells(
    conn: Connection, keys: Keyring, batch_id: int, row_no: int
) -> list[str]:
    """The cells of a row that is still staged: one that our code failed on."""
    numbers = conn.scalars(
        select(batch_chunk.c.number).where(
            batch_chunk.c.batch_id == batch_id,
            batch_chunk.c.row_first <= row_no,
            batch_chunk.c.row_last >= row_no,
        )
    ).all()
    for number in numbers:
        for row, cells, _ in open_chunk(conn, keys, batch_id, number) or ():
            if row == row_no:
                return cells
    return []


def drop_chunk(conn: Connection, batch_id: int, number: int) -> None:
    """Forget raw rows that are all settled."""
    conn.execute(
        delete(batch_chunk).where(
            batch_chunk.c.batch_id == batch_id, batch_chunk.c.number == number
        )
    )


def _place(batch_id: int, number: int) -> int:
    return referral_id(batch_id, number + 1)


# ---------------------------------------------------------------- rows


def settled_rows(conn: Connection, ids: Collection[int]) -> dict[int, bool]:
    """Which of these rows are a referral or an error already; True = held."""
    if not ids:
        return {}
    found = dict.fromkeys(
        conn.scalars(select(referral.c.id).where(among(conn, referral.c.id, ids))),
        False,
    )
    errors = select(row_error.c.id, row_error.c.held).where(
        among(conn, row_error.c.id, ids)
    )
    found.update({row.id: row.held for row in conn.execute(errors)})
    return found


def drop_held(conn: Connection, ids: Collection[int]) -> None:
    """Forget that rows were held: they are being tried again."""
    if ids:
        conn.execute(
            delete(row_error).where(
                among(conn, row_error.c.id, ids), row_error.c.held.is_(True)
            )
        )


@dataclass(frozen=True, slots=True)
class Counts:
    """Every row of a batch, accounted for."""

    total: int
    referrals: Mapping[str, int]
    errors: int
    held: int

    @property
    def accounted(self) -> int:
        """Rows that are a referral or an error."""
        return sum(self.referrals.values()) + self.errors + self.held

    @property
    def unread(self) -> int:
        """Rows that are staged, or still in the file, and not looked at yet."""
        return self.total - self.accounted

    @property
    def moving(self) -> int:
        """Rows that the house itself still has to work on."""
        return self.unread + sum(
            self.referrals.get(state, 0) for state in ("received", "matched")
        )


def counts(conn: Connection, batch_id: int) -> Counts:
    """What became of the rows of a batch."""
    states = conn.execute(
        select(referral.c.state, func.count())
        .where(referral.c.batch_id == batch_id)
        .group_by(referral.c.state)
    )
    errors = conn.execute(
        select(row_error.c.held, func.count())
        .where(row_error.c.batch_id == batch_id)
        .group_by(row_error.c.held)
    )
    by_held = {bool(row[0]): int(row[1]) for row in errors}
    total = conn.execute(
        select(batch.c.rows_total).where(batch.c.id == batch_id)
    ).scalar()
    return Counts(
        total=total or 0,
        referrals={str(row[0]): int(row[1]) for row in states},
        errors=by_held.get(False, 0),
        held=by_held.get(True, 0),
    )


def finish(conn: Connection, batch_id: int, now: datetime) -> bool:
    """Close a batch all of whose rows are settled or held; False when it is not so."""
    row = by_id(conn, batch_id)
    if row is None or row.state != "open":
        return False
    found = counts(conn, batch_id)
    if found.moving or found.referrals.get("checking"):
        return False
    done = conn.execute(
        update(batch)
        .where(batch.c.id == batch_id, batch.c.state == "open")
        .values(state="finished", finished_at=now)
    ).rowcount
    if done and not found.held:
        conn.execute(delete(batch_chunk).where(batch_chunk.c.batch_id == batch_id))
    return bool(done)


def open_batches(conn: Connection) -> list[int]:
    """Batches whose rows are not all settled."""
    return list(conn.scalars(select(batch.c.id).where(batch.c.state == "open")))
