"""Remembers schemes and their approved rules; a version is parsed once a process."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, select

from schemas.scheme import Scheme
from vouchers.errors import NotFound
from vouchers.store.tables.parties import scheme, scheme_version


class SchemeRow(NamedTuple):
    """A scheme as it stands."""

    id: int
    slug: str
    name: str
    state: str
    version: int
    supply_version: int


_COLUMNS = (
    scheme.c.id,
    scheme.c.slug,
    scheme.c.name,
    scheme.c.state,
    scheme.c.version,
    scheme.c.supply_version,
)


#: Rules by the digest of their text: many schemes, few versions, read in every step.
_parsed: dict[str, Scheme] = {}


def active(conn: Connection, scheme_id: int) -> Scheme:
    """The approved rules of a scheme; NotFound when no version was approved yet."""
    row = conn.execute(
        select(scheme_version.c.id, scheme_version.c.digest).where(
            scheme_version.c.scheme_id == scheme_id,
            scheme_version.c.state == "active",
        )
    ).first()
    if row is None:
        raise NotFound("this scheme has no approved rules", scheme=scheme_id)
    rules = _parsed.get(row.digest)
    if rules is None:
        body = conn.execute(
            select(scheme_version.c.body).where(scheme_version.c.id == row.id)
        ).scalar_one()
        rules = _parsed[row.digest] = Scheme.parse(body)
    return rules


def version(conn: Connection, scheme_id: int, number: int) -> Scheme:
    """One version of a scheme's rules, in force or not."""
    body = conn.scalar(
        select(scheme_version.c.body).where(
            scheme_version.c.scheme_id == scheme_id, scheme_version.c.number == number
        )
    )
    if body is None:
        raise NotFound(f"no version {number} of these rules", scheme=scheme_id)
    return Scheme.parse(body)


def by_id(conn: Connection, scheme_id: int) -> SchemeRow:
    """The scheme with this number."""
    row = conn.execute(select(*_COLUMNS).where(scheme.c.id == scheme_id)).first()
    if row is None:
        raise NotFound("no such scheme", scheme=scheme_id)
    return SchemeRow(*row)


def by_slug(conn: Connection, slug: str) -> SchemeRow:
    """The scheme that is called so."""
    row = conn.execute(select(*_COLUMNS).where(scheme.c.slug == slug)).first()
    if row is None:
        raise NotFound(f"no scheme is called {slug}")
    return SchemeRow(*row)


def all_schemes(conn: Connection) -> list[SchemeRow]:
    """Every scheme, oldest first."""
    return [
        SchemeRow(*row) for row in conn.execute(select(*_COLUMNS).order_by(scheme.c.id))
    ]


def only(conn: Connection) -> SchemeRow:
    """The one scheme that takes rows; NotFound when it has to be named."""
    found = [row for row in all_schemes(conn) if row.state != "closed"]
    if len(found) != 1:
        names = ", ".join(row.slug for row in found) or "none is open"
        raise NotFound(f"say which scheme: {names}")
    return found[0]
