"""Remembers referrals as they come in, and takes back those a partner gave up."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, delete, exists, select, text, update

from vouchers.domain.lifecycle import ReferralState, VoucherState
from vouchers.domain.reasons import Reason
from vouchers.store.listed import among
from vouchers.store.sealing import Keyring
from vouchers.store.tables.awards import award, voucher, waitlist
from vouchers.store.tables.identity import review
from vouchers.store.tables.intake import referral
from vouchers.store.tables.parties import partner_listing
from vouchers.store.unit_of_work import UnitOfWork

#: First half of the advisory lock under which one partner's rows are compared.
_LOCK = 4201
#: Reasons of rows that only pointed at another: they are no requests of their own.
_ECHOES = (
    Reason.ALREADY_RECEIVED,
    Reason.CORRECTED,
    Reason.NOTHING_TO_CORRECT,
    Reason.NOTHING_TO_WITHDRAW,
    Reason.TOO_LATE_TO_CORRECT,
    Reason.TOO_LATE_TO_WITHDRAW,
)


def lock_partner(conn: Connection, partner_id: int) -> None:
    """Be the only one that compares this partner's rows until the commit.

    SQLite has one writer at a time anyway.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(
            text("select pg_advisory_xact_lock(:kind, :partner)"),
            {"kind": _LOCK, "partner": partner_id},
        )


def earlier(
    conn: Connection,
    *,
    partner_id: int,
    scheme_id: int,
    reference_keys: Collection[bytes],
) -> dict[bytes, list[Any]]:
    """Requests of a partner by reference, the newest first, locked until the commit."""
    if not reference_keys:
        return {}
    columns = (
        referral.c.id,
        referral.c.batch_id,
        referral.c.row_no,
        referral.c.state,
        referral.c.reason,
        referral.c.reference_key,
        referral.c.content_key,
        referral.c.received_at,
        referral.c.received_on,
        referral.c.safe_contact,
        referral.c.row_sealed,
    )
    found: dict[bytes, list[Any]] = {}
    rows = conn.execute(
        select(*columns)
        .where(
            referral.c.partner_id == partner_id,
            referral.c.scheme_id == scheme_id,
            referral.c.reference_key.in_(list(reference_keys)),
        )
        # Locked lowest number first, as everywhere; told newest first.
        .order_by(referral.c.id)
        .with_for_update()
    ).all()
    for row in reversed(rows):
        found.setdefault(bytes(row.reference_key), []).append(row)
    return found


def is_echo(reason: str | None) -> bool:
    """Whether a referral with this reason only points at another."""
    return reason in _ECHOES


def used_up(conn: Connection, referrals: Collection[int]) -> set[int]:
    """Those of granted `referrals` whose every voucher was redeemed in full."""
    if not referrals:
        return set()
    unused = exists().where(
        voucher.c.award_id == award.c.id, voucher.c.state != VoucherState.REDEEMED
    )
    rows = conn.execute(
        select(award.c.referral_id, unused).where(
            among(conn, award.c.referral_id, referrals)
        )
    )
    left = dict.fromkeys(referrals, False)
    seen: set[int] = set()
    for number, has_unused in rows:
        seen.add(number)
        left[number] = left[number] or bool(has_unused)
    return {number for number in seen if not left[number]}


def end(uow: UnitOfWork, endings: Sequence[tuple[int, Reason, int]]) -> None:
    """Take back open referrals: (referral, why, the row that asked for it).

    Whoever works on them finds another state than it expects and leaves them alone.
    """
    if not endings:
        return
    ids = [number for number, _, _ in endings]
    for reason in {reason for _, reason, _ in endings}:
        these = [number for number, why, _ in endings if why is reason]
        uow.conn.execute(
            update(referral)
            .where(among(uow.conn, referral.c.id, these))
            .values(
                state=ReferralState.WITHDRAWN.value,
                reason=reason.value,
                decided_at=uow.now,
                updated_at=uow.now,
            )
        )
    uow.conn.execute(
        delete(waitlist).where(among(uow.conn, waitlist.c.referral_id, ids))
    )
    reviews = list(
        uow.conn.scalars(
            update(review)
            .where(
                among(uow.conn, review.c.id, ids),
                # Open, or open once more since a ruling was taken back.
                review.c.state.in_(("open", "undone")),
            )
            .values(
                state="decided",
                ruling="withdrawn",
                decided_at=uow.now,
                decided_by=uow.actor,
            )
            .returning(review.c.id)
        )
    )
    for number, reason, by in endings:
        uow.record(
            "referral.withdrawn",
            number,
            state=ReferralState.WITHDRAWN.value,
            reason=reason.value,
            by=by,
        )
    for number in reviews:
        uow.record("review.decided", number, state="decided", ruling="withdrawn")


def make_safe(
    uow: UnitOfWork, changes: Sequence[tuple[int, str]], *, refuge: bool
) -> None:
    """Take over a new way of contact for referrals that are granted already."""
    for number, safe_contact in changes:
        uow.conn.execute(
            update(referral)
            .where(referral.c.id == number)
            .values(
                safe_contact=safe_contact,
                protected=refuge or safe_contact != "sms_ok",
                updated_at=uow.now,
            )
        )
        uow.record("referral.contact_changed", number, safe_contact=safe_contact)


def worker_phones(conn: Connection, partner_id: int) -> frozenset[int]:
    """Match keys of the phones that a partner listed as its workers'."""
    return frozenset(
        conn.scalars(
            select(partner_listing.c.key).where(
                partner_listing.c.partner_id == partner_id,
                partner_listing.c.kind == "worker_phone",
            )
        )
    )


_PACK = json.JSONEncoder(separators=(",", ":"))


def seal_cells(keys: Keyring, place: str, number: int, cells: Sequence[str]) -> bytes:
    """A row as it came, sealed for `place` ("referral.original_sealed")."""
    packed = _PACK.encode(list(cells)).encode()
    return keys.seal(place, number, packed)


def open_cells(
    keys: Keyring, place: str, number: int, sealed: bytes | None
) -> list[str]:
    """The cells that `seal_cells` kept; none where they were erased."""
    if sealed is None:
        return []
    cells: list[str] = json.loads(keys.open(place, number, sealed))
    return cells
