"""Who shares a phone or a dwelling with whom, and who of them was helped lately."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date

from sqlalchemy import Connection, select

from vouchers.domain.matching.keys import KeyKind
from vouchers.store import registry
from vouchers.store.listed import among
from vouchers.store.tables.awards import award
from vouchers.store.tables.identity import match_key

#: Match keys that stand for a phone and for a dwelling, as they are and protected.
_PLACES = tuple(
    kind + shift for kind in (KeyKind.MOBILE, KeyKind.DWELLING) for shift in (0, 32)
)


def phones_and_dwellings(
    conn: Connection, resident_ids: Collection[int]
) -> dict[int, set[tuple[int, int]]]:
    """For each resident: (key, resident) of all with the same phone or dwelling.

    As in matching, what too many share says nothing of anybody and is left out.
    """
    if not resident_ids:
        return {}
    mine = conn.execute(
        select(
            match_key.c.resident_id,
            match_key.c.kind,
            match_key.c.key,
            match_key.c.version,
        ).where(
            among(conn, match_key.c.resident_id, resident_ids),
            match_key.c.kind.in_(_PLACES),
        )
    ).all()
    shared: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for version in {row.version for row in mine}:
        held = [row for row in mine if row.version == version]
        marks = [(row.kind, row.key) for row in held]
        by_key = registry.find(conn, marks, version).by_key
        for row in held:
            for other in by_key.get((row.kind, row.key), ()):
                shared[row.resident_id].add((row.key, other))
    return shared


def helped_since(
    conn: Connection, resident_ids: Collection[int], since: date
) -> set[int]:
    """Which of these residents were granted an award after a date."""
    if not resident_ids:
        return set()
    return set(
        conn.scalars(
            select(award.c.resident_id).where(
                among(conn, award.c.resident_id, resident_ids),
                award.c.granted_on > since,
            )
        )
    )
