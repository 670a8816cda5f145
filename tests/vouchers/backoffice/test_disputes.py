"""Disputes: a partner may say 'not the same person', and a person looks at it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from tests.referrals import person, receive
from vouchers.backoffice import reviews
from vouchers.backoffice.disputes import dispute
from vouchers.domain.matching.rulings import Ruling, RulingReason
from vouchers.domain.roles import Person, Role
from vouchers.errors import NotFound, Refused
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store.tables.intake import referral
from vouchers.store.tables.parties import scheme, scheme_version

AMY = Person(1, "amy", frozenset({Role.REVIEWER}))
PAT = Person(2, "pat", frozenset({Role.PARTNER}), partner_id=2)
TOM = {"given_name": "Tom", "date_of_birth": date(1983, 11, 2)}


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


def refused(ctx: Context, **changes: Any) -> tuple[Any, Any]:
    """Sarah is known; partner 2's row was refused because of her."""
    (first,) = receive(ctx, person())
    carry_all(ctx, ["deduplicate"])
    (second,) = receive(ctx, person(**changes), partner_id=2)
    carry_all(ctx, ["deduplicate"])
    with ctx.begin() as uow:
        uow.conn.execute(
            update(referral)
            .where(referral.c.id == second)
            .values(state="declined", reason="already_supported")
        )
    return now(ctx, first), now(ctx, second)


def now(ctx: Context, rid: int) -> Any:
    """A referral as it stands."""
    with ctx.reading() as conn:
        return conn.execute(select(referral).where(referral.c.id == rid)).one()


def rule(ctx: Context, rid: int, ruling: Ruling) -> None:
    """Amy's ruling."""
    (done,) = reviews.decide(
        ctx, AMY, [rid], ruling, reason=RulingReason.PARTNER_CONFIRMED, door="test"
    )
    assert done.done, done.message


def test_a_disputed_match_becomes_a_person_of_its_own(ctx: Context) -> None:
    """Ruled different, the row has its own resident and household, and goes on."""
    sarah, row = refused(ctx)
    assert row.resident_id == sarah.id
    assert dispute(ctx, PAT, row.id, door="web") == "person"
    assert now(ctx, row.id).state == "checking"
    rule(ctx, row.id, Ruling.DIFFERENT)
    after = now(ctx, row.id)
    assert (after.state, after.resident_id, after.household_id) == (
        "matched", row.id, row.id,
    )  # fmt: skip


def test_a_dispute_that_was_wrong_changes_nothing(ctx: Context) -> None:
    """Ruled the same person, the row is who it was, and cannot be disputed again."""
    sarah, row = refused(ctx)
    dispute(ctx, PAT, row.id, door="web")
    rule(ctx, row.id, Ruling.SAME_PERSON)
    after = now(ctx, row.id)
    assert (after.resident_id, after.household_id) == (sarah.id, sarah.household_id)
    with ctx.begin() as uow:
        uow.conn.execute(
            update(referral)
            .where(referral.c.id == row.id)
            .values(state="declined", reason="already_supported")
        )
    with pytest.raises(Refused):
        dispute(ctx, PAT, row.id, door="web")


@pytest.mark.parametrize("ruling", [Ruling.DIFFERENT, Ruling.SEPARATE_HOUSEHOLD])
def test_a_disputed_household_is_parted(ctx: Context, ruling: Ruling) -> None:
    """Tom was refused for Sarah's help; ruled apart he has a household of his own."""
    sarah, tom = refused(ctx, **TOM)
    assert tom.household_id == sarah.household_id
    assert dispute(ctx, PAT, tom.id, door="web") == "household"
    rule(ctx, tom.id, ruling)
    after = now(ctx, tom.id)
    assert (after.state, after.household_id) == ("matched", tom.id)
    (again,) = receive(ctx, person(**TOM), partner_id=3)
    carry_all(ctx, ["deduplicate"])
    assert now(ctx, again).household_id == tom.id


def test_p9_a_partner_disputes_its_own_rows_only(ctx: Context) -> None:
    """P9: another partner's row does not exist for them."""
    sarah, _row = refused(ctx)
    with pytest.raises(NotFound):
        dispute(ctx, PAT, sarah.id, door="web")


def test_what_was_not_refused_cannot_be_disputed(ctx: Context) -> None:
    """A row that is under way has nothing to object to."""
    (rid,) = receive(ctx, person(), partner_id=2)
    carry_all(ctx, ["deduplicate"])
    with pytest.raises(Refused):
        dispute(ctx, PAT, rid, door="web")
