"""One first voucher at once for a home off supply whose row is still in review."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from config.queues import Lane
from vouchers.domain.calendar import local_date
from vouchers.errors import Busy
from vouchers.pipeline import granting
from vouchers.pipeline.judging import Bench
from vouchers.store import awards, neighbours, pools, schemes
from vouchers.store.awards import Candidate
from vouchers.store.jobs import JobSpec
from vouchers.store.sealing import Keyring
from vouchers.store.unit_of_work import UnitOfWork

#: Seconds until those are looked at again who wait for needier homes on their way.
AGAIN_S = 3.0
#: Seconds between two looks whether a paused scheme is open again.
PAUSED_S = 60


def give(
    uow: UnitOfWork,
    keys: Keyring,
    referral_ids: Sequence[int],
    *,
    overdue: bool = False,
) -> list[int]:
    """Grant each of these one voucher and leave them in review; gives the awards.

    It counts towards the cap, and is given once per phone and dwelling in a while: the
    very doubt under review is who lives there. The ruling decides the rest. `overdue`
    ones need not be off supply: nobody ruled on them in time.
    """
    seen = awards.candidates(uow.conn, referral_ids)
    awards.lock_households(
        uow.conn, {row.household_id for row in seen if row.household_id is not None}
    )
    by_scheme: dict[int, list[Candidate]] = defaultdict(list)
    before = {row.id: row.household_id for row in seen}
    had = awards.of_referrals(uow.conn, referral_ids)
    for row in awards.candidates(uow.conn, referral_ids, lock=True):
        same = row.household_id is not None and before[row.id] == row.household_id
        urgent = row.off_supply or overdue
        if row.state in ("checking", "matched") and urgent and same:
            by_scheme[row.scheme_id].append(row)
    gifts = {
        number: pools.spendable_ids(
            uow.conn,
            [number],
            confirmed=schemes.active(uow.conn, number).money.spend_confirmed,
        )
        for number in by_scheme
    }
    pools.lock(uow.conn, {gift for mine in gifts.values() for gift in mine})
    given = []
    for number, rows in sorted(by_scheme.items()):
        asking = [row for row in rows if row.id not in had]
        given += _give_in(uow, keys, number, asking, gifts[number], overdue=overdue)
    return given


def _give_in(
    uow: UnitOfWork,
    keys: Keyring,
    scheme_id: int,
    asking: Sequence[Candidate],
    gifts: Sequence[int],
    *,
    overdue: bool,
) -> list[int]:
    scheme = schemes.by_id(uow.conn, scheme_id)
    if scheme.state == "paused":
        # Nobody keeps a place on the waitlist for a first voucher: come back.
        raise Busy(seconds=PAUSED_S)
    rules = schemes.active(uow.conn, scheme_id)
    today = local_date(uow.now, rules.zone)
    bench = Bench(uow, scheme, rules, today)
    fresh = _not_helped_here(uow, asking, rules.safety.first_voucher_days, bench)
    grants = bench.decide_first(fresh, gifts)
    granting.write(uow, keys, rules, grants)
    if bench.postponed:
        uow.enqueue(_later(bench.postponed, overdue=overdue))
    for one in grants:
        uow.record("referral.first_voucher", one.row.id, award=one.award_id)
    return [one.award_id for one in grants]


def _later(rows: Sequence[Candidate], *, overdue: bool) -> JobSpec:
    """Ask again once those who are needier have been decided."""
    return JobSpec(
        "allocate",
        "allocate.chunk",
        sorted(row.id for row in rows),
        lane=Lane.URGENT,
        need=min(row.need_rank for row in rows),
        delay_s=AGAIN_S,
        payload={"first": 1, "overdue": 1} if overdue else {"first": 1},
    )


def _not_helped_here(
    uow: UnitOfWork, asking: Sequence[Candidate], days: int, bench: Bench
) -> list[Candidate]:
    """Leave out whoever shares a phone or a dwelling with a recent award."""
    shared = neighbours.phones_and_dwellings(
        uow.conn, [row.resident_id for row in asking if row.resident_id is not None]
    )
    helped = neighbours.helped_since(
        uow.conn,
        {other for others in shared.values() for _, other in others},
        bench.today - timedelta(days=days),
    )
    fresh: list[Candidate] = []
    used: set[int] = set()
    for row in sorted(asking, key=lambda row: (row.need_rank, row.received_at)):
        marks = shared.get(row.resident_id or 0, set())
        keys = {mark for mark, _ in marks}
        if keys & used or any(other in helped for _, other in marks):
            continue
        used |= keys
        fresh.append(row)
    return fresh
