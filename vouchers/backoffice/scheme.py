"""A fund's rules: checked, proposed by one person, approved by another, paused."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from schemas.scheme import Scheme
from vouchers.backoffice.queues import fit_reason
from vouchers.domain import scheme_check
from vouchers.domain.calendar import local_date
from vouchers.domain.restrictions import Restrictions
from vouchers.errors import BadScheme, NotFound, Refused
from vouchers.pipeline.context import Context
from vouchers.store import expiries, ledger, pools, schemes
from vouchers.store.pools import Gift
from vouchers.store.schemes import SchemeRow
from vouchers.store.tables.parties import scheme, scheme_version
from vouchers.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a scheme's rules."""

    scheme_id: int
    slug: str
    number: int
    state: str
    loaded_by: str
    approved_by: str | None


def check(text: str) -> list[str]:
    """Every fault of a scheme file, form first; empty when it may be loaded."""
    try:
        rules = Scheme.parse(text)
    except ValueError as error:
        return str(error).splitlines()
    return scheme_check.faults(rules)


def load(ctx: Context, text: str, actor: str) -> Version:
    """Propose a version of a scheme's rules; BadScheme names every fault.

    A file with a new slug founds a scheme; nobody can use it before it is approved.
    """
    rules = _good(text)
    with ctx.begin(actor=actor, name="scheme.load") as uow:
        version = _propose(uow, rules, text)
        _refuse_stranding(uow, version, rules)
        return version


def approve(ctx: Context, slug: str, actor: str, number: int | None = None) -> Version:
    """Put the newest proposal (or `number`) in force; whoever loaded it may not."""
    with ctx.begin(actor=actor, name="scheme.approve") as uow:
        row = _locked(uow, slug)
        proposed = _proposal(uow.conn, row, number)
        if person_of(proposed.loaded_by) == person_of(actor):
            raise Refused("another person has to approve the rules you loaded")
        # Gifts and vouchers have come since it was loaded.
        rules = schemes.version(uow.conn, row.id, proposed.number)
        _refuse_stranding(uow, proposed, rules)
        return _activate(uow, proposed)


def seed(ctx: Context, text: str, actor: str = "system") -> SchemeRow | None:
    """Found the first scheme of an empty database; None when there is one already."""
    rules = _good(text)
    with ctx.begin(actor=actor, name="scheme.seed") as uow:
        if schemes.all_schemes(uow.conn):
            return None
        founded = _propose(uow, rules, text)
        _activate(uow, founded)
        return schemes.by_id(uow.conn, founded.scheme_id)


def pause(ctx: Context, slug: str, actor: str, reason: str) -> None:
    """Stop intake and new awards; waiting referrals keep their places."""
    _set_state(ctx, slug, actor, "paused", {"open"}, reason)


def resume(ctx: Context, slug: str, actor: str) -> None:
    """Take rows again, and look at everybody who waited."""
    _set_state(ctx, slug, actor, "open", {"paused"}, None)


def close(ctx: Context, slug: str, actor: str, reason: str) -> None:
    """Take no more rows, for good; what was accepted is still decided."""
    _set_state(ctx, slug, actor, "closed", {"open", "paused"}, reason)


def versions(ctx: Context, slug: str) -> list[Version]:
    """All versions of a scheme's rules, newest first."""
    with ctx.reading() as conn:
        row = schemes.by_slug(conn, slug)
        return [
            _version(found, slug)
            for found in conn.execute(
                select(scheme_version)
                .where(scheme_version.c.scheme_id == row.id)
                .order_by(scheme_version.c.number.desc())
            )
        ]


def person_of(actor: str) -> str:
    """The person behind an actor such as `amy/cli`."""
    return actor.split("/", 1)[0]


def _good(text: str) -> Scheme:
    found = check(text)
    if found:
        raise BadScheme(found)
    return Scheme.parse(text)


def _locked(uow: UnitOfWork, slug: str) -> SchemeRow:
    uow.conn.execute(
        select(scheme.c.id).where(scheme.c.slug == slug).with_for_update()
    ).all()
    return schemes.by_slug(uow.conn, slug)


