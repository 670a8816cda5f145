"""The doctor says in a sentence what needs a person, and nothing more."""

import pytest
from sqlalchemy import update

from tests.vouchers_at_hand import world
from vouchers.backoffice import doctor
from vouchers.backoffice import queues as desk
from vouchers.domain import checkpoint as notes
from vouchers.domain.redemption import Oddity
from vouchers.pipeline import integrate
from vouchers.store import queues, redemptions
from vouchers.store.jobs import JobSpec
from vouchers.store.tables.awards import voucher
from vouchers.store.tables.work import job, key_fingerprint


@pytest.fixture
def house(ctx):
    """An ordinary house."""
    made = world(ctx, count=2)
    integrate.seal(ctx)
    return made


def ill(ctx, redis=None):
    """Ids and levels of what is not well."""
    return [
        (finding.id, finding.level)
        for finding in doctor.examine(ctx, redis)
        if finding.level != "ok"
    ]


def test_a_healthy_house_has_only_good_findings(house):
    """Tables, keys, signer, every promise, folders, disk, Redis."""
    findings = doctor.examine(house.ctx, lambda: None)

    assert {finding.level for finding in findings} == {"ok"}
    assert {"tables", "keys", "signer", "I01", "redis"} <= {f.id for f in findings}


def test_a_broken_promise_is_named_with_examples(house):
    """The number of the voucher is in the hint."""
    with house.ctx.begin() as uow:
        uow.conn.execute(
            update(voucher)
            .where(voucher.c.id == house.vouchers[0])
            .values(state="redeemed")
        )

    findings = [f for f in doctor.examine(house.ctx) if f.level == "bad"]

    assert [finding.id for finding in findings] == ["I09"]
    assert str(house.vouchers[0]) in findings[0].hints[0]


def test_another_key_file_is_noticed(house):
    """Keys that do not belong here open nothing and sign nothing."""
    with house.ctx.begin() as uow:
        uow.conn.execute(
            update(key_fingerprint)
            .where(key_fingerprint.c.name == "code")
            .values(fingerprint=bytes(16))
        )

    assert ("keys", "bad") in ill(house.ctx)


def test_a_memory_that_the_log_does_not_continue_is_noticed(house):
    """A note that was signed for a larger log than there is."""
    text = integrate.memory_path(house.ctx.keys)
    ahead = notes.Checkpoint(house.ctx.keys.origin, 10_000, bytes(32))
    text.write_bytes(notes.sign(ahead, house.ctx.keys.public_key, house.ctx.keys.sign))

    assert ("signer", "bad") in ill(house.ctx)


def test_a_silent_redis_is_a_warning_only(house):
    """Redis is a doorbell: without it the house is slower, not wrong."""

    def silent():
        raise ConnectionError

    assert ill(house.ctx, silent) == [("redis", "warn")]


def test_ready_work_that_nobody_carries_is_noticed(house):
    """At night this is the first thing to know."""
    with house.ctx.begin() as uow:
        uow.enqueue(JobSpec("send", "send.chunk", [1], delay_s=-90.0))
    assert ("workers", "warn") in ill(house.ctx)

    with house.ctx.begin() as uow:
        queues.beat(uow.conn, "host-1", ["send"])

    assert "workers" not in dict(ill(house.ctx))


def test_held_work_and_paused_queues_are_noticed(house):
    """With who paused it, and why."""
    with house.ctx.begin() as uow:
        uow.enqueue(JobSpec("send", "send.chunk", [1]))
    with house.ctx.begin() as uow:
        uow.conn.execute(update(job).values(state="held"))
    desk.pause(house.ctx, "send", actor="olu/cli", reason="provider outage")

    found = {f.id: f for f in doctor.examine(house.ctx) if f.level == "warn"}

    assert found["stuck"].sentence == "1 jobs held, 0 dead"
    assert found["paused"].hints == ("send, by olu/cli: provider outage",)


def test_what_does_not_fit_in_a_networks_file_is_noticed(house):
    """Until finance has settled it."""
    with house.ctx.begin() as uow:
        one = redemptions.open_discrepancy(
            "file:1:2", Oddity.CONFLICTING, uow.now, pence=4900
        )
        redemptions.write_discrepancies(uow.conn, [one])

    found = {f.id: f for f in doctor.examine(house.ctx) if f.level == "warn"}

    assert "1 discrepancies" in found["discrepancies"].sentence
    assert "£49.00" in found["discrepancies"].sentence
