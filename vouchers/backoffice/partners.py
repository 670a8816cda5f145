"""Which organisations may hand in residents, and on what terms."""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from datetime import date
from typing import Any

from sqlalchemy import Row

from schemas.row import SafeContact
from vouchers.domain.roles import Duty, Person
from vouchers.errors import Refused
from vouchers.pipeline.context import Context
from vouchers.store import parties

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")
#: A text message names the partner; a longer name would cost a second segment.
KNOWN_AS_MAX = 30


def add(
    ctx: Context,
    *,
    slug: str,
    name: str,
    by: Person,
    door: str,
    known_as: str | None = None,
    contact: str | None = None,
    contact_email: str | None = None,
    homes: int = 0,
    region: str | None = None,
    refuge: bool = False,
    safe_contact: SafeContact | None = None,
    agreement_on: date | None = None,
    excluded: Collection[str] = (),
) -> int:
    """Add a partner; gives its number.

    A partner may hand in a dry run at once; a live file also needs a signed agreement
    and a named contact. A refuge's residents are reached through their worker unless
    the partner's profile says otherwise.
    """
    by.must(Duty.CHANGE_PARTNERS)
    if not _SLUG.fullmatch(slug):
        raise Refused("an id is 2 to 63 small letters, digits or dashes")
    known_as = known_as or name[:KNOWN_AS_MAX]
    if len(known_as) > KNOWN_AS_MAX:
        raise Refused(
            f"residents read {known_as!r} in a text: use {KNOWN_AS_MAX} letters at most"
        )
    if homes < 0:
        raise Refused("homes cannot be below zero")
    if safe_contact is None:
        safe_contact = SafeContact.PARTNER_ONLY if refuge else SafeContact.SMS_OK
    with ctx.begin(actor=by.actor(door), name="partners.add") as uow:
        if any(row.slug == slug for row in parties.list_partners(uow.conn)):
            raise Refused(f"a partner is called {slug!r} already")
        number = parties.insert_partner(
            uow.conn,
            ctx.keys,
            contact=_contact(contact, contact_email),
            agreement_on=agreement_on,
            now=uow.now,
            slug=slug,
            name=name,
            known_as=known_as,
            homes=homes,
            region=region,
            refuge=refuge,
            safe_contact=safe_contact.value,
            state="active",
            excluded=sorted(excluded),
        )
        uow.record(
            "partner.added",
            number,
            state="active",
            refuge=refuge,
            agreement_on=agreement_on.isoformat() if agreement_on else None,
            safe_contact=safe_contact.value,
        )
    _open_folder(ctx, slug)
    return number


def _open_folder(ctx: Context, slug: str) -> None:
    """Make the drop folder, if it lies on this host: its name must be right."""
    with suppress(OSError):
        (ctx.inbox / slug).mkdir(parents=True, exist_ok=True)


def amend(
    ctx: Context,
    *,
    slug: str,
    by: Person,
    door: str,
    agreement_on: date | None = None,
    contact: str | None = None,
    contact_email: str | None = None,
    homes: int | None = None,
    excluded: Collection[str] | None = None,
) -> None:
    """Change what a partner signed, who answers there, what it may not use."""
    by.must(Duty.CHANGE_PARTNERS)
    given: dict[str, Any] = {
        "agreement_on": agreement_on,
        "homes": homes,
        "excluded": None if excluded is None else sorted(excluded),
    }
    values = {name: value for name, value in given.items() if value is not None}
    named = _contact(contact, contact_email)
    if not values and not named:
        raise Refused("nothing to change: see `vouchers partners amend --help`")
    with ctx.begin(actor=by.actor(door), name="partners.amend") as uow:
        row = parties.partner_by_slug(uow.conn, slug)
        if values:
            parties.change_partner(uow.conn, row.id, **values)
        if named:
            parties.seal_contact(uow.conn, ctx.keys, row.id, named)
        changed = sorted(values) + (["contact"] if named else [])
        uow.record("partner.amended", row.id, changed=changed)


def suspend(ctx: Context, *, slug: str, by: Person, door: str) -> None:
    """Take no more files from a partner; what it handed in goes on."""
    _set_state(ctx, slug=slug, by=by, door=door, state="suspended")


def resume(ctx: Context, *, slug: str, by: Person, door: str) -> None:
    """Take files from a suspended partner again."""
    _set_state(ctx, slug=slug, by=by, door=door, state="active")


def _set_state(ctx: Context, *, slug: str, by: Person, door: str, state: str) -> None:
    by.must(Duty.CHANGE_PARTNERS)
    with ctx.begin(actor=by.actor(door), name="partners.state") as uow:
        row = parties.partner_by_slug(uow.conn, slug)
        if row.state == state:
            raise Refused(f"{slug} is {state} already")
        parties.change_partner(uow.conn, row.id, state=state)
        action = "suspended" if state == "suspended" else "resumed"
        uow.record(f"partner.{action}", row.id, state=state)


def listing(ctx: Context, *, by: Person) -> list[dict[str, Any]]:
    """Every partner that this person may see, with what is still missing to go live."""
    with ctx.reading() as conn:
        rows = parties.list_partners(conn)
    return [
        _shown(row) for row in rows if by.partner_id is None or by.partner_id == row.id
    ]


def show(ctx: Context, *, slug: str, by: Person) -> dict[str, Any]:
    """One partner with its contact, who is the partner's staff and no resident."""
    with ctx.reading() as conn:
        row = parties.partner_by_slug(conn, slug)
        by.must_own(row.id)
        listed = parties.listed_counts(conn, row.id)
    return {
        **_shown(row),
        "contact": parties.open_contact(ctx.keys, row),
        "communal_homes_listed": listed.get("communal", 0),
        "worker_phones_listed": listed.get("worker_phone", 0),
    }


def missing(row: Row[Any]) -> list[str]:
    """What a partner still needs before a live file of it is taken."""
    needs = {
        "a signed agreement": row.agreement_on,
        "a named contact": row.contact_sealed,
        "one passed dry run": row.dry_run_at,
    }
    return [need for need, there in needs.items() if there is None]


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {
        "partner": row.slug,
        "name": row.name,
        "known_as": row.known_as,
        "homes": row.homes,
        "region": row.region,
        "refuge": row.refuge,
        "safe_contact": row.safe_contact,
        "state": row.state,
        "agreement_on": row.agreement_on.isoformat() if row.agreement_on else None,
        "dry_run": row.dry_run_at is not None,
        "excluded": list(row.excluded),
        "missing": missing(row),
    }


def _contact(name: str | None, email: str | None) -> dict[str, str]:
    given = {"name": name, "email": email}
    return {key: value.strip() for key, value in given.items() if value}
