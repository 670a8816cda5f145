"""What operators do with queues: look, pause, settle what is held or dead."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Table, func, select, update

from config.queues import QUEUES
from vouchers.domain.reasons import Reason
from vouchers.errors import NotFound, Refused
from vouchers.pipeline.context import Context
from vouchers.pipeline.steps import STEP_BY_KIND
from vouchers.store import queues as store
from vouchers.store.queues import QueueLevel
from vouchers.store.tables import db_now
from vouchers.store.tables.intake import referral
from vouchers.store.tables.messages import message
from vouchers.store.tables.work import job
from vouchers.store.unit_of_work import UnitOfWork

Stuck = Literal["held", "dead"]

#: Number of each queue in the audit log.
NUMBERS = {queue.name: number for number, queue in enumerate(QUEUES, 1)}
REASON_MAX = 200
#: An e-mail address, a postcode, a run of digits (a phone, a date, a code): perhaps
#: somebody's; the log keeps it for ever.
PERSONAL = re.compile(
    r"@|\d[\d\s()./-]{4,}\d|\b[a-z]{1,2}\d[a-z\d]?\s*\d[a-z]{2}\b", re.IGNORECASE
)
_TABLES: dict[str, Table] = {"referral": referral, "message": message}


@dataclass(frozen=True, slots=True)
class StuckJob:
    """A job that waits for a person."""

    id: int
    queue: str
    kind: str
    state: str
    items: list[int]
    error_class: str | None
    attempts: int
    batch_id: int | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class LiveWorker:
    """A process that carries jobs."""

    name: str
    queues: list[str]
    started_at: datetime
    silent_s: float
    holds: int


@dataclass(frozen=True, slots=True)
class Which:
    """Which stuck jobs are meant: by number, or all that match."""

    ids: Sequence[int] = ()
    queue: str | None = None
    error_class: str | None = None
    batch_id: int | None = None

    def conditions(self, state: str) -> list[Any]:
        """The same as conditions on the job table."""
        found: list[Any] = [job.c.state == state]
        if self.ids:
            found.append(job.c.id.in_(list(self.ids)))
        for column, value in (
            (job.c.queue, self.queue),
            (job.c.error_class, self.error_class),
            (job.c.batch_id, self.batch_id),
        ):
            if value is not None:
                found.append(column == value)
        return found


def levels(ctx: Context) -> list[QueueLevel]:
    """Every queue: ready, delayed, running, held, dead, oldest, rate, pause."""
    with ctx.reading() as conn:
        return store.levels(conn)


def workers(ctx: Context) -> list[LiveWorker]:
    """The processes that carry, what each serves and holds, how long it was silent."""
    with ctx.reading() as conn:
        return [
            LiveWorker(
                name=row.name,
                queues=list(row.queues),
                started_at=row.started_at,
                silent_s=max(0.0, (row.now - row.beat_at).total_seconds()),
                holds=row.holds,
            )
            for row in store.workers(conn)
        ]


def pause(ctx: Context, name: str, *, actor: str, reason: str) -> None:
    """Let no further job of this queue start; running ones end as usual."""
    number = _number(name)
    reason = fit_reason(reason)
    with ctx.begin(actor=actor, urgent=True, name="queue.pause") as uow:
        store.mark(
            uow.conn,
            name,
            {"paused_at": uow.now, "paused_by": actor, "paused_reason": reason},
        )
        uow.record("queue.paused", number, queue=name, reason=reason)


def resume(ctx: Context, name: str, *, actor: str, reason: str) -> None:
    """Let the queue's jobs start again."""
    number = _number(name)
    reason = fit_reason(reason)
    with ctx.begin(actor=actor, urgent=True, name="queue.resume") as uow:
        store.mark(
            uow.conn,
            name,
            {"paused_at": None, "paused_by": None, "paused_reason": None},
        )
        uow.record("queue.resumed", number, queue=name, reason=reason)


def set_limit(
    ctx: Context, name: str, limit: int | None, *, actor: str, reason: str
) -> None:
    """Say how many bulk jobs of a queue may run at once; None: any number."""
    number = _number(name)
    if limit is not None and limit < 1:
        raise Refused("A limit is at least 1; pause the queue to stop it.")
    reason = fit_reason(reason)
    with ctx.begin(actor=actor, urgent=True, name="queue.limit") as uow:
        store.mark(uow.conn, name, {"limit": limit})
        uow.record("queue.limited", number, queue=name, limit=limit, reason=reason)


