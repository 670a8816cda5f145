"""Rulings taken back: everything is as before, or says why it cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, update

from tests.referrals import person
from tests.reviewing import (
    AMY,
    TWIN,
    deduplicated,
    grant,
    now,
    open_scheme,
    rows,
    rule,
    two_in_question,
)
from vouchers.backoffice import retractions, reviews
from vouchers.domain.matching.rulings import Ruling
from vouchers.domain.reasons import Reason
from vouchers.errors import Refused
from vouchers.pipeline.context import Context
from vouchers.store import referrals
from vouchers.store.tables.awards import voucher
from vouchers.store.tables.identity import identity_edge, membership, resident
from vouchers.store.tables.intake import referral


@pytest.fixture(autouse=True)
def a_scheme(ctx: Context) -> None:
    """The scheme as shipped."""
    open_scheme(ctx)


@pytest.fixture
def twins(ctx: Context) -> tuple[Any, Any]:
    """Sarah is known; Hannah, of the same birthday and home, is in review."""
    return two_in_question(ctx)


@pytest.mark.parametrize("ruling", list(Ruling))
def test_a_ruling_can_be_taken_back(ctx: Context, twins: Any, ruling: Ruling) -> None:
    """While nothing was granted, undo leaves everything as it was before the ruling."""
    _sarah, hannah = twins

    def world() -> Any:
        return (
            sorted((r.id, r.merged_into, r.provisional) for r in rows(ctx, resident)),
            sorted(tuple(m) for m in rows(ctx, membership)),
            (now(ctx, hannah.id).state, now(ctx, hannah.id).resident_id),
        )

    before = world()
    assert rule(ctx, hannah.id, ruling).done
    retractions.undo(ctx, AMY, hannah.id, door="test")
    assert world() == before
    assert [line.state for line in reviews.listing(ctx, AMY)] == ["undone"]
    assert rule(ctx, hannah.id, Ruling.SAME_HOUSEHOLD).done


def test_after_a_grant_only_unmerge_helps(ctx: Context, twins: Any) -> None:
    """Merge, grant, then unmerge: two people again, the refused one is judged anew."""
    sarah, hannah = twins
    rule(ctx, hannah.id, Ruling.SAME_PERSON)
    grant(ctx, sarah.id)
    with ctx.begin() as uow:
        uow.conn.execute(
            update(referral)
            .where(referral.c.id == hannah.id)
            .values(state="declined", reason="already_supported", updated_at=uow.now)
        )
    reopened = retractions.unmerge(ctx, AMY, hannah.id, door="test")
    after = now(ctx, hannah.id)
    assert reopened == (hannah.id,)
    assert (after.state, after.resident_id, after.household_id) == (
        "matched", hannah.id, hannah.id,
    )  # fmt: skip
    assert {e.kind for e in rows(ctx, identity_edge)} >= {"same", "different"}
    (again,) = deduplicated(ctx, person(**TWIN), partner_id=6)
    assert again.resident_id == hannah.id


def voucher_of(ctx: Context, rid: int, *, redeemed: int) -> None:
    """One voucher of the award of a referral, used up to some pence."""
    with ctx.begin() as uow:
        uow.conn.execute(
            insert(voucher).values(
                id=rid << 6, award_id=rid << 3, number=1, contribution_id=1,
                scheme_id=1, network="paypoint", value_pence=4900,
                redeemed_pence=redeemed,
                state="redeemed" if redeemed else "live", expires_on=uow.now.date(),
                issued_at=uow.now,
            )
        )  # fmt: skip


def test_a_ruling_is_undone_while_nothing_granted_on_it_was_redeemed(
    ctx: Context, twins: Any
) -> None:
    """The granted row keeps its vouchers; its question is open and is ruled on anew."""
    sarah, hannah = twins
    (joined,) = deduplicated(ctx, person(**TWIN), partner_id=3)
    rule(ctx, hannah.id, Ruling.DIFFERENT)
    grant(ctx, hannah.id)
    voucher_of(ctx, hannah.id, redeemed=0)
    with ctx.begin() as uow:
        uow.conn.execute(
            update(referral)
            .where(referral.c.id == joined.id)
            .values(state="declined", reason="already_supported")
        )
    assert retractions.undo(ctx, AMY, hannah.id, door="test") == (joined.id,)
    assert (now(ctx, hannah.id).state, now(ctx, joined.id).state) == (
        "granted", "checking",
    )  # fmt: skip
    done = rule(ctx, hannah.id, Ruling.SAME_PERSON)
    assert done.done
    assert (now(ctx, hannah.id).state, now(ctx, joined.id).state) == (
        "granted", "matched",
    )  # fmt: skip
    assert now(ctx, joined.id).resident_id == sarah.id


def test_after_a_merge_was_undone_the_granted_row_is_its_own_person_again(
    ctx: Context, twins: Any
) -> None:
    """Taken for Sarah and granted; undone, the row is Hannah's and ruled on anew."""
    _sarah, hannah = twins
    rule(ctx, hannah.id, Ruling.SAME_PERSON)
    grant(ctx, hannah.id)
    voucher_of(ctx, hannah.id, redeemed=0)
    assert retractions.undo(ctx, AMY, hannah.id, door="test") == ()
    after = now(ctx, hannah.id)
    assert (after.state, after.resident_id) == ("granted", hannah.id)
    assert rule(ctx, hannah.id, Ruling.DIFFERENT).done
    (again,) = deduplicated(ctx, person(**TWIN), partner_id=6)
    assert again.resident_id == hannah.id
    assert {r.merged_into for r in rows(ctx, resident)} == {None}


