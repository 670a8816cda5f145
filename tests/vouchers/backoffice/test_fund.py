"""Gifts: two people for large ones, each bank line once, only the unspent goes back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.money import Fund, open_fund
from vouchers.backoffice import fund as desk
from vouchers.domain.ids import Place
from vouchers.errors import BadScheme, Refused
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context

LARGE = 10_000_001


@pytest.fixture
def fund(ctx: Context) -> Fund:
    """A scheme with a funder and a pool."""
    return open_fund(ctx)


def pledge(fund: Fund, slug: str, pence: int, **more: object) -> int:
    """Amy notes a gift."""
    return desk.give(
        fund.ctx,
        "amy/cli",
        slug=slug,
        funder_slug="trust",
        pool_slug="main",
        pence=pence,
        **more,  # type: ignore[arg-type]
    )


def test_only_received_money_is_spendable(fund: Fund) -> None:
    """A pledge and its confirmation move nothing; the bank line does."""
    pledge(fund, "gift", 10_000)
    desk.confirm(fund.ctx, "bob/cli", "gift")
    assert fund.left("gift") == 0
    desk.receive(fund.ctx, "amy/cli", "gift", pence=6_000, bank_line="B1")
    assert fund.places("gift")[Place.GIVEN] == fund.left("gift") == 6_000


def test_a_bank_line_is_booked_once(fund: Fund) -> None:
    """The second time nothing happens; another amount under it is an error."""
    pledge(fund, "gift", 10_000)
    assert desk.receive(fund.ctx, "amy/cli", "gift", pence=5_000, bank_line="B1")
    assert not desk.receive(fund.ctx, "amy/cli", "gift", pence=5_000, bank_line="B1")
    with pytest.raises(Refused, match="another amount"):
        desk.receive(fund.ctx, "amy/cli", "gift", pence=4_000, bank_line="B1")
    assert not desk.receive(fund.ctx, "amy/cli", "gift", pence=5_000, bank_line=" b1")
    assert fund.left("gift") == 5_000


def test_one_bank_line_is_never_money_of_two_gifts(fund: Fund) -> None:
    """An arrival that is booked twice would make money; its parts are named apart."""
    pledge(fund, "gift", 10_000)
    pledge(fund, "twin", 10_000)
    desk.receive(fund.ctx, "amy/cli", "gift", pence=10_000, bank_line="B1: Trust")
    with pytest.raises(Refused, match="booked for gift already"):
        desk.receive(fund.ctx, "amy/cli", "twin", pence=10_000, bank_line="B1: trust")
    assert fund.left("twin") == 0
    assert desk.receive(
        fund.ctx, "amy/cli", "twin", pence=10_000, bank_line="B1: Trust part 2"
    )


def test_an_amount_is_a_penny_at_least(fund: Fund) -> None:
    """Nothing is no booking."""
    pledge(fund, "gift", 10_000)
    with pytest.raises(Refused, match="a penny at least"):
        desk.receive(fund.ctx, "amy/cli", "gift", pence=0, bank_line="B1")


def test_no_more_than_the_pledge_is_taken(fund: Fund) -> None:
    """A slip of the finger does not make money."""
    pledge(fund, "gift", 10_000)
    with pytest.raises(Refused, match="more than was pledged"):
        desk.receive(fund.ctx, "amy/cli", "gift", pence=100_000, bank_line="B1")
    assert fund.left("gift") == 0


def test_a_large_gift_needs_a_second_person(fund: Fund) -> None:
    """Who noted it may not confirm it, under any door; unconfirmed it is not taken."""
    pledge(fund, "large", LARGE)
    with pytest.raises(Refused, match="confirmed first"):
        desk.receive(fund.ctx, "bob/cli", "large", pence=LARGE, bank_line="B1")
    with pytest.raises(Refused, match="another person"):
        desk.confirm(fund.ctx, "amy/web", "large")
    desk.confirm(fund.ctx, "bob/cli", "large")
    assert desk.receive(fund.ctx, "amy/cli", "large", pence=LARGE, bank_line="B1")


def test_only_what_is_unspent_can_be_withdrawn_or_returned(fund: Fund) -> None:
    """A live voucher is never taken back."""
    fund.give("gift", 20_000)
    fund.allocate(fund.refer(1))
    carry_all(fund.ctx, ["allocate"])
    with pytest.raises(Refused, match=r"£102\.00 of gift is available"):
        desk.withdraw(fund.ctx, "amy/cli", "gift", pence=15_000, reference="W1")
    assert desk.withdraw(fund.ctx, "amy/cli", "gift", pence=2_000, reference="W1")
    assert not desk.withdraw(fund.ctx, "amy/cli", "gift", pence=2_000, reference="W1")
    with pytest.raises(Refused, match="live vouchers"):
        desk.close(fund.ctx, "amy/cli", "gift")
    assert desk.return_unspent(fund.ctx, "amy/cli", "gift", reference="R1")
    places = fund.places("gift")
    assert places[Place.RETURNED] == 20_000 - 9_800 - 2_000
    assert places[Place.GIVEN] == 18_000
    fund.assert_books_balance()


def test_fees_are_paid_only_from_gifts_that_allow_it(fund: Fund) -> None:
    """Most gifts are for vouchers alone."""
    fund.give("strict", 10_000)
    fund.give("free", 10_000, allows_costs=True)
    with pytest.raises(Refused, match="vouchers only"):
        desk.pay_cost(fund.ctx, "amy/cli", "strict", pence=100, reference="F1")
    assert desk.pay_cost(fund.ctx, "amy/cli", "free", pence=100, reference="F1")
    assert fund.places("free")[Place.COSTS] == 100


def test_a_gift_that_could_never_be_spent_is_refused_with_its_rule(fund: Fund) -> None:
    """It ends before any voucher on it could be used, or asks for what nobody knows."""
    soon = fund.ctx.clock().date() + timedelta(days=3)
    with pytest.raises(BadScheme, match=r"validity\.least_days"):
        pledge(fund, "short", 10_000, ends_on=soon)
    with pytest.raises(BadScheme, match="no restriction is called"):
        pledge(fund, "odd", 10_000, restrictions={"colour": ["blue"]})


def test_the_unspendable_rest_is_shown(fund: Fund) -> None:
    """Under the smallest voucher there is nothing it can pay for."""
    fund.give("gift", 9_900)
    fund.allocate(fund.refer(1))
    carry_all(fund.ctx, ["allocate"])
    (standing,) = desk.standings(fund.ctx, "winter_fund")
    assert standing.unspendable_pence == 100
    desk.return_unspent(fund.ctx, "amy/cli", "gift", reference="R1")
    assert desk.standings(fund.ctx)[0].unspendable_pence == 0


def test_a_pledge_that_never_came_lapses(fund: Fund) -> None:
    """Money that came cannot lapse."""
    pledge(fund, "gift", 10_000)
    desk.lapse(fund.ctx, "amy/cli", "gift")
    with pytest.raises(Refused, match="lapsed"):
        desk.receive(fund.ctx, "amy/cli", "gift", pence=1, bank_line="B1")
