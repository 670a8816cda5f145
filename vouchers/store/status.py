"""Accounts for every row of every file, counted by the database in a few statements."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, case, func, literal, select

from vouchers.domain.ids import Purpose
from vouchers.domain.lifecycle import VoucherState
from vouchers.store.tables.awards import award, voucher
from vouchers.store.tables.identity import match_key
from vouchers.store.tables.intake import batch, contact, referral, row_error
from vouchers.store.tables.messages import message
from vouchers.store.tables.parties import partner, scheme
from vouchers.store.tables.work import job

_V = VoucherState


@dataclass(frozen=True, slots=True)
class Group:
    """So many referrals of a batch that stand alike in every way that a word needs."""

    batch_id: int
    state: str
    reason: str | None
    message_state: str | None
    #: States of the vouchers, as far as the partner's word asks for them.
    vouchers: frozenset[VoucherState]
    off_supply: bool
    rows: int


def batches(
    conn: Connection, *, partner_id: int | None = None, limit: int = 200
) -> list[Row[Any]]:
    """The newest batches with the names of their partner and scheme, oldest first."""
    wanted = _batches().order_by(batch.c.id.desc()).limit(limit)
    if partner_id is not None:
        wanted = wanted.where(batch.c.partner_id == partner_id)
    return list(reversed(conn.execute(wanted).all()))


def one_batch(conn: Connection, batch_id: int) -> Row[Any] | None:
    """One batch with the names of its partner and scheme."""
    return conn.execute(_batches().where(batch.c.id == batch_id)).one_or_none()


def _batches() -> Select[Any]:
    return select(
        *batch.c,
        partner.c.slug.label("partner"),
        scheme.c.slug.label("scheme"),
    ).select_from(
        batch.join(partner, partner.c.id == batch.c.partner_id).join(
            scheme, scheme.c.id == batch.c.scheme_id
        )
    )


def groups(conn: Connection, batch_ids: Collection[int]) -> list[Group]:
    """Referrals of batches, grouped by all that decides their word."""
    ids = list(batch_ids)
    if not ids:
        return []
    told, money = _newest_text(ids), _voucher_marks(ids)
    columns = (
        referral.c.batch_id,
        referral.c.state,
        referral.c.reason,
        message.c.state.label("message_state"),
        money.c.live,
        money.c.used,
        money.c.ended,
        referral.c.off_supply,
    )
    wanted = (
        select(*columns, func.count().label("rows"))
        .select_from(
            referral.outerjoin(told, told.c.referral_id == referral.c.id)
            .outerjoin(message, message.c.id == told.c.message_id)
            .outerjoin(money, money.c.referral_id == referral.c.id)
        )
        .where(referral.c.batch_id.in_(ids))
        .group_by(*columns)
    )
    return [
        Group(
            batch_id=row.batch_id,
            state=row.state,
            reason=row.reason,
            message_state=row.message_state,
            vouchers=_marked(row),
            off_supply=bool(row.off_supply),
            rows=row.rows,
        )
        for row in conn.execute(wanted)
    ]


def _newest_text(batch_ids: list[int]) -> Any:
    # The number of a message holds its generation: the highest is the newest.
    return (
        select(message.c.referral_id, func.max(message.c.id).label("message_id"))
        .select_from(message.join(referral, referral.c.id == message.c.referral_id))
        .where(
            referral.c.batch_id.in_(batch_ids),
            message.c.purpose == Purpose.AWARD.value,
        )
        .group_by(message.c.referral_id)
        .subquery("told")
    )


def _voucher_marks(batch_ids: list[int]) -> Any:
    def any_of(*states: VoucherState) -> Any:
        names = [state.value for state in states]
        return func.max(case((voucher.c.state.in_(names), 1), else_=0))

    return (
        select(
            award.c.referral_id,
            any_of(_V.LIVE, _V.COMMITTED).label("live"),
            any_of(_V.REDEEMED, _V.PART_REDEEMED).label("used"),
            any_of(_V.AWAITING_NETWORK, _V.RELEASED).label("ended"),
        )
        .select_from(
            award.join(referral, referral.c.id == award.c.referral_id).join(
                voucher, voucher.c.award_id == award.c.id
            )
        )
        .where(referral.c.batch_id.in_(batch_ids))
        .group_by(award.c.referral_id)
        .subquery("money")
    )


def _marked(row: Row[Any]) -> frozenset[VoucherState]:
    marks = {_V.LIVE: row.live, _V.REDEEMED: row.used, _V.AWAITING_NETWORK: row.ended}
    return frozenset(state for state, there in marks.items() if there)


def error_counts(
    conn: Connection, batch_ids: Collection[int]
) -> dict[tuple[int, bool], int]:
    """Row errors by batch and by whether they are held for a person of ours."""
    rows = conn.execute(
        select(row_error.c.batch_id, row_error.c.held, func.count().label("rows"))
        .where(row_error.c.batch_id.in_(list(batch_ids)))
        .group_by(row_error.c.batch_id, row_error.c.held)
    )
    return {(row.batch_id, bool(row.held)): row.rows for row in rows}


def being_read(conn: Connection, batch_ids: Collection[int]) -> set[int]:
    """Those of these batches of which rows are still to be read by the first step."""
    found = conn.scalars(
        select(job.c.batch_id)
        .where(
            job.c.queue == "accept",
            job.c.kind == "accept.chunk",
            job.c.state.in_(("ready", "running")),
            job.c.batch_id.in_(list(batch_ids)),
        )
        .distinct()
    )
    return set(found)


def faults(conn: Connection, batch_id: int) -> dict[str, int]:
    """How many rows of a batch have each fault."""
    counted: dict[str, int] = {}
    for found in conn.scalars(
        select(row_error.c.faults).where(row_error.c.batch_id == batch_id)
    ):
        for code in {fault["code"] for fault in found}:
            counted[code] = counted.get(code, 0) + 1
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def by_contact(conn: Connection, key: int) -> list[Row[Any]]:
    """Referrals that gave a contact with this match key, the newest first."""
    return _found(conn, contact.c.key == literal(key), via_contact=True)


def by_residents(conn: Connection, resident_ids: Collection[int]) -> list[Row[Any]]:
    """Referrals of residents, the newest first."""
    return _found(conn, referral.c.resident_id.in_(list(resident_ids)))


def by_reference(
    conn: Connection, partner_id: int, reference_key: bytes
) -> list[Row[Any]]:
    """Referrals of a partner under a reference, the newest first."""
    return _found(
        conn,
        and_(
            referral.c.partner_id == partner_id,
            referral.c.reference_key == reference_key,
        ),
    )


def residents_with(conn: Connection, keys: Collection[tuple[int, int]]) -> set[int]:
    """Residents under whom any of these match keys (kind, key) is kept."""
    found: set[int] = set()
    for kind, key in keys:
        found.update(
            conn.scalars(
                select(match_key.c.resident_id).where(
                    match_key.c.kind == kind, match_key.c.key == key
                )
            )
        )
    return found


def _found(
    conn: Connection, where: Any, *, via_contact: bool = False, limit: int = 50
) -> list[Row[Any]]:
    source: Any = referral.join(partner, partner.c.id == referral.c.partner_id)
    if via_contact:
        source = source.join(contact, contact.c.referral_id == referral.c.id)
    return list(
        conn.execute(
            select(
                referral.c.id,
                referral.c.batch_id,
                referral.c.row_no,
                referral.c.state,
                referral.c.reason,
                referral.c.protected,
                referral.c.received_at,
                referral.c.resident_id,
                referral.c.partner_id,
                referral.c.next_on,
                partner.c.slug.label("partner"),
            )
            .select_from(source)
            .where(where)
            .order_by(referral.c.id.desc())
            .limit(limit)
        )
    )
