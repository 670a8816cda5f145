"""Steps made for tests of the workers, and brokers of every sort to run them on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import fakeredis
import pytest
import redis
from dramatiq import Broker
from sqlalchemy import func, select

from vouchers.pipeline import steps
from vouchers.pipeline.context import Context
from vouchers.store.jobs import ClaimedJob, JobSpec
from vouchers.store.tables.work import job
from workers import broker as brokers

PATIENCE_S = 30


class Tally:
    """A step that only counts: how often each item was carried, and by whom."""

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.threads: dict[int, str] = {}
        self.gate = threading.Event()
        self.gate.set()
        self._lock = threading.Lock()

    def carry(self, ctx: Context, claimed: ClaimedJob) -> None:
        """Count the items of a job, with its completion: both or neither."""
        self.gate.wait(PATIENCE_S)
        with ctx.begin() as uow:
            uow.complete(claimed)
        with self._lock:
            for item in claimed.items:
                self.counts[item] = self.counts.get(item, 0) + 1
                self.threads[item] = threading.current_thread().name


@pytest.fixture
def tally(monkeypatch: pytest.MonkeyPatch) -> Tally:
    """Every kind of job is carried by a tally."""
    made = Tally()
    monkeypatch.setattr(steps, "handler_of", lambda _kind: made.carry)
    return made


@pytest.fixture(params=["in process", "fakeredis", "redis"])
def any_broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """The in-process broker, Redis imitated, and Redis itself where one is named."""
    if request.param == "in process":
        made: Broker = brokers.in_process()
    elif request.param == "fakeredis":
        made = brokers.over_redis(fakeredis.FakeRedis())
    else:
        made = brokers.open_broker(request.getfixturevalue("redis_url"))
    yield made
    made.close()


def client_of(broker: Broker) -> redis.Redis | None:
    """The Redis behind a broker, if there is one."""
    return getattr(broker, "client", None) if hasattr(broker, "scripts") else None


def give(ctx: Context, *specs: JobSpec) -> None:
    """Record jobs as a step would."""
    with ctx.begin() as uow:
        uow.enqueue(*specs)


def open_jobs(ctx: Context) -> int:
    """How many jobs are ready or running."""
    with ctx.reading() as conn:
        found = conn.execute(
            select(func.count()).where(job.c.state.in_(("ready", "running")))
        )
        return int(found.scalar_one())


def eventually(holds: Callable[[], Any]) -> None:
    """Wait until `holds` is true; fail when it never is."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)
