"""Proves that a lost answer is settled by evidence, never by guessing."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import delete

from tests.texts_at_hand import (
    close_gateways,
    house_claim_resolve,
    house_once,
    post,
    sent_per_text,
)
from vouchers.domain.ids import attempt_id
from vouchers.errors import LostLease
from vouchers.messages.simulator import (
    RunningSimulator,
    SimulatorOptions,
    run_in_thread,
)
from vouchers.pipeline import record_delivery, resolve, send
from vouchers.store import claims
from vouchers.store.callbacks import Reported
from vouchers.store.jobs import JobSpec
from vouchers.store.tables.work import job

GOOD = [f"+4477009000{n:02d}" for n in range(10)]


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    """A provider whose callbacks go nowhere: the tests bring their own."""
    running = run_in_thread(SimulatorOptions(callback_delay_s=3600.0))
    yield running
    close_gateways()
    running.stop()


def test_a_lost_answer_is_settled_by_the_provider(ctx, simulator):
    """What was accepted though the answer was lost is found and not sent again."""
    house = post(ctx, simulator, ["+447700900910"], settle_after_s=0.0)
    house_once(house)
    assert house.states() == ["unknown"]

    house.run("send.resolve")

    assert house.states() == ["accepted"]
    assert house.attempts() == [(0, "accepted")]
    assert house.message().sid == simulator.accepted()[0]["sid"]
    assert sent_per_text(house) == Counter(house.texts)


def test_what_never_arrived_is_sent_again_with_the_same_code(ctx, simulator):
    """Absent at the provider: the next try carries the same words."""
    house = post(ctx, simulator, ["+447700900913"], settle_after_s=0.0)
    house_once(house)
    assert house.states() == ["unknown"]

    house.run()

    assert house.states() == ["accepted"]
    assert house.attempts() == [(0, "absent"), (1, "accepted")]
    assert sent_per_text(house) == Counter(house.texts)


def test_nothing_is_decided_before_the_provider_must_show_it(ctx, simulator):
    """Before the settling time an unknown try stays unknown, and is promised again."""
    house = post(ctx, simulator, ["+447700900913"], settle_after_s=900.0)
    house.run("send.chunk")

    resolve.handle(house.ctx, house_claim_resolve(house))

    assert house.states() == ["unknown"]
    assert house.jobs() == [("send.resolve", [attempt_id(house.texts[0], 0)])]


def test_late_news_of_an_absent_try_stops_the_next_one(ctx, simulator):
    """A callback for a try thought absent wins; the queued repeat is not sent."""
    house = post(ctx, simulator, ["+447700900913"], settle_after_s=0.0)
    house_once(house)
    resolve.handle(house.ctx, house_claim_resolve(house))
    assert house.states() == ["queued"]

    house.report(Reported(attempt_id(house.texts[0], 0), "SMlate", "sent", None))
    house.run("deliver.apply")
    house.run("send.chunk")

    assert house.states() == ["sent"]
    assert simulator.accepted() == []


def test_the_sweeps_promise_only_what_is_needed(ctx, simulator):
    """Nothing to do, no job; callbacks or stale claims, one job."""
    house = post(ctx, simulator, GOOD[:1])
    claimed = house.claim("send.chunk")
    with house.ctx.begin() as uow:
        resolve.sweep(uow)
        record_delivery.sweep(uow)
    assert house.jobs() == []
    with house.ctx.begin() as uow:
        send._claim(house.ctx, uow, claimed)
    house.age_attempts(1000)

    with house.ctx.begin() as uow:
        resolve.sweep(uow)
        resolve.sweep(uow)

    assert house.jobs() == [("send.resolve", [attempt_id(house.texts[0], 0)])]


def test_a_swept_text_is_sent_again_though_its_job_gave_way_to_a_newer_sweep(
    ctx, simulator
):
    """Killed after the evidence: the newer sweep's job does not name the text."""
    house = post(ctx, simulator, ["+447700900913"], settle_after_s=0.0)
    house_once(house)
    with house.ctx.begin() as uow:
        uow.conn.execute(delete(job))
    house.age_attempts(1000)
    with house.ctx.begin() as uow:
        resolve.sweep(uow)
    claimed = house_claim_resolve(house)
    with pytest.raises(LostLease):
        # The last unit of this job never comes to pass.
        resolve.handle(house.ctx, dataclasses.replace(claimed, token="lost"))
    with house.ctx.begin() as uow:
        uow.enqueue(JobSpec("send", "send.resolve", [1], once="send.resolve:sweep"))
        claims.give_back(uow.conn, claimed, seconds=0)

    house.run("send.chunk")

    assert house.states() == ["accepted"]
    assert sent_per_text(house) == Counter(house.texts)


def test_a_sweep_lets_the_provider_have_its_time_from_the_call_on(ctx, simulator):
    """A try may be called a while after its claim: the sweep does not ask too early."""
    house = post(ctx, simulator, ["+447700900913"], settle_after_s=900.0)
    house_once(house)
    with house.ctx.begin() as uow:
        uow.conn.execute(delete(job))
    house.age_attempts(950)
    with house.ctx.begin() as uow:
        resolve.sweep(uow)

    house.run("send.resolve")

    assert house.states() == ["unknown"]
