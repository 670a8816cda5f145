"""Writes understood rows, held against what their partner sent before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from config.queues import Lane
from schemas.row import Action, ResidentRow
from vouchers.domain.ids import row_of
from vouchers.domain.intake import Fault, Field, RowFault
from vouchers.domain.intake.repeats import (
    NEW,
    OPEN,
    Earlier,
    Ruling,
    rule_add,
    rule_change,
    same_person,
)
from vouchers.domain.lifecycle import ReferralState
from vouchers.domain.reasons import Reason
from vouchers.pipeline.context import Context
from vouchers.pipeline.row_reading import Batch, Prepared, row_error
from vouchers.store import messages, referrals
from vouchers.store.bulk import insert_rows
from vouchers.store.gates import PARKED_S
from vouchers.store.jobs import JobSpec
from vouchers.store.tables import intake as tables
from vouchers.store.unit_of_work import UnitOfWork


@dataclass(slots=True)
class Outcome:
    """What a chunk comes to: rows to insert, and requests of before that end."""

    referrals: list[dict[str, Any]] = field(default_factory=list)
    contacts: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    endings: list[tuple[int, Reason, int]] = field(default_factory=list)
    contact_changes: list[tuple[int, str]] = field(default_factory=list)

    @property
    def accepted(self) -> list[dict[str, Any]]:
        """Referrals that go on to be matched."""
        return [row for row in self.referrals if row["state"] == "received"]


def write(
    ctx: Context,
    uow: UnitOfWork,
    of: Batch,
    prepared: list[Prepared],
    errors: list[dict[str, Any]],
) -> Outcome:
    """Write a chunk under the partner's lock; gives what was written."""
    outcome = Outcome(errors=list(errors))
    known = referrals.earlier(
        uow.conn,
        partner_id=of.partner.id,
        scheme_id=of.scheme_id,
        reference_keys={row.reference_key for row in prepared},
    )
    spent = referrals.used_up(uow.conn, _granted(known))
    in_file: dict[bytes, int] = {
        key: row.row_no
        for key, rows in known.items()
        for row in rows
        if row.batch_id == of.id
    }
    ended: set[int] = set()
    for row in sorted(prepared, key=lambda each: each.id):
        first = in_file.setdefault(row.reference_key, row_of(row.id))
        if first != row_of(row.id):
            outcome.errors.append(_repeated(ctx, of, row, first))
            continue
        before = [
            each
            for each in known.get(row.reference_key, ())
            if not referrals.is_echo(each.reason)
            and each.batch_id != of.id
            and each.id not in ended
        ]
        ruling = _rule(ctx, of, row, before, spent)
        if ruling.first is not None and ruling.ends_first:
            ended.add(ruling.first)
        if ruling.state is ReferralState.RECEIVED and not row.deliverable:
            # A request that may not be texted any more ends all the same: safety first.
            if ruling.first is not None and ruling.ends_first:
                outcome.endings.append((ruling.first, ruling.ends_first, row.id))
            outcome.errors.append(_no_route(ctx, of, row))
            continue
        _apply(uow, row, ruling, before, outcome)
    _insert(uow, of, outcome)
    return outcome


def _granted(known: dict[bytes, list[Any]]) -> list[int]:
    return [
        row.id
        for rows in known.values()
        for row in rows
        if row.state == ReferralState.GRANTED
    ]


def _rule(
    ctx: Context, of: Batch, row: Prepared, before: list[Any], spent: set[int]
) -> Ruling:
    """What the partner's earlier requests make of a row."""
    if not before and row.action is Action.ADD:
        return NEW
    facts = {
        each.id: Earlier(
            each.id, ReferralState(each.state), each.received_on, each.id in spent
        )
        for each in before
    }
    if row.action is not Action.ADD:
        return rule_change(row.action, list(facts.values()))
    same = [
        (facts[each.id], bytes(each.content_key) == row.values["content_key"])
        for each in before
        if _is_same(ctx, row, each)
    ]
    return rule_add(
        same,
        off_supply=bool(row.values["off_supply"]),
        today=of.received_on,
        days=of.rules.caps.between_days,
    )


def _is_same(ctx: Context, row: Prepared, before: Any) -> bool:
    if bytes(before.content_key) == row.values["content_key"]:
        return True
    if before.row_sealed is None or row.row is None:
        return False
    packed = ctx.keys.open("referral.row_sealed", before.id, before.row_sealed)
    return same_person(row.row, ResidentRow.unpack(packed))


