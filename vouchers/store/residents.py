"""Remembers who is who: sealed identities, households, rulings."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Date,
    Row,
    and_,
    bindparam,
    or_,
    select,
    text,
    update,
)

from schemas.row import IDENTITY_FIELDS
from vouchers.domain.matching.features import VERSION, Features, read_features
from vouchers.domain.matching.model import Model
from vouchers.domain.matching.names import Lexicon, parse_lexicon
from vouchers.store import model_in_use
from vouchers.store.bulk import insert_rows
from vouchers.store.listed import among, array_text
from vouchers.store.sealing import Keyring
from vouchers.store.tables.identity import (
    household,
    identity_edge,
    membership,
    resident,
)

#: Faces kept of one person: later values of name, home, phone.
FACES_MAX = 6
_PLACE, _FACES = "resident.identity_sealed", "resident.faces_sealed"
#: End of a face and of a field: signs that stand in no text a person writes.
_FACE_END, _FIELD_END = "\x1e", "\x1f"
_ENDS = re.compile("[\x1e\x1f]")
#: A change of the fields themselves makes faces as unreadable as one of the rules.
_VERSION = f"{VERSION}.{len(Features._fields)}"
#: Fields of a face that are numbers, by place.
_NUMBERS = (Features._fields.index("born"),)


#: A row of a query, read by place: there are thousands of candidates in a chunk.
AnyRow = Row[*tuple[Any, ...]]


class Known(NamedTuple):
    """One resident as the matcher sees them, merged ones under their oldest number."""

    id: int
    faces: tuple[Features, ...]
    provisional: bool


def shipped_model() -> Model:
    """The matching model in use: the one that settings name, else the shipped one."""
    return model_in_use.model()


@cache
def shipped_lexicon() -> Lexicon:
    """The tables of names that come with this version."""
    return parse_lexicon(_data("names.toml"))


def _data(name: str) -> str:
    return (files("vouchers.domain.matching") / name).read_text(encoding="utf-8")


# Without types: ten candidates a row pass here, and each value's way would be longer.
_LOAD = "select id, faces_sealed, merged_into, provisional from resident where id "
_LOAD_POSTGRESQL = text(f"{_LOAD} = any (cast(:ids as bigint[]))")
_LOAD_SQLITE = text(f"{_LOAD} in (select value from json_each(:ids))")


def load(
    conn: Connection, keys: Keyring, ids: Collection[int]
) -> tuple[dict[int, Known], dict[int, int]]:
    """Open faces; gives people by their oldest number, and each id's oldest."""
    rows: dict[int, AnyRow] = {}
    missing = set(ids)
    is_postgresql = conn.dialect.name == "postgresql"
    while missing:
        if is_postgresql:
            fetched = conn.execute(_LOAD_POSTGRESQL, {"ids": array_text(missing)}).all()
        else:
            listed = {"ids": json.dumps(list(missing))}
            fetched = conn.execute(_LOAD_SQLITE, listed).all()
        rows.update({row[0]: row for row in fetched})
        missing = {row[2] for row in fetched if row[2]} - set(rows)
    roots = {rid: _root(rows, rid) if row[2] else rid for rid, row in rows.items()}
    faces: dict[int, list[Features]] = defaultdict(list)
    sealed = {rid: row[1] for rid, row in rows.items() if row[1] is not None}
    for rid, opened in _opened(conn, keys, sealed).items():
        faces[roots[rid]].extend(opened)
    known = {
        root: Known(root, tuple(faces[root]), bool(rows[root][3]))
        for root in set(roots.values())
        if root in faces
    }
    return known, roots


def _root(rows: Mapping[int, AnyRow], rid: int) -> int:
    """Follow the redirects that merges leave."""
    while merged_into := rows[rid][2]:
        rid = merged_into
    return rid


def _opened(
    conn: Connection, keys: Keyring, sealed: Mapping[int, bytes]
) -> dict[int, list[Features]]:
    """Open faces; those of older reading rules are read anew from the identity."""
    found: dict[int, list[Features]] = {}
    stale = []
    for rid, blob in sealed.items():
        faces = read_faces(keys.open(_FACES, rid, blob))
        if faces is None:
            stale.append(rid)
        else:
            found[rid] = faces
    for rid, plain in open_identities(conn, keys, stale).items():
        fields = json.loads(plain)
        words = {k: v for k, v in fields.items() if isinstance(v, str)}
        found[rid] = [read_features(words)]
    return found


