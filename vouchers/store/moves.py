"""Requests under way go with whoever made them: caps are those of the home now."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import and_, func, or_, select

from vouchers.store.bulk import update_by
from vouchers.store.listed import among
from vouchers.store.tables.identity import membership, resident
from vouchers.store.tables.intake import referral
from vouchers.store.unit_of_work import UnitOfWork

#: Requests that nothing was granted on yet, or not all.
_UNDECIDED = ("checking", "matched", "waiting")


def take_requests_along(uow: UnitOfWork, resident_ids: Collection[int]) -> list[int]:
    """Put these people's open requests into the household where they belong now.

    Whoever is moved between households, or merged, would otherwise be judged by the
    past of a household that she has left. Gives the requests that were moved.
    """
    if not resident_ids:
        return []
    person = func.coalesce(resident.c.merged_into, resident.c.id)
    rows = uow.conn.execute(
        select(referral.c.id, membership.c.household_id)
        .join(resident, resident.c.id == referral.c.resident_id)
        .join(
            membership,
            and_(membership.c.resident_id == person, membership.c.to_on.is_(None)),
        )
        .where(
            or_(
                among(uow.conn, resident.c.id, resident_ids),
                among(uow.conn, resident.c.merged_into, resident_ids),
            ),
            referral.c.state.in_(_UNDECIDED),
            referral.c.household_id != membership.c.household_id,
        )
        .order_by(referral.c.id, membership.c.from_on)
        .with_for_update(of=referral)
    ).all()
    homes = {row.id: row.household_id for row in rows}
    update_by(
        uow.conn,
        referral,
        [
            {"id": number, "household_id": home, "updated_at": uow.now}
            for number, home in homes.items()
        ],
    )
    for number, home in homes.items():
        uow.record("referral.rehoused", number, household=home)
    return list(homes)
