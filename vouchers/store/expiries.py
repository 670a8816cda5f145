"""Vouchers past their last day: which end now, and whose money may go home."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from sqlalchemy import Connection, func, select, update

from vouchers.domain.lifecycle import VoucherState
from vouchers.store.listed import among
from vouchers.store.tables.awards import redemption, voucher
from vouchers.store.unit_of_work import UnitOfWork


def ended_vouchers(
    conn: Connection, scheme_id: int, *, before: date, limit: int
) -> list[int]:
    """Vouchers past their last day that do not say so; locked, busy ones skipped."""
    usable = (VoucherState.LIVE, VoucherState.PART_REDEEMED)
    query = (
        select(voucher.c.id)
        .where(
            voucher.c.scheme_id == scheme_id,
            voucher.c.state.in_(usable),
            voucher.c.expires_on < before,
        )
        .order_by(voucher.c.expires_on, voucher.c.id)
        .limit(limit)
    )
    return list(conn.scalars(query.with_for_update(skip_locked=True)))


def unsettled_by_network(conn: Connection, scheme_id: int) -> dict[str, int]:
    """How many vouchers of each network still hold money of a gift."""
    ended = (VoucherState.REDEEMED, VoucherState.RELEASED, VoucherState.VOIDED)
    rows = conn.execute(
        select(voucher.c.network, func.count().label("vouchers"))
        .where(
            voucher.c.scheme_id == scheme_id,
            voucher.c.state.not_in((*ended, VoucherState.WRITTEN_OFF)),
        )
        .group_by(voucher.c.network)
    )
    return {row.network: int(row.vouchers) for row in rows}


def releasable_vouchers(
    conn: Connection, scheme_id: int, network: str, *, until: date, limit: int
) -> list[int]:
    """Ended vouchers whose last day is settled and of which no line waits; locked."""
    waiting = (
        select(redemption.c.id)
        .where(redemption.c.voucher_id == voucher.c.id, redemption.c.state == "new")
        .exists()
    )
    query = (
        select(voucher.c.id)
        .where(
            voucher.c.scheme_id == scheme_id,
            voucher.c.network == network,
            voucher.c.state == VoucherState.AWAITING_NETWORK,
            voucher.c.expires_on <= until,
            ~waiting,
        )
        .order_by(voucher.c.expires_on, voucher.c.id)
        .limit(limit)
    )
    return list(conn.scalars(query.with_for_update(skip_locked=True)))


def mark_ended(uow: UnitOfWork, voucher_ids: Collection[int]) -> None:
    """Vouchers stop being usable; their money stays until the network's word."""
    state = VoucherState.AWAITING_NETWORK
    uow.conn.execute(
        update(voucher)
        .where(among(uow.conn, voucher.c.id, voucher_ids))
        .values(state=state.value, expired_at=uow.now)
    )
    for id_ in voucher_ids:
        uow.record("voucher.expired", id_, state=state.value)
