"""Carrying a job: no way in which it can end loses, doubles or blocks anything."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError

from config.queues import QUEUES, Lane
from tests.bench import Bench, a_job
from vouchers.errors import Busy, LostLease
from vouchers.pipeline import carry, housekeeping, steps
from vouchers.pipeline.carry import carry_all, carry_one
from vouchers.pipeline.context import Context
from vouchers.pipeline.leases import process_name
from vouchers.store import claims, queues
from vouchers.store.jobs import ClaimedJob, JobSpec
from vouchers.store.tables.work import job


@pytest.fixture
def bench(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A bench with an empty job table."""
    return Bench(ctx, monkeypatch)


def test_a_good_step_ends_its_job(bench: Bench) -> None:
    """A job that its step completes is done, and there is nothing more to carry."""
    bench.step(bench.good)
    bench.give(a_job(1, 2))
    assert carry_one(bench.ctx)
    assert not carry_one(bench.ctx)
    assert bench.ran == [[1, 2]]
    assert bench.states() == {"done": 1}


def test_best_job_goes_first(bench: Bench) -> None:
    """Lane comes before need, need before the partner's turn, turn before time."""
    bench.step(bench.good)
    bench.give(
        a_job(5, need=9, turn=1),
        a_job(4, need=9, turn=0),
        a_job(3, need=1, turn=7),
        a_job(2, lane=Lane.URGENT, need=9),
        a_job(1, lane=Lane.URGENT, need=1),
    )
    carry_all(bench.ctx)
    assert [items[0] for items in bench.ran] == [1, 2, 3, 4, 5]


def test_a_poisoned_row_is_cornered(bench: Bench) -> None:
    """Of 500 rows with one that cannot be carried, 499 are done and one is held."""
    done: list[int] = []

    def poisoned(ctx: Context, claimed: ClaimedJob) -> None:
        with ctx.begin() as uow:
            if 137 in claimed.items:
                raise ValueError("Mary Smith +447700900123 cannot be read")
            uow.complete(claimed)
        done.extend(claimed.items)

    bench.step(poisoned)
    bench.give(a_job(*range(500)))
    carry_all(bench.ctx)
    assert sorted(done) == [n for n in range(500) if n != 137]
    assert bench.held == [(137, "ValueError")]
    assert bench.states()["held"] == 1
    assert set(bench.states()) == {"held", "done"}


def test_halves_know_their_parent(bench: Bench) -> None:
    """The halves of a split chunk keep its lane, need, turn and batch and name it."""
    bench.step(bench.good)
    bench.give(a_job(1, 2, 3, lane=Lane.URGENT, need=4, turn=5, batch_id=6))

    def fails(_ctx: Context, _claimed: ClaimedJob) -> None:
        raise ZeroDivisionError

    bench.step(fails)
    carry_one(bench.ctx)
    with bench.ctx.reading() as conn:
        parent, *halves = conn.execute(select(job).order_by(job.c.id)).all()
    assert [half.items for half in halves] == [[1], [2, 3]]
    assert {half.parent_id for half in halves} == {parent.id}
    assert {(h.lane, h.need, h.turn, h.batch_id) for h in halves} == {(0, 4, 5, 6)}


def test_nothing_of_an_error_but_its_class_is_kept(bench: Bench) -> None:
    """An error's text may hold a person's data: no column of the job has any of it."""

    def tells(_ctx: Context, _claimed: ClaimedJob) -> None:
        raise ValueError("Mary Smith +447700900123")

    bench.step(tells)
    bench.give(a_job(1))
    carry_one(bench.ctx)
    with bench.ctx.reading() as conn:
        kept = repr(conn.execute(select(job)).all())
        kept += repr(conn.execute(text("select body from audit_event")).all())
    assert "ValueError" in kept
    assert "Mary" not in kept
    assert "7700900123" not in kept


def test_a_job_without_rows_is_tried_again_then_buried(bench: Bench) -> None:
    """A sweep that fails comes back with growing pauses, and is dead in the end."""

    def fails(_ctx: Context, _claimed: ClaimedJob) -> None:
        bench.ran.append([])
        raise ZeroDivisionError

    bench.step(fails, holds=False)
    bench.give(JobSpec("clockwork", "sweep:seal"))
    for _ in range(carry.SWEEP_TRIES + 2):
        carry_one(bench.ctx)
        bench.ready_now()
    assert len(bench.ran) == carry.SWEEP_TRIES
    assert bench.states() == {"dead": 1}


