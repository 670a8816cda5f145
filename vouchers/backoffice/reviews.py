"""What people decide on questions of identity: rulings, and what is late for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from config.queues import Lane
from schemas.scheme import ReviewTimeout
from vouchers.backoffice import rulings
from vouchers.backoffice.review_sheets import found, listing, show, waiting
from vouchers.backoffice.rulings import Effect
from vouchers.domain.lifecycle import ReferralState, check_referral
from vouchers.domain.matching.rulings import Ruling, RulingReason
from vouchers.domain.matching.settlement import ReviewKind
from vouchers.domain.roles import Duty, Person
from vouchers.errors import NotFound, Refused
from vouchers.pipeline.context import Context
from vouchers.store import registry, reviews, schemes
from vouchers.store.jobs import JobSpec
from vouchers.store.registry import AnyRow
from vouchers.store.unit_of_work import UnitOfWork

__all__ = [
    "Decided",
    "decide",
    "escalate",
    "listing",
    "show",
    "waiting",
]

#: Most reviews that one call decides.
DECIDE_MAX = 500


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of one review in a call that decides many."""

    id: int
    done: bool
    message: str
    released: tuple[int, ...] = ()


def decide(
    ctx: Context,
    person: Person,
    review_ids: Sequence[int],
    ruling: Ruling,
    *,
    reason: RulingReason,
    door: str,
    same_as: int | None = None,
) -> list[Decided]:
    """Rule on reviews, each in a unit of its own; one that fails stops no other.

    What waited for the ruling goes on to allocate at once.
    """
    person.must(Duty.REVIEW)
    if len(review_ids) > DECIDE_MAX:
        raise Refused(f"decide at most {DECIDE_MAX} reviews at a time")
    if same_as is not None and len(review_ids) > 1:
        raise Refused("a named resident fits one review at a time")
    decided = []
    for review_id in dict.fromkeys(review_ids):
        try:
            with ctx.begin(actor=person.actor(door), name="reviews.decide") as uow:
                released = _decide_one(uow, person, review_id, ruling, reason, same_as)
            decided.append(Decided(review_id, True, ruling, tuple(released)))
        except (Refused, NotFound) as error:
            decided.append(Decided(review_id, False, str(error)))
    return decided


def _decide_one(
    uow: UnitOfWork,
    person: Person,
    review_id: int,
    ruling: Ruling,
    reason: RulingReason,
    same_as: int | None,
) -> list[int]:
    registry.lock_registry(uow.conn)
    rulings.lock_homes(uow, review_id)
    case = _question(uow, person, review_id)
    if case.state not in reviews.WAITING:
        raise Refused(f"this review is decided: {case.ruling}")
    # What was granted on a ruling that was taken back stays; for whom is open.
    asked_again = case.state == "undone" and case.referral_state == "granted"
    if case.referral_state != ReferralState.CHECKING and not asked_again:
        raise Refused(f"the row is not in review any more: {case.referral_state}")
    joined = reviews.joined_to(uow.conn, case.resident_id)
    effect = rulings.carry_out(uow, case, ruling, same_as, reason)
    effect.settled = [case.id, *joined]
    _release(uow, effect, ruling)
    rulings.take_requests_along(uow, effect)
    for settled in effect.settled:
        reviews.save(
            uow.conn, settled, state="decided", ruling=ruling, note_code=reason,
            decided_at=uow.now, decided_by=uow.actor, same_as=effect.resident_id,
            effect=effect.as_json() if settled == case.id else None,
        )  # fmt: skip
        uow.record(
            "review.decided", settled, state="decided", ruling=ruling, reason=reason,
            resident=effect.resident_id, household=effect.household_id,
        )  # fmt: skip
    if effect.merged is not None:
        rulings.mark_if_over_cap(uow, effect.household_id, case.scheme_id)
    return effect.settled


def _question(uow: UnitOfWork, person: Person, review_id: int) -> AnyRow:
    """The review to rule on: a row that joined a question has its first row's."""
    case = found(reviews.lock(uow.conn, review_id), person)
    if case.kind != ReviewKind.JOINED or case.state not in reviews.WAITING:
        return case
    first = found(reviews.lock(uow.conn, case.resident_id), person)
    if first.state in reviews.WAITING or first.ruling != "withdrawn":
        return first
    # Its partner took the first row back or corrected it: this row asks on.
    asking = reviews.asking(uow.conn, case.resident_id)
    if asking is not None:
        return found(reviews.lock(uow.conn, asking), person)
    reviews.save(
        uow.conn, case.id, kind=first.kind, candidates=first.candidates,
        model=first.model,
    )  # fmt: skip
    uow.record("review.taken_up", case.id, first=first.id)
    return found(reviews.lock(uow.conn, case.id), person)


def _release(uow: UnitOfWork, effect: Effect, ruling: str) -> None:
    """The rows that waited are matched now, and go on to allocate."""
    rows = reviews.lock_referrals(uow.conn, effect.settled)
    waited = [row for row in rows if row.state == ReferralState.CHECKING]
    changed = []
    for row in waited:
        check_referral(ReferralState(row.state), ReferralState.MATCHED)
        match = {**(row.judged or {}).get("match", {}), "ruling": ruling}
        changed.append(
            {
                "id": row.id,
                "state": ReferralState.MATCHED,
                "reason": None,
                "resident_id": effect.resident_id,
                "household_id": effect.household_id,
                "judged": {**(row.judged or {}), "match": match},
                "updated_at": uow.now,
            }
        )
        uow.record(
            "referral.matched", row.id, state=ReferralState.MATCHED,
            resident=effect.resident_id, household=effect.household_id,
        )  # fmt: skip
    reviews.update_referrals(uow.conn, changed)
    uow.enqueue(*(allocation_of(row) for row in waited))


def allocation_of(row: AnyRow) -> JobSpec:
    """The promise to decide on a row whose person is known now."""
    lane = Lane.URGENT if row.off_supply else Lane.BULK
    return JobSpec(
        "allocate", "allocate.chunk", [row.id], lane=lane, need=row.need_rank,
        batch_id=row.batch_id,
    )  # fmt: skip


def escalate(ctx: Context) -> int:
    """Mark reviews past their target time; where the scheme says so, award once.

    For the clock. `hold` only raises them; `award_once` has allocate give one voucher
    to each, which counts towards the cap, whatever the ruling will be.
    """
    with ctx.reading() as conn:
        waiting = reviews.schemes_with_reviews(conn)
    count = 0
    for scheme_id in waiting:
        with ctx.begin(name="reviews.escalate") as uow:
            safety = schemes.active(uow.conn, scheme_id).safety
            before = uow.now - timedelta(hours=safety.review_target_hours)
            for row in reviews.overdue(uow.conn, scheme_id, before):
                reviews.save(uow.conn, row.id, escalated_at=uow.now)
                uow.record("review.escalated", row.id)
                count += 1
                if safety.review_timeout is ReviewTimeout.AWARD_ONCE:
                    uow.enqueue(
                        JobSpec(
                            "allocate", "allocate.chunk", [row.id], lane=Lane.URGENT,
                            need=row.need_rank, batch_id=row.batch_id,
                            payload={"first": 1, "overdue": 1},
                        )
                    )  # fmt: skip
    return count
