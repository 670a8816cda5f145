"""A question whose first row was taken back is asked on by the rows that joined it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, select

from tests.referrals import person, receive
from vouchers.backoffice import retractions, reviews
from vouchers.domain.matching.rulings import Ruling, RulingReason
from vouchers.domain.reasons import Reason
from vouchers.domain.roles import Person, Role
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store import referrals
from vouchers.store.tables.identity import review
from vouchers.store.tables.intake import referral
from vouchers.store.tables.parties import scheme, scheme_version

AMY = Person(1, "amy", frozenset({Role.REVIEWER}))
TWIN = {"given_name": "Hannah"}


@pytest.fixture(autouse=True)
def a_scheme(ctx: Context) -> None:
    """The scheme as shipped."""
    body = Path("config/scheme.toml").read_text(encoding="utf-8")
    with ctx.begin() as uow:
        uow.conn.execute(
            insert(scheme).values(id=1, slug="winter", name="Winter", version=1)
        )
        uow.conn.execute(
            insert(scheme_version).values(
                id=1, scheme_id=1, number=1, body=body, digest="0" * 64,
                state="active", loaded_by="test", loaded_at=uow.now,
            )
        )  # fmt: skip


def received(ctx: Context, *rows: Any, **how: Any) -> int:
    """Receive one row and deduplicate it; gives its number."""
    (number,) = receive(ctx, *rows, **how)
    carry_all(ctx, ["deduplicate"])
    return number


def take_back(ctx: Context, number: int) -> None:
    """The partner corrects or withdraws a row: its request ends."""
    with ctx.begin(actor="worker/cli") as uow:
        referrals.end(uow, [(number, Reason.WITHDRAWN, number)])


def state_of(ctx: Context, table: Any, number: int) -> str:
    """The state of a referral or a review."""
    with ctx.reading() as conn:
        found = conn.execute(select(table.c.state).where(table.c.id == number))
        return str(found.scalar_one())


def decide(ctx: Context, number: int, ruling: Ruling) -> reviews.Decided:
    """Amy's ruling."""
    (done,) = reviews.decide(
        ctx, AMY, [number], ruling, reason=RulingReason.PARTNER_CONFIRMED, door="test"
    )
    return done


@pytest.mark.parametrize("joined_first", [True, False])
def test_a_row_that_joined_a_question_can_be_ruled_on_after_the_first_was_taken_back(
    ctx: Context, joined_first: bool
) -> None:
    """Correcting a row in review must not leave its successor waiting for ever."""
    received(ctx, person())
    asked = received(ctx, person(**TWIN), partner_id=2)
    if not joined_first:
        take_back(ctx, asked)
    joined = received(ctx, person(**TWIN), partner_id=3)
    if joined_first:
        take_back(ctx, asked)
    assert state_of(ctx, referral, joined) == "checking"

    done = decide(ctx, joined, Ruling.SAME_HOUSEHOLD)

    assert done.done, done.message
    assert state_of(ctx, referral, joined) == "matched"
    assert state_of(ctx, referral, asked) == "withdrawn"


def test_all_who_joined_go_on_when_one_of_them_takes_the_question_up(
    ctx: Context,
) -> None:
    """Two rows stand behind the withdrawn one: a ruling on either is for both."""
    received(ctx, person())
    asked = received(ctx, person(**TWIN), partner_id=2)
    second = received(ctx, person(**TWIN), partner_id=3)
    third = received(ctx, person(**TWIN), partner_id=4)
    take_back(ctx, asked)

    assert decide(ctx, third, Ruling.DIFFERENT).done

    states = [state_of(ctx, referral, number) for number in (second, third)]
    assert states == ["matched", "matched"]


def test_a_question_that_was_asked_again_ends_with_its_row(ctx: Context) -> None:
    """A ruling taken back, then the row withdrawn: nothing is left in the queue."""
    received(ctx, person())
    asked = received(ctx, person(**TWIN), partner_id=2)
    assert decide(ctx, asked, Ruling.DIFFERENT).done
    retractions.undo(ctx, AMY, asked, door="test")
    assert state_of(ctx, review, asked) == "undone"

    take_back(ctx, asked)

    assert state_of(ctx, review, asked) == "decided"
    assert reviews.listing(ctx, AMY) == []


@pytest.mark.parametrize("undo", [False, True])
def test_a_ruling_locks_homes_before_rows_as_allocate_does(
    ctx: Context, undo: bool
) -> None:
    """Lock order of the house: in any other, one of two has to give up."""
    if ctx.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one lock")
    received(ctx, person())
    asked = received(ctx, person(**TWIN), partner_id=2)
    if undo:
        assert decide(ctx, asked, Ruling.SAME_PERSON).done
    locked: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FOR UPDATE" in statement or "FOR NO KEY UPDATE" in statement:
            locked.append(statement.split("FROM ")[1].split()[0])

    event.listen(ctx.engine, "before_cursor_execute", note)
    try:
        if undo:
            retractions.undo(ctx, AMY, asked, door="test")
        else:
            assert decide(ctx, asked, Ruling.SAME_PERSON).done
    finally:
        event.remove(ctx.engine, "before_cursor_execute", note)

    assert locked.index("household") < locked.index("review")
    assert locked.index("household") < locked.index("referral")