def _propose(uow: UnitOfWork, rules: Scheme, text: str) -> Version:
    about = rules.scheme
    known = uow.conn.execute(
        select(scheme.c.id).where(scheme.c.slug == about.slug).with_for_update()
    ).scalar()
    scheme_id = (
        known
        or uow.conn.execute(
            insert(scheme)
            .values(slug=about.slug, name=about.name)
            .returning(scheme.c.id)
        ).scalar_one()
    )
    if known is None:
        ledger.open_scheme_accounts(uow.conn, scheme_id)
        uow.record("scheme.founded", scheme_id, state="open")
    last = uow.conn.execute(
        select(func.max(scheme_version.c.number)).where(
            scheme_version.c.scheme_id == scheme_id
        )
    ).scalar()
    number = (last or 0) + 1
    digest = hashlib.sha256(text.encode()).hexdigest()
    uow.conn.execute(
        insert(scheme_version).values(
            scheme_id=scheme_id,
            number=number,
            body=text,
            digest=digest,
            state="proposed",
            loaded_by=uow.actor,
            loaded_at=uow.now,
        )
    )
    uow.record("scheme.loaded", scheme_id, version=number, digest=digest)
    return Version(scheme_id, about.slug, number, "proposed", uow.actor, None)


def _refuse_stranding(uow: UnitOfWork, version: Version, rules: Scheme) -> None:
    """Raise BadScheme when money given, or on codes, could not move under the rules."""
    conn, scheme_id = uow.conn, version.scheme_id
    in_use = expiries.unsettled_by_network(conn, scheme_id)
    found = scheme_check.version_faults(rules, in_use)
    try:
        before = schemes.active(conn, scheme_id)
    except NotFound:
        before = None
    for gift in pools.gifts(conn, scheme_id):
        if gift.state in ("lapsed", "closed") or before is None:
            continue
        # What was wrong with a gift before is not the new rules' fault.
        old = _gift_faults(uow, gift, before)
        new = _gift_faults(uow, gift, rules)
        found += [f"gift {gift.slug}: {fault}" for fault in new if fault not in old]
    if found:
        raise BadScheme(found)


def _gift_faults(uow: UnitOfWork, gift: Gift, rules: Scheme) -> list[str]:
    return scheme_check.gift_faults(
        rules,
        Restrictions.read(gift.restrictions),
        pence=gift.pledged_pence,
        starts_on=gift.starts_on,
        ends_on=gift.ends_on,
        today=local_date(uow.now, rules.zone),
    )


def _proposal(conn: Connection, row: SchemeRow, number: int | None) -> Version:
    statement = select(scheme_version).where(
        scheme_version.c.scheme_id == row.id, scheme_version.c.state == "proposed"
    )
    if number is None:
        # An older proposal that was passed over is meant only when it is named.
        statement = statement.where(scheme_version.c.number > row.version)
    else:
        statement = statement.where(scheme_version.c.number == number)
    found = conn.execute(
        statement.order_by(scheme_version.c.number.desc()).limit(1)
    ).first()
    if found is None:
        raise NotFound("no proposed version of these rules waits for approval")
    return _version(found, row.slug)


def _activate(uow: UnitOfWork, proposed: Version) -> Version:
    mine = scheme_version.c.scheme_id == proposed.scheme_id
    uow.conn.execute(
        update(scheme_version)
        .where(mine, scheme_version.c.state == "active")
        .values(state="replaced")
    )
    uow.conn.execute(
        update(scheme_version)
        .where(mine, scheme_version.c.number == proposed.number)
        .values(state="active", approved_by=uow.actor, approved_at=uow.now)
    )
    rules = schemes.active(uow.conn, proposed.scheme_id)
    uow.conn.execute(
        update(scheme)
        .where(scheme.c.id == proposed.scheme_id)
        .values(version=proposed.number, name=rules.scheme.name)
    )
    # New rules may serve who had to wait under the old ones.
    pools.supply_arrived(uow, proposed.scheme_id)
    uow.record("scheme.approved", proposed.scheme_id, version=proposed.number)
    return Version(
        proposed.scheme_id,
        proposed.slug,
        proposed.number,
        "active",
        proposed.loaded_by,
        uow.actor,
    )


def _set_state(
    ctx: Context,
    slug: str,
    actor: str,
    state: str,
    allowed: set[str],
    reason: str | None,
) -> None:
    reason = fit_reason(reason) if reason is not None else None
    with ctx.begin(actor=actor, name="scheme.state") as uow:
        row = _locked(uow, slug)
        if row.state not in allowed:
            raise Refused(f"the scheme is {row.state}")
        uow.conn.execute(
            update(scheme).where(scheme.c.id == row.id).values(state=state)
        )
        if state == "open":
            pools.supply_arrived(uow, row.id)
        uow.record("scheme.changed", row.id, state=state, reason=reason)


def _version(row: Row[Any], slug: str) -> Version:
    return Version(
        scheme_id=row.scheme_id,
        slug=slug,
        number=row.number,
        state=row.state,
        loaded_by=row.loaded_by,
        approved_by=row.approved_by,
    )
