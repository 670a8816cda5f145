"""Remembers gifts: funders, pools, contributions, and when new money or stock came."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select, update

from vouchers.domain.headroom import Source
from vouchers.domain.ids import Place, account_id
from vouchers.domain.restrictions import Restrictions
from vouchers.errors import NotFound
from vouchers.store import ledger
from vouchers.store.jobs import JobSpec
from vouchers.store.listed import among
from vouchers.store.tables.money import contribution, funder, pool, transfer
from vouchers.store.tables.parties import scheme
from vouchers.store.unit_of_work import UnitOfWork


class Gift(NamedTuple):
    """One contribution with its names."""

    id: int
    slug: str
    state: str
    scheme_id: int
    pool_id: int
    pool_slug: str
    funder_slug: str
    pledged_pence: int
    restrictions: dict[str, Any]
    matching: dict[str, Any] | None
    priority: int
    starts_on: Any
    ends_on: Any
    allows_costs: int
    created_by: str
    approved_by: str | None


def _gifts() -> Select[Any]:
    c = contribution.c
    return (
        select(
            c.id,
            c.slug,
            c.state,
            c.scheme_id,
            c.pool_id,
            pool.c.slug.label("pool_slug"),
            funder.c.slug.label("funder_slug"),
            c.pledged_pence,
            c.restrictions,
            c.matching,
            c.priority,
            c.starts_on,
            c.ends_on,
            c.allows_costs,
            c.created_by,
            c.approved_by,
        )
        .join(pool, pool.c.id == c.pool_id)
        .join(funder, funder.c.id == c.funder_id)
        .order_by(c.id)
    )


def gifts(conn: Connection, scheme_id: int | None = None) -> list[Gift]:
    """All contributions, or those of one scheme, oldest first."""
    statement = _gifts()
    if scheme_id is not None:
        statement = statement.where(contribution.c.scheme_id == scheme_id)
    return [Gift(*row) for row in conn.execute(statement)]


def gift(conn: Connection, slug: str) -> Gift:
    """The contribution that is called so."""
    row = conn.execute(_gifts().where(contribution.c.slug == slug)).first()
    if row is None:
        raise NotFound(f"no contribution is called {slug}")
    return Gift(*row)


def gift_of_booking(conn: Connection, kind: str, word: str) -> str | None:
    """The contribution that a bank line or letter is booked for; None if for none."""
    rows = conn.execute(
        select(transfer.c.key, contribution.c.slug)
        .join(contribution, contribution.c.id == transfer.c.contribution_id)
        .where(transfer.c.kind == str(kind), transfer.c.voucher_id.is_(None))
    )
    # A key is kind:gift:word, and a word may hold colons of its own.
    return next((row.slug for row in rows if row.key.split(":", 2)[2] == word), None)


def spendable_ids(
    conn: Connection, scheme_ids: Collection[int], *, confirmed: bool
) -> list[int]:
    """Numbers of the contributions that may be drawn on, lowest first."""
    states = ("received", "confirmed") if confirmed else ("received",)
    rows = conn.execute(
        select(contribution.c.id)
        .join(pool, pool.c.id == contribution.c.pool_id)
        .where(
            among(conn, contribution.c.scheme_id, scheme_ids),
            contribution.c.state.in_(states),
            pool.c.state == "open",
        )
        .order_by(contribution.c.id)
    )
    return [row.id for row in rows]


def lock(conn: Connection, contribution_ids: Collection[int]) -> None:
    """Lock contributions in the order of their numbers: the last locks of a step."""
    if contribution_ids:
        conn.execute(
            select(contribution.c.id)
            .where(among(conn, contribution.c.id, sorted(contribution_ids)))
            .order_by(contribution.c.id)
            .with_for_update(key_share=True)
        ).all()


def sources(conn: Connection, contribution_ids: Collection[int]) -> list[Source]:
    """What may be drawn from each, as it stands now: read it under their locks."""
    if not contribution_ids:
        return []
    left = ledger.balances(
        conn, [account_id(number, Place.AVAILABLE) for number in contribution_ids]
    )
    rows = conn.execute(
        select(contribution).where(among(conn, contribution.c.id, contribution_ids))
    )
    return [
        Source(
            id=row.id,
            pool_id=row.pool_id,
            available=left.get(account_id(row.id, Place.AVAILABLE), 0),
            restrictions=Restrictions.read(row.restrictions),
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            priority=row.priority,
        )
        for row in rows
    ]


def drain_job(scheme_id: int, *, delay_s: float = 0.0, need: int = 0) -> JobSpec:
    """The job that looks at a scheme's waitlist; one waits at most."""
    return JobSpec(
        queue="allocate",
        kind="allocate.drain",
        need=need,
        delay_s=delay_s,
        once=f"drain:{scheme_id}",
        payload={"scheme_id": scheme_id},
    )


def supply_arrived(uow: UnitOfWork, scheme_id: int) -> None:
    """Money or stock came: those passed over for want of it are looked at again."""
    uow.conn.execute(
        update(scheme)
        .where(scheme.c.id == scheme_id)
        .values(supply_version=scheme.c.supply_version + 1)
    )
    uow.enqueue(drain_job(scheme_id))
