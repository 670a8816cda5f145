"""Finds rows that no job seems to carry, and promises them anew behind all others.

Every step promises what follows it in its own commit, so there should be none. Should
a fault of ours lose a promise, this turns "for ever" into "some minutes later": what
has not moved for long is promised once more, at the very end of its queue. A row that
has its job after all is found settled by one of the two.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, literal, or_, select

from config.queues import CHUNK_MESSAGES, CHUNK_ROWS
from vouchers.pipeline.send import STRAY
from vouchers.store.jobs import JobSpec
from vouchers.store.tables.intake import batch, referral
from vouchers.store.tables.messages import message
from vouchers.store.unit_of_work import UnitOfWork

#: A row that waits for us and was not touched for so long may have lost its job.
STRAY_AFTER = timedelta(minutes=10)


def sweep(uow: UnitOfWork) -> None:
    """Promise what has not moved for long: one waiting job of each kind at most."""
    # A stopped file waits for a person to let it go; bulk rows of a large one for its
    # gate.
    stopped = select(batch.c.id).where(batch.c.state.in_(("stopped", "rejected")))
    gated = select(batch.c.id).where(batch.c.gated.is_(True))
    running = and_(
        referral.c.batch_id.not_in(stopped),
        or_(referral.c.batch_id.not_in(gated), referral.c.off_supply.is_(True)),
    )
    for state, queue in (("received", "deduplicate"), ("matched", "allocate")):
        _promise(uow, queue, _still(uow, referral, state, CHUNK_ROWS, running))
    due = message.c.not_before.is_(None) | (message.c.not_before <= uow.now)
    _promise(uow, "send", _still(uow, message, "queued", CHUNK_MESSAGES, due))


def _still(
    uow: UnitOfWork, table: Table, state: str, most: int, which: ColumnElement[Any]
) -> list[int]:
    """Rows of a table that have stood in a state for long, in order of number."""
    found = (
        select(table.c.id)
        .where(
            # Not a parameter: only so the index of open rows is used.
            table.c.state == literal(state, literal_execute=True),
            table.c.updated_at < uow.now - STRAY_AFTER,
            which,
        )
        .order_by(table.c.updated_at, table.c.id)
        .limit(most)
    )
    return sorted(uow.conn.scalars(found))


def _promise(uow: UnitOfWork, queue: str, ids: list[int]) -> None:
    if ids:
        kind = f"{queue}.chunk"
        uow.enqueue(JobSpec(queue, kind, ids, once=f"stray:{kind}", payload={STRAY: 1}))