@pytest.mark.parametrize(
    ("ruling", "instead"),
    [(Ruling.SAME_PERSON, "--part"), (Ruling.DIFFERENT, "next row")],
)
def test_after_a_redemption_a_ruling_stands_and_says_what_to_do(
    ctx: Context, twins: Any, ruling: Ruling, instead: str
) -> None:
    """What was used at a shop on a ruling is not undone behind anybody's back."""
    _sarah, hannah = twins
    rule(ctx, hannah.id, ruling)
    grant(ctx, hannah.id)
    voucher_of(ctx, hannah.id, redeemed=100)
    with pytest.raises(Refused, match="redeemed") as refused:
        retractions.undo(ctx, AMY, hannah.id, door="test")
    assert instead in str(refused.value)


@pytest.mark.parametrize("ruling", [Ruling.SAME_HOUSEHOLD, Ruling.SAME_PERSON])
def test_a_row_that_joined_names_the_review_to_take_back(
    ctx: Context, twins: Any, ruling: Ruling
) -> None:
    """The ruling was given on the first row, and is taken back there."""
    _sarah, hannah = twins
    (joined,) = deduplicated(ctx, person(**TWIN), partner_id=3)
    rule(ctx, hannah.id, ruling)
    with pytest.raises(Refused, match=f"reviews undo {hannah.id}"):
        retractions.undo(ctx, AMY, joined.id, door="test")


def test_a_withdrawn_row_does_not_keep_a_ruling_from_being_taken_back(
    ctx: Context, twins: Any
) -> None:
    """Its partner took the row back after the ruling: who joined it is asked about."""
    _sarah, hannah = twins
    (joined,) = deduplicated(ctx, person(**TWIN), partner_id=3)
    rule(ctx, hannah.id, Ruling.SAME_HOUSEHOLD)
    with ctx.begin() as uow:
        referrals.end(uow, [(hannah.id, Reason.WITHDRAWN, hannah.id)])
    assert retractions.undo(ctx, AMY, hannah.id, door="test") == (joined.id,)
    assert now(ctx, hannah.id).state == "withdrawn"
    assert rule(ctx, joined.id, Ruling.DIFFERENT).done
