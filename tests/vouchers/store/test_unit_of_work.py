"""A unit of work commits everything that belongs together, or leaves no trace."""

from __future__ import annotations

import json
import threading

import pytest
from sqlalchemy import func, select

from vouchers.errors import LostLease
from vouchers.pipeline.context import Context
from vouchers.store.jobs import ClaimedJob, JobSpec
from vouchers.store.tables.identity import household
from vouchers.store.tables.proof import audit_event, audit_pending
from vouchers.store.tables.work import job
from vouchers.store.unit_of_work import WriteLock, stop_waking, wake_with


def count(ctx: Context, table: object) -> int:
    """How many rows a table has."""
    with ctx.reading() as conn:
        return conn.scalar(select(func.count()).select_from(table)) or 0  # type: ignore[arg-type]


def test_work_events_and_jobs_are_written_together(ctx: Context) -> None:
    """One commit holds the row, its audit event and the job that follows."""
    with ctx.begin(actor="amy/cli") as uow:
        uow.conn.execute(household.insert().values(id=1, created_at=uow.now))
        uow.record("household.created", 1, pence=[1, 2])
        uow.enqueue(JobSpec("allocate", "allocate.chunk", [1]))

    assert count(ctx, household) == 1
    assert count(ctx, audit_pending) == 1
    with ctx.reading() as conn:
        body = json.loads(conn.scalar(select(audit_event.c.body)) or "")
    assert body["actor"] == "amy/cli"
    assert body["pence"] == [1, 2]
    assert count(ctx, job) == 1


def test_an_exception_leaves_no_trace(ctx: Context) -> None:
    """Nothing of a failed unit is kept: no row, no event, no job."""
    with pytest.raises(RuntimeError), ctx.begin() as uow:
        uow.conn.execute(household.insert().values(id=1, created_at=uow.now))
        uow.record("household.created", 1)
        uow.enqueue(JobSpec("allocate", "allocate.chunk", [1]))
        raise RuntimeError

    assert [count(ctx, table) for table in (household, audit_event, job)] == [0, 0, 0]


def test_a_lost_lease_undoes_the_work(ctx: Context) -> None:
    """Who no longer owns the job cannot commit what was done for it."""
    stranger = ClaimedJob(
        id=99,
        queue="allocate",
        kind="allocate.chunk",
        lane=1,  # type: ignore[arg-type]
        items=[],
        payload={},
        need=0,
        turn=0,
        batch_id=None,
        token="old",
        lease_until=ctx.clock(),
        attempts=0,
    )

    with pytest.raises(LostLease), ctx.begin() as uow:
        uow.conn.execute(household.insert().values(id=1, created_at=uow.now))
        uow.complete(stranger)

    assert count(ctx, household) == 0


def test_a_once_job_exists_once_while_it_is_ready(ctx: Context) -> None:
    """Two drains promised in a row are one drain."""
    for _ in range(2):
        with ctx.begin() as uow:
            uow.enqueue(JobSpec("allocate", "allocate.drain", once="drain:1"))

    assert count(ctx, job) == 1


def test_the_bell_rings_after_the_commit_that_promised_jobs(ctx: Context) -> None:
    """The dispatcher is woken once the jobs can be seen, and not without jobs."""
    seen: list[int] = []

    def bell() -> None:
        seen.append(count(ctx, job))

    wake_with(bell)
    try:
        with ctx.begin() as uow:
            uow.record("x.y", 1)
        with ctx.begin() as uow:
            uow.enqueue(JobSpec("send", "send.chunk", [1]))
    finally:
        stop_waking(bell)

    assert seen == [1]


def test_an_urgent_writer_passes_those_that_wait() -> None:
    """Of all who wait for SQLite's one writer's place, the urgent goes first."""
    lock = WriteLock()
    order: list[str] = []
    waiting = threading.Barrier(3)

    def write(name: str, urgent: bool) -> None:
        waiting.wait()
        with lock.held(urgent=urgent):
            order.append(name)

    with lock.held(urgent=False):
        threads = [
            threading.Thread(target=write, args=("bulk", False)),
            threading.Thread(target=write, args=("urgent", True)),
        ]
        for thread in threads:
            thread.start()
        waiting.wait()
        while not lock.urgent_waiting:
            threading.Event().wait(0.001)
    for thread in threads:
        thread.join()

    assert order == ["urgent", "bulk"]
