"""Reads raw rows into values ready to be written: understood, keyed and sealed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from schemas.row import Action, ResidentRow, SafeContact
from schemas.scheme import Scheme
from vouchers.domain import need, routing
from vouchers.domain.calendar import local_date
from vouchers.domain.ids import referral_id
from vouchers.domain.intake import (
    Intake,
    Layout,
    RowFault,
    Understood,
    Withdrawal,
    with_date_order,
)
from vouchers.domain.lifecycle import ReferralState
from vouchers.domain.matching.features import read_email, read_phone
from vouchers.domain.matching.keys import KeyKind
from vouchers.pipeline.context import Context
from vouchers.store import batches, parties, referrals, schemes
from vouchers.store.batches import Staged

#: Ways of contact that a text can serve.
TEXTED = frozenset({SafeContact.SMS_OK, SafeContact.SMS_NEUTRAL})


@dataclass(frozen=True, slots=True)
class Batch:
    """What every row of a batch shares."""

    id: int
    partner: Any
    scheme_id: int
    rules: Scheme
    intake: Intake
    received_at: datetime
    received_on: date
    worker_phones: frozenset[int]


@dataclass(slots=True)
class Prepared:
    """A row that was understood, sealed and ready to be written."""

    id: int
    reference_key: bytes
    action: Action
    values: dict[str, Any]
    contacts: list[dict[str, Any]] = field(default_factory=list)
    row: ResidentRow | None = None
    #: The mobile is one that the partner listed as a worker's.
    worker_phone: bool = False

    @property
    def deliverable(self) -> bool:
        """Whether an enabled channel can deliver: we text, and nothing else yet."""
        return self.row is None or self.row.safe_contact in TEXTED


def describe(
    conn: Connection,
    batch_id: int,
    partner_id: int,
    scheme_id: int,
    layout: Layout,
    received_at: datetime,
) -> Batch:
    """What is needed to read the rows of a batch, even of one that is only tried."""
    partner = parties.partner_by_id(conn, partner_id)
    rules = schemes.active(conn, scheme_id)
    received_on = local_date(received_at, rules.zone)
    return Batch(
        id=batch_id,
        partner=partner,
        scheme_id=scheme_id,
        rules=rules,
        intake=Intake(layout, rules, partner, received_on),
        received_at=received_at,
        received_on=received_on,
        worker_phones=referrals.worker_phones(conn, partner_id),
    )


def prepare(
    ctx: Context, of: Batch, rows: Sequence[Staged], *, everything: Sequence[Staged]
) -> tuple[list[Prepared], list[dict[str, Any]]]:
    """Understand and seal rows; `everything` is the chunk, which shows date habits."""
    intake = reader_for(of, [cells for _, cells, _ in everything])
    prepared: list[Prepared] = []
    errors: list[dict[str, Any]] = []
    for row_no, cells, fault in rows:
        verdict = (
            [RowFault(fault)] if fault else intake.understand(cells, row_no=row_no)
        )
        if isinstance(verdict, list):
            errors.append(row_error(ctx, of, row_no, cells, verdict))
        elif isinstance(verdict, Withdrawal):
            prepared.append(_withdrawal(ctx, of, row_no, cells, verdict))
        else:
            prepared.append(_request(ctx, of, row_no, cells, verdict))
    return prepared, errors


def reader_for(of: Batch, chunk: Sequence[Sequence[str]]) -> Intake:
    """What reads the rows of one chunk, whose dates show how the file writes them."""
    layout = of.intake.layout
    try:
        layout = with_date_order(layout, chunk)
    except Exception:
        # A cell that nothing can read: its own row fails on it, the others must not.
        for cells in chunk:
            with suppress(Exception):
                layout = with_date_order(layout, [cells])
    return Intake(layout, of.rules, of.partner, of.received_on)


def row_error(
    ctx: Context, of: Batch, row_no: int, cells: Sequence[str], faults: list[RowFault]
) -> dict[str, Any]:
    """The values of a row that goes back to be corrected."""
    number = referral_id(of.id, row_no)
    return {
        "id": number,
        "batch_id": of.id,
        "row_no": row_no,
        "faults": [
            {
                "code": str(fault.code),
                "column": fault.column,
                "cell": fault.cell or f"row {row_no}",
                "hint": fault.hint,
            }
            for fault in faults
        ],
        "original_sealed": referrals.seal_cells(
            ctx.keys, "row_error.original_sealed", number, cells
        ),
        "held": False,
        "created_at": of.received_at,
    }


def _request(
    ctx: Context, of: Batch, row_no: int, cells: Sequence[str], read: Understood
) -> Prepared:
    number = referral_id(of.id, row_no)
    row = read.row
    protected = of.partner.refuge or row.safe_contact is not SafeContact.SMS_OK
    mobile = row.mobile and ctx.keys.match_key(KeyKind.MOBILE, read_phone(row.mobile))
    worker_phone = mobile in of.worker_phones
    if worker_phone:
        # A worker's phone serves many people: never a code on it by itself.
        row = row.model_copy(
            update={
                "safe_contact": SafeContact.PARTNER_ONLY,
                "separate_household": True,
            }
        )
    placed = need.assess(
        off_supply=row.off_supply,
        days_left=row.days_left,
        medical_device=row.medical_device,
        medical=row.medical,
        child_under_5=row.children_under_5,
        over_65=row.over_65,
        rules=of.rules.need,
    )
    packed = row.pack()
    key = batches.reference_key(ctx.keys, of.partner.id, row.reference)
    content = packed
    if row.action is not Action.ADD:
        content = row.model_copy(update={"action": Action.ADD}).pack()
    values = _values(of, number, row_no, row.action, key) | {
        "content_key": ctx.keys.index_key("row", content.decode()),
        "outcode": row.outcode,
        "meter_type": row.meter_type.value,
        "supplier": row.energy_supplier,
        "gas_supplier": row.gas_supplier,
        "network": routing.network(
            meter_type=row.meter_type,
            supplier=row.energy_supplier,
            gas_supplier=row.gas_supplier,
            scheme=of.rules,
        ),
        "off_supply": row.off_supply,
        "days_left": row.days_left,
        "need_band": placed.band,
        "need_rank": placed.rank,
        "household_size": row.household_size,
        "safe_contact": row.safe_contact.value,
        "protected": protected,
        "separate_household": row.separate_household,
        "text_any_time": row.text_any_time,
        "language": row.language,
        "notices": [notice.value for notice in read.notices],
        "row_sealed": ctx.keys.seal("referral.row_sealed", number, packed),
        "original_sealed": referrals.seal_cells(
            ctx.keys, "referral.original_sealed", number, cells
        ),
        "judged": {"need": list(placed.parts)},
    }
    contacts = list(_contacts(ctx, number, row, mobile or None))
    return Prepared(number, key, row.action, values, contacts, row, worker_phone)


def _contacts(
    ctx: Context, number: int, row: ResidentRow, mobile: int | None
) -> Iterable[dict[str, Any]]:
    email = row.email and ctx.keys.match_key(KeyKind.EMAIL, read_email(row.email))
    for kind, key, text in (
        ("mobile", mobile, row.mobile),
        ("email", email, row.email),
    ):
        if key and text:
            yield {
                "referral_id": number,
                "kind": kind,
                "key": key,
                "sealed": ctx.keys.seal("contact.sealed", number, text.encode()),
            }


def _withdrawal(
    ctx: Context, of: Batch, row_no: int, cells: Sequence[str], read: Withdrawal
) -> Prepared:
    number = referral_id(of.id, row_no)
    key = batches.reference_key(ctx.keys, of.partner.id, read.reference)
    sealed = referrals.seal_cells(ctx.keys, "referral.original_sealed", number, cells)
    values = _values(of, number, row_no, Action.WITHDRAW, key)
    return Prepared(number, key, Action.WITHDRAW, values | {"original_sealed": sealed})


def _values(
    of: Batch, number: int, row_no: int, action: Action, key: bytes
) -> dict[str, Any]:
    """Columns of a referral as they are where the row says nothing else."""
    return {
        "id": number,
        "batch_id": of.id,
        "partner_id": of.partner.id,
        "scheme_id": of.scheme_id,
        "row_no": row_no,
        "state": ReferralState.RECEIVED.value,
        "reason": None,
        "action": action.value,
        "reference_key": key,
        "content_key": key,
        "outcode": "",
        "region": of.partner.region,
        "meter_type": "",
        "supplier": "",
        "gas_supplier": None,
        "network": None,
        "off_supply": False,
        "days_left": None,
        "need_band": need.BANDS[-1],
        "need_rank": need.rank_in(need.BANDS[-1]),
        "household_size": 1,
        "safe_contact": SafeContact.NONE.value,
        "protected": bool(of.partner.refuge),
        "separate_household": False,
        "text_any_time": False,
        "language": "en",
        "notices": [],
        "row_sealed": None,
        "original_sealed": None,
        "received_at": of.received_at,
        "received_on": of.received_on,
        "first_referral_id": None,
        "judged": {},
        "decided_at": None,
        "updated_at": of.received_at,
    }
