"""Claims, leases and queues: who may work on what, and for how long."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from config.queues import QUEUES, Lane
from tests.bench import Bench, a_job
from vouchers.errors import Busy
from vouchers.pipeline import carry, housekeeping
from vouchers.pipeline.carry import Carrier, carry_all, carry_one
from vouchers.pipeline.context import Context
from vouchers.store import claims, queues
from vouchers.store.jobs import ClaimedJob
from vouchers.store.tables import db_from_now
from vouchers.store.tables.work import job


@pytest.fixture
def bench(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A bench with an empty job table."""
    return Bench(ctx, monkeypatch)


def test_heartbeat_prolongs_what_is_held_and_nothing_else(bench: Bench) -> None:
    """A sign of life renews the leases of this process, and no stranger's."""
    carrier = Carrier(bench.ctx)
    bench.give(a_job(1), a_job(2))
    with bench.ctx.begin() as uow:
        claims.claim(uow.conn, queues=["send"], lanes=carry.BOTH_LANES, worker="x:1:a")

    def watched(ctx: Context, claimed: ClaimedJob) -> None:
        with ctx.begin() as uow:
            uow.conn.execute(update(job).values(lease_until=db_from_now(2)))
        with ctx.reading() as conn:
            assert claims.lease_left(conn, claimed) < 3
        carrier.leases.beat()
        with ctx.reading() as conn:
            assert claims.lease_left(conn, claimed) > 20
            other = conn.execute(select(job).where(job.c.worker == "x:1:a")).one()
            mine = conn.execute(select(job).where(job.c.id == claimed.id)).one()
        assert other.lease_until < mine.lease_until
        bench.good(ctx, claimed)

    bench.step(watched)
    assert carrier.carry_one()
    assert bench.ran == [[2]]
    carrier.leases.stop()


def test_a_claim_that_nobody_heard_of_is_given_back(bench: Bench) -> None:
    """When the answer to a claim's COMMIT is lost, a sign of life frees the job."""
    carrier = Carrier(bench.ctx)
    bench.give(a_job(1))
    with bench.ctx.begin() as uow:
        claims.claim(
            uow.conn,
            queues=["send"],
            lanes=carry.BOTH_LANES,
            worker=carrier.leases.worker,
        )
    carrier.leases.beat()
    assert bench.states() == {"running": 1}
    with bench.ctx.begin() as uow:
        uow.conn.execute(update(job).values(claimed_at=db_from_now(-60)))
    carrier.leases.beat()
    assert bench.states() == {"ready": 1}
    carrier.leases.stop()


def test_a_paused_queue_gives_nothing(bench: Bench) -> None:
    """Pause holds at the claim itself; what was waiting runs after resume."""
    bench.step(bench.good)
    bench.give(a_job(1), a_job(2, lane=Lane.URGENT))
    with bench.ctx.begin() as uow:
        queues.mark(uow.conn, "send", {"paused_at": uow.now})
    assert not carry_one(bench.ctx)
    with bench.ctx.begin() as uow:
        queues.mark(uow.conn, "send", {"paused_at": None})
    assert carry_all(bench.ctx) == 2


def test_a_queues_limit_holds_for_bulk_and_lets_urgent_pass(bench: Bench) -> None:
    """No more bulk jobs run at once than the limit says; urgent ones pass."""
    bench.give(a_job(1), a_job(2), a_job(3, lane=Lane.URGENT))
    with bench.ctx.begin() as uow:
        queues.mark(uow.conn, "send", {"limit": 1})
    claimed = []
    for _ in range(3):
        with bench.ctx.begin() as uow:
            claimed.append(
                claims.claim(
                    uow.conn, queues=["send"], lanes=carry.BOTH_LANES, worker="w"
                )
            )
    assert [one.items if one else None for one in claimed] == [[3], [1], None]
    with bench.ctx.begin() as uow:
        assert claimed[1] is not None
        uow.complete(claimed[1])
    with bench.ctx.begin() as uow:
        assert claims.claim(
            uow.conn, queues=["send"], lanes=carry.BOTH_LANES, worker="w"
        )


def test_once_means_one_waiting_job(bench: Bench) -> None:
    """Of jobs with the same `once` one waits; one given back beside it is over."""
    bench.give(a_job(once="drain:1"), a_job(once="drain:1"))
    assert bench.states() == {"ready": 1}

    def twin(ctx: Context, _claimed: ClaimedJob) -> None:
        with ctx.begin() as uow:
            uow.enqueue(a_job(once="drain:1"))
        raise Busy

    bench.step(twin)
    carry_one(bench.ctx)
    assert bench.states() == {"ready": 1, "done": 1}


def test_expired_twins_become_one(bench: Bench) -> None:
    """Two running jobs with the same `once` whose workers died leave one ready."""
    for _ in range(2):
        bench.give(a_job(once="drain:1"))
        with bench.ctx.begin() as uow:
            claims.claim(
                uow.conn, queues=["send"], lanes=carry.BOTH_LANES, worker="x:1:a"
            )
    bench.silence()
    housekeeping.take_back(bench.ctx)
    assert bench.states() == {"ready": 1, "done": 1}


def test_levels_count_every_state(bench: Bench) -> None:
    """Counts per queue: ready, delayed, running, held, dead, and what was done."""
    bench.step(bench.good)
    bench.give(a_job(1), a_job(2), a_job(3, delay_s=500))
    carry_one(bench.ctx)
    with bench.ctx.reading() as conn:
        level = {one.name: one for one in queues.levels(conn)}["send"]
    assert (level.ready, level.delayed, level.running) == (1, 1, 0)
    assert (level.held, level.dead) == (0, 0)
    assert level.per_minute > 0
    with bench.ctx.reading() as conn:
        assert [one.name for one in queues.levels(conn)] == [q.name for q in QUEUES]


def test_a_clock_that_was_set_back_goes_on_ticking(bench: Bench) -> None:
    """Slots of an hour that was never reached do not silence a sweep for an hour."""
    with bench.ctx.begin() as uow:
        assert queues.take_slot(uow.conn, "unknown", 5_000)
        assert queues.take_slot(uow.conn, "unknown", 4_760)
        assert not queues.take_slot(uow.conn, "unknown", 4_760)
        assert queues.take_slot(uow.conn, "unknown", 4_761)
        # Two clocks a moment apart do not undo each other's slots.
        assert not queues.take_slot(uow.conn, "unknown", 4_761)
        assert not queues.take_slot(uow.conn, "unknown", 4_760)
