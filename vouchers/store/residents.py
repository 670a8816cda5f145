"""Remembers who is who: sealed identities, households, rulings."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    and_,
    or_,
    select,
    update,
)

from schemas.row import Identity, ResidentRow
from vouchers.domain.matching.features import VERSION, Features, read_features
from vouchers.domain.matching.model import Model, parse_model
from vouchers.domain.matching.names import Lexicon, parse_lexicon
from vouchers.store.bulk import insert_rows
from vouchers.store.listed import among
from vouchers.store.sealing import Keyring
from vouchers.store.tables.awards import award
from vouchers.store.tables.identity import (
    household,
    identity_edge,
    membership,
    resident,
)
from vouchers.store.tables.intake import referral

#: Faces kept of one person: later values of name, home, phone.
FACES_MAX = 6
_PLACE = "resident.identity_sealed"
#: States of a request that may still be, or has been, granted.
_OPEN = ("checking", "matched", "waiting", "granted")


@dataclass(frozen=True, slots=True)
class Known:
    """One resident as the matcher sees them, merged ones under their oldest number."""

    id: int
    faces: tuple[Features, ...]
    provisional: bool


@cache
def shipped_model() -> Model:
    """The matching model that comes with this version."""
    return parse_model(_data("model.toml"))


@cache
def shipped_lexicon() -> Lexicon:
    """The tables of names that come with this version."""
    return parse_lexicon(_data("names.toml"))


def _data(name: str) -> str:
    return (files("vouchers.domain.matching") / name).read_text(encoding="utf-8")


def load(
    conn: Connection, keys: Keyring, ids: Collection[int]
) -> tuple[dict[int, Known], dict[int, int]]:
    """Open identities; gives people by their oldest number, and each id's oldest."""
    rows: dict[int, Row[Any]] = {}
    missing = set(ids)
    columns = (
        resident.c.id,
        resident.c.identity_sealed,
        resident.c.merged_into,
        resident.c.provisional,
    )
    while missing:
        fetched = conn.execute(
            select(*columns).where(among(conn, resident.c.id, sorted(missing)))
        ).all()
        rows.update({row.id: row for row in fetched})
        missing = {row.merged_into for row in fetched if row.merged_into} - set(rows)
    roots = {rid: _root(rows, rid) for rid in rows}
    faces: dict[int, list[Features]] = defaultdict(list)
    for rid, row in rows.items():
        if row.identity_sealed is not None:
            plain = keys.open(_PLACE, rid, row.identity_sealed)
            faces[roots[rid]].extend(read_faces(plain))
    known = {
        root: Known(root, tuple(faces[root]), bool(rows[root].provisional))
        for root in set(roots.values())
        if faces[root]
    }
    return known, roots


def _root(rows: Mapping[int, Row[Any]], rid: int) -> int:
    """Follow the redirects that merges leave."""
    while rows[rid].merged_into:
        rid = rows[rid].merged_into
    return rid


def read_faces(plain: bytes) -> list[Features]:
    """The comparable faces in an opened identity; read anew if the rules changed."""
    packed = json.loads(plain)
    if packed.get("read_version") == VERSION:
        return [Features(*face) for face in packed["faces"]]
    return [read_features({k: v for k, v in packed.items() if isinstance(v, str)})]


def pack_identity(row: ResidentRow, faces: Sequence[Features]) -> bytes:
    """A person's fields as first given, with the faces by which they are known."""
    identity = Identity.of(row).model_copy(
        update={"read_version": VERSION, "faces": [list(face) for face in faces]}
    )
    return identity.pack()


def with_face(plain: bytes, face: Features) -> bytes | None:
    """The identity with one more face; None where nothing is new."""
    faces = read_faces(plain)
    if face in faces:
        return None
    packed = json.loads(plain)
    packed["read_version"] = VERSION
    # The first face stays: it is the one that the fields in clear words belong to.
    packed["faces"] = [
        list(f) for f in [*faces[:1], *faces[1:][-FACES_MAX + 2 :], face]
    ]
    return json.dumps(packed, separators=(",", ":")).encode()