def read_faces(plain: bytes) -> list[Features] | None:
    """The opened faces of a person; None where other reading rules made them."""
    version, *packed = plain.decode().split(_FACE_END)
    if version != _VERSION:
        return None
    faces = []
    for face in packed:
        values: list[Any] = face.split(_FIELD_END)
        for at in _NUMBERS:
            values[at] = int(values[at])
        faces.append(Features._make(values))
    return faces


def pack_faces(faces: Sequence[Features]) -> bytes:
    """What `read_faces` reads: plain texts, for each candidate of a row is opened."""
    # No field may hold what ends one; accept lets no such sign through anyhow.
    cleaned = (
        _FIELD_END.join([_ENDS.sub(" ", str(value)) for value in face])
        for face in faces
    )
    return _FACE_END.join((_VERSION, *cleaned)).encode()


def pack_identity(fields: Mapping[str, Any]) -> bytes:
    """A person's fields as first given, out of all the fields of a packed row."""
    shown = {name: fields[name] for name in IDENTITY_FIELDS if fields.get(name)}
    return json.dumps(shown, separators=(",", ":")).encode()


def with_face(faces: Sequence[Features], face: Features) -> list[Features] | None:
    """The faces and one more; None where nothing is new."""
    if face in faces:
        return None
    # The first face stays: it is the one that the fields in clear words belong to.
    return [*faces[:1], *faces[1:][-FACES_MAX + 2 :], face]


def seal_person(
    keys: Keyring, resident_id: int, fields: Mapping[str, Any], face: Features
) -> dict[str, bytes]:
    """Identity and first face of a new resident, each sealed for its own column."""
    return {
        "identity_sealed": keys.seal(_PLACE, resident_id, pack_identity(fields)),
        "faces_sealed": seal_faces(keys, resident_id, [face]),
    }


def seal_faces(keys: Keyring, resident_id: int, faces: Sequence[Features]) -> bytes:
    """Seal a person's faces for their own row."""
    return keys.seal(_FACES, resident_id, pack_faces(faces))


def open_faces(
    conn: Connection, keys: Keyring, ids: Collection[int]
) -> dict[int, list[Features]]:
    """Opened faces of residents, erased ones left out."""
    if not ids:
        return {}
    rows = conn.execute(
        select(resident.c.id, resident.c.faces_sealed).where(
            among(conn, resident.c.id, ids), resident.c.faces_sealed.is_not(None)
        )
    )
    return _opened(conn, keys, {row.id: row.faces_sealed for row in rows})


def open_identities(
    conn: Connection, keys: Keyring, ids: Collection[int]
) -> dict[int, bytes]:
    """Opened identities of residents, erased ones left out."""
    if not ids:
        return {}
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


# One look a household, whatever the database thinks of how many rows there are: while
# a table grows fast it would rather read all requests that are under way.
_SUPPORTED_POSTGRESQL = text(
    """
    select h.id from unnest(cast(:homes as bigint[])) as h(id)
    left join lateral (
        select 1 as found from award
        where household_id = h.id and granted_on >= :since limit 1
    ) as awarded on true
    left join lateral (
        select 1 as found from referral
        where household_id = h.id and received_on >= :since
            and state in ('checking', 'matched', 'waiting', 'granted') limit 1
    ) as asked on awarded.found is null
    where awarded.found = 1 or asked.found = 1
    """
).bindparams(bindparam("since", type_=Date()))
_SUPPORTED_SQLITE = text(
    """
    select h.value from json_each(:homes) as h
    where exists (
        select 1 from award where household_id = h.value and granted_on >= :since
    ) or exists (
        select 1 from referral
        where household_id = h.value and received_on >= :since
            and state in ('checking', 'matched', 'waiting', 'granted')
    )
    """
).bindparams(bindparam("since", type_=Date()))


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
    if not household_ids:
        return set()
    if conn.dialect.name == "postgresql":
        statement, homes = _SUPPORTED_POSTGRESQL, array_text(household_ids)
    else:
        statement, homes = _SUPPORTED_SQLITE, json.dumps(list(household_ids))
    return set(conn.execute(statement, {"homes": homes, "since": since}).scalars())


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
