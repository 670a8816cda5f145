"""Remembers the questions that wait for a person, and what was ruled."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select, update

from vouchers.domain.lifecycle import ReferralState
from vouchers.domain.matching.settlement import Edge, ReviewKind
from vouchers.store.bulk import insert_rows, update_by
from vouchers.store.listed import among
from vouchers.store.registry import AnyRow
from vouchers.store.tables.awards import award, voucher
from vouchers.store.tables.identity import (
    household,
    identity_edge,
    membership,
    resident,
    review,
)
from vouchers.store.tables.intake import referral
from vouchers.store.tables.parties import partner

#: States in which a review waits for somebody.
WAITING = ("open", "undone")


def _lines() -> Select[*tuple[Any, ...]]:
    """Reviews with what of their referral stands in clear."""
    return select(
        review,
        referral.c.partner_id,
        referral.c.batch_id,
        referral.c.row_no,
        referral.c.off_supply,
        referral.c.need_band,
        referral.c.state.label("referral_state"),
        referral.c.resident_id,
        referral.c.household_id,
        referral.c.received_at,
        referral.c.row_sealed,
        partner.c.name.label("partner_name"),
    ).select_from(
        review.join(referral, referral.c.id == review.c.id).join(
            partner, partner.c.id == referral.c.partner_id
        )
    )


def queue(
    conn: Connection, *, protected: bool, decided: bool, limit: int
) -> Sequence[AnyRow]:
    """Reviews in the order in which they should be decided: need, then age.

    Decided ones stand with the newest ruling first.
    """
    states = ("decided",) if decided else WAITING
    found = _lines().where(review.c.state.in_(states))
    if not protected:
        found = found.where(review.c.protected.is_(False))
    order: tuple[Any, ...] = (review.c.need_rank, review.c.opened_at, review.c.id)
    if decided:
        order = (review.c.decided_at.desc(), review.c.id.desc())
    return conn.execute(found.order_by(*order).limit(limit)).all()


def one(conn: Connection, review_id: int) -> AnyRow | None:
    """One review with its referral."""
    return conn.execute(_lines().where(review.c.id == review_id)).first()


def lock(conn: Connection, review_id: int) -> AnyRow | None:
    """One review, its row and its referral's locked until the end of the unit."""
    held = select(review.c.id).where(review.c.id == review_id).with_for_update()
    if conn.execute(held).first() is None:
        return None
    conn.execute(
        select(referral.c.id).where(referral.c.id == review_id).with_for_update()
    )
    return one(conn, review_id)


def joined_to(conn: Connection, resident_id: int) -> list[int]:
    """Referrals in review that only wait for the ruling on this resident."""
    found = (
        select(review.c.id)
        .join(referral, referral.c.id == review.c.id)
        .where(
            review.c.kind == ReviewKind.JOINED,
            review.c.state.in_(WAITING),
            referral.c.resident_id == resident_id,
            referral.c.state == ReferralState.CHECKING,
        )
        .order_by(review.c.id)
    )
    return list(conn.execute(found).scalars())


def asking(conn: Connection, resident_id: int) -> int | None:
    """The review in which the question about this resident is asked now."""
    found = (
        select(review.c.id)
        .join(referral, referral.c.id == review.c.id)
        .where(
            review.c.kind != ReviewKind.JOINED,
            review.c.state.in_(WAITING),
            referral.c.resident_id == resident_id,
            referral.c.state == ReferralState.CHECKING,
        )
        .order_by(review.c.id)
    )
    return conn.scalar(found.limit(1))


def person_of(conn: Connection, resident_id: int) -> AnyRow | None:
    """A resident's row, or that of whom they were merged into."""
    columns = (
        resident.c.id,
        resident.c.merged_into,
        resident.c.provisional,
        resident.c.protected,
        resident.c.created_at,
    )
    row: AnyRow | None = None
    following: int | None = resident_id
    while following is not None:
        row = conn.execute(select(*columns).where(resident.c.id == following)).first()
        following = row.merged_into if row is not None else None
    return row


def provisional_among(conn: Connection, ids: Collection[int]) -> set[int]:
    """Those of these residents whose own row is still in review."""
    found = select(resident.c.id).where(
        among(conn, resident.c.id, list(ids)), resident.c.provisional.is_(True)
    )
    return set(conn.execute(found).scalars())


def waiting_counts(conn: Connection, *, protected: bool) -> tuple[int, int]:
    """Reviews that wait for somebody, and how many of them are past their time."""
    found = select(func.count(), func.count(review.c.escalated_at)).where(
        review.c.state.in_(WAITING)
    )
    if not protected:
        found = found.where(review.c.protected.is_(False))
    row = conn.execute(found).one()
    return int(row[0]), int(row[1])


def set_person(conn: Connection, resident_id: int, **values: Any) -> None:
    """Change a resident's standing: provisional, merged_into."""
    conn.execute(update(resident).where(resident.c.id == resident_id).values(**values))


def repoint(conn: Connection, old_root: int, new_root: int) -> list[int]:
    """Whoever was merged into `old_root` points to `new_root`; gives their numbers."""
    moved = list(
        conn.execute(
            select(resident.c.id)
            .where(resident.c.merged_into == old_root)
            .order_by(resident.c.id)
        ).scalars()
    )
    if moved:
        conn.execute(
            update(resident)
            .where(among(conn, resident.c.id, moved))
            .values(merged_into=new_root)
        )
    return moved


