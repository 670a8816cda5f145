"""Decides who gets which money: caps, price list, gifts, stock, all in order of need.

One transaction a chunk: households are locked, then gifts; caps, balances, stock and
the head of the waitlist are read again under the locks, decided in memory, written in
bulk.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from config.queues import Lane
from schemas.scheme import Scheme
from vouchers.domain.calendar import local_date
from vouchers.domain.ids import batch_of
from vouchers.domain.lifecycle import ReferralState
from vouchers.domain.reasons import Reason
from vouchers.errors import Busy, Refused, RowFailed
from vouchers.pipeline import breaker, first
from vouchers.pipeline.context import Context
from vouchers.pipeline.judging import Bench, Outcome, Waits
from vouchers.pipeline.settling import settle
from vouchers.store import awards, pools, schemes
from vouchers.store.awards import Candidate, Waiting
from vouchers.store.jobs import ClaimedJob, JobSpec
from vouchers.store.schemes import SchemeRow
from vouchers.store.sealing import Keyring
from vouchers.store.tables.intake import referral
from vouchers.store.unit_of_work import UnitOfWork

#: So many of the waitlist compete with each chunk.
HEAD_MAX = 500
#: Seconds until those who wait for needier ones on their way are looked at again.
LOOK_AGAIN_S = 3.0


@dataclass(slots=True)
class _Field:
    """Everybody of one scheme who competes in this transaction."""

    scheme: SchemeRow
    rules: Scheme
    newcomers: list[int] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)


def handle(ctx: Context, job: ClaimedJob) -> None:
    """Decide a chunk of matched referrals together with the head of the waitlist."""
    with_others(ctx, job.items, lambda: _carry(ctx, job))


def _carry(ctx: Context, job: ClaimedJob) -> None:
    urgent = job.lane == Lane.URGENT
    with ctx.begin(urgent=urgent, name="allocate.chunk") as uow:
        if job.payload.get("first"):
            overdue = bool(job.payload.get("overdue"))
            first.give(uow, ctx.keys, job.items, overdue=overdue)
        else:
            items = breaker.not_stopped(uow, job)
            decide(uow, ctx.keys, items, turn=job.turn)
        uow.complete(job)


def with_others(ctx: Context, own: Sequence[int], carry: Callable[[], object]) -> None:
    """Carry; a row of the waitlist that our code fails on is held, and all go on.

    Everybody's chunk looks at the head of the waitlist: one damaged place on it would
    stop them all. A job's `own` rows are held when it is split down to them.
    """
    while True:
        try:
            carry()
        except RowFailed as failed:
            if failed.referral in own:
                raise
            error_class = type(failed.orig).__name__
            with ctx.begin(name="allocate.aside") as uow:
                # None are held when another chunk has met the same row just before.
                for number in _hold(uow, [failed.referral], error_class):
                    uow.enqueue(
                        JobSpec(
                            "allocate",
                            "allocate.chunk",
                            [number],
                            batch_id=batch_of(number),
                            held=error_class,
                        )
                    )
        else:
            return


def hold(uow: UnitOfWork, job: ClaimedJob, error_class: str) -> None:
    """Put the one referral of a failed job where a person must look at it."""
    _hold(uow, job.items, error_class)


def _hold(uow: UnitOfWork, ids: Sequence[int], error_class: str) -> list[int]:
    held = []
    for row in awards.candidates(uow.conn, ids, lock=True):
        if row.state not in ("matched", "waiting"):
            continue
        uow.conn.execute(
            referral.update()
            .where(referral.c.id == row.id)
            .values(
                state=ReferralState.HELD.value,
                reason=Reason.FAILED_HERE.value,
                updated_at=uow.now,
            )
        )
        awards.leave_waitlist(uow.conn, [row.id])
        held.append(row.id)
        uow.record(
            "referral.held",
            row.id,
            state="held",
            reason=Reason.FAILED_HERE.value,
            error=error_class,
        )
    return held


def decide(
    uow: UnitOfWork,
    keys: Keyring,
    referral_ids: Sequence[int],
    *,
    scheme_id: int | None = None,
    turn: int = 0,
) -> list[Outcome]:
    """Settle matched referrals, and whoever waits and may now be served.

    `scheme_id` names a scheme whose waitlist is looked at even if no newcomer is of it.
    `turn` is the place of this chunk among its partner's; the texts keep it.
    """
    prepared = _prepare(uow, referral_ids, scheme_id)
    gifts = pools.spendable_ids(
        uow.conn,
        [one.scheme.id for one in prepared if not one.rules.money.spend_confirmed],
        confirmed=False,
    ) + pools.spendable_ids(
        uow.conn,
        [one.scheme.id for one in prepared if one.rules.money.spend_confirmed],
        confirmed=True,
    )
    waiting_ids = {place.referral_id for one in prepared for place in one.waiting}
    asked = awards.places_of(uow.conn, [*referral_ids, *waiting_ids])
    households = {home for _, _, home in asked if home is not None}
    awards.lock_households(uow.conn, households)
    rows = {
        row.id: row
        for row in awards.candidates(uow.conn, [*referral_ids, *waiting_ids], lock=True)
    }
    for row in rows.values():
        if row.state not in ("matched", "waiting"):
            continue
        if row.household_id is None:
            unfit = Refused("a matched referral has no household", referral=row.id)
            raise RowFailed(row.id, unfit)
        if row.household_id not in households:
            # A ruling moved somebody between our two looks; look again from the start.
            raise Busy(seconds=1)
    pools.lock(uow.conn, gifts)
    return [
        outcome
        for one in prepared
        for outcome in _decide_scheme(uow, keys, one, rows, gifts, turn)
    ]


def _prepare(
    uow: UnitOfWork, referral_ids: Sequence[int], scheme_id: int | None
) -> list[_Field]:
    """Look, without a lock, who will have to be locked."""
    by_scheme: dict[int, list[int]] = defaultdict(list)
    if scheme_id is not None:
        by_scheme[scheme_id] = []
    for number, its_scheme, _ in awards.places_of(uow.conn, referral_ids):
        by_scheme[its_scheme].append(number)
    prepared = []
    for number, newcomers in sorted(by_scheme.items()):
        scheme = schemes.by_id(uow.conn, number)
        rules = schemes.active(uow.conn, number)
        waiting = awards.head(
            uow.conn, number, below=scheme.supply_version, limit=HEAD_MAX
        )
        prepared.append(_Field(scheme, rules, newcomers, waiting))
    return prepared


def _decide_scheme(
    uow: UnitOfWork,
    keys: Keyring,
    one: _Field,
    rows: dict[int, Candidate],
    gifts: Sequence[int],
    turn: int,
) -> list[Outcome]:
    looked_at = {place.referral_id for place in one.waiting}
    # Under the locks the waitlist may read otherwise: others joined or left it.
    now_waiting = awards.head(
        uow.conn,
        one.scheme.id,
        below=one.scheme.supply_version,
        limit=HEAD_MAX + 1,
    )
    gone = [
        number for number in looked_at if rows[number].state != ReferralState.WAITING
    ]
    awards.leave_waitlist(uow.conn, gone)
    served = [
        place
        for place in now_waiting[:HEAD_MAX]
        if place.referral_id in looked_at and place.referral_id not in gone
    ]
    newcomers = [
        rows[number]
        for number in one.newcomers
        if rows[number].state == ReferralState.MATCHED
    ]
    places = {place.referral_id: place for place in served}
    passed_by = [
        place
        for place in now_waiting
        if place.referral_id not in places and place.referral_id not in gone
    ]
    bench = Bench(
        uow=uow,
        scheme=one.scheme,
        rules=one.rules,
        today=local_date(uow.now, one.rules.zone),
        # Needier ones whom we could not look at: nobody passes them.
        barrier=min((place.order for place in passed_by), default=None),
        turn=turn,
    )
    asking = newcomers + [rows[number] for number in places]
    outcomes = bench.decide(asking, places, _sources(uow, one, gifts))
    settle(uow, keys, bench, outcomes, places)
    _look_again(uow, bench, outcomes, left=bool(passed_by))
    return outcomes


def _sources(uow: UnitOfWork, one: _Field, gifts: Sequence[int]) -> list[int]:
    mine = set(
        pools.spendable_ids(
            uow.conn, [one.scheme.id], confirmed=one.rules.money.spend_confirmed
        )
    )
    # A gift confirmed a moment ago is not locked by us, so not ours to draw on.
    return [number for number in gifts if number in mine]


def _look_again(
    uow: UnitOfWork, bench: Bench, outcomes: Sequence[Outcome], *, left: bool
) -> None:
    """See to it that nobody waits for ever because of others who were first."""
    postponed = [
        one
        for one in outcomes
        if isinstance(one, Waits) and one.supply_version < bench.scheme.supply_version
    ]
    if left and (not outcomes or len(postponed) < len(outcomes)):
        uow.enqueue(pools.drain_job(bench.scheme.id))
    elif left or postponed:
        # Nothing moved: those on the way have to be decided before us.
        uow.enqueue(pools.drain_job(bench.scheme.id, delay_s=LOOK_AGAIN_S))
