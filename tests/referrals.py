"""Puts referrals into the store as accept leaves them, for tests of later steps."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import func, insert, select

from config.queues import Lane
from schemas.row import ResidentRow
from vouchers.domain.calendar import local_date
from vouchers.domain.ids import referral_id
from vouchers.pipeline.context import Context
from vouchers.store.bulk import insert_rows
from vouchers.store.jobs import JobSpec
from vouchers.store.tables.intake import batch, contact, referral
from vouchers.store.tables.parties import partner, scheme

SARAH = {
    "reference": "T1",
    "given_name": "Sarah",
    "family_name": "Patterson",
    "date_of_birth": date(1985, 3, 17),
    "address_line_1": "14 Mill Lane",
    "postcode": "LS6 2AB",
    "meter_type": "prepay_key",
    "energy_supplier": "edf",
    "worker": "A. Worker",
    "resident_told": True,
    "off_supply": False,
    "days_left": 2,
    "mobile": "+447700900001",
}


def person(**changes: Any) -> ResidentRow:
    """Sarah Patterson of 14 Mill Lane, with changes."""
    return ResidentRow.model_validate({**SARAH, **changes})


def receive(
    ctx: Context,
    *rows: ResidentRow,
    partner_id: int = 1,
    lane: Lane = Lane.BULK,
    state: str = "open",
    need_rank: int = 500,
    refuge: bool = False,
) -> list[int]:
    """One batch with these rows as referrals, and the job to deduplicate them."""
    with ctx.begin() as uow:
        _parties(uow.conn, uow.now, partner_id)
        number = (uow.conn.execute(select(func.max(batch.c.id))).scalar() or 0) + 1
        uow.conn.execute(
            insert(batch).values(
                id=number, partner_id=partner_id, scheme_id=1,
                digest=number.to_bytes(16, "big"), name_key=bytes(16), state=state,
                notices=[], via="test", actor="test", received_at=uow.now,
            )
        )  # fmt: skip
        ids = [referral_id(number, n) for n, _ in enumerate(rows, start=2)]
        insert_rows(
            uow.conn,
            referral,
            [
                _referral(ctx, uow.now, rid, number, partner_id, row, need_rank, refuge)
                for rid, row in zip(ids, rows, strict=True)
            ],
        )
        insert_rows(
            uow.conn,
            contact,
            [
                {
                    "referral_id": rid,
                    "kind": "mobile",
                    "key": ctx.keys.match_key(5, row.mobile),
                    "sealed": ctx.keys.seal("contact.sealed", rid, row.mobile.encode()),
                }
                for rid, row in zip(ids, rows, strict=True)
                if row.mobile
            ],
        )
        uow.enqueue(
            JobSpec("deduplicate", "deduplicate.chunk", ids, lane=lane, batch_id=number)
        )
    return ids


def _parties(conn: Any, now: Any, partner_id: int) -> None:
    insert_rows(
        conn, scheme, [{"id": 1, "slug": "winter", "name": "Winter"}],
        on_conflict="ignore",
    )  # fmt: skip
    row = {
        "id": partner_id, "slug": f"p{partner_id}", "name": f"Partner {partner_id}",
        "known_as": f"Partner {partner_id}", "excluded": [], "created_at": now,
    }  # fmt: skip
    insert_rows(conn, partner, [row], on_conflict="ignore")


def _referral(
    ctx: Context, now: Any, rid: int, number: int, partner_id: int,
    row: ResidentRow, need_rank: int, refuge: bool,
) -> dict[str, Any]:  # fmt: skip
    return {
        "id": rid, "batch_id": number, "partner_id": partner_id, "scheme_id": 1,
        "row_no": rid & 0x1FFFFF, "state": "received", "action": "add",
        "reference_key": ctx.keys.index_key("reference", row.reference),
        "content_key": bytes(16), "outcode": row.outcode, "meter_type": row.meter_type,
        "supplier": row.energy_supplier, "network": "paypoint",
        "off_supply": row.off_supply, "days_left": row.days_left, "need_band": 4,
        "need_rank": need_rank, "household_size": row.household_size,
        "safe_contact": row.safe_contact,
        "protected": refuge or row.safe_contact != "sms_ok",
        "separate_household": row.separate_household, "text_any_time": False,
        "language": "en", "notices": [],
        "row_sealed": ctx.keys.seal("referral.row_sealed", rid, row.pack()),
        "received_at": now, "received_on": local_date(now), "updated_at": now,
    }  # fmt: skip
