"""Accept, second half: a chunk of raw rows becomes referrals, or errors to correct.

Rows are read and sealed before the transaction. In it, under the partner's lock, they
are held against what the partner sent before; then everything is written at once.
"""

from __future__ import annotations

from sqlalchemy import Connection

from config.queues import Lane
from vouchers.domain.ids import referral_id, row_of
from vouchers.domain.intake import Fault
from vouchers.errors import NotFound
from vouchers.pipeline.context import Context
from vouchers.pipeline.row_reading import Batch, describe, prepare
from vouchers.pipeline.row_writing import matching_jobs, write
from vouchers.store import batches, referrals
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
    if staged is None or of is None:
        with ctx.begin(name="accept.chunk") as uow:
            uow.complete(job)
        return
    wanted = set(job.items)
    mine = [row for row in staged if referral_id(batch_id, row[0]) in wanted]
    prepared, errors = prepare(ctx, of, mine, everything=staged)
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
        uow.enqueue(*matching_jobs(outcome.accepted, batch_id, turn=job.turn))
        if len(done | wanted) == len(staged):
            batches.drop_chunk(uow.conn, batch_id, number)
        uow.complete(job)


def hold(uow: UnitOfWork, job: ClaimedJob, error_class: str) -> None:
    """Keep the one row that our code failed on where a person sees it."""
    now = uow.now
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


def load(ctx: Context, conn: Connection, batch_id: int) -> Batch:
    """What is needed to read the rows of a batch."""
    row = batches.by_id(conn, batch_id)
    if row is None:
        raise NotFound("no such batch", batch=batch_id)
    layout = batches.open_layout(ctx.keys, row)
    return describe(
        conn, batch_id, row.partner_id, row.scheme_id, layout, row.received_at
    )