def referrals_of(conn: Connection, resident_id: int) -> Sequence[AnyRow]:
    """A resident's referrals, locked, in order."""
    return conn.execute(
        select(referral.c.id, referral.c.state, referral.c.household_id)
        .where(referral.c.resident_id == resident_id)
        .order_by(referral.c.id)
        .with_for_update()
    ).all()


def lock_referrals(conn: Connection, ids: Collection[int]) -> Sequence[AnyRow]:
    """These referrals, locked, in order."""
    return conn.execute(
        select(
            referral.c.id,
            referral.c.state,
            referral.c.judged,
            referral.c.batch_id,
            referral.c.need_rank,
            referral.c.off_supply,
            referral.c.resident_id,
            referral.c.household_id,
        )
        .where(among(conn, referral.c.id, list(ids)))
        .order_by(referral.c.id)
        .with_for_update()
    ).all()


def update_referrals(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write new states and links of referrals."""
    update_by(conn, referral, rows)


def ruled_with(conn: Connection, case: AnyRow) -> int | None:
    """The review whose ruling settled this one too."""
    rows = conn.execute(
        select(review.c.id, review.c.effect).where(
            review.c.decided_at == case.decided_at,
            review.c.decided_by == case.decided_by,
        )
    )
    for row in rows:
        if row.effect is not None and case.id in row.effect["settled"]:
            return int(row.id)
    return None


def redeemed_since(
    conn: Connection, ids: Collection[int], moment: datetime
) -> list[int]:
    """Redeemed vouchers among those granted to these referrals from that moment on."""
    found = (
        select(voucher.c.id)
        .join(award, award.c.id == voucher.c.award_id)
        .where(
            among(conn, award.c.referral_id, list(ids)),
            award.c.granted_at >= moment,
            voucher.c.redeemed_pence > 0,
        )
        .order_by(voucher.c.id)
    )
    return list(conn.execute(found).scalars())


def refused_since(
    conn: Connection, household_id: int, moment: datetime, reasons: Sequence[str]
) -> list[int]:
    """Referrals of a household refused for such reasons from that moment on."""
    found = (
        select(referral.c.id)
        .where(
            referral.c.household_id == household_id,
            referral.c.state == ReferralState.DECLINED,
            or_(*(referral.c.reason == reason for reason in reasons)),
            referral.c.updated_at >= moment,
        )
        .order_by(referral.c.id)
    )
    return list(conn.execute(found).scalars())


def save(conn: Connection, review_id: int, **values: Any) -> None:
    """Write what became of a review."""
    conn.execute(update(review).where(review.c.id == review_id).values(**values))


def add_edges(
    conn: Connection,
    pairs: Sequence[tuple[int, int]],
    kind: Edge,
    *,
    actor: str,
    reason: str,
    now: datetime,
) -> None:
    """Remember a ruling on pairs of residents; the last one of a pair counts."""
    insert_rows(
        conn,
        identity_edge,
        [
            {
                "a": a, "b": b, "kind": kind, "score": None, "model": None,
                "actor": actor, "reason": reason, "at": now,
            }
            for a, b in pairs
        ],
    )  # fmt: skip


def ensure_household(conn: Connection, household_id: int, now: datetime) -> None:
    """A household of one's own, unless it is there."""
    row = {"id": household_id, "communal": False, "created_at": now}
    insert_rows(conn, household, [row], on_conflict="ignore")


def leave(conn: Connection, resident_id: int, household_id: int) -> list[date]:
    """Take back a membership as if it had never been; gives its first days."""
    mine = (
        membership.c.resident_id == resident_id,
        membership.c.household_id == household_id,
        membership.c.to_on.is_(None),
    )
    days = list(conn.execute(select(membership.c.from_on).where(*mine)).scalars())
    conn.execute(membership.delete().where(*mine))
    return days


def enter(conn: Connection, resident_id: int, household_id: int, from_on: date) -> None:
    """A resident belongs to a household, and has since that day."""
    row = {
        "household_id": household_id,
        "resident_id": resident_id,
        "from_on": from_on,
        "to_on": None,
    }
    insert_rows(conn, membership, [row], on_conflict="ignore")


def resume(
    conn: Connection, resident_id: int, household_id: int, from_on: date
) -> None:
    """A membership is as it was: since that day, without an end."""
    enter(conn, resident_id, household_id, from_on)
    conn.execute(
        update(membership)
        .where(
            membership.c.resident_id == resident_id,
            membership.c.household_id == household_id,
            membership.c.from_on == from_on,
        )
        .values(to_on=None)
    )


def mark_over_cap(conn: Connection, household_id: int) -> None:
    """A merge showed that this household has had more than the rules allow."""
    conn.execute(
        update(household).where(household.c.id == household_id).values(over_cap=True)
    )


def overdue(
    conn: Connection, scheme_id: int, opened_before: datetime
) -> Sequence[AnyRow]:
    """Reviews past their target time of which nobody has been told yet."""
    return conn.execute(
        select(
            review.c.id, review.c.need_rank, referral.c.off_supply, referral.c.batch_id
        )
        .join(referral, referral.c.id == review.c.id)
        .where(
            review.c.scheme_id == scheme_id,
            review.c.state.in_(WAITING),
            review.c.opened_at < opened_before,
            review.c.escalated_at.is_(None),
        )
        .order_by(review.c.need_rank, review.c.id)
        .with_for_update()
    ).all()


def schemes_with_reviews(conn: Connection) -> list[int]:
    """Schemes in which somebody waits for a ruling."""
    found = select(review.c.scheme_id).where(review.c.state.in_(WAITING)).distinct()
    return sorted(conn.execute(found).scalars())
