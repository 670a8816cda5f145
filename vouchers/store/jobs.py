"""Jobs: promises recorded in the same transaction as the work they follow from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, Float, and_, bindparam, insert, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from config.queues import Lane
from vouchers.errors import LostLease
from vouchers.store.tables.types import db_from_now, db_now
from vouchers.store.tables.work import job as jobs

#: What a job without rows in need stands behind.
NEED_LAST = 1_000_000_000


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A job to be done; it holds numbers and codes, nothing of a person."""

    queue: str
    kind: str
    items: Sequence[int] = ()
    lane: Lane = Lane.BULK
    #: Rank of its neediest row; lower goes first.
    need: int = NEED_LAST
    #: Rises with each job of one partner, so that partners take turns.
    turn: int = 0
    #: Seconds from now, by the database's clock.
    delay_s: float = 0.0
    parent: int | None = None
    batch_id: int | None = None
    #: At most one ready job with this word.
    once: str | None = None
    payload: Mapping[str, int | str] = field(default_factory=dict)
    #: Why a person has to look first; such a job waits until it is requeued.
    held: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job that this process holds until its lease ends."""

    id: int
    queue: str
    kind: str
    lane: Lane
    items: list[int]
    payload: Mapping[str, int | str]
    need: int
    turn: int
    batch_id: int | None
    token: str
    lease_until: datetime
    attempts: int


def from_row(row: Mapping[str, Any]) -> ClaimedJob:
    """A job as its claim gave it back."""
    return ClaimedJob(
        id=row["id"],
        queue=row["queue"],
        kind=row["kind"],
        lane=Lane(row["lane"]),
        items=list(row["items"]),
        payload=row["payload"],
        need=row["need"],
        turn=row["turn"],
        batch_id=row["batch_id"],
        token=row["token"],
        lease_until=row["lease_until"],
        attempts=row["attempts"],
    )


def insert_jobs(conn: Connection, specs: Sequence[JobSpec]) -> None:
    """Record jobs; a second ready job with the same `once` is dropped."""
    for has_once in (False, True):
        group = [spec for spec in specs if (spec.once is not None) == has_once]
        if not group:
            continue
        rows = [_row(spec) for spec in group]
        statement = insert(jobs).values(
            created_at=db_now(),
            run_at=db_from_now(_bind_delay()),
        )
        if has_once:
            make = (
                insert_postgresql
                if conn.dialect.name == "postgresql"
                else insert_sqlite
            )
            statement = (
                make(jobs)
                .values(created_at=db_now(), run_at=db_from_now(_bind_delay()))
                .on_conflict_do_nothing()
            )
        conn.execute(statement, rows)


def _bind_delay() -> BindParameter[float]:
    return bindparam("delay_s", type_=Float)


def _row(spec: JobSpec) -> dict[str, object]:
    return {
        "queue": spec.queue,
        "kind": spec.kind,
        "lane": int(spec.lane),
        "state": "held" if spec.held else "ready",
        "error_class": spec.held,
        "items": list(spec.items),
        "payload": dict(spec.payload),
        "need": spec.need,
        "turn": spec.turn,
        "parent_id": spec.parent,
        "batch_id": spec.batch_id,
        "once": spec.once,
        "delay_s": spec.delay_s,
    }


def complete(conn: Connection, job: ClaimedJob) -> None:
    """Mark a job done; raise LostLease when it has another owner by now."""
    done = conn.execute(
        update(jobs)
        .where(
            and_(jobs.c.id == job.id, jobs.c.token == job.token),
            jobs.c.state == "running",
        )
        .values(state="done", finished_at=db_now(), lease_until=None)
    ).rowcount
    if done != 1:
        raise LostLease(job=job.id)
