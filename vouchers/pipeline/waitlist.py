"""The waitlist: drained in order of need when money or stock comes, not by arrival."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from vouchers.domain.calendar import local_date
from vouchers.domain.need import LOWEST_TO_MOVE, after_waiting, band_of
from vouchers.domain.reasons import SENTENCES, Reason
from vouchers.pipeline import allocate, first
from vouchers.pipeline.context import Context
from vouchers.store import awards, pools, queues, schemes
from vouchers.store.bulk import update_by
from vouchers.store.jobs import ClaimedJob
from vouchers.store.tables.awards import waitlist
from vouchers.store.tables.intake import referral
from vouchers.store.unit_of_work import UnitOfWork

#: Rows that one sweep moves up a band; the next sweep goes on.
PROMOTE_MAX = 5_000
#: Rows in review that get their first voucher when money comes; the neediest.
FIRST_MAX = 200


@dataclass(frozen=True, slots=True)
class Place:
    """Where a referral stands in a scheme's waitlist, and why."""

    number: int
    referral_id: int
    partner_id: int
    need_band: int
    need_rank: int
    since: datetime
    rule: str
    sentence: str
    off_supply: bool


def handle(ctx: Context, job: ClaimedJob) -> None:
    """Serve the neediest of a scheme who wait, as far as money and stock go.

    Homes off supply whose row is in review come before all: their first voucher may
    have found no money when the row came.
    """
    scheme_id = int(job.payload["scheme_id"])
    with ctx.begin(name="allocate.drain.first") as uow:
        doubted = awards.doubted_off_supply(uow.conn, scheme_id, limit=FIRST_MAX)
        first.give(uow, ctx.keys, doubted)
    allocate.with_others(ctx, (), lambda: _drain(ctx, job, scheme_id))


def _drain(ctx: Context, job: ClaimedJob, scheme_id: int) -> None:
    with ctx.begin(name="allocate.drain") as uow:
        allocate.decide(uow, ctx.keys, [], scheme_id=scheme_id)
        uow.complete(job)


def sweep(ctx: Context) -> int:
    """Move up who has waited long, and drain every scheme that has cause to.

    The clock calls this, so that nobody waits for ever on a signal that was lost. Gives
    the number of schemes that will be drained.
    """
    with ctx.begin(name="waitlist.sweep") as uow:
        drained = 0
        for scheme in schemes.all_schemes(uow.conn):
            if scheme.version == 0:
                continue
            rules = schemes.active(uow.conn, scheme.id)
            _promote(uow, scheme.id, rules.need.up_after_days)
            if _is_new_day(uow, scheme.id, local_date(uow.now, rules.zone)):
                pools.supply_arrived(uow, scheme.id)
                drained += 1
            elif awards.has_unlooked(uow.conn, scheme.id, below=scheme.supply_version):
                uow.enqueue(pools.drain_job(scheme.id))
                drained += 1
        return drained


def places(ctx: Context, scheme_id: int, *, limit: int = 100) -> list[Place]:
    """The waitlist of a scheme in the order in which it will be served."""
    with ctx.reading() as conn:
        rows = conn.execute(
            select(
                waitlist.c.referral_id,
                referral.c.partner_id,
                waitlist.c.need_rank,
                waitlist.c.since,
                waitlist.c.rule,
                referral.c.off_supply,
            )
            .join(referral, referral.c.id == waitlist.c.referral_id)
            .where(waitlist.c.scheme_id == scheme_id)
            .order_by(waitlist.c.need_rank, waitlist.c.since, waitlist.c.referral_id)
            .limit(limit)
        ).all()
    return [
        Place(
            number=number,
            referral_id=row.referral_id,
            partner_id=row.partner_id,
            need_band=band_of(row.need_rank),
            need_rank=row.need_rank,
            since=row.since,
            rule=row.rule,
            sentence=SENTENCES[Reason(row.rule)],
            off_supply=row.off_supply,
        )
        for number, row in enumerate(rows, start=1)
    ]


def _is_new_day(uow: UnitOfWork, scheme_id: int, today: date) -> bool:
    """Whether nobody was looked at yet today: dates move money as gifts do.

    A gift's first day comes, the price list changes with the season; no gift, stock or
    rule arrives that day to say so.
    """
    return queues.take_slot(uow.conn, f"new_day:{scheme_id}", today.toordinal())


def _promote(uow: UnitOfWork, scheme_id: int, days: int) -> None:
    """One band up for who has waited `days`, once, never into off supply."""
    rows = uow.conn.execute(
        select(waitlist.c.referral_id, waitlist.c.need_rank)
        .join(referral, referral.c.id == waitlist.c.referral_id)
        .where(
            waitlist.c.scheme_id == scheme_id,
            waitlist.c.since <= uow.now - timedelta(days=days),
            waitlist.c.need_rank == referral.c.need_rank,
            waitlist.c.need_rank >= LOWEST_TO_MOVE,
        )
        .order_by(waitlist.c.referral_id)
        .limit(PROMOTE_MAX)
        .with_for_update(of=waitlist)
    ).all()
    moved = [
        {"referral_id": row.referral_id, "need_rank": after_waiting(row.need_rank)}
        for row in rows
    ]
    update_by(uow.conn, waitlist, moved, key="referral_id")
    for one in moved:
        uow.record("referral.moved_up", one["referral_id"], need_rank=one["need_rank"])
