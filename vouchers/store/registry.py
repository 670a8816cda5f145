"""Remembers under which hashed keys people are found, and lets one matcher in."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    select,
    text,
    update,
)

from vouchers.domain.matching.keys import STOP_WORD
from vouchers.store.bulk import insert_rows
from vouchers.store.listed import among
from vouchers.store.tables.identity import (
    match_key,
    registry_lock,
)
from vouchers.store.tables.parties import partner_listing

#: Names this program's advisory locks; the number after it says which.
_LOCKS = 7_411
_LOCK_ROW = 1

#: A match key: its kind and its hash.
KeyMark = tuple[int, int]
#: A row of a query whose columns its reader knows by name.
AnyRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Found:
    """Residents by match key, and how many keys said nothing."""

    by_key: Mapping[KeyMark, Sequence[int]]
    stop_words: int


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


_LOOK_UP_POSTGRESQL = text(
    """
    select k.key, k.kind, m.resident_id
    from unnest(cast(:keys as bigint[]), cast(:kinds as smallint[])) as k(key, kind)
    cross join lateral (
        select resident_id from match_key
        where key = k.key and kind = k.kind and version = :version
        limit :cut
    ) as m
    """
)
# The count is asked once a key: the join's inner loop starts only where it is small.
_LOOK_UP_SQLITE = text(
    """
    select k.value ->> 0 as key, k.value ->> 1 as kind, m.resident_id
    from json_each(:pairs) as k
    cross join match_key as m
        on m.key = k.value ->> 0 and m.kind = k.value ->> 1 and m.version = :version
    where (
        select count(*) from (
            select 1 from match_key as n
            where n.key = k.value ->> 0 and n.kind = k.value ->> 1
                and n.version = :version
            limit :cut
        )
    ) < :cut
    """
)
_STOPPED_SQLITE = text(
    """
    select count(*) from json_each(:pairs) as k
    where exists (
        select 1 from match_key as n
        where n.key = k.value ->> 0 and n.kind = k.value ->> 1 and n.version = :version
        limit 1 offset :offset
    )
    """
)


def find(conn: Connection, marks: Iterable[KeyMark], version: int) -> Found:
    """All residents that hold one of the (kind, key) marks: one statement a chunk."""
    wanted = sorted(set(marks))
    if not wanted:
        return Found({}, 0)
    cut = STOP_WORD + 1
    silent = 0
    if conn.dialect.name == "postgresql":
        bound = {
            "keys": [key for _, key in wanted],
            "kinds": [kind for kind, _ in wanted],
            "version": version,
            "cut": cut,
        }
        rows = conn.execute(_LOOK_UP_POSTGRESQL, bound).all()
    else:
        pairs = json.dumps([[key, kind] for kind, key in wanted])
        bound = {"pairs": pairs, "version": version, "cut": cut}
        rows = conn.execute(_LOOK_UP_SQLITE, bound).all()
        bound = {"pairs": pairs, "version": version, "offset": STOP_WORD}
        silent = int(conn.execute(_STOPPED_SQLITE, bound).scalar_one())
    by_key: dict[KeyMark, list[int]] = defaultdict(list)
    for key, kind, resident_id in rows:
        by_key[kind, key].append(resident_id)
    stopped = [mark for mark, ids in by_key.items() if len(ids) > STOP_WORD]
    for mark in stopped:
        del by_key[mark]
    return Found(by_key, len(stopped) + silent)


def insert_keys(
    conn: Connection,
    marks: Collection[tuple[int, KeyMark]],
    version: int,
    *,
    known: bool = True,
) -> None:
    """Store (resident, mark) pairs, each once; `known` residents may have some."""
    rows = [
        {"key": key, "kind": kind, "version": version, "resident_id": rid}
        for rid, (kind, key) in sorted(set(marks))
    ]
    insert_rows(conn, match_key, rows, on_conflict="ignore" if known else "error")


def listed(conn: Connection, kind: str, keys: Iterable[int]) -> set[int]:
    """Which of these keys a partner listed as communal home or as a worker's phone."""
    return set(
        conn.execute(
            select(partner_listing.c.key).where(
                partner_listing.c.kind == kind,
                among(conn, partner_listing.c.key, list(keys)),
            )
        ).scalars()
    )
