"""Who moves takes her open requests along: caps look at the home of today."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from tests.referrals import person, receive
from vouchers.backoffice import retractions, reviews
from vouchers.domain.matching.rulings import Ruling, RulingReason
from vouchers.domain.roles import Person, Role
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store.tables.identity import membership
from vouchers.store.tables.intake import referral
from vouchers.store.tables.parties import scheme, scheme_version

AMY = Person(1, "amy", frozenset({Role.REVIEWER}))
TOM = {"given_name": "Tom", "date_of_birth": date(1983, 11, 2)}
ELSEWHERE = {"address_line_1": "7 Oak Road", "postcode": "BD1 4XY"}
STRANGER = {
    "given_name": "Margaret", "family_name": "Okafor",
    "date_of_birth": date(1950, 6, 30), "mobile": "+447700900777", **ELSEWHERE,
}  # fmt: skip


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


def received(ctx: Context, *rows: Any, **how: Any) -> list[int]:
    """Receive rows and deduplicate them; gives their numbers."""
    numbers = receive(ctx, *rows, **how)
    carry_all(ctx, ["deduplicate"])
    return numbers


def home_of(ctx: Context, number: int) -> int | None:
    """The household that a request is judged in."""
    with ctx.reading() as conn:
        found = select(referral.c.household_id).where(referral.c.id == number)
        return conn.execute(found).scalar_one()


def set_state(ctx: Context, number: int, state: str) -> None:
    """Put a request into a state."""
    with ctx.begin() as uow:
        uow.conn.execute(
            update(referral).where(referral.c.id == number).values(state=state)
        )


@pytest.mark.parametrize("state", ["matched", "waiting"])
def test_p2_an_open_request_goes_along_to_the_new_home(
    ctx: Context, state: str
) -> None:
    """Sarah moves out while her request waits: it is not judged by Tom's household."""
    sarah, tom = received(ctx, person(), person(**TOM))
    set_state(ctx, sarah, state)

    (moved,) = received(ctx, person(**ELSEWHERE))

    assert home_of(ctx, sarah) == home_of(ctx, moved)
    assert home_of(ctx, tom) != home_of(ctx, moved)


def test_what_was_granted_stays_with_the_old_home(ctx: Context) -> None:
    """The others in the house had the benefit of it."""
    sarah, tom = received(ctx, person(), person(**TOM))
    set_state(ctx, sarah, "granted")
    received(ctx, person(**ELSEWHERE))
    assert home_of(ctx, sarah) == home_of(ctx, tom)


def test_p2_a_ruling_moves_the_requests_of_all_whom_it_moves(ctx: Context) -> None:
    """Who came to live with a person in review is judged where the ruling puts both."""
    (sarah,) = received(ctx, person())
    (hannah,) = received(ctx, person(given_name="Hannah"), partner_id=2)
    (lodger,) = received(ctx, person(**STRANGER), partner_id=3)
    with ctx.begin() as uow:
        mine = membership.c.resident_id == lodger
        uow.conn.execute(update(membership).where(mine).values(household_id=hannah))
        uow.conn.execute(
            update(referral)
            .where(referral.c.id == lodger)
            .values(household_id=hannah, state="waiting")
        )

    (done,) = reviews.decide(
        ctx, AMY, [hannah], Ruling.SAME_HOUSEHOLD,
        reason=RulingReason.PARTNER_CONFIRMED, door="test",
    )  # fmt: skip

    assert done.done, done.message
    assert home_of(ctx, lodger) == home_of(ctx, sarah)
    retractions.undo(ctx, AMY, hannah, door="test")
    assert home_of(ctx, lodger) == hannah
