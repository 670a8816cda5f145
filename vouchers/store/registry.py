"""Remembers under which hashed keys people are found, and lets one matcher in."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    func,
    select,
    text,
    update,
)

from vouchers.domain.matching.keys import STOP_WORD
from vouchers.store.bulk import COPY_MIN, insert_rows
from vouchers.store.listed import among, array_text
from vouchers.store.tables.identity import (
    crowded_key,
    match_key,
    registry_lock,
)
from vouchers.store.tables.parties import partner_listing

#: Names this program's advisory locks; the number after it says which.
_LOCKS = 7_411
_LOCK_ROW = 1

#: Columns of a row that says who holds which key.
_MARK_COLUMNS = ("key", "kind", "version", "resident_id")
_MARK = ", ".join(_MARK_COLUMNS)

#: A match key: its kind and its hash.
KeyMark = tuple[int, int]
#: A row of a query whose columns its reader knows by name.
AnyRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Found:
    """Residents by match key, and the keys that too many share to say anything."""

    by_key: Mapping[KeyMark, Sequence[int]]
    crowded: Set[KeyMark]


def try_lock_registry(conn: Connection) -> bool:
    """Become the only matcher until this transaction ends; False if there is one.

    SQLite has one writer at a time anyhow.
    """
    if conn.dialect.name != "postgresql":
        return True
    # Hashed with the schema's name: two registries may share one database.
    lock = text("select pg_try_advisory_xact_lock(:place, hashtext(current_schema()))")
    return bool(conn.execute(lock, {"place": _LOCKS}).scalar_one())


def lock_registry(conn: Connection) -> None:
    """Wait to become the only matcher: a person's ruling cannot be queued."""
    if conn.dialect.name == "postgresql":
        lock = text("select pg_advisory_xact_lock(:place, hashtext(current_schema()))")
        conn.execute(lock, {"place": _LOCKS})


def registry_size(conn: Connection) -> int:
    """How many residents the register holds, as the matcher counted them."""
    found = conn.execute(
        select(registry_lock.c.residents).where(registry_lock.c.id == _LOCK_ROW)
    ).scalar()
    return int(found or 0)


def count_residents(conn: Connection, added: int) -> None:
    """Add this pass to the matcher's count."""
    row = {"id": _LOCK_ROW, "passes": 0, "residents": 0}
    insert_rows(conn, registry_lock, [row], on_conflict="ignore")
    conn.execute(
        update(registry_lock)
        .where(registry_lock.c.id == _LOCK_ROW)
        .values(
            passes=registry_lock.c.passes + 1,
            residents=registry_lock.c.residents + added,
        )
    )


#: Each key's residents as one text: a row for each would cost more than finding them.
#: One more than a stop-word has is never read, however many there are.
_LOOK_UP_POSTGRESQL = text(
    """
    select k.kind, k.key, m.ids
    from unnest(cast(:keys as bigint[]), cast(:kinds as smallint[])) as k(key, kind)
    cross join lateral (
        select string_agg(cast(resident_id as text), ',') as ids from (
            select resident_id from match_key
            where key = k.key and kind = k.kind and version = :version
            limit :cut
        ) as one
    ) as m
    where m.ids is not null
    """
)
_LOOK_UP_SQLITE = text(
    """
    select cast(kinds.key as integer), k.value, (
        select group_concat(resident_id) from (
            select resident_id from match_key
            where key = k.value and kind = cast(kinds.key as integer)
                and version = :version
            limit :cut
        )
    ) as ids
    from json_each(:keys) as kinds, json_each(kinds.value) as k
    where ids is not null
    """
)


