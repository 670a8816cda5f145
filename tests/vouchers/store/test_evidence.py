"""What became known of a text is written over nothing that others did meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event, select

from tests.texts_at_hand import close_gateways, post
from vouchers.domain.ids import Purpose, award_of_message, message_id
from vouchers.messages.simulator import (
    RunningSimulator,
    SimulatorOptions,
    run_in_thread,
)
from vouchers.pipeline.context import Context
from vouchers.store import evidence, messages
from vouchers.store.evidence import Claim
from vouchers.store.messages import NewMessage
from vouchers.store.tables.messages import message


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    """A provider that is not called here."""
    running = run_in_thread(SimulatorOptions(callback_delay_s=3600.0))
    yield running
    close_gateways()
    running.stop()


def test_a_repeat_that_was_claimed_meanwhile_is_not_called_off(
    ctx: Context, simulator: RunningSimulator
) -> None:
    """Between look and write a sender may take the repeat: then it is on its way."""
    if ctx.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    house = post(ctx, simulator, ["+447700900000"])
    award = award_of_message(house.texts[0])
    repeat = message_id(award, Purpose.AWARD, 1)
    with ctx.begin() as uow:
        first = house.message()
        again = NewMessage(
            award_id=award,
            purpose=Purpose.AWARD,
            generation=1,
            referral_id=first.referral_id,
            scheme_id=first.scheme_id,
            template="award",
            language="en",
            urgent=False,
        )
        messages.queue(uow, [again])
    claimed = []

    def claim_first(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE message SET state") and not claimed:
            claimed.append(repeat)
            with ctx.begin() as other:
                messages.lock(other.conn, [repeat])
                evidence.claim(other, [Claim(repeat, 0, "Warm Homes", 1, "twilio")])

    event.listen(ctx.engine, "before_cursor_execute", claim_first)
    try:
        with ctx.begin() as uow:
            evidence.cancel_resends(uow, {(award, Purpose.AWARD)})
    finally:
        event.remove(ctx.engine, "before_cursor_execute", claim_first)

    with ctx.reading() as conn:
        state = conn.scalar(select(message.c.state).where(message.c.id == repeat))
    assert (claimed, state) == ([repeat], "sending")
