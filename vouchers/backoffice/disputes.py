"""'Not the same person': a partner objects to a refusal, and a person looks at it.

The refusal rested on who somebody was taken for, or on whom they share a household
with. The row goes into review, in order of need; nothing is told of the other person.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from vouchers.backoffice.review_sheets import sees_protected
from vouchers.domain.lifecycle import ReferralState, check_referral
from vouchers.domain.matching.rulings import RESTED_ON_IDENTITY
from vouchers.domain.matching.settlement import ReviewKind
from vouchers.domain.reasons import Reason
from vouchers.domain.roles import Duty, Person
from vouchers.errors import NotFound, Refused
from vouchers.pipeline import deduplicate
from vouchers.pipeline.context import Context
from vouchers.store import decisions, registry, residents, reviews
from vouchers.store.bulk import insert_rows
from vouchers.store.registry import AnyRow
from vouchers.store.tables.identity import review
from vouchers.store.tables.intake import referral
from vouchers.store.unit_of_work import UnitOfWork


def dispute(ctx: Context, person: Person, referral_id: int, *, door: str) -> ReviewKind:
    """Have a refusal looked at; a partner's person may do so for their own rows."""
    person.must(Duty.SUBMIT)
    with ctx.begin(actor=person.actor(door), name="reviews.dispute") as uow:
        registry.lock_registry(uow.conn)
        row = uow.conn.execute(
            select(referral).where(referral.c.id == referral_id).with_for_update()
        ).first()
        _check(uow, person, row, referral_id)
        assert row is not None
        kind, resident_id, candidates = _question(uow, ctx, row)
        _ask(uow, row, kind, resident_id, candidates)
    return kind


def _check(
    uow: UnitOfWork, person: Person, row: AnyRow | None, referral_id: int
) -> None:
    """Is this a refusal that a person has not confirmed yet, and may they object?"""
    mine = row is not None and person.partner_id in (None, row.partner_id)
    if row is None or not mine:
        raise NotFound("no such row")
    if row.protected and person.partner_id is None and not sees_protected(person):
        raise NotFound("no such row")
    if row.state != ReferralState.DECLINED or row.reason not in RESTED_ON_IDENTITY:
        raise Refused("only a refusal for help already given can be disputed")
    before = reviews.one(uow.conn, referral_id)
    if before is not None and before.state == "decided":
        raise Refused("a person has looked at this already", review=referral_id)


def _question(
    uow: UnitOfWork, ctx: Context, row: AnyRow
) -> tuple[ReviewKind, int, list[dict[str, Any]]]:
    """What to ask, for which resident, beside whom."""
    if row.resident_id != row.id:
        # Taken for somebody else: until the ruling the row stands for itself.
        reading = deduplicate.read(ctx.keys, row)
        decisions.insert_provisional(uow, ctx.keys, row.id, reading)
        return ReviewKind.PERSON, row.id, [_beside(row, row.resident_id)]
    home = row.household_id
    others = residents.members_of(uow.conn, [home])[home] - {row.resident_id}
    if not others:
        raise Refused("this person alone had the help: there is nobody to confuse")
    beside = [_beside(row, other) for other in sorted(others)]
    return ReviewKind.HOUSEHOLD, row.id, beside


def _beside(row: AnyRow, resident_id: int) -> dict[str, Any]:
    """What the matcher said of that resident then, or nothing but who it is."""
    said = ((row.judged or {}).get("match") or {}).get("candidates", [])
    for candidate in said:
        if int(candidate["resident_id"]) == resident_id:
            return dict(candidate)
    return {
        "resident_id": str(resident_id),
        "person": 0.0,
        "household": 1.0,
        "guards": 0,
        "parts": [],
    }


def _ask(
    uow: UnitOfWork,
    row: AnyRow,
    kind: ReviewKind,
    resident_id: int,
    candidates: list[dict[str, Any]],
) -> None:
    """Open the review and put the row back into checking."""
    check_referral(ReferralState(row.state), ReferralState.CHECKING)
    insert_rows(
        uow.conn,
        review,
        [
            {
                "id": row.id,
                "scheme_id": row.scheme_id,
                "kind": kind,
                "state": "open",
                "protected": row.protected,
                "need_rank": row.need_rank,
                "candidates": candidates,
                "model": residents.shipped_model().version,
                "opened_at": uow.now,
            }
        ],
    )
    reviews.update_referrals(
        uow.conn,
        [
            {
                "id": row.id,
                "state": ReferralState.CHECKING,
                "reason": Reason.IDENTITY,
                "resident_id": resident_id,
                "household_id": row.household_id
                if kind is ReviewKind.HOUSEHOLD
                else resident_id,
                "updated_at": uow.now,
            }
        ],
    )
    uow.record("review.opened", row.id, state="open", review_kind=kind, disputed=True)
    uow.record("referral.checking", row.id, state=ReferralState.CHECKING)
