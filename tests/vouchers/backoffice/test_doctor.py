"""The doctor says in a sentence what needs a person, and nothing more."""

import pytest
from sqlalchemy import update

from tests.vouchers_at_hand import world
from vouchers.backoffice import doctor
from vouchers.domain import checkpoint as notes
from vouchers.pipeline import integrate
from vouchers.store.tables.awards import voucher
from vouchers.store.tables.work import key_fingerprint


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
