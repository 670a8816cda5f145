"""A text that is held stands in the operators' list, and leaves it by their hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.texts_at_hand import close_gateways, post
from vouchers.backoffice import queues
from vouchers.backoffice.queues import Which
from vouchers.domain.delivery import Failure
from vouchers.domain.ids import attempt_id
from vouchers.messages.gateway import Refused
from vouchers.messages.simulator import (
    RunningSimulator,
    SimulatorOptions,
    run_in_thread,
)
from vouchers.pipeline import send
from vouchers.pipeline.after_failure import follow_up
from vouchers.store import evidence

BY = {"actor": "amy/cli", "reason": "looked at by a person"}
SAME = "+447700900000"


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    """A provider whose callbacks go nowhere."""
    running = run_in_thread(SimulatorOptions(callback_delay_s=3600.0))
    yield running
    close_gateways()
    running.stop()


def test_a_held_text_is_looked_at_again_when_somebody_requeues_it(ctx, simulator):
    """Once the cause is gone the same text goes out; nobody else's was kept."""
    house = post(ctx, simulator, [SAME, SAME])
    house.set_referral(0, protected=True)
    house.run("send.chunk")
    assert house.states() == ["held", "accepted"]

    (held,) = queues.stuck(house.ctx, "held")
    assert (held.items, held.error_class) == ([house.texts[0]], "number_of_another")
    house.set_referral(0, protected=False)
    queues.requeue(house.ctx, "held", Which(ids=[held.id]), **BY)
    house.run("send.chunk")

    assert house.states() == ["accepted", "accepted"]


def test_a_held_text_that_somebody_discards_is_cancelled(ctx, simulator):
    """It is never sent, and no longer stands in the list."""
    house = post(ctx, simulator, [SAME] * 4)
    house.run("send.chunk")
    assert len(queues.stuck(house.ctx, "held")) == 4

    queues.discard(house.ctx, "held", Which(error_class="number_of_many"), **BY)

    assert house.states() == ["cancelled"] * 4
    assert queues.stuck(house.ctx, "held") == []


def test_a_text_that_the_provider_filters_is_held_in_sight(ctx, simulator):
    """A carrier dislikes our words: whoever looks finds it with its reason."""
    house = post(ctx, simulator, [SAME])
    claimed = house.claim("send.chunk")
    with house.ctx.begin() as uow:
        send._claim(house.ctx, uow, claimed)
    number = attempt_id(house.texts[0], 0)
    with house.ctx.begin() as uow:
        answer = send.evidence_of(number, Refused(21617, Failure.FILTERED))
        follow_up(uow, evidence.apply(uow, [answer]))

    assert house.states() == ["held"]
    (held,) = queues.stuck(house.ctx, "held")
    assert (held.items, held.error_class) == (house.texts, "filtered")