def _repeated(ctx: Context, of: Batch, row: Prepared, first: int) -> dict[str, Any]:
    """A reference that stands in a file twice: the row that came later goes back."""
    hint = f"Row {first} has it too."
    return _gone_back(ctx, of, row, Fault.REPEATED_REFERENCE, Field.REFERENCE, hint)


def _no_route(ctx: Context, of: Batch, row: Prepared) -> dict[str, Any]:
    """Nobody can be given a code that no channel may carry to them."""
    if row.worker_phone:
        hint = "The number is a worker's."
        return _gone_back(ctx, of, row, Fault.NO_CONTACT_ROUTE, Field.MOBILE, hint)
    return _gone_back(ctx, of, row, Fault.NO_CONTACT_ROUTE, Field.SAFE_CONTACT, "")


def _gone_back(
    ctx: Context, of: Batch, row: Prepared, fault: Fault, known: Field, hint: str
) -> dict[str, Any]:
    layout = of.intake.layout
    cells = referrals.open_cells(
        ctx.keys, "referral.original_sealed", row.id, row.values["original_sealed"]
    )
    row_no = row_of(row.id)
    cell = layout.cell_name(known, row_no)
    told = RowFault(fault, layout.heading(known), hint, cell)
    return row_error(ctx, of, row_no, cells, [told])


def _apply(
    uow: UnitOfWork, row: Prepared, ruling: Ruling, before: list[Any], to: Outcome
) -> None:
    values = row.values | {
        "state": ruling.state.value,
        "reason": ruling.reason.value if ruling.reason else None,
        "first_referral_id": ruling.first,
        "updated_at": uow.now,
    }
    if ruling.state is not ReferralState.RECEIVED:
        values["decided_at"] = uow.now
    first = next((each for each in before if each.id == ruling.first), None)
    if ruling.ends_first and first is not None:
        to.endings.append((first.id, ruling.ends_first, row.id))
        if ruling.state is ReferralState.RECEIVED:
            # Who corrects a row does not lose the place in the queue.
            values["action"] = Action.CORRECT.value
            values["received_at"] = first.received_at
            values["received_on"] = first.received_on
    elif (
        first is not None
        and row.row is not None
        and ReferralState(first.state) not in OPEN
        and first.safe_contact != values["safe_contact"]
    ):
        to.contact_changes.append((first.id, values["safe_contact"]))
    to.referrals.append(values)
    if ruling.state is ReferralState.RECEIVED:
        to.contacts.extend(row.contacts)


def _insert(uow: UnitOfWork, of: Batch, outcome: Outcome) -> None:
    referrals.end(uow, outcome.endings)
    if outcome.contact_changes:
        referrals.make_safe(
            uow, outcome.contact_changes, refuge=bool(of.partner.refuge)
        )
        messages.cancel(
            uow, [id_ for id_, _ in outcome.contact_changes], reason="safe_contact"
        )
    insert_rows(uow.conn, tables.referral, outcome.referrals)
    insert_rows(uow.conn, tables.contact, outcome.contacts)
    insert_rows(uow.conn, tables.row_error, outcome.errors)
    for values in outcome.referrals:
        uow.record(
            f"referral.{values['state']}",
            values["id"],
            state=values["state"],
            reason=values["reason"],
            batch=of.id,
            first=values["first_referral_id"],
            need=values["need_rank"],
        )
    for error in outcome.errors:
        codes = [fault["code"] for fault in error["faults"]]
        uow.record("row_error.found", error["id"], batch=of.id, codes=codes)


def matching_jobs(
    accepted: Sequence[dict[str, Any]],
    batch_id: int | None,
    *,
    turn: int,
    bulk_waits: bool = False,
) -> list[JobSpec]:
    """Promises to match what was accepted, rows off supply ahead of the others.

    `bulk_waits` says that the others wait behind the gate of their file.
    """
    specs = []
    for lane in (Lane.URGENT, Lane.BULK):
        rows = [
            values
            for values in accepted
            if (lane is Lane.URGENT) is bool(values["off_supply"])
        ]
        if rows:
            specs.append(
                JobSpec(
                    "deduplicate",
                    "deduplicate.chunk",
                    [values["id"] for values in rows],
                    lane=lane,
                    need=min(values["need_rank"] for values in rows),
                    turn=turn,
                    batch_id=batch_id,
                    delay_s=PARKED_S if bulk_waits and lane is Lane.BULK else 0.0,
                )
            )
    return specs
