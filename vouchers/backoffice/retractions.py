"""Takes rulings on identity back: the question is open again, or two people are parted.

What was granted meanwhile stays with the home that had it; nothing is voided here.
"""

from __future__ import annotations

from collections.abc import Sequence

from vouchers.backoffice import rulings
from vouchers.backoffice.review_sheets import found
from vouchers.backoffice.reviews import allocation_of
from vouchers.backoffice.rulings import Effect
from vouchers.domain.lifecycle import ReferralState, check_referral
from vouchers.domain.matching.rulings import RESTED_ON_IDENTITY, Ruling, RulingReason
from vouchers.domain.reasons import Reason
from vouchers.domain.roles import Duty, Person
from vouchers.errors import Refused
from vouchers.pipeline.context import Context
from vouchers.store import awards, registry, residents, reviews
from vouchers.store.registry import AnyRow
from vouchers.store.unit_of_work import UnitOfWork

#: States from which a row goes back into review; the others have their own end.
_ASKED_AGAIN = (ReferralState.MATCHED, ReferralState.WAITING, ReferralState.DECLINED)


def undo(ctx: Context, person: Person, review_id: int, *, door: str) -> tuple[int, ...]:
    """Take a ruling back and ask anew, while nothing granted on it was redeemed.

    Gives the rows that are in review again. Of a row that was granted meanwhile only
    the question is open: its vouchers stay as they are.
    """
    person.must(Duty.REVIEW)
    with ctx.begin(actor=person.actor(door), name="reviews.undo") as uow:
        case, effect = _ruled(uow, person, review_id)
        spent = reviews.redeemed_since(uow.conn, effect.settled, case.decided_at)
        if spent:
            raise Refused(_too_late(case, effect, len(spent)), review=review_id)
        rulings.take_back(uow, effect)
        return tuple(_ask_again(uow, case, effect))


def _ruled(uow: UnitOfWork, person: Person, review_id: int) -> tuple[AnyRow, Effect]:
    """A decided review, locked with the homes that it is about; and what it changed."""
    registry.lock_registry(uow.conn)
    rulings.lock_homes(uow, review_id)
    case = found(reviews.lock(uow.conn, review_id), person)
    if case.state != "decided" or case.ruling == "withdrawn":
        raise Refused("this review has no ruling to take back")
    if case.effect is None:
        first = reviews.ruled_with(uow.conn, case)
        raise Refused(
            "two people were parted here for good: rule on their next row"
            if first is None
            else "the ruling was given on another row, which this one joined: take it "
            f"back there, with `vouchers reviews undo {first}`"
        )
    return case, Effect.of_json(case.effect)


def _too_late(case: AnyRow, effect: Effect, vouchers: int) -> str:
    count = "a voucher" if vouchers == 1 else f"{vouchers} vouchers"
    told = f"{count} granted on this ruling was redeemed, so it stands. "
    if vouchers > 1:
        told = f"{count} granted on this ruling were redeemed, so it stands. "
    if effect.merged is not None:
        return told + (
            "To part two people who were taken for one, use "
            f"`vouchers reviews undo {case.id} --part`"
        )
    return told + (
        "Both people keep what they had; if they are one person, rule so when their "
        "next row is in review"
    )


def _ask_again(uow: UnitOfWork, case: AnyRow, effect: Effect) -> list[int]:
    """The rows are in review again, each as the resident it was before."""
    me = effect.pairs[0][0] if effect.pairs else effect.resident_id
    before = residents.households_of(uow.conn, [me]).get(me, case.household_id)
    rows = reviews.lock_referrals(uow.conn, effect.settled)
    granted = [row for row in rows if row.state == ReferralState.GRANTED]
    again = [row for row in rows if row.state in _ASKED_AGAIN]
    for row in again:
        check_referral(ReferralState(row.state), ReferralState.CHECKING)
        uow.record("referral.checking", row.id, state=ReferralState.CHECKING)
    for row in (*granted, *again):
        reviews.save(uow.conn, row.id, state="undone", effect=None)
        uow.record("review.undone", row.id, state="undone")
    if case.id not in {row.id for row in (*granted, *again)}:
        # Its row was withdrawn meanwhile: nobody is left to ask about.
        reviews.save(uow.conn, case.id, ruling="withdrawn", effect=None)
        uow.record("review.undone", case.id, state="decided")
    # Who was granted something is herself again; the award stays where it was judged.
    reviews.update_referrals(
        uow.conn,
        [{"id": row.id, "resident_id": me, "updated_at": uow.now} for row in granted],
    )
    reviews.update_referrals(
        uow.conn,
        [
            {
                "id": row.id,
                "state": ReferralState.CHECKING,
                "reason": Reason.IDENTITY,
                "resident_id": me,
                "household_id": before,
                "next_on": None,
                "decided_at": None,
                "updated_at": uow.now,
            }
            for row in again
        ],
    )
    awards.leave_waitlist(uow.conn, [row.id for row in again])
    return [row.id for row in again]


def unmerge(
    ctx: Context, person: Person, review_id: int, *, door: str
) -> tuple[int, ...]:
    """Part two people who were ruled to be one, even after vouchers were redeemed.

    Nothing is voided. Requests that were refused because of the merge are judged again;
    these are given.
    """
    person.must(Duty.REVIEW)
    with ctx.begin(actor=person.actor(door), name="reviews.unmerge") as uow:
        case, effect = _ruled(uow, person, review_id)
        if effect.merged is None:
            raise Refused("this review did not take two people for one")
        refused = reviews.refused_since(
            uow.conn, effect.household_id, case.decided_at, RESTED_ON_IDENTITY
        )
        rulings.take_back(uow, effect)
        me = effect.pairs[0][0]
        reviews.set_person(uow.conn, me, provisional=False)
        rulings.remember_apart(uow, effect.pairs)
        home = residents.households_of(uow.conn, [me])[me]
        _open_anew(uow, refused, set(effect.settled), me, home)
        reviews.save(
            uow.conn, case.id, ruling=Ruling.DIFFERENT, note_code=RulingReason.MISTAKE,
            decided_by=uow.actor, effect=None, same_as=me,
        )  # fmt: skip
        uow.record(
            "review.unmerged", case.id, state="decided", ruling=Ruling.DIFFERENT,
            reopened=refused,
        )  # fmt: skip
    return tuple(refused)


def _open_anew(
    uow: UnitOfWork, refused: Sequence[int], mine: set[int], me: int, home: int
) -> None:
    """Judge refused requests again, each for the person it was for."""
    rows = reviews.lock_referrals(uow.conn, refused)
    changed = []
    for row in rows:
        check_referral(ReferralState(row.state), ReferralState.MATCHED)
        own = row.id in mine
        changed.append(
            {
                "id": row.id,
                "state": ReferralState.MATCHED,
                "reason": None,
                "resident_id": me if own else row.resident_id,
                "household_id": home if own else row.household_id,
                "updated_at": uow.now,
            }
        )
        uow.record("referral.matched", row.id, state=ReferralState.MATCHED)
    reviews.update_referrals(uow.conn, changed)
    uow.enqueue(*(allocation_of(row) for row in rows))
