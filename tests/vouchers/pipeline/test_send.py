"""Proves that texts are claimed before they are sent, and each sent once at most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from tests.texts_at_hand import (
    close_gateways,
    house_once,
    post,
    sent_per_text,
)
from vouchers.domain.ids import Purpose
from vouchers.errors import LostLease
from vouchers.messages.simulator import (
    RunningSimulator,
    SimulatorOptions,
    run_in_thread,
)
from vouchers.pipeline import send
from vouchers.store import messages
from vouchers.store.jobs import JobSpec
from vouchers.store.messages import NewMessage
from vouchers.store.tables.messages import message, suppression
from vouchers.store.tables.proof import audit_event
from vouchers.store.tables.work import job, queue

GOOD = [f"+4477009000{n:02d}" for n in range(10)]


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    """A provider whose callbacks go nowhere: the tests bring their own."""
    running = run_in_thread(SimulatorOptions(callback_delay_s=3600.0))
    yield running
    close_gateways()
    running.stop()


def test_texts_reach_the_provider_with_their_code(ctx, simulator):
    """Each queued text is accepted once, holds its own code, and is so recorded."""
    house = post(ctx, simulator, GOOD[:3])

    house.run("send.chunk")

    assert house.states() == ["accepted"] * 3
    assert sent_per_text(house) == Counter(house.texts)
    first = simulator.accepted()[0]
    assert first["to"] == GOOD[0]
    assert "6331 0000 0000 0000" in first["body"]
    assert "FuelFund" in first["body"] and "Elm" in first["body"]
    assert house.message().sid == first["sid"]
    assert house.attempts() == [(0, "accepted")]


def test_a_job_that_runs_again_sends_nothing_twice(ctx, simulator):
    """A chunk whose texts are accepted already is simply done."""
    house = post(ctx, simulator, GOOD[:2])
    house.run("send.chunk")
    with house.ctx.begin() as uow:
        uow.enqueue(JobSpec("send", "send.chunk", house.texts))

    house.run("send.chunk")

    assert sent_per_text(house) == Counter(house.texts)


@pytest.mark.parametrize(
    ("number", "state", "reason"),
    [
        ("+447700900900", "failed", "number"),
        ("+447700900901", "failed", "number"),
        ("+447700900902", "failed", "opted_out"),
        ("+447700900909", "queued", "ours"),
        ("+447700900911", "queued", "ours"),
        ("+447700900910", "unknown", None),
        ("+447700900912", "unknown", None),
        ("+447700900913", "unknown", None),
    ],
)
def test_each_answer_has_its_consequence(ctx, simulator, number, state, reason):
    """Refused, turned away, lost: each leaves the text in the state it should."""
    house = post(ctx, simulator, [number])

    house_once(house)

    assert (house.message().state, house.message().reason) == (state, reason)


def test_who_opted_out_is_never_written_to_again(ctx, simulator):
    """The number is suppressed; a later text to it fails without a call."""
    house = post(ctx, simulator, ["+447700900902"])
    house.run("send.chunk")

    with house.ctx.reading() as conn:
        keys = list(conn.scalars(select(suppression.c.key)))

    assert keys == [house.ctx.keys.match_key(5, "+447700900902")]


def test_a_wrong_account_pauses_the_queue_once_with_a_trace(ctx, simulator):
    """A fault of ours stops all sending; the texts stay queued and nothing is lost."""
    house = post(ctx, simulator, ["+447700900914", *GOOD[:2]])

    house_once(house)

    with house.ctx.reading() as conn:
        paused = conn.execute(select(queue).where(queue.c.name == "send")).one()
        events = list(
            conn.scalars(
                select(audit_event.c.id).where(audit_event.c.kind == "queue.paused")
            )
        )
    assert "21408" in paused.paused_reason
    assert len(events) == 1
    assert house.states() == ["queued", "accepted", "accepted"]
    assert ("send.chunk", [house.texts[0]]) in house.jobs()


def test_a_dead_owners_tries_are_never_called_for_again(ctx, simulator):
    """Claimed and then silence: unknown, looked up, absent, only then sent."""
    house = post(ctx, simulator, GOOD[:2], settle_after_s=0.0)
    claimed = house.claim("send.chunk")
    with house.ctx.begin() as uow:
        send._claim(house.ctx, uow, claimed)

    send.handle(house.ctx, claimed)

    assert house.states() == ["unknown", "unknown"]
    assert simulator.accepted() == []
    house.run()
    assert house.states() == ["accepted", "accepted"]
    assert sent_per_text(house) == Counter(house.texts)
    assert house.attempts() == [(0, "absent"), (1, "accepted")]


def test_an_owner_that_dies_after_the_call_leaves_no_second_text(ctx, simulator):
    """The provider has it, we know nothing: the look-up finds it."""
    house = post(ctx, simulator, GOOD[:2], settle_after_s=0.0)
    claimed = house.claim("send.chunk")
    with house.ctx.begin() as uow:
        ready, _ = send._claim(house.ctx, uow, claimed)
    house.ctx.gateway("twilio").send_many([one.outgoing for one in ready])

    send.handle(house.ctx, claimed)
    house.run()

    assert house.states() == ["accepted", "accepted"]
    assert sent_per_text(house) == Counter(house.texts)


def test_no_call_starts_under_a_lease_that_would_not_outlive_it(ctx, simulator):
    """A lost lease: nothing is called, and the tries are known to be absent."""
    house = post(ctx, simulator, GOOD[:2])
    claimed = house.claim("send.chunk")
    with house.ctx.begin() as uow:
        uow.conn.execute(update(job).values(token="another"))

    with pytest.raises(LostLease):
        send.handle(house.ctx, claimed)

    assert simulator.accepted() == []
    assert house.states() == ["queued", "queued"]
    assert house.attempts() == [(0, "absent")]


@pytest.mark.parametrize(
    ("change", "state", "reason"),
    [
        ({"safe_contact": "none"}, "cancelled", "safe_contact"),
        ({"safe_contact": "partner_only"}, "cancelled", "safe_contact"),
        ({"safe_contact": "sms_neutral"}, "accepted", None),
    ],
)
def test_safety_is_judged_at_the_last_moment(ctx, simulator, change, state, reason):
    """What the partner says of safe contact counts until the very claim."""
    house = post(ctx, simulator, GOOD[:1])
    house.set_referral(0, **change)

    house.run("send.chunk")

    assert (house.message().state, house.message().reason) == (state, reason)
    for one in simulator.accepted():
        assert "Elm" not in one["body"] and "FuelFund" not in one["body"]
        assert one["from"] == "Notice"


def test_a_protected_persons_text_never_goes_to_a_shared_number(ctx, simulator):
    """Another resident gave the same number: a person must look."""
    house = post(ctx, simulator, [GOOD[0], GOOD[0]])
    house.set_referral(0, protected=True)

    house.run("send.chunk")

    assert house.states() == ["held", "accepted"]
    assert house.message().reason == "number_of_another"


def test_a_number_of_many_households_is_looked_at(ctx, simulator):
    """A phone that serves more households than the scheme allows gets no codes."""
    house = post(ctx, simulator, [GOOD[0]] * 4)

    house.run("send.chunk")

    assert house.states() == ["held"] * 4


def test_nobody_is_woken_at_night(ctx, simulator, clock):
    """At 23:00 a first code waits for 07:00, unless the home is off supply."""
    clock.now = datetime(2026, 12, 7, 23, 0, tzinfo=UTC)
    house = post(ctx, simulator, GOOD[:2])
    house.set_referral(1, off_supply=True)

    house_once(house)

    assert house.states() == ["queued", "accepted"]
    clock.forward(hours=8)
    house.run("send.chunk")
    assert house.states() == ["accepted", "accepted"]


def test_the_pace_of_a_sender_is_kept(ctx, simulator):
    """No more parts leave than the bucket holds; the rest waits its turn."""
    house = post(ctx, simulator, GOOD[:6], segments_per_second=0.01, burst_s=1000.0)

    house_once(house)

    # Ten parts in the bucket, a fifth kept for urgent ones, two parts a text.
    assert Counter(house.states()) == {"accepted": 4, "queued": 2}


def test_cancelled_texts_are_not_sent(ctx, simulator):
    """A referral's texts that wait are called off at once."""
    house = post(ctx, simulator, GOOD[:2])
    with house.ctx.begin() as uow:
        owner = house.texts[0] >> 9
        gone = messages.cancel(uow, [owner], reason="safe_contact")

    house.run("send.chunk")

    assert gone == 1
    assert house.states() == ["cancelled", "accepted"]


def test_promising_a_text_twice_promises_one(ctx, simulator):
    """The natural key finds the text that is there already."""
    house = post(ctx, simulator, GOOD[:1])
    with house.ctx.reading() as conn:
        row = conn.execute(select(message)).one()
    with house.ctx.begin() as uow:
        again = NewMessage(
            row.award_id, Purpose.AWARD, row.referral_id, row.scheme_id, "award",
            "en", False,
        )  # fmt: skip
        messages.queue(uow, [again, again])

    assert house.states() == ["queued"]
    assert [kind for kind, _ in house.jobs()].count("send.chunk") == 1


def test_nothing_of_a_person_is_in_jobs_or_audit(ctx, simulator):
    """Numbers, names and codes stay out of queue and log of what happened."""
    house = post(ctx, simulator, GOOD[:1])
    house.run()
    with house.ctx.reading() as conn:
        told = str(conn.execute(select(job)).all())
        told += str(conn.execute(select(audit_event)).all())

    assert GOOD[0] not in told and GOOD[0][3:] not in told
    assert house.world.codes[house.world.vouchers[0]] not in told
