"""Applies what the provider reported: forward only, in any order, however late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from vouchers.domain.delivery import AttemptState, Evidence, state_of
from vouchers.domain.lifecycle import MessageState
from vouchers.messages.failures import failure_of
from vouchers.pipeline.after_failure import follow_up
from vouchers.pipeline.context import Context
from vouchers.store import callbacks, evidence
from vouchers.store.jobs import ClaimedJob, JobSpec
from vouchers.store.unit_of_work import UnitOfWork

#: Callbacks applied in one transaction.
CHUNK = 500
#: One job waits at most; it takes whatever has come in by then.
JOB = JobSpec("deliver", "deliver.apply", need=0, once="deliver.apply")

_LOST = (MessageState.UNDELIVERED, MessageState.FAILED)


def handle(ctx: Context, job: ClaimedJob) -> None:
    """Apply all that has come in, chunk by chunk."""
    more = True
    while more:
        with ctx.begin(name="deliver.apply") as uow:
            more = _apply_chunk(uow)
            if not more:
                uow.complete(job)


def sweep(uow: UnitOfWork) -> None:
    """Promise to apply callbacks whose job was taken just before they came in."""
    if callbacks.any_new(uow.conn):
        uow.enqueue(JOB)


def _apply_chunk(uow: UnitOfWork) -> bool:
    """Apply at most one chunk; tells whether there may be more."""
    rows = callbacks.lock_new(uow.conn, CHUNK)
    if not rows:
        return False
    heard = _read(uow, rows)
    follow_up(uow, evidence.apply(uow, list(heard.values())))
    callbacks.mark(uow.conn, [row.id for row in rows if row.id in heard], applied=1)
    callbacks.mark(uow.conn, [row.id for row in rows if row.id not in heard], applied=2)
    return len(rows) == CHUNK


def _read(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> dict[int, Evidence]:
    """What each callback proves; those of messages that are not ours prove nothing."""
    nameless = {row.sid for row in rows if row.attempt_id is None}
    by_sid = evidence.attempts_of_sids(uow.conn, nameless)
    heard = {}
    for row in rows:
        number = row.attempt_id or by_sid.get(row.sid)
        if number is None:
            continue
        state = state_of(row.status)
        lost = state in _LOST
        # A callback is proof that the provider has it, even before its answer.
        heard[row.id] = Evidence(
            number,
            AttemptState.ACCEPTED,
            "callback",
            sid=row.sid,
            error_code=row.error_code if lost else None,
            failure=failure_of(row.error_code) if lost else None,
            heard=state,
        )
    return heard
