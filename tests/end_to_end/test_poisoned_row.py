"""One row that our code cannot carry is held by itself; its neighbours get a code."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import and_, make_url

from tests.conftest import postgres_database
from tests.end_to_end.installation import OWNER
from tests.end_to_end.one_file import OneFile, one_file, people
from vouchers.backoffice import queues
from vouchers.domain.ids import referral_id
from vouchers.pipeline.context import Context
from vouchers.store.tables.intake import batch_chunk, contact, referral

#: One full chunk.
PEOPLE = 500
#: The damaged row, as Excel counts.
ROW = 250

Mend = Callable[[], None]
Damage = Callable[[OneFile, int], Mend]


@pytest.fixture
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """SQLite, unless a test asks for PostgreSQL: one engine shows each damage."""
    if getattr(request, "param", "sqlite") == "postgresql":
        template = make_url(request.getfixturevalue("postgres_with_tables")).database
        with postgres_database(str(template)) as url:
            yield url
        return
    path = tmp_path / "vouchers.sqlite"
    shutil.copy(request.getfixturevalue("sqlite_with_tables"), path)
    yield f"sqlite:///{path}"


@pytest.fixture
def house(ctx: Context, tmp_path: Path) -> Iterator[OneFile]:
    """A house with money for everybody and one partner."""
    with one_file(ctx, tmp_path) as made:
        yield made


def the_staged_row(house: OneFile, batch_id: int) -> Mend:
    """The birthday of one staged row is no text: nothing can read that cell."""
    [chunk] = house.all(batch_chunk.c.number, batch_chunk.c.sealed)
    place = referral_id(batch_id, chunk.number + 1)
    packed = house.ctx.keys.open("batch_chunk.sealed", place, chunk.sealed)
    rows = json.loads(zlib.decompress(packed))
    [damaged] = [cells for number, cells, _ in rows if number == ROW]
    damaged[3] = None
    fresh = zlib.compress(json.dumps(rows).encode())
    here = batch_chunk.c.batch_id == batch_id
    sealed = house.ctx.keys.seal("batch_chunk.sealed", place, fresh)
    house.change(batch_chunk, here, sealed=sealed)
    return lambda: house.change(batch_chunk, here, sealed=chunk.sealed)


def the_sealed_row(house: OneFile, batch_id: int) -> Mend:
    """One bit of the sealed row has flipped."""
    return _flip(house, referral.c.row_sealed, referral.c.id == _damaged(batch_id))


def the_household(house: OneFile, batch_id: int) -> Mend:
    """A matched row has lost its household."""
    here = referral.c.id == _damaged(batch_id)
    [kept] = house.all(referral.c.household_id, where=here)
    house.change(referral, here, household_id=None)
    return lambda: house.change(referral, here, household_id=kept.household_id)


def the_number(house: OneFile, batch_id: int) -> Mend:
    """One bit of the sealed mobile number has flipped."""
    here = and_(contact.c.referral_id == _damaged(batch_id), contact.c.kind == "mobile")
    return _flip(house, contact.c.sealed, here)


def _damaged(batch_id: int) -> int:
    return referral_id(batch_id, ROW)


def _flip(house: OneFile, column: Any, here: Any) -> Mend:
    [kept] = house.all(column, where=here)
    flipped = bytes([*kept[0][:-1], kept[0][-1] ^ 1])
    house.change(column.table, here, **{column.name: flipped})
    return lambda: house.change(column.table, here, **{column.name: kept[0]})


#: Queues that are carried before the damage, the damage, who fails on it, and how.
DAMAGES = {
    "accept": ((), the_staged_row, "accept.chunk", "TypeError"),
    "deduplicate": (("accept",), the_sealed_row, "deduplicate.chunk", "SealBroken"),
    "allocate": (
        ("accept", "deduplicate"),
        the_household,
        "allocate.chunk",
        "Refused",
    ),
    "send": (
        ("accept", "deduplicate", "allocate"),
        the_number,
        "send.chunk",
        "SealBroken",
    ),
}
ON_POSTGRESQL = pytest.param(
    "send", "postgresql", marks=pytest.mark.postgres, id="send-postgresql"
)


@pytest.mark.parametrize(
    ("step", "migrated_url"),
    [*((step, "sqlite") for step in DAMAGES), ON_POSTGRESQL],
    indirect=["migrated_url"],
)
def test_one_poisoned_row_is_held_and_all_others_get_a_code(
    house: OneFile, step: str
) -> None:
    """499 texts, one held row with its error class; mended, it goes through."""
    before, damage, kind, error = DAMAGES[step]
    batch_id = house.submit(people(PEOPLE)).batch_id or 0
    if before:
        house.carry(*before)
    mend = damage(house, batch_id)

    house.carry()

    assert house.stuck() == [(kind, "held", error, 1)]
    assert len(house.texts()) == PEOPLE - 1
    assert len(set(house.texts())) == PEOPLE - 1
    assert house.held() == [_damaged(batch_id)]
    assert house.batch_state() == "finished"
    assert house.told()["received"] == 0

    mend()
    queues.requeue(
        house.ctx,
        "held",
        queues.Which(error_class=error),
        actor=OWNER,
        reason="the disk was mended",
    )
    house.carry()

    assert house.stuck() == []
    assert house.held() == []
    assert house.states() == {"granted": PEOPLE}
    assert len(set(house.texts())) == PEOPLE
    assert house.batch_state() == "finished"


def test_a_poisoned_row_on_the_waitlist_stops_nobody(
    ctx: Context, tmp_path: Path
) -> None:
    """Everybody's chunk looks at the waitlist: a damaged place on it is held alone."""
    with one_file(ctx, tmp_path, pence=2_800) as house:
        everybody = people(20)
        house.submit(everybody[:10], "first.csv")
        house.carry()
        waiting = house.all(referral.c.id, where=referral.c.state == "waiting")
        assert len(waiting) == 9
        damaged = waiting[4].id
        house.change(referral, referral.c.id == damaged, household_id=None)
        house.give(500_000)

        house.submit(everybody[10:], "second.csv")
        house.carry()

        assert house.held() == [damaged]
        assert house.states() == {"granted": 19, "held": 1}
        assert len(house.texts()) == 19
