"""The waitlist is served in order of need, and nobody is forgotten on it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.money import Fund, open_fund
from vouchers.backoffice import scheme as rules_desk
from vouchers.pipeline import waitlist
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context


def _run(fund: Fund, ids: list[int], **payload: int) -> None:
    fund.allocate(ids, **payload)
    carry_all(fund.ctx, ["allocate"])


@pytest.fixture
def fund(ctx: Context) -> Fund:
    """The default scheme with a pool and no money."""
    return open_fund(ctx)


def test_new_money_serves_the_waitlist_in_order_of_need(fund: Fund) -> None:
    """The drain that a gift sets off takes the neediest, not the first to come."""
    early = fund.refer(1, days_left=5)
    _run(fund, early)
    needy = fund.refer(1, days_left=1)
    _run(fund, needy)
    assert fund.states(early + needy) == ["waiting", "waiting"]
    fund.give("gift", 9_800)
    carry_all(fund.ctx, ["allocate"])
    assert fund.states(early + needy) == ["waiting", "granted"]
    assert fund.place(early[0]).rule == "no_money"


def test_waiting_five_days_lifts_one_band_but_never_into_off_supply(
    fund: Fund,
) -> None:
    """The sweep of the clock moves a place up once."""
    soon, later = fund.refer(1, days_left=1), fund.refer(1, days_left=3)
    ill = fund.refer(1, days_left=1, medical=True)
    _run(fund, soon + later + ill)
    fund.ctx.clock.forward(days=6)  # type: ignore[attr-defined]
    waitlist.sweep(fund.ctx)
    waitlist.sweep(fund.ctx)
    bands = [fund.place(one[0]).need_rank // 10 for one in (soon, later, ill)]
    assert bands == [3, 5, 3]
    listed = waitlist.places(fund.ctx, fund.scheme_id)
    assert [one.number for one in listed] == [1, 2, 3]


def test_a_paused_scheme_keeps_places_and_grants_again_when_resumed(
    fund: Fund,
) -> None:
    """Rows wait while the scheme is paused; resuming drains them."""
    fund.give("gift", 100_000)
    rules_desk.pause(fund.ctx, "winter_fund", "amy/cli", "audit")
    ids = fund.refer(2)
    _run(fund, ids)
    assert fund.place(ids[0]).rule == "scheme_paused"
    rules_desk.resume(fund.ctx, "winter_fund", "amy/cli")
    carry_all(fund.ctx, ["allocate"])
    assert fund.states(ids) == ["granted", "granted"]


def test_a_gift_whose_first_day_comes_serves_those_who_wait(fund: Fund) -> None:
    """At midnight nothing arrives, and yet there is money: the clock looks again."""
    clock = fund.ctx.clock
    tomorrow = (clock() + timedelta(days=1)).date()
    fund.give("later", 100_000, starts_on=tomorrow)
    ids = fund.refer(1)
    _run(fund, ids)
    waitlist.sweep(fund.ctx)
    carry_all(fund.ctx, ["allocate"])
    assert fund.states(ids) == ["waiting"]

    clock.forward(days=1)  # type: ignore[attr-defined]
    waitlist.sweep(fund.ctx)
    waitlist.sweep(fund.ctx)
    carry_all(fund.ctx, ["allocate"])

    assert fund.states(ids) == ["granted"]
