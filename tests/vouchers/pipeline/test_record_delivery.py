"""Proves that the provider's news moves texts forward, whenever it comes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.texts_at_hand import (
    close_gateways,
    post,
)
from vouchers.domain.ids import attempt_id
from vouchers.messages.simulator import (
    RunningSimulator,
    SimulatorOptions,
    run_in_thread,
)
from vouchers.store.callbacks import Reported

GOOD = [f"+4477009000{n:02d}" for n in range(10)]


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    """A provider whose callbacks go nowhere: the tests bring their own."""
    running = run_in_thread(SimulatorOptions(callback_delay_s=3600.0))
    yield running
    close_gateways()
    running.stop()


def test_a_callback_may_come_before_the_answer(ctx, simulator):
    """Its attempt number proves acceptance; the late answer changes nothing."""
    house = post(ctx, simulator, ["+447700900910"])
    house.run("send.chunk")
    sid = simulator.accepted()[0]["sid"]

    house.report(Reported(attempt_id(house.texts[0], 0), sid, "delivered", None))
    house.run("deliver.apply")

    assert house.states() == ["delivered"]
    assert house.message().sid == sid
    assert house.message().delivered_at is not None
    assert house.attempts() == [(0, "accepted")]


def test_a_phone_that_was_off_gets_the_same_code_once_more(ctx, simulator, clock):
    """Undelivered for a passing reason: a generation of its own, later, same code."""
    house = post(ctx, simulator, GOOD[:1])
    house.run("send.chunk")
    body = simulator.accepted()[0]["body"]

    sid = house.message().sid
    house.report(Reported(attempt_id(house.texts[0], 0), sid, "undelivered", 30003))
    house.run("deliver.apply")

    assert house.states() == ["undelivered", "queued"]
    clock.forward(hours=1)
    house.run("send.chunk")
    assert house.states() == ["undelivered", "accepted"]
    assert [one["body"] for one in simulator.accepted()] == [body, body]


def test_delivered_after_all_calls_off_the_repeat(ctx, simulator):
    """A late "delivered" beats "undelivered" and saves the resident a second text."""
    house = post(ctx, simulator, GOOD[:1])
    house.run("send.chunk")
    number, sid = attempt_id(house.texts[0], 0), house.message().sid
    house.report(Reported(number, sid, "undelivered", 30003))
    house.run("deliver.apply")

    house.report(Reported(number, sid, "delivered", None))
    house.run("deliver.apply")

    assert house.states() == ["delivered", "cancelled"]


def test_callbacks_of_strangers_change_nothing(ctx, simulator):
    """A signed callback for a message that is not ours is kept and ignored."""
    house = post(ctx, simulator, GOOD[:1])

    house.report(Reported(12345, "SMother", "delivered", None))
    house.report(Reported(None, "SMother2", "delivered", None))
    house.run("deliver.apply")

    assert house.states() == ["queued"]