def test_busy_costs_nothing(bench: Bench) -> None:
    """A step that finds its registry taken gives the job back, a little later."""

    def busy(_ctx: Context, _claimed: ClaimedJob) -> None:
        raise Busy(seconds=40)

    bench.step(busy)
    bench.give(a_job(1))
    assert carry_one(bench.ctx)
    assert not carry_one(bench.ctx)
    with bench.ctx.reading() as conn:
        row = conn.execute(select(job)).one()
    assert (row.state, row.attempts, row.token) == ("ready", 0, None)
    assert 30 < (row.run_at - row.created_at).total_seconds() < 60


class LostConnection(Exception):
    """Stands for the driver's error when the server is gone."""

    sqlstate = "40P01"


def test_transient_errors_cost_nothing(bench: Bench) -> None:
    """A deadlock or a lost connection uses no attempt and splits nothing."""

    def interrupted(_ctx: Context, _claimed: ClaimedJob) -> None:
        raise OperationalError("select 1", {}, LostConnection())

    bench.step(interrupted)
    bench.give(a_job(1, 2))
    carry_one(bench.ctx)
    with bench.ctx.reading() as conn:
        row = conn.execute(select(job)).one()
    assert (row.state, row.attempts, row.items) == ("ready", 0, [1, 2])


def test_a_step_that_forgets_its_job_is_found_out(bench: Bench) -> None:
    """A step that returns without completing its job has failed, and is held."""
    bench.step(lambda _ctx, _claimed: None)
    bench.give(a_job(7))
    carry_one(bench.ctx)
    assert bench.held == [(7, "Unfinished")]


def test_a_lost_lease_leaves_no_trace(bench: Bench) -> None:
    """Whoever lost a job cannot complete it: all that its transaction wrote is gone."""
    bench.give(a_job(1))

    def slow(ctx: Context, claimed: ClaimedJob) -> None:
        bench.silence()
        with ctx.begin() as uow:
            claims.requeue_expired(uow.conn)
        with ctx.begin() as uow:
            uow.enqueue(a_job(99))
            uow.complete(claimed)

    bench.step(slow)
    carry_one(bench.ctx)
    assert bench.states() == {"ready": 1}
    bench.step(bench.good)
    carry_all(bench.ctx)
    assert bench.ran == [[1]]


def test_a_dead_workers_job_is_taken_over(bench: Bench) -> None:
    """When its lease is over a job is ready for another worker, one attempt used."""
    bench.give(a_job(1))
    with bench.ctx.begin() as uow:
        first = claims.claim(
            uow.conn, queues=["send"], lanes=carry.BOTH_LANES, worker="elsewhere:1:a"
        )
    assert first is not None
    assert housekeeping.take_back(bench.ctx) == 0
    bench.silence()
    assert housekeeping.take_back(bench.ctx) == 1
    bench.step(bench.good)
    assert carry_one(bench.ctx)
    with pytest.raises(LostLease), bench.ctx.begin() as uow:
        uow.complete(first)


def test_a_dead_neighbours_job_is_not_waited_for(bench: Bench) -> None:
    """What a process of this machine held is free as soon as that process is gone."""
    machine = process_name().rsplit(":", 2)[0]
    gone = f"{machine}:4194303:dead"
    bench.give(a_job(1))
    with bench.ctx.begin() as uow:
        queues.beat(uow.conn, gone, ["send"])
        claims.claim(uow.conn, queues=["send"], lanes=carry.BOTH_LANES, worker=gone)
    assert housekeeping.take_back(bench.ctx) == 1
    assert bench.states() == {"ready": 1}


def test_a_job_that_kills_its_workers_is_cornered(bench: Bench) -> None:
    """A chunk over which worker after worker dies is split without being run again."""
    bench.step(bench.good)
    bench.give(a_job(1, 2))
    with bench.ctx.begin() as uow:
        uow.conn.execute(update(job).values(attempts=carry.DEATHS_MAX))
    carry_one(bench.ctx)
    assert bench.ran == []
    carry_all(bench.ctx)
    assert bench.ran == [[1], [2]]


def test_an_unknown_kind_waits_for_a_newer_worker(bench: Bench) -> None:
    """In the middle of an upgrade an old worker gives back what it cannot carry."""
    bench.give(JobSpec("send", "send.by_pigeon", items=[1]))
    carry_one(bench.ctx)
    assert bench.states() == {"ready": 1}


@pytest.mark.parametrize(
    "name",
    [step.handle for step in steps.STEPS]
    + [step.hold for step in steps.STEPS if step.hold]
    + [sweep.call for sweep in steps.SWEEPS],
)
def test_every_step_is_there(name: str) -> None:
    """Each kind of job, each holder and each sweep names a function that exists."""
    assert callable(steps.load(name))


def test_every_queue_is_carried() -> None:
    """No queue of the house is without a step or a sweep that uses it."""
    used = {step.queue for step in steps.STEPS} | {s.queue for s in steps.SWEEPS}
    assert used == {queue.name for queue in QUEUES}
