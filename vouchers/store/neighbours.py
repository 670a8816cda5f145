"""Who shares a phone or a dwelling with whom, and who of them was helped lately."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date

from sqlalchemy import Connection, and_, select

from vouchers.domain.matching.keys import KeyKind
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
    """For each resident: (key, resident) of all with the same phone or dwelling."""
    if not resident_ids:
        return {}
    mine, theirs = match_key.alias("mine"), match_key.alias("theirs")
    found: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for row in conn.execute(
        select(mine.c.resident_id, mine.c.key, theirs.c.resident_id.label("other"))
        .join(
            theirs,
            and_(
                theirs.c.key == mine.c.key,
                theirs.c.kind == mine.c.kind,
                theirs.c.version == mine.c.version,
            ),
        )
        .where(among(conn, mine.c.resident_id, resident_ids), mine.c.kind.in_(_PLACES))
    ):
        found[row.resident_id].add((row.key, row.other))
    return found


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
