"""Counts how often partners and people ask about residents; never about whom."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from vouchers.store.registry import AnyRow
from vouchers.store.tables.awards import award
from vouchers.store.tables.identity import resident
from vouchers.store.tables.intake import referral
from vouchers.store.tables.parties import ask_count, partner

Who = Literal["partner", "person"]
_A = ask_count.c
#: Slots are kept for as long as the doctor looks back: 31 days.
KEPT_SLOTS = 31 * 288


def lock(conn: Connection, who: Who, who_id: int, slot: int) -> dict[int, int]:
    """Questions by slot of all that is kept, this slot's row locked for the caller.

    Whoever counts next waits for this transaction, so that no two pass one limit.
    """
    _add(conn, who, who_id, slot, asked=0, turned_away=0)
    conn.execute(
        delete(ask_count).where(
            _A.who == who, _A.who_id == who_id, _A.slot <= slot - KEPT_SLOTS
        )
    )
    rows = conn.execute(
        select(_A.slot, _A.asked).where(_A.who == who, _A.who_id == who_id)
    )
    return {row.slot: row.asked for row in rows}


def count(conn: Connection, who: Who, who_id: int, slot: int, *, let_in: bool) -> bool:
    """Count one question, let in or turned away; True for a slot's first such."""
    _add(conn, who, who_id, slot, asked=int(let_in), turned_away=int(not let_in))
    turned = conn.execute(
        select(_A.turned_away).where(
            _A.who == who, _A.who_id == who_id, _A.slot == slot
        )
    ).scalar_one()
    return not let_in and turned == 1


def _add(
    conn: Connection, who: Who, who_id: int, slot: int, *, asked: int, turned_away: int
) -> None:
    is_postgresql = conn.dialect.name == "postgresql"
    make: Any = insert_postgresql if is_postgresql else insert_sqlite
    row: Mapping[str, Any] = {
        "who": who, "who_id": who_id, "slot": slot,
        "asked": asked, "turned_away": turned_away,
    }  # fmt: skip
    conn.execute(
        make(ask_count)
        .values(row)
        .on_conflict_do_update(
            index_elements=["who", "who_id", "slot"],
            set_={
                "asked": _A.asked + asked,
                "turned_away": _A.turned_away + turned_away,
            },
        )
    )


class Asked(NamedTuple):
    """How much one partner asked, was turned away and handed in."""

    partner: str
    asked: int
    turned_away: int
    handed_in: int


def by_partner(conn: Connection, *, since_slot: int, since_day: date) -> list[Asked]:
    """What each partner that asked since a slot asked, and handed in since a day."""
    asked = conn.execute(
        select(
            partner.c.id, partner.c.slug, func.sum(_A.asked), func.sum(_A.turned_away)
        )
        .join(ask_count, (_A.who_id == partner.c.id) & (_A.who == "partner"))
        .where(_A.slot >= since_slot)
        .group_by(partner.c.id, partner.c.slug)
        .order_by(partner.c.slug)
    ).all()
    rows = conn.execute(
        select(referral.c.partner_id, func.count())
        .where(
            referral.c.partner_id.in_([row.id for row in asked]),
            referral.c.received_on >= since_day,
        )
        .group_by(referral.c.partner_id)
    )
    handed_in = {row[0]: row[1] for row in rows}
    return [
        Asked(slug, int(count), int(turned), handed_in.get(number, 0))
        for number, slug, count, turned in asked
    ]


def own_request(conn: Connection, partner_id: int, resident_id: int) -> AnyRow | None:
    """A partner's own latest request for a resident, or for whom they absorbed."""
    same = select(resident.c.id).where(
        or_(resident.c.id == resident_id, resident.c.merged_into == resident_id)
    )
    return conn.execute(
        select(
            referral.c.id,
            referral.c.state,
            referral.c.received_on,
            referral.c.row_sealed,
        )
        .where(
            referral.c.partner_id == partner_id,
            referral.c.resident_id.in_(same),
            referral.c.state != "withdrawn",
            referral.c.row_sealed.is_not(None),
        )
        .order_by(referral.c.id.desc())
        .limit(1)
    ).first()


def partners_under_way(conn: Connection, household_id: int) -> set[int]:
    """Partners with a request for this household that is still to be decided."""
    return set(
        conn.execute(
            select(referral.c.partner_id)
            .where(
                referral.c.household_id == household_id,
                referral.c.state.in_(("checking", "matched", "waiting")),
                ~select(award.c.id)
                .where(award.c.referral_id == referral.c.id)
                .exists(),
            )
            .distinct()
        ).scalars()
    )
