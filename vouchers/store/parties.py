"""Remembers people by their tokens' digests, and partners with a sealed contact."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from vouchers.domain.roles import Person, Role
from vouchers.errors import NotFound
from vouchers.store.bulk import insert_rows
from vouchers.store.sealing import Keyring
from vouchers.store.tables.parties import partner, partner_listing, person

#: What the seal of a partner's contact is bound to.
CONTACT = "partner.contact_sealed"


def people_count(conn: Connection) -> int:
    """How many people there are, suspended ones included."""
    return conn.scalar(select(func.count()).select_from(person)) or 0


def find_person(conn: Connection, token_digest: bytes) -> Person | None:
    """The active person whose token has this digest."""
    row = conn.execute(
        select(person).where(
            person.c.token_digest == token_digest, person.c.state == "active"
        )
    ).one_or_none()
    return None if row is None else _person(row)


def person_by_handle(conn: Connection, handle: str) -> Person:
    """The person with this handle, active or not; NotFound when there is none."""
    row = conn.execute(select(person).where(person.c.handle == handle)).one_or_none()
    if row is None:
        raise NotFound(f"nobody is called {handle!r}: see `vouchers people list`")
    return _person(row)


def list_people(conn: Connection) -> list[Row[Any]]:
    """Everybody, by handle, with the slug of their organisation."""
    return list(
        conn.execute(
            select(
                person.c.handle,
                person.c.roles,
                person.c.state,
                person.c.created_at,
                partner.c.slug.label("partner"),
            )
            .select_from(person.outerjoin(partner))
            .order_by(person.c.handle)
        )
    )


def insert_person(
    conn: Connection,
    *,
    handle: str,
    roles: frozenset[Role],
    partner_id: int | None,
    token_digest: bytes,
    now: datetime,
) -> int:
    """Add a person; gives their number."""
    return int(
        conn.execute(
            insert(person)
            .values(
                handle=handle,
                roles=sorted(roles),
                partner_id=partner_id,
                token_digest=token_digest,
                state="active",
                created_at=now,
            )
            .returning(person.c.id)
        ).scalar_one()
    )


def change_person(conn: Connection, person_id: int, **values: Any) -> None:
    """Set columns of one person."""
    conn.execute(update(person).where(person.c.id == person_id).values(**values))


def partner_by_slug(conn: Connection, slug: str) -> Row[Any]:
    """The partner with this slug; NotFound when there is none."""
    row = conn.execute(select(partner).where(partner.c.slug == slug)).one_or_none()
    if row is None:
        raise NotFound(f"no partner is called {slug!r}: see `vouchers partners list`")
    return row


def partner_by_id(conn: Connection, partner_id: int) -> Row[Any]:
    """The partner with this number; NotFound when there is none."""
    row = conn.execute(select(partner).where(partner.c.id == partner_id)).one_or_none()
    if row is None:
        raise NotFound("no such partner", partner=partner_id)
    return row


def list_partners(conn: Connection) -> list[Row[Any]]:
    """Every partner, by slug."""
    return list(conn.execute(select(partner).order_by(partner.c.slug)))


def insert_partner(
    conn: Connection,
    keys: Keyring,
    *,
    contact: dict[str, str] | None,
    agreement_on: date | None,
    now: datetime,
    **values: Any,
) -> int:
    """Add a partner, the contact sealed under its own number; gives that number."""
    number = int(
        conn.execute(
            insert(partner)
            .values(agreement_on=agreement_on, created_at=now, **values)
            .returning(partner.c.id)
        ).scalar_one()
    )
    if contact:
        seal_contact(conn, keys, number, contact)
    return number


def seal_contact(
    conn: Connection, keys: Keyring, partner_id: int, contact: dict[str, str]
) -> None:
    """Keep who answers at a partner, sealed."""
    sealed = keys.seal(CONTACT, partner_id, json.dumps(contact).encode())
    change_partner(conn, partner_id, contact_sealed=sealed)


def open_contact(keys: Keyring, row: Row[Any]) -> dict[str, str]:
    """Who answers at a partner; empty when nobody was named."""
    if row.contact_sealed is None:
        return {}
    contact: dict[str, str] = json.loads(keys.open(CONTACT, row.id, row.contact_sealed))
    return contact


def change_partner(conn: Connection, partner_id: int, **values: Any) -> None:
    """Set columns of one partner."""
    conn.execute(update(partner).where(partner.c.id == partner_id).values(**values))


# ---------------------------------------------------------------- what they list


def list_key(conn: Connection, partner_id: int, kind: str, key: int) -> bool:
    """List a home's or a phone's match key; False when it is listed already."""
    values = {"partner_id": partner_id, "kind": kind, "key": key}
    if conn.execute(select(partner_listing.c.id).filter_by(**values)).first():
        return False
    insert_rows(conn, partner_listing, [values], on_conflict="ignore")
    return True


def unlist_key(conn: Connection, partner_id: int, kind: str, key: int) -> bool:
    """Take a listed key back; False when it was not listed."""
    gone = conn.execute(
        delete(partner_listing).where(
            partner_listing.c.partner_id == partner_id,
            partner_listing.c.kind == kind,
            partner_listing.c.key == key,
        )
    ).rowcount
    return gone > 0


def listed_counts(conn: Connection, partner_id: int) -> dict[str, int]:
    """How many keys of each kind a partner lists."""
    rows = conn.execute(
        select(partner_listing.c.kind, func.count())
        .where(partner_listing.c.partner_id == partner_id)
        .group_by(partner_listing.c.kind)
    )
    return {row[0]: row[1] for row in rows}


def _person(row: Row[Any]) -> Person:
    return Person(
        id=row.id,
        handle=row.handle,
        roles=frozenset(Role(role) for role in row.roles),
        partner_id=row.partner_id,
    )