def seal_identity(keys: Keyring, resident_id: int, plain: bytes) -> bytes:
    """Seal an identity for its own row."""
    return keys.seal(_PLACE, resident_id, plain)


def open_identities(
    conn: Connection, keys: Keyring, ids: Collection[int]
) -> dict[int, bytes]:
    """Opened identities of residents, erased ones left out."""
    rows = conn.execute(
        select(resident.c.id, resident.c.identity_sealed).where(
            among(conn, resident.c.id, ids), resident.c.identity_sealed.is_not(None)
        )
    )
    return {row.id: keys.open(_PLACE, row.id, row.identity_sealed) for row in rows}


def rulings(conn: Connection, ids: Collection[int]) -> dict[tuple[int, int], str]:
    """The last ruling of each pair that touches one of `ids`, smaller number first."""
    wanted = list(ids)
    rows = conn.execute(
        select(identity_edge.c.a, identity_edge.c.b, identity_edge.c.kind)
        .where(
            or_(
                among(conn, identity_edge.c.a, wanted),
                among(conn, identity_edge.c.b, wanted),
            )
        )
        .order_by(identity_edge.c.id)
    )
    return {(min(row.a, row.b), max(row.a, row.b)): row.kind for row in rows}


def households_of(conn: Connection, ids: Collection[int]) -> dict[int, int]:
    """The household that each resident belongs to now."""
    rows = conn.execute(
        select(membership.c.resident_id, membership.c.household_id)
        .where(among(conn, membership.c.resident_id, ids), membership.c.to_on.is_(None))
        .order_by(membership.c.from_on)
    )
    return {row.resident_id: row.household_id for row in rows}


def members_of(conn: Connection, household_ids: Collection[int]) -> dict[int, set[int]]:
    """Who belongs to each household now."""
    found: dict[int, set[int]] = defaultdict(set)
    rows = conn.execute(
        select(membership.c.household_id, membership.c.resident_id).where(
            among(conn, membership.c.household_id, household_ids),
            membership.c.to_on.is_(None),
        )
    )
    for row in rows:
        found[row.household_id].add(row.resident_id)
    return found


def supported_since(
    conn: Connection, household_ids: Collection[int], since: date
) -> set[int]:
    """Households with an award since that day, or with a request that is under way."""
    wanted = list(household_ids)
    if not wanted:
        return set()
    awarded = select(award.c.household_id).where(
        among(conn, award.c.household_id, wanted), award.c.granted_on >= since
    )
    asked = select(referral.c.household_id).where(
        among(conn, referral.c.household_id, wanted),
        referral.c.state.in_(_OPEN),
        referral.c.received_on >= since,
    )
    return set(conn.execute(awarded.union(asked)).scalars())


def end_membership(
    conn: Connection, resident_id: int, household_id: int, on_day: date
) -> None:
    """A resident leaves a household on that day."""
    conn.execute(
        update(membership)
        .where(
            and_(
                membership.c.resident_id == resident_id,
                membership.c.household_id == household_id,
            ),
            membership.c.to_on.is_(None),
        )
        .values(to_on=on_day)
    )


def join_household(
    conn: Connection, resident_id: int, household_id: int, on_day: date
) -> None:
    """A resident belongs to a household from that day; coming back counts anew."""
    row = {
        "household_id": household_id,
        "resident_id": resident_id,
        "from_on": on_day,
        "to_on": None,
    }
    insert_rows(conn, membership, [row], on_conflict="ignore")
    conn.execute(
        update(membership)
        .where(
            membership.c.household_id == household_id,
            membership.c.resident_id == resident_id,
            membership.c.from_on == on_day,
        )
        .values(to_on=None)
    )


def insert_households(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """New households; one that is there already stays."""
    insert_rows(conn, household, rows, on_conflict="ignore")
