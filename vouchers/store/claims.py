"""Who works on which job: claims with a lease and a token, and every way they end."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Update,
    case,
    exists,
    func,
    literal,
    null,
    select,
    update,
)

from config.queues import QUEUE_BY_NAME, Lane
from vouchers.errors import LostLease
from vouchers.store import jobs
from vouchers.store.jobs import ClaimedJob, JobSpec
from vouchers.store.tables import db_from_now, db_now
from vouchers.store.tables.work import job, queue

#: Longest error class that is kept.
ERROR_CLASS_MAX = 80
#: Lease of a job whose queue the table of queues does not know.
LEASE_S = 60
#: Jobs taken from the silent in one sweep.
SWEEP_MAX = 500


def in_state(state: str) -> ColumnElement[bool]:
    """Compare with a literal, not a parameter: only so partial indexes are used."""
    return job.c.state == literal(state, literal_execute=True)


def best_first() -> tuple[ColumnElement[Any], ...]:
    """The order of every line: lane, need, the partner's turn, then time."""
    return job.c.lane, job.c.need, job.c.turn, job.c.run_at, job.c.id


def not_paused() -> ColumnElement[bool]:
    """Whether nobody has paused the queue of a job."""
    return job.c.queue.not_in(
        select(queue.c.name).where(queue.c.paused_at.is_not(None))
    )


def lease_of(queue_name: str) -> int:
    """Seconds for which a claim on this queue holds without a sign of life."""
    known = QUEUE_BY_NAME.get(queue_name)
    return known.lease_s if known else LEASE_S