def stuck(
    ctx: Context,
    state: Stuck,
    which: Which = Which(),
    *,
    limit: int = 200,
) -> list[StuckJob]:
    """Jobs that wait for a person, oldest first."""
    with ctx.reading() as conn:
        rows = conn.execute(
            select(job).where(*which.conditions(state)).order_by(job.c.id).limit(limit)
        ).all()
    return [
        StuckJob(
            id=row.id,
            queue=row.queue,
            kind=row.kind,
            state=row.state,
            items=list(row.items),
            error_class=row.error_class,
            attempts=row.attempts,
            batch_id=row.batch_id,
            since=row.finished_at,
        )
        for row in rows
    ]


def stuck_groups(ctx: Context, state: Stuck) -> list[tuple[str, str, str | None, int]]:
    """(queue, kind, error class, jobs): what went wrong, most frequent first."""
    number = func.count().label("jobs")
    with ctx.reading() as conn:
        return [
            (row.queue, row.kind, row.error_class, row.jobs)
            for row in conn.execute(
                select(job.c.queue, job.c.kind, job.c.error_class, number)
                .where(job.c.state == state)
                .group_by(job.c.queue, job.c.kind, job.c.error_class)
                .order_by(number.desc())
            )
        ]


def requeue(
    ctx: Context, state: Stuck, which: Which, *, actor: str, reason: str
) -> list[int]:
    """Have the jobs carried again, their rows as they were; give the jobs' numbers."""
    reason = fit_reason(reason)
    change = {
        "state": "ready",
        "attempts": 0,
        "token": None,
        "worker": None,
        "once": None,
        "published_at": None,
        "finished_at": None,
        "run_at": db_now(),
    }
    with ctx.begin(actor=actor, urgent=True, name="job.requeue") as uow:
        moved = _move(uow, state, which, change)
        for kind, items in _items_by_kind(moved).items():
            step = STEP_BY_KIND.get(kind)
            if step is not None and step.row is not None and step.takes is not None:
                _move_rows(uow, step.row, items, step.takes, reason=None)
        for row in moved:
            uow.record("job.requeued", row.id, was=state, reason=reason)
    return [row.id for row in moved]


def discard(
    ctx: Context, state: Stuck, which: Which, *, actor: str, reason: str
) -> list[int]:
    """Give the jobs up for good: their rows get a final state, told to the partner."""
    reason = fit_reason(reason)
    change = {"state": "done", "finished_at": db_now()}
    with ctx.begin(actor=actor, urgent=True, name="job.discard") as uow:
        moved = _move(uow, state, which, change)
        for kind, items in _items_by_kind(moved).items():
            step = STEP_BY_KIND.get(kind)
            if step is not None and step.row is not None and step.discarded is not None:
                _move_rows(uow, step.row, items, step.discarded, reason="discarded")
        for row in moved:
            uow.record("job.discarded", row.id, was=state, reason=reason)
    return [row.id for row in moved]


def fit_reason(reason: str) -> str:
    """A reason that the audit log may keep for ever; raise Refused for another."""
    reason = " ".join(reason.split())
    if not 3 <= len(reason) <= REASON_MAX:
        raise Refused(f"Give a reason of 3 to {REASON_MAX} letters.")
    if PERSONAL.search(reason):
        raise Refused("A reason is kept for ever: no numbers or addresses of people.")
    return reason


def _number(name: str) -> int:
    if name not in NUMBERS:
        known = ", ".join(NUMBERS)
        raise NotFound(f"there is no queue called {name}; there are {known}")
    return NUMBERS[name]


def _move(
    uow: UnitOfWork, state: str, which: Which, change: dict[str, Any]
) -> list[Any]:
    return list(
        uow.conn.execute(
            update(job)
            .where(*which.conditions(state))
            .values(change)
            .returning(job.c.id, job.c.kind, job.c["items"])
        )
    )


def _items_by_kind(moved: Sequence[Any]) -> dict[str, list[int]]:
    items: dict[str, list[int]] = {}
    for row in moved:
        items.setdefault(row.kind, []).extend(row.items)
    return items


def _move_rows(
    uow: UnitOfWork, name: str, ids: list[int], state: str, *, reason: str | None
) -> None:
    """Move rows out of `held`; those that a person has moved already stay."""
    table = _TABLES[name]
    code = Reason.DISCARDED.value if reason and name == "referral" else reason
    moved = uow.conn.scalars(
        update(table)
        .where(table.c.id.in_(ids), table.c.state == "held")
        .values(state=state, reason=code, updated_at=uow.now)
        .returning(table.c.id)
    ).all()
    for row_id in moved:
        uow.record(
            f"{name}.{'requeued' if code is None else code}", row_id, state=state
        )
