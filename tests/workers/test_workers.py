"""Signals wake, the job table decides: on every broker, whatever signals do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dramatiq
import pytest
from dramatiq import Broker
from sqlalchemy import select, update

from config.queues import QUEUES, Lane
from tests.workers.conftest import Tally, client_of, eventually, give, open_jobs
from vouchers.bootstrap import App
from vouchers.pipeline import steps
from vouchers.pipeline.carry import Carrier
from vouchers.pipeline.context import Context
from vouchers.store import claims, queues
from vouchers.store.jobs import ClaimedJob, JobSpec
from vouchers.store.tables import db_from_now
from vouchers.store.tables.work import job
from workers import build
from workers.broker import actor_name, signal
from workers.dispatcher import Dispatcher
from workers.floor import Floor


@contextmanager
def at_work(app: App, broker: Broker, *, rings: bool = True) -> Iterator[Dispatcher]:
    """Two dramatiq threads over `broker` and, with `rings`, a dispatcher."""
    dispatcher = Dispatcher(app.context, broker)
    build(broker, app, carrier=Carrier(app.context), more=dispatcher.wake)
    worker = dramatiq.Worker(broker, worker_timeout=50, worker_threads=2)
    worker.start()
    if rings:
        dispatcher.start()
    try:
        yield dispatcher
    finally:
        if rings:
            dispatcher.stop()
        worker.stop(timeout=10_000)


def some_jobs(number: int) -> list[JobSpec]:
    """Jobs of one item each, spread over the queues."""
    return [
        JobSpec(QUEUES[n % len(QUEUES)].name, "send.chunk", items=[n])
        for n in range(number)
    ]


def test_what_is_promised_is_carried_once(
    app: App, any_broker: Broker, tally: Tally
) -> None:
    """Jobs of every queue are carried, each exactly once, without anybody's polling."""
    with at_work(app, any_broker):
        give(app.context, *some_jobs(40))
        eventually(lambda: open_jobs(app.context) == 0)
    assert tally.counts == dict.fromkeys(range(40), 1)


def test_signals_given_twice_run_a_job_once(
    app: App, any_broker: Broker, tally: Tally
) -> None:
    """A doubled signal, or one for a job that is gone, finds nothing to do."""
    give(app.context, *some_jobs(8))
    with at_work(app, any_broker, rings=False):
        for _ in range(3):
            for queue in QUEUES:
                any_broker.enqueue(signal(queue.name, 424242))
        eventually(lambda: open_jobs(app.context) == 0)
    assert tally.counts == dict.fromkeys(range(8), 1)


def test_a_flushed_redis_costs_only_time(
    app: App, any_broker: Broker, tally: Tally
) -> None:
    """All signals vanish while jobs wait: the dispatcher gives them again."""
    give(app.context, *some_jobs(20))
    Dispatcher(app.context, any_broker).ring()
    client = client_of(any_broker)
    if client is None:
        any_broker.flush_all()
    else:
        client.flushdb()
    with app.context.begin() as uow:
        # Some seconds pass.
        uow.conn.execute(update(job).values(published_at=db_from_now(-60)))
    with at_work(app, any_broker):
        eventually(lambda: open_jobs(app.context) == 0)
    assert tally.counts == dict.fromkeys(range(20), 1)


