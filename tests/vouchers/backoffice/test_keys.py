"""A new key seals everything anew while work goes on, and nothing is unreadable."""

import pytest
from sqlalchemy import insert, select, update

from tests.vouchers_at_hand import world
from vouchers.backoffice import keys
from vouchers.errors import Busy, Refused, SealBroken
from vouchers.pipeline import carry
from vouchers.store.sealing import Keyring
from vouchers.store.tables.identity import resident
from vouchers.store.tables.intake import contact
from vouchers.store.tables.money import code


@pytest.fixture
def house(ctx):
    """Six hundred sealed codes, and one person with identity and two contacts."""
    made = world(ctx, count=600, gift_pence=3_000_000)
    with ctx.begin() as uow:
        first = uow.conn.scalar(select(resident.c.id).order_by(resident.c.id).limit(1))
        seal = ctx.keys.seal
        uow.conn.execute(
            update(resident)
            .where(resident.c.id == first)
            .values(identity_sealed=seal("resident.identity_sealed", first, b"who"))
        )
        for kind in ("mobile", "email"):
            uow.conn.execute(
                insert(contact).values(
                    referral_id=first,
                    kind=kind,
                    resident_id=first,
                    key=1,
                    sealed=seal("contact.sealed", first, kind.encode()),
                )
            )
    return made


def test_everything_is_sealed_anew(house):
    """All chunks of all places: the old key has no seal left, and all opens."""
    before = keys.seals_by_key(house.ctx)

    rotation = keys.rotate(house.ctx, "olu/cli")
    carry.carry_all(house.ctx)

    assert before == {1: 603}
    assert rotation.sealing_key == 2
    assert keys.seals_by_key(house.ctx) == {2: 603}
    with house.ctx.reading() as conn:
        for row in conn.execute(select(code)):
            plain = house.ctx.keys.open("code.sealed", row.id, row.sealed)
            assert plain.decode() == house.codes[row.voucher_id]
        contacts = conn.execute(select(contact)).all()
    opened = {
        house.ctx.keys.open("contact.sealed", row.referral_id, row.sealed)
        for row in contacts
    }
    assert opened == {b"mobile", b"email"}


def test_a_process_with_the_old_file_in_mind_reads_it_again(house):
    """Workers that started before the rotation open the new seals."""
    worker = Keyring.load(house.ctx.keys.path)

    keys.rotate(house.ctx, "olu/cli")
    sealed = house.ctx.keys.seal("code.sealed", 1, b"secret")

    assert worker.open("code.sealed", 1, sealed) == b"secret"
    assert worker.sealing_current == 2


def test_old_seals_stay_readable_before_the_jobs_have_run(house):
    """Between the new key and the new seals nothing is lost."""
    sealed = house.ctx.keys.seal("code.sealed", 1, b"secret")

    keys.rotate(house.ctx, "olu/cli")

    assert house.ctx.keys.open("code.sealed", 1, sealed) == b"secret"


def test_a_seal_of_a_key_that_nobody_has_is_broken(house):
    """An unknown first byte is not ours."""
    with pytest.raises(SealBroken):
        house.ctx.keys.open("code.sealed", 1, b"\xc8" + bytes(40))


def test_two_rotations_at_once_are_refused(house):
    """The second one is told to wait."""
    path = house.ctx.keys.path
    path.with_name(f"{path.name}.rotating").touch()

    with pytest.raises(Busy):
        keys.rotate(house.ctx, "olu/cli")


def test_match_keys_are_not_rotated(house):
    """What is known by its hash only would be forgotten: said, not done."""
    with pytest.raises(Refused, match="hashes"):
        keys.rotate(house.ctx, "olu/cli", match=True)


def test_the_key_file_stays_private(house):
    """Mode 600 also after a rotation."""
    keys.rotate(house.ctx, "olu/cli")

    assert house.ctx.keys.path.stat().st_mode & 0o777 == 0o600
