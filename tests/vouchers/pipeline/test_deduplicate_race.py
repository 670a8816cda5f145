"""Many matchers at once: one person can never become two households."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import func, select

from config.queues import Lane
from tests.referrals import person, receive
from vouchers.errors import Busy
from vouchers.pipeline import deduplicate
from vouchers.pipeline.carry import Carrier
from vouchers.pipeline.context import Context
from vouchers.store import claims, registry
from vouchers.store.tables.identity import household, resident
from vouchers.store.tables.intake import referral
from vouchers.store.tables.work import job

BATCHES = 20
THREADS = 4


def open_jobs(ctx: Context) -> int:
    """How many deduplicate jobs are not done."""
    with ctx.reading() as conn:
        return int(
            conn.execute(
                select(func.count())
                .select_from(job)
                .where(job.c.queue == "deduplicate", job.c.state != "done")
            ).scalar_one()
        )


def carry_at_once(ctx: Context) -> None:
    """Carry all deduplicate jobs in several threads that start together."""
    start = threading.Barrier(THREADS)
    failures: list[BaseException] = []

    def work(n: int) -> None:
        carrier = Carrier(ctx, queues=["deduplicate"], worker=f"w{n}")
        start.wait()
        try:
            while open_jobs(ctx):
                carrier.carry_one()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert open_jobs(ctx) == 0


def test_one_person_in_twenty_batches_at_once_is_one_household(ctx: Context) -> None:
    """P2's ground: whoever wins the race, there is one resident and one household."""
    ids = [receive(ctx, person(), partner_id=n + 1)[0] for n in range(BATCHES)]
    carry_at_once(ctx)
    with ctx.reading() as conn:
        people = conn.execute(select(resident.c.id)).all()
        homes = conn.execute(select(household.c.id)).all()
        links = conn.execute(
            select(referral.c.resident_id, referral.c.household_id, referral.c.state)
            .where(referral.c.id.in_(ids))
            .distinct()
        ).all()
    assert (len(people), len(homes), len(links)) == (1, 1, 1)
    assert links[0].state == "matched"


def test_a_second_matcher_gives_its_job_back(ctx: Context) -> None:
    """While one matches, another is told Busy and has changed nothing."""
    if ctx.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    (rid,) = receive(ctx, person())
    with ctx.begin() as uow:
        claimed = claims.claim(
            uow.conn, queues=["deduplicate"], lanes=[Lane.BULK], worker="w"
        )
    assert claimed is not None
    with ctx.begin() as other:
        assert registry.try_lock_registry(other.conn)
        with pytest.raises(Busy):
            deduplicate.handle(ctx, claimed)
    deduplicate.handle(ctx, claimed)
    with ctx.reading() as conn:
        row: Any = conn.execute(select(referral).where(referral.c.id == rid)).one()
    assert row.state == "matched"
