"""What the clock promises is carried once at a time."""

from __future__ import annotations

from config.queues import Lane
from vouchers.pipeline import steps
from vouchers.pipeline.context import Context
from vouchers.store import claims
from vouchers.store.jobs import ClaimedJob


def test_a_sweep_is_not_joined_by_a_second_that_does_the_same(ctx: Context) -> None:
    """While the waitlist is being swept, the next sweep of it has nothing to do."""
    sweep = steps.SWEEP_BY_NAME["waitlist"]

    def claim() -> ClaimedJob:
        with ctx.begin() as uow:
            uow.enqueue(steps.sweep_job(sweep))
        with ctx.begin() as uow:
            job = claims.claim(
                uow.conn, queues=[sweep.queue], lanes=list(Lane), worker="w"
            )
        assert job is not None
        return job

    first, second = claim(), claim()

    with ctx.reading() as conn:
        assert not claims.twin_at_work(conn, first)
        assert claims.twin_at_work(conn, second)
    steps.run_sweep(ctx, first)
    with ctx.reading() as conn:
        assert not claims.twin_at_work(conn, second)
    steps.run_sweep(ctx, second)
