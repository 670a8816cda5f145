"""Nothing waits for ever: a row whose promise was lost is promised anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import delete, select

from tests.conftest import Clock
from tests.money import open_fund
from tests.referrals import person, receive
from tests.texts_at_hand import close_gateways, post
from vouchers.messages.simulator import (
    RunningSimulator,
    SimulatorOptions,
    run_in_thread,
)
from vouchers.pipeline import send, strays
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store.tables.intake import referral
from vouchers.store.tables.work import job


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    """A provider whose callbacks go nowhere."""
    running = run_in_thread(SimulatorOptions(callback_delay_s=3600.0))
    yield running
    close_gateways()
    running.stop()


def lose_promises(ctx: Context) -> None:
    """Every job is gone, as no fault of ours should ever do."""
    with ctx.begin() as uow:
        uow.conn.execute(delete(job))


def sweep(ctx: Context) -> list[tuple[str, list[int]]]:
    """Sweep twice; gives what is promised then."""
    for _ in range(2):
        with ctx.begin() as uow:
            strays.sweep(uow)
    with ctx.reading() as conn:
        rows = conn.execute(select(job.c.kind, job.c["items"]).order_by(job.c.id))
        return [(row[0], row[1]) for row in rows]


def test_a_received_row_without_a_job_is_matched_after_all(
    ctx: Context, clock: Clock
) -> None:
    """Once, and not before it has stood still for a while."""
    ids = receive(ctx, person())
    lose_promises(ctx)
    assert sweep(ctx) == []

    clock.forward(minutes=11)
    assert sweep(ctx) == [("deduplicate.chunk", ids)]
    carry_all(ctx, ["deduplicate"])

    with ctx.reading() as conn:
        assert conn.scalar(select(referral.c.state)) == "matched"


def test_a_stopped_file_waits_for_its_person(ctx: Context, clock: Clock) -> None:
    """What somebody has to let go is not let go by us."""
    receive(ctx, person(), state="stopped")
    lose_promises(ctx)
    clock.forward(minutes=11)
    assert sweep(ctx) == []


def test_a_matched_row_without_a_job_is_decided_after_all(
    ctx: Context, clock: Clock
) -> None:
    """It gets its award as if nothing had been lost."""
    fund = open_fund(ctx)
    fund.give("gift", 100_000)
    ids = fund.refer(2)
    clock.forward(minutes=11)

    assert ("allocate.chunk", ids) in sweep(ctx)
    carry_all(ctx, ["allocate"])

    assert fund.states(ids) == ["granted", "granted"]


def test_a_queued_text_without_a_job_is_sent_after_all(
    ctx: Context, clock: Clock, simulator: RunningSimulator
) -> None:
    """Once: a second job would find it with the provider."""
    house = post(ctx, simulator, ["+447700900000"])
    lose_promises(ctx)
    clock.forward(minutes=11)

    assert sweep(ctx) == [("send.chunk", house.texts)]
    house.run("send.chunk")

    assert house.states() == ["accepted"]
    assert len(simulator.accepted()) == 1


def test_texts_that_wait_for_the_morning_gain_no_second_job(
    ctx: Context, clock: Clock, simulator: RunningSimulator
) -> None:
    """At night they stand still for hours, and rightly so: one job waits for day."""
    clock.forward(hours=11)
    house = post(ctx, simulator, ["+447700900000"])
    house.run("send.chunk")
    (waiting,) = house.jobs()
    for _ in range(3):
        clock.forward(minutes=11)
        with ctx.begin() as uow:
            strays.sweep(uow)
        carry_all(house.ctx, ["send"])
    assert house.jobs() == [waiting]


def test_a_text_that_another_job_holds_is_left_to_it(
    ctx: Context, clock: Clock, simulator: RunningSimulator
) -> None:
    """Promised as a stray, and claimed meanwhile: its call may be under way."""
    house = post(ctx, simulator, ["+447700900000"])
    clock.forward(minutes=11)
    with ctx.begin() as uow:
        strays.sweep(uow)
    claimed = house.claim("send.chunk")
    with house.ctx.begin() as uow:
        send._claim(house.ctx, uow, claimed)
    assert house.states() == ["sending"]

    house.run("send.chunk")

    assert house.states() == ["sending"]
