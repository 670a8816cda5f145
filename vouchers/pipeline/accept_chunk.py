"""Accept, second half: a chunk of raw rows becomes referrals, or errors to correct.

Rows are read and sealed before the transaction. In it, under the partner's lock, they
are held against what the partner sent before; then everything is written at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from config.queues import Lane
from vouchers.domain.ids import referral_id, row_of
from vouchers.domain.intake import Fault
from vouchers.errors import NotFound
from vouchers.pipeline import breaker
from vouchers.pipeline.context import Context
from vouchers.pipeline.row_reading import Batch, Prepared, describe, prepare
from vouchers.pipeline.row_writing import matching_jobs, write
from vouchers.store import batches, gates, referrals, schemes
from vouchers.store.bulk import insert_rows
from vouchers.store.jobs import ClaimedJob
from vouchers.store.tables.intake import row_error
from vouchers.store.unit_of_work import UnitOfWork


def handle(ctx: Context, job: ClaimedJob) -> None:
    """Understand the rows of a chunk that are not settled yet."""
    batch_id, number = int(job.batch_id or 0), int(job.payload["chunk"])
    with ctx.reading() as conn:
        staged = batches.open_chunk(conn, ctx.keys, batch_id, number)
        of = load(ctx, conn, batch_id) if staged is not None else None
        gated = gates.is_gated(conn, batch_id)
    if staged is None or of is None:
        with ctx.begin(name="accept.chunk") as uow:
            uow.complete(job)
        return
    wanted = set(job.items)
    mine = [row for row in staged if referral_id(batch_id, row[0]) in wanted]
    prepared, errors = prepare(ctx, of, mine, everything=staged)
    marks = _marks(ctx, prepared) if gated else {}
    urgent = job.lane == Lane.URGENT
    with ctx.begin(urgent=urgent, name="accept.chunk") as uow:
        referrals.lock_partner(uow.conn, of.partner.id)
        settled = batches.settled_rows(
            uow.conn, [referral_id(batch_id, row[0]) for row in staged]
        )
        batches.drop_held(uow.conn, [id_ for id_ in wanted if settled.get(id_)])
        done = {id_ for id_, held in settled.items() if not held}
        outcome = write(
            ctx,
            uow,
            of,
            [row for row in prepared if row.id not in done],
            [error for error in errors if error["id"] not in done],
        )
        waits = breaker.after_reading(
            uow,
            of.rules,
            batch_id,
            rows=len(wanted - settled.keys()),
            errors=len(outcome.errors),
            found=[marks[r["id"]] for r in outcome.accepted if r["id"] in marks],
        )
        uow.enqueue(
            *matching_jobs(outcome.accepted, batch_id, turn=job.turn, bulk_waits=waits)
        )
        if len(done | wanted) == len(staged):
            batches.drop_chunk(uow.conn, batch_id, number)
        uow.complete(job)


def _marks(ctx: Context, prepared: Sequence[Prepared]) -> dict[int, breaker.Marks]:
    """What the circuit breaker counts of each row, hashed before anything is locked."""
    return {
        one.id: breaker.marks(
            ctx.keys, one.row, protected=bool(one.values["protected"])
        )
        for one in prepared
        if one.row is not None
    }


def hold(uow: UnitOfWork, job: ClaimedJob, error_class: str) -> None:
    """Keep the one row that our code failed on where a person sees it."""
    now = uow.now
    before = batches.settled_rows(uow.conn, job.items)
    rows = [
        {
            "id": id_,
            "batch_id": job.batch_id,
            "row_no": row_of(id_),
            "faults": [{"code": Fault.FAILED_HERE.value, "column": "", "cell": ""}],
            "original_sealed": None,
            "held": True,
            "created_at": now,
        }
        for id_ in job.items
    ]
    insert_rows(uow.conn, row_error, rows, on_conflict="ignore")
    for id_ in job.items:
        uow.record("row_error.held", id_, batch=job.batch_id, error=error_class)
    _count_held(uow, int(job.batch_id or 0), len(set(job.items) - before.keys()))


def _count_held(uow: UnitOfWork, batch_id: int, rows: int) -> None:
    """A held row is read as well: the gate must not wait for it."""
    row = batches.by_id(uow.conn, batch_id)
    if row is not None:
        rules = schemes.active(uow.conn, row.scheme_id)
        breaker.after_reading(uow, rules, batch_id, rows=rows, errors=0, found=())


def load(ctx: Context, conn: Connection, batch_id: int) -> Batch:
    """What is needed to read the rows of a batch."""
    row = batches.by_id(conn, batch_id)
    if row is None:
        raise NotFound("no such batch", batch=batch_id)
    layout = batches.open_layout(ctx.keys, row)
    return describe(
        conn, batch_id, row.partner_id, row.scheme_id, layout, row.received_at
    )