def claim(
    conn: Connection,
    *,
    queues: Sequence[str],
    lanes: Collection[Lane],
    worker: str,
    wait: bool = True,
) -> ClaimedJob | None:
    """Take the best ready job, or None when nothing may run here now.

    Pause is part of the statement; a queue's limit is counted under the lock of the
    queue's row. With `wait` off no lock is waited for: so the urgent thread claims.
    """
    full = _full_queues(conn, queues, wait=wait)
    best = (
        select(job.c.id)
        .where(
            in_state("ready"),
            job.c.queue.in_(queues),
            job.c.lane.in_([int(lane) for lane in lanes]),
            job.c.run_at <= db_now(),
            not_paused(),
        )
        .order_by(*best_first())
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if full:
        # Urgent work passes a full queue: each process runs one of it at a time.
        best = best.where((job.c.lane == Lane.URGENT) | job.c.queue.not_in(full))
    lease_s = max(lease_of(name) for name in queues)
    taken = (
        conn.execute(
            update(job)
            .where(job.c.id == best.scalar_subquery(), in_state("ready"))
            .values(
                state="running",
                token=secrets.token_hex(16),
                worker=worker,
                claimed_at=db_now(),
                lease_until=db_from_now(lease_s),
            )
            .returning(*job.c)
        )
        .mappings()
        .first()
    )
    return None if taken is None else jobs.from_row(dict(taken))


def _full_queues(conn: Connection, queues: Sequence[str], *, wait: bool) -> list[str]:
    """Queues whose running bulk jobs have reached the limit, their rows locked."""
    limited = conn.execute(
        select(queue.c.name, queue.c.limit)
        .where(queue.c.name.in_(queues), queue.c.limit.is_not(None))
        .order_by(queue.c.name)
        .with_for_update(skip_locked=not wait)
    ).all()
    if not limited:
        return []
    counts = conn.execute(
        select(job.c.queue, func.count().label("running"))
        .where(
            in_state("running"),
            job.c.queue.in_([row.name for row in limited]),
            job.c.lane == Lane.BULK,
        )
        .group_by(job.c.queue)
    )
    running = {row.queue: row.running for row in counts}
    return [row.name for row in limited if running.get(row.name, 0) >= row.limit]


def renew(
    conn: Connection, worker: str, held: Iterable[tuple[int, str]]
) -> set[tuple[int, str]]:
    """Prolong the leases of jobs held as (id, token); give those still held."""
    wanted = set(held)
    if not wanted:
        return set()
    lease_s = case(
        {name: literal(known.lease_s) for name, known in QUEUE_BY_NAME.items()},
        value=job.c.queue,
        else_=literal(LEASE_S),
    )
    kept = conn.execute(
        update(job)
        .where(
            job.c.id.in_([job_id for job_id, _ in wanted]),
            in_state("running"),
            job.c.worker == worker,
        )
        .values(lease_until=db_from_now(lease_s))
        .returning(job.c.id, job.c.token)
    )
    return wanted & {(row.id, row.token) for row in kept}


def lease_left(conn: Connection, claimed: ClaimedJob) -> float:
    """Seconds for which this claim still holds; 0 when it is lost.

    A step that calls out asks this before each call: no call starts unless the lease
    outlives the call's time limit.
    """
    row = conn.execute(
        select(job.c.lease_until, db_now().label("now")).where(*_fence(claimed))
    ).first()
    if row is None:
        return 0.0
    return max(0.0, float((row.lease_until - row.now).total_seconds()))


def give_back(conn: Connection, claimed: ClaimedJob, *, seconds: float) -> None:
    """Let someone else try after `seconds`; no attempt is used."""
    _end(conn, claimed, _ready_again(seconds))


def retry(
    conn: Connection, claimed: ClaimedJob, *, seconds: float, error_class: str
) -> None:
    """Try again after `seconds`; one attempt is used."""
    change = _ready_again(seconds) | {
        "attempts": job.c.attempts + 1,
        "error_class": error_class[:ERROR_CLASS_MAX],
    }
    _end(conn, claimed, change)


def split(conn: Connection, claimed: ClaimedJob, error_class: str) -> None:
    """Replace a chunk by its two halves, so that its fault can be cornered."""
    _end(conn, claimed, _finished("done", error_class))
    middle = len(claimed.items) // 2
    halves = (claimed.items[:middle], claimed.items[middle:])
    jobs.insert_jobs(
        conn,
        [
            JobSpec(
                queue=claimed.queue,
                kind=claimed.kind,
                lane=Lane(claimed.lane),
                items=list(half),
                need=claimed.need,
                turn=claimed.turn,
                parent=claimed.id,
                batch_id=claimed.batch_id,
                payload=dict(claimed.payload),
            )
            for half in halves
        ],
    )


def hold(conn: Connection, claimed: ClaimedJob, error_class: str) -> None:
    """Put the job where a person must look at it."""
    _end(conn, claimed, _finished("held", error_class))


def bury(conn: Connection, claimed: ClaimedJob, error_class: str) -> None:
    """Give the job up: nothing in it can be held row by row."""
    _end(conn, claimed, _finished("dead", error_class))


def requeue_expired(conn: Connection) -> list[int]:
    """Make jobs ready again whose worker fell silent; each such end uses an attempt."""
    return _take_back(conn, job.c.lease_until < db_now())


def release_of(conn: Connection, workers: Collection[str]) -> list[int]:
    """Make ready again what these workers held; they are known to be dead."""
    return _take_back(conn, job.c.worker.in_(list(workers))) if workers else []


def holders(conn: Connection) -> set[str]:
    """Workers that hold a job now, by what they claimed."""
    held = in_state("running") & job.c.worker.is_not(None)
    return set(conn.scalars(select(job.c.worker).where(held).distinct()))


def release_orphans(
    conn: Connection, worker: str, held: Collection[int], *, older_s: float
) -> list[int]:
    """Make ready again what this worker claimed without knowing it.

    The answer to the claim's COMMIT was lost, so nobody works on the job; a claim of
    the last seconds may simply not have been heard of yet.
    """
    return _take_back(
        conn,
        (job.c.worker == worker)
        & job.c.id.not_in(list(held))
        & (job.c.claimed_at < db_from_now(-older_s)),
    )


def twin_at_work(conn: Connection, claimed: ClaimedJob) -> bool:
    """Whether an earlier job of this kind runs now, by somebody who is still alive."""
    twin = select(job.c.id).where(
        in_state("running"),
        job.c.kind == claimed.kind,
        job.c.id < claimed.id,
        job.c.lease_until > db_now(),
    )
    return conn.execute(twin.limit(1)).first() is not None


def finished_by_its_step(conn: Connection, claimed: ClaimedJob) -> bool:
    """Whether the claim is over, by completion or because it was lost."""
    return conn.execute(select(job.c.id).where(*_fence(claimed))).first() is None


def _take_back(conn: Connection, which: ColumnElement[bool]) -> list[int]:
    found = conn.execute(
        _locked(select(job.c.id, job.c.once).where(in_state("running"), which))
    ).all()
    plain = [row.id for row in found if row.once is None]
    change = _ready_again(0) | {"attempts": job.c.attempts + 1}
    if plain:
        conn.execute(update(job).where(job.c.id.in_(plain)).values(change))
    for row in found:
        # One at a time: of several with the same `once`, one becomes ready.
        if row.once is not None:
            conn.execute(update(job).where(job.c.id == row.id).values(change))
    return [row.id for row in found]


def _locked(statement: Select[Any]) -> Select[Any]:
    return (
        statement.order_by(job.c.id).limit(SWEEP_MAX).with_for_update(skip_locked=True)
    )


def _ready_again(seconds: float) -> dict[str, Any]:
    """Values that put a job back; one whose twin already waits is simply over."""
    twin = job.alias("twin")
    superseded = job.c.once.is_not(None) & exists(
        select(twin.c.id).where(
            twin.c.once == job.c.once,
            twin.c.state == literal("ready", literal_execute=True),
        )
    )
    return {
        "state": case((superseded, "done"), else_="ready"),
        "finished_at": case((superseded, db_now()), else_=null()),
        "run_at": db_from_now(seconds),
        "token": None,
        "worker": None,
        "lease_until": None,
        "published_at": None,
    }


def _finished(state: str, error_class: str) -> dict[str, Any]:
    return {
        "state": state,
        "error_class": error_class[:ERROR_CLASS_MAX],
        "attempts": job.c.attempts + 1,
        "finished_at": db_now(),
        "lease_until": None,
    }


def _fence(claimed: ClaimedJob) -> tuple[ColumnElement[bool], ...]:
    return job.c.id == claimed.id, job.c.token == claimed.token, in_state("running")


def _end(conn: Connection, claimed: ClaimedJob, change: dict[str, Any]) -> None:
    statement: Update = update(job).where(*_fence(claimed)).values(change)
    if conn.execute(statement).rowcount != 1:
        raise LostLease(job=claimed.id)