def test_redis_holds_a_number_and_nothing_else(
    app: App, any_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a step raises, Redis never has a word of it, nor of the rows."""
    client = client_of(any_broker)
    if client is None:
        pytest.skip("there is no Redis in process")
    seen: list[bytes] = []

    def tells(_ctx: Context, claimed: ClaimedJob) -> None:
        seen.append(everything(client))
        raise ValueError("Mary Smith +447700900123")

    monkeypatch.setattr(steps, "handler_of", lambda _kind: tells)
    monkeypatch.setattr(steps, "holder_of", lambda _kind: None)
    give(app.context, JobSpec("send", "send.chunk", items=[77001], payload={"n": 5}))
    with at_work(app, any_broker):
        eventually(lambda: open_jobs(app.context) == 0)
    seen.append(everything(client))
    whole = b"".join(seen)
    assert b"carry_send" in whole
    for word in (b"Mary", b"7700900123", b"ValueError", b"traceback", b"77001"):
        assert word not in whole


def everything(client: object) -> bytes:
    """Every key and value of a Redis database, as bytes."""
    found = b""
    for key in client.keys("*"):  # type: ignore[attr-defined]
        kind = client.type(key)  # type: ignore[attr-defined]
        if kind == b"hash":
            value = repr(client.hgetall(key))  # type: ignore[attr-defined]
        elif kind == b"list":
            value = repr(client.lrange(key, 0, -1))  # type: ignore[attr-defined]
        elif kind == b"zset":
            value = repr(client.zrange(key, 0, -1))  # type: ignore[attr-defined]
        elif kind == b"set":
            value = repr(client.smembers(key))  # type: ignore[attr-defined]
        else:
            value = repr(client.get(key))  # type: ignore[attr-defined]
        found += key + value.encode()
    return found


def test_few_signals_are_on_their_way(app: App, any_broker: Broker) -> None:
    """A long queue is not copied into Redis: a handful of signals stand for it."""
    give(app.context, *[JobSpec("send", "send.chunk", items=[n]) for n in range(50)])
    dispatcher = Dispatcher(app.context, any_broker, signals_max=3)
    assert dispatcher.ring() == 3
    assert dispatcher.ring() == 0
    with app.context.reading() as conn:
        rung = conn.execute(select(job).where(job.c.published_at.is_not(None))).all()
    assert [one.items[0] for one in rung] == [0, 1, 2]


def test_an_unanswered_signal_is_given_again(app: App, any_broker: Broker) -> None:
    """A signal that has moved nothing for seconds counts as lost."""
    give(app.context, JobSpec("send", "send.chunk", items=[1]))
    dispatcher = Dispatcher(app.context, any_broker)
    assert dispatcher.ring() == 1
    with app.context.begin() as uow:
        uow.conn.execute(update(job).values(published_at=db_from_now(-60)))
    assert dispatcher.ring() == 1


def test_nothing_rings_for_a_paused_or_later_job(app: App, any_broker: Broker) -> None:
    """Neither a paused queue nor a job whose time has not come is rung for."""
    give(
        app.context,
        JobSpec("send", "send.chunk", items=[1]),
        JobSpec("deliver", "deliver.apply", delay_s=300),
    )
    with app.context.begin() as uow:
        queues.mark(uow.conn, "send", {"paused_at": uow.now})
    assert Dispatcher(app.context, any_broker).ring() == 0


def test_a_dead_broker_stops_nobody(app: App) -> None:
    """An enqueue that fails counts as maybe sent; the next round gives it again."""

    class Gone:
        def enqueue(self, _message: object) -> None:
            raise ConnectionError

    give(app.context, JobSpec("send", "send.chunk", items=[1]))
    dispatcher = Dispatcher(app.context, Gone())  # type: ignore[arg-type]
    assert dispatcher.ring() == 0
    with app.context.begin() as uow:
        uow.conn.execute(update(job).values(published_at=db_from_now(-60)))
    assert dispatcher.ring() == 0


def test_urgent_work_never_waits_for_bulk(app: App, tally: Tally) -> None:
    """While every bulk thread is stuck, an urgent job is carried by its own thread."""
    tally.gate.clear()
    urgent = JobSpec("send", "send.chunk", items=[1000], lane=Lane.URGENT)
    carry = tally.carry

    def stuck_unless_urgent(ctx: Context, claimed: ClaimedJob) -> None:
        if claimed.lane == Lane.URGENT:
            with ctx.begin(urgent=True) as uow:
                uow.complete(claimed)
            tally.counts[1000] = 1
        else:
            carry(ctx, claimed)

    tally_of = pytest.MonkeyPatch()
    tally_of.setattr(steps, "handler_of", lambda _kind: stuck_unless_urgent)
    floor = Floor(app, threads=2)
    floor.clock = Still()  # type: ignore[assignment]
    floor.start()
    try:
        give(app.context, *some_jobs(16))
        eventually(lambda: running(app.context) >= 2)
        give(app.context, urgent)
        eventually(lambda: tally.counts.get(1000) == 1)
        assert set(tally.counts) == {1000}
    finally:
        tally.gate.set()
        floor.stop()
        tally_of.undo()


class Still:
    """A clock that does not tick."""

    def start(self) -> None:
        """Nothing."""

    def stop(self) -> None:
        """Nothing."""


def running(ctx: Context) -> int:
    """How many jobs run."""
    with ctx.reading() as conn:
        found = conn.execute(select(job.c.id).where(job.c.state == "running")).all()
    return len(found)


def test_a_closing_floor_finishes_what_it_began(app: App, tally: Tally) -> None:
    """Told to stop, a process takes no more jobs and ends those it has."""
    tally.gate.clear()
    floor = Floor(app, threads=1)
    floor.clock = Still()  # type: ignore[assignment]
    floor.start()
    give(app.context, *[JobSpec("send", "send.chunk", items=[n]) for n in range(5)])
    eventually(lambda: running(app.context) == 1)
    floor._closing.set()
    tally.gate.set()
    floor.stop()
    assert len(tally.counts) == 1
    assert running(app.context) == 0
    with app.context.reading() as conn:
        assert queues.workers(conn) == []


def test_every_queue_has_one_actor(app: App, any_broker: Broker) -> None:
    """Each queue of the table is answered by one actor of its own name."""
    actors = build(any_broker, app)
    assert {name: actor.actor_name for name, actor in actors.items()} == {
        queue.name: actor_name(queue.name) for queue in QUEUES
    }
    assert {actor.queue_name for actor in actors.values()} == set(actors)


def test_redis_broker_keeps_no_work(any_broker: Broker) -> None:
    """No part of dramatiq that retries, ages, stores or chains is on the broker."""
    names = {type(one).__name__ for one in any_broker.middleware}
    assert names == {"LogContext"}


def test_two_workers_share_a_table_without_sharing_a_job(
    app: App, tally: Tally
) -> None:
    """Claims by many threads at once give each job to one of them."""
    import threading

    give(app.context, *[JobSpec("send", "send.chunk", items=[n]) for n in range(60)])
    carriers = [Carrier(app.context, worker=f"w:{n}:x") for n in range(4)]

    def work(carrier: Carrier) -> None:
        while carrier.carry_one():
            pass

    threads = [threading.Thread(target=work, args=(one,)) for one in carriers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tally.counts == dict.fromkeys(range(60), 1)


def test_limits_hold_for_many_claimers(app: App) -> None:
    """Ten threads that claim at once from a queue of limit 3 get three jobs."""
    import threading

    give(app.context, *[JobSpec("send", "send.chunk", items=[n]) for n in range(10)])
    with app.context.begin() as uow:
        queues.mark(uow.conn, "send", {"limit": 3})
    taken: list[ClaimedJob] = []

    def claim() -> None:
        with app.context.begin() as uow:
            got = claims.claim(
                uow.conn, queues=["send"], lanes=(Lane.BULK,), worker="w"
            )
        if got is not None:
            taken.append(got)

    threads = [threading.Thread(target=claim) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 3
