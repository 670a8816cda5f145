"""The queues as operators and the dispatcher see them: counts, pause, bells to ring."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, case, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from config.queues import QUEUES
from vouchers.store.claims import best_first, in_state, not_paused
from vouchers.store.tables import db_from_now, db_now
from vouchers.store.tables.work import job, queue, tick, worker

#: Minutes over which the rate of a queue is taken.
RATE_MINUTES = 5


@dataclass(frozen=True, slots=True)
class QueueLevel:
    """How one queue stands."""

    name: str
    ready: int
    delayed: int
    running: int
    held: int
    dead: int
    #: Seconds that the oldest due job has been waiting.
    oldest_s: float
    #: Jobs done a minute, over the last minutes.
    per_minute: float
    limit: int | None
    paused_at: datetime | None
    paused_by: str | None
    paused_reason: str | None


def levels(conn: Connection) -> list[QueueLevel]:
    """Every queue of the house, in the order in which a row meets them."""
    due = in_state("ready") & (job.c.run_at <= db_now())
    counted = {
        row.queue: row
        for row in conn.execute(
            select(
                job.c.queue,
                func.count(case((due, 1))).label("ready"),
                func.count(case((in_state("ready"), 1))).label("waiting"),
                func.count(case((in_state("running"), 1))).label("running"),
                func.count(case((in_state("held"), 1))).label("held"),
                func.count(case((in_state("dead"), 1))).label("dead"),
                func.min(case((due, job.c.run_at))).label("oldest"),
                db_now().label("now"),
            )
            .where(job.c.state != "done")
            .group_by(job.c.queue)
        )
    }
    recent = job.c.finished_at > db_from_now(-60 * RATE_MINUTES)
    ended = conn.execute(
        select(job.c.queue, func.count().label("jobs"))
        .where(in_state("done"), recent)
        .group_by(job.c.queue)
    )
    done = {row.queue: row.jobs for row in ended}
    marks = {row.name: row for row in conn.execute(select(queue))}
    return [
        _level(q.name, counted.get(q.name), done.get(q.name, 0), marks.get(q.name))
        for q in QUEUES
    ]


def _level(
    name: str, counts: Row[Any] | None, done: int, mark: Row[Any] | None
) -> QueueLevel:
    oldest = 0.0
    if counts is not None and counts.oldest is not None:
        oldest = max(0.0, float((counts.now - counts.oldest).total_seconds()))
    return QueueLevel(
        name=name,
        ready=counts.ready if counts else 0,
        delayed=counts.waiting - counts.ready if counts else 0,
        running=counts.running if counts else 0,
        held=counts.held if counts else 0,
        dead=counts.dead if counts else 0,
        oldest_s=oldest,
        per_minute=done / RATE_MINUTES,
        limit=mark.limit if mark else None,
        paused_at=mark.paused_at if mark else None,
        paused_by=mark.paused_by if mark else None,
        paused_reason=mark.paused_reason if mark else None,
    )


def mark(conn: Connection, name: str, values: Mapping[str, Any]) -> None:
    """Set values of a queue's row, which may not exist yet."""
    make: Any = insert_postgresql if _is_postgresql(conn) else insert_sqlite
    conn.execute(
        make(queue)
        .values(name=name, **values)
        .on_conflict_do_update(index_elements=["name"], set_=dict(values))
    )


def to_ring(
    conn: Connection, *, queues: Sequence[str], per_queue: int, again_s: float
) -> list[tuple[str, int]]:
    """(queue, job id) of the signals to publish now; they are marked as published.

    Of each queue the best due jobs, so that at most `per_queue` signals are on the way.
    A signal that has moved nothing in `again_s` counts as lost and is given again.
    """
    due = (
        in_state("ready"),
        job.c.queue.in_(queues),
        job.c.run_at <= db_now(),
        not_paused(),
    )
    fresh = job.c.published_at > db_from_now(-again_s)
    waiting = conn.execute(
        select(
            job.c.queue,
            func.count(case((fresh, 1))).label("on_the_way"),
            func.count().label("due"),
        )
        .where(*due)
        .group_by(job.c.queue)
    ).all()
    rung: list[tuple[str, int]] = []
    for row in waiting:
        room = min(per_queue, row.due) - row.on_the_way
        if room <= 0:
            continue
        best = (
            select(job.c.id)
            .where(*due, job.c.queue == row.queue)
            .where(job.c.published_at.is_(None) | ~fresh)
            .order_by(*best_first())
            .limit(room)
            .with_for_update(skip_locked=True)
        )
        ids = list(conn.scalars(best))
        if ids:
            conn.execute(
                update(job).where(job.c.id.in_(ids)).values(published_at=db_now())
            )
        rung.extend((row.queue, job_id) for job_id in ids)
    return rung


