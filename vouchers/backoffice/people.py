"""Who works here: people, their roles and the personal tokens that stand for them."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection

from vouchers.domain.roles import Duty, Person, Role
from vouchers.errors import NotAllowed, Refused
from vouchers.pipeline.context import Context
from vouchers.store import parties

#: Starts every token, so that a scanner for leaked secrets knows one.
TOKEN_PREFIX = "fv_"
_HANDLE = re.compile(r"[a-z][a-z0-9._-]{1,40}")


def digest(token: str) -> bytes:
    """What is kept of a token: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).digest()


def identify(conn: Connection, token: str | None) -> Person:
    """The person a token stands for; NotAllowed when it stands for nobody."""
    if not token:
        raise NotAllowed("nobody asked: put your personal token into VOUCHERS_TOKEN")
    person = parties.find_person(conn, digest(token.strip()))
    if person is None:
        raise NotAllowed("this token is not known or its person is suspended")
    return person


def first_owner(ctx: Context, *, handle: str = "owner") -> str | None:
    """Make the owner of an installation that has nobody yet; gives the token once."""
    with ctx.begin(name="people.first") as uow:
        if parties.people_count(uow.conn):
            return None
        token = _new_token()
        number = parties.insert_person(
            uow.conn,
            handle=handle,
            roles=frozenset({Role.OWNER}),
            partner_id=None,
            token_digest=digest(token),
            now=uow.now,
        )
        uow.record("person.added", number, roles=[Role.OWNER.value], state="active")
    return token


def add(
    ctx: Context,
    *,
    handle: str,
    roles: Collection[Role],
    by: Person,
    door: str,
    partner: str | None = None,
) -> str:
    """Add a person; gives their token, which is shown once and kept nowhere.

    The role `partner` goes with an organisation and with no other role: whoever sees
    one organisation's rows only must not see all through a second role.
    """
    by.must(Duty.CHANGE_PEOPLE)
    if not _HANDLE.fullmatch(handle):
        raise Refused("a handle is 2 to 41 small letters, digits, dots or dashes")
    if not roles:
        raise Refused("name at least one role: " + ", ".join(Role))
    if (Role.PARTNER in roles) != (partner is not None) or (
        Role.PARTNER in roles and len(set(roles)) > 1
    ):
        raise Refused("the role partner stands alone and needs --partner")
    token = _new_token()
    with ctx.begin(actor=by.actor(door), name="people.add") as uow:
        if any(row.handle == handle for row in parties.list_people(uow.conn)):
            raise Refused(f"somebody is called {handle!r} already")
        partner_id = parties.partner_by_slug(uow.conn, partner).id if partner else None
        number = parties.insert_person(
            uow.conn,
            handle=handle,
            roles=frozenset(roles),
            partner_id=partner_id,
            token_digest=digest(token),
            now=uow.now,
        )
        uow.record(
            "person.added",
            number,
            state="active",
            roles=sorted(role.value for role in roles),
            partner=partner_id,
        )
    return token


def amend(
    ctx: Context, *, handle: str, roles: Collection[Role], by: Person, door: str
) -> None:
    """Give a person of the staff these roles instead of those they had."""
    by.must(Duty.CHANGE_PEOPLE)
    if not roles:
        raise Refused("name at least one role: " + ", ".join(Role))
    with ctx.begin(actor=by.actor(door), name="people.amend") as uow:
        person = parties.person_by_handle(uow.conn, handle)
        if Role.PARTNER in roles or person.partner_id is not None:
            raise Refused("a partner's person is added anew, with the one role partner")
        if person.id == by.id and Role.OWNER not in roles:
            raise Refused("nobody gives up being owner: ask another owner")
        names = sorted(Role(role).value for role in roles)
        parties.change_person(uow.conn, person.id, roles=names)
        uow.record("person.amended", person.id, roles=names)


def renew(ctx: Context, *, handle: str, by: Person, door: str) -> str:
    """Give a person a new token; the old one stops working at once."""
    token = _new_token()
    with ctx.begin(actor=by.actor(door), name="people.renew") as uow:
        person = parties.person_by_handle(uow.conn, handle)
        if person.id != by.id:
            by.must(Duty.CHANGE_PEOPLE)
        parties.change_person(
            uow.conn, person.id, token_digest=digest(token), state="active"
        )
        uow.record("person.token_renewed", person.id, state="active")
    return token


def suspend(ctx: Context, *, handle: str, by: Person, door: str) -> None:
    """Stop a person's token; what they did stays theirs in the audit log."""
    by.must(Duty.CHANGE_PEOPLE)
    with ctx.begin(actor=by.actor(door), name="people.suspend") as uow:
        person = parties.person_by_handle(uow.conn, handle)
        if person.id == by.id:
            raise Refused("nobody suspends themselves: ask another owner")
        parties.change_person(uow.conn, person.id, state="suspended")
        uow.record("person.suspended", person.id, state="suspended")


def listing(ctx: Context) -> list[dict[str, Any]]:
    """Everybody with roles, organisation and state; never a token."""
    with ctx.reading() as conn:
        return [
            {
                "handle": row.handle,
                "roles": list(row.roles),
                "partner": row.partner,
                "state": row.state,
                "since": row.created_at.date().isoformat(),
            }
            for row in parties.list_people(conn)
        ]


def _new_token() -> str:
    return TOKEN_PREFIX + secrets.token_urlsafe(32)