def find(conn: Connection, marks: Iterable[KeyMark], version: int) -> Found:
    """All residents that hold one of the (kind, key) marks: one statement a chunk."""
    wanted = sorted(set(marks))
    if not wanted:
        return Found({}, frozenset())
    bound: dict[str, Any] = {"version": version, "cut": STOP_WORD + 1}
    if conn.dialect.name == "postgresql":
        bound["keys"] = array_text(key for _, key in wanted)
        bound["kinds"] = array_text(kind for kind, _ in wanted)
        rows = conn.execute(_LOOK_UP_POSTGRESQL, bound).all()
    else:
        by_kind: dict[int, list[int]] = defaultdict(list)
        for kind, key in wanted:
            by_kind[kind].append(key)
        bound["keys"] = json.dumps(by_kind)
        rows = conn.execute(_LOOK_UP_SQLITE, bound).all()
    by_key: dict[KeyMark, list[int]] = {}
    crowded = set()
    for kind, key, ids in rows:
        if ids.count(",") >= STOP_WORD:
            crowded.add((kind, key))
        else:
            by_key[kind, key] = [int(one) for one in ids.split(",")]
    return Found(by_key, frozenset(crowded))


def count_bounds(
    conn: Connection, met: Mapping[KeyMark, int], version: int, *, cut: int, day: date
) -> None:
    """Remember which keys too many share, and how many rows had to do without them.

    `cut` is how many rows had more candidates than one row is compared with.
    """
    if cut:
        conn.execute(
            update(registry_lock)
            .where(registry_lock.c.id == _LOCK_ROW)
            .values(rows_cut=registry_lock.c.rows_cut + cut)
        )
    for (kind, key), rows in sorted(met.items()):
        mark = {"kind": kind, "key": key, "version": version}
        row = {**mark, "rows_met": 0, "met_on": day}
        insert_rows(conn, crowded_key, [row], on_conflict="ignore")
        conn.execute(
            update(crowded_key)
            .where(*(crowded_key.c[name] == value for name, value in mark.items()))
            .values(rows_met=crowded_key.c.rows_met + rows, met_on=day)
        )


def bounds_met(conn: Connection) -> tuple[dict[int, tuple[int, int]], int]:
    """By kind of key how many too many share and how many rows met them; rows cut."""
    kinds = conn.execute(
        select(
            crowded_key.c.kind,
            func.count().label("keys"),
            func.sum(crowded_key.c.rows_met).label("rows"),
        ).group_by(crowded_key.c.kind)
    )
    found = {row.kind: (int(row.keys), int(row.rows)) for row in kinds}
    cut = select(registry_lock.c.rows_cut).where(registry_lock.c.id == _LOCK_ROW)
    return found, int(conn.execute(cut).scalar() or 0)


def insert_keys(
    conn: Connection,
    marks: Collection[tuple[int, KeyMark]],
    version: int,
    *,
    known: bool = True,
) -> None:
    """Store (resident, mark) pairs, each once; `known` residents may have some."""
    # In the order of the tree that they are put into.
    rows = sorted((key, kind, version, rid) for rid, (kind, key) in set(marks))
    if not rows:
        return
    if conn.dialect.name != "postgresql":
        verb = "insert or ignore" if known else "insert"
        statement = f"{verb} into match_key ({_MARK}) values (?, ?, ?, ?)"
        conn.exec_driver_sql(statement, rows)
    elif known or len(rows) < COPY_MIN:
        named = [dict(zip(_MARK_COLUMNS, row, strict=True)) for row in rows]
        insert_rows(conn, match_key, named, on_conflict="ignore" if known else "error")
    else:
        lines = "".join(
            [f"{key}\t{kind}\t{version}\t{rid}\n" for key, kind, _, rid in rows]
        )
        with conn.connection.cursor().copy(
            f"copy match_key ({_MARK}) from stdin"
        ) as copy:
            copy.write(lines)


def listed(conn: Connection, kind: str, keys: Collection[int]) -> set[int]:
    """Which of these keys a partner listed as communal home or as a worker's phone."""
    if not keys:
        return set()
    return set(
        conn.execute(
            select(partner_listing.c.key).where(
                partner_listing.c.kind == kind, among(conn, partner_listing.c.key, keys)
            )
        ).scalars()
    )