def anything_due(conn: Connection, queues: Sequence[str]) -> bool:
    """Whether a job may run now: a look before a lock is taken."""
    return (
        conn.execute(
            select(job.c.id)
            .where(
                in_state("ready"),
                job.c.queue.in_(queues),
                job.c.run_at <= db_now(),
                not_paused(),
            )
            .limit(1)
        ).first()
        is not None
    )


def busy(
    conn: Connection, *, within_s: float, queues: Sequence[str], sweeps: str
) -> bool:
    """Whether anything runs or is due within `within_s` seconds.

    Sweeps, whose `once` starts with the given word, come back for ever: only a running
    one counts. What a person paused waits for that person.
    """
    soon = in_state("ready") & (job.c.run_at <= db_from_now(within_s)) & not_paused()
    recurring = func.coalesce(job.c.once, "").startswith(sweeps, autoescape=True)
    return (
        conn.execute(
            select(job.c.id)
            .where(in_state("running") | (soon & ~recurring), job.c.queue.in_(queues))
            .limit(1)
        ).first()
        is not None
    )


def purge_done(conn: Connection, *, older_s: float, limit: int = 5_000) -> int:
    """Forget jobs that were done long enough ago, oldest first, in small bites."""
    old = (
        select(job.c.id)
        .where(in_state("done"), job.c.finished_at < db_from_now(-older_s))
        .limit(limit)
    )
    return conn.execute(delete(job).where(job.c.id.in_(old))).rowcount


def take_slot(conn: Connection, name: str, slot: int) -> bool:
    """Whether this tick is ours: of all clocks, one inserts the slot."""
    # A clock that was set back must not silence the tick until it has caught up.
    conn.execute(delete(tick).where(tick.c.name == name, tick.c.slot > slot + 1))
    make: Any = insert_postgresql if _is_postgresql(conn) else insert_sqlite
    statement = (
        make(tick)
        .values(name=name, slot=slot, at=db_now())
        .on_conflict_do_nothing()
        .returning(tick.c.slot)
    )
    return conn.execute(statement).first() is not None


def forget_slots(conn: Connection, *, older_s: float) -> int:
    """Drop slots of the past; the newest ones keep a tick from running twice."""
    return conn.execute(delete(tick).where(tick.c.at < db_from_now(-older_s))).rowcount


def epoch(conn: Connection) -> float:
    """The database's clock as seconds, from which the slots of ticks are counted."""
    return float(conn.execute(select(db_now())).scalar_one().timestamp())


def beat(conn: Connection, name: str, queues: Sequence[str]) -> None:
    """Say that a worker process lives."""
    alive = conn.execute(
        update(worker).where(worker.c.name == name).values(beat_at=db_now())
    ).rowcount
    if not alive:
        conn.execute(
            insert(worker).values(
                name=name, queues=list(queues), started_at=db_now(), beat_at=db_now()
            )
        )


def workers(conn: Connection) -> list[Row[Any]]:
    """Live worker processes with the number of jobs each holds and its silence."""
    held = (
        select(func.count())
        .where(job.c.worker == worker.c.name, in_state("running"))
        .scalar_subquery()
    )
    return list(
        conn.execute(
            select(*worker.c, held.label("holds"), db_now().label("now")).order_by(
                worker.c.name
            )
        )
    )


def forget_workers(conn: Connection, names: Collection[str]) -> None:
    """Strike worker processes off the list."""
    if names:
        conn.execute(delete(worker).where(worker.c.name.in_(list(names))))


def forget_silent_workers(conn: Connection, *, silent_s: float) -> None:
    """Strike off workers that have not been heard of for long."""
    conn.execute(delete(worker).where(worker.c.beat_at < db_from_now(-silent_s)))


def _is_postgresql(conn: Connection) -> bool:
    return conn.dialect.name == "postgresql"
