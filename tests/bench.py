"""A bench for the carrying of jobs: steps made for one test, and what they did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from vouchers.pipeline import steps
from vouchers.pipeline.context import Context
from vouchers.store.jobs import ClaimedJob, JobSpec
from vouchers.store.tables import db_from_now
from vouchers.store.tables.work import job
from vouchers.store.unit_of_work import UnitOfWork

Handler = Callable[[Context, ClaimedJob], None]


class Bench:
    """Steps made for one test, and what they did."""

    def __init__(self, ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ctx = ctx
        self.ran: list[list[int]] = []
        self.held: list[tuple[int, str]] = []
        self._monkeypatch = monkeypatch

    def step(self, handle: Handler, *, holds: bool = True) -> None:
        """Let `handle` carry every job; failed single rows are held if `holds`."""
        self._monkeypatch.setattr(steps, "handler_of", lambda _kind: handle)
        holder = self.hold if holds else None
        self._monkeypatch.setattr(steps, "holder_of", lambda _kind: holder)

    def hold(self, _uow: UnitOfWork, claimed: ClaimedJob, error_class: str) -> None:
        """Remember which row was held and why."""
        self.held.append((claimed.items[0], error_class))

    def good(self, ctx: Context, claimed: ClaimedJob) -> None:
        """Carry a job as a step should."""
        self.ran.append(claimed.items)
        with ctx.begin() as uow:
            uow.complete(claimed)

    def give(self, *specs: JobSpec) -> None:
        """Record jobs."""
        with self.ctx.begin() as uow:
            uow.enqueue(*specs)

    def states(self) -> dict[str, int]:
        """How many jobs are in each state."""
        with self.ctx.reading() as conn:
            found = [row.state for row in conn.execute(select(job.c.state))]
        return {state: found.count(state) for state in set(found)}

    def ready_now(self) -> None:
        """Let every backoff be over."""
        with self.ctx.begin() as uow:
            uow.conn.execute(update(job).values(run_at=db_from_now(-1)))

    def silence(self) -> None:
        """Let every lease be over."""
        with self.ctx.begin() as uow:
            uow.conn.execute(
                update(job)
                .where(job.c.lease_until.is_not(None))
                .values(lease_until=db_from_now(-1))
            )


def a_job(*items: int, **more: Any) -> JobSpec:
    """A job of the send queue."""
    return JobSpec("send", "send.chunk", items=items, **more)
