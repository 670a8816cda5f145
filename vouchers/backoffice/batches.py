"""Files that the circuit breaker stopped: why, and the word that lets them go on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from vouchers.backoffice.queues import fit_reason
from vouchers.domain.breaker import Stop
from vouchers.domain.roles import Duty, Person
from vouchers.errors import NotFound, Refused
from vouchers.pipeline import breaker
from vouchers.pipeline.context import Context
from vouchers.store import batches, gates
from vouchers.store.registry import AnyRow
from vouchers.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for which a file was stopped."""

    reason: str
    sentence: str
    #: What to find out before the file goes on.
    question: str
    rows: int
    of: int
    limit: int
    #: Somebody has looked at it and let the file go on.
    released: bool


@dataclass(frozen=True, slots=True)
class File:
    """A file as its operator sees it: counts and reasons, nothing of a person."""

    batch: int
    partner: str
    state: str
    rows: int
    rows_read: int
    rows_matched: int
    rows_repeated: int
    received_at: datetime
    stopped_at: datetime | None
    causes: tuple[Cause, ...]
    #: Rows off supply that nothing was decided on: each has one first voucher.
    off_supply_undecided: int = 0


def listing(
    ctx: Context, by: Person, *, everything: bool = False, limit: int = 200
) -> list[File]:
    """Files that wait for a person, the longest first; or all that ever did."""
    by.must(Duty.SEE_WORK)
    with ctx.reading() as conn:
        rows = gates.listing(conn, limit=limit, everything=everything)
    return [_file(row) for row in rows]


def show(ctx: Context, by: Person, batch_id: int) -> File:
    """One file with the reasons for which it was stopped."""
    by.must(Duty.SEE_WORK)
    with ctx.reading() as conn:
        row = _found(gates.one(conn, batch_id), batch_id)
        return _file(row, urgent=gates.urgent_waiting(conn, batch_id))


def release(
    ctx: Context, by: Person, batch_id: int, *, reason: str, door: str
) -> tuple[str, ...]:
    """Let a stopped file go on; it is not stopped for the same reasons again.

    Gives the codes of these reasons.
    """
    by.must(Duty.CHANGE_WORK)
    reason = fit_reason(reason)
    with ctx.begin(actor=by.actor(door), name="batches.release") as uow:
        row = _stopped(uow, batch_id)
        seen = [one["reason"] for one in row.stopped_for or ()]
        whole = row.rows_staged >= (row.rows_total or 0)
        read = row.rows_read >= (row.rows_total or 0)
        state = "open" if whole else "receiving"
        batches.change(uow.conn, batch_id, state=state, released_for=seen)
        if read or not row.gated:
            batches.change(uow.conn, batch_id, gated=False, watch=None)
            gates.let_go(uow.conn, batch_id)
        uow.enqueue(breaker.going_on(batch_id))
        uow.record("batch.released", batch_id, state=state, reasons=seen, reason=reason)
    return tuple(seen)


def reject(ctx: Context, by: Person, batch_id: int, *, reason: str, door: str) -> None:
    """End a stopped file: its rows are withdrawn, and its partner reads that.

    What was granted of it stays granted.
    """
    by.must(Duty.CHANGE_WORK)
    reason = fit_reason(reason)
    with ctx.begin(actor=by.actor(door), name="batches.reject") as uow:
        _stopped(uow, batch_id)
        batches.change(
            uow.conn, batch_id, state="rejected", finished_at=uow.now, gated=False,
            watch=None,
        )  # fmt: skip
        gates.drop(uow.conn, batch_id)
        uow.enqueue(breaker.ending(batch_id))
        uow.record("batch.rejected", batch_id, state="rejected", reason=reason)


def _stopped(uow: UnitOfWork, batch_id: int) -> AnyRow:
    row = _found(gates.lock(uow.conn, batch_id), batch_id)
    if row.state != "stopped":
        raise Refused(f"batch {batch_id} is not stopped: it is {row.state}")
    return row


def _found(row: AnyRow | None, batch_id: int) -> AnyRow:
    if row is None:
        raise NotFound(f"there is no batch {batch_id}: see `vouchers status`")
    return row


def _file(row: AnyRow, *, urgent: int = 0) -> File:
    seen = set(row.released_for or ())
    stops = [Stop.of_json(one) for one in row.stopped_for or ()]
    return File(
        batch=row.id,
        partner=row.partner,
        state=row.state,
        rows=row.rows_total or 0,
        rows_read=row.rows_read,
        rows_matched=row.rows_matched,
        rows_repeated=row.rows_repeated,
        received_at=row.received_at,
        stopped_at=row.stopped_at,
        causes=tuple(
            Cause(
                stop.reason.value, stop.sentence, stop.question, stop.rows, stop.of,
                stop.limit, stop.reason in seen,
            )
            for stop in stops
        ),
        off_supply_undecided=urgent,
    )  # fmt: skip
