"""First vouchers go out at once, once, and count as part of the award."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update

from tests.money import Fund, open_fund
from vouchers.domain.matching.keys import KeyKind
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store.tables.identity import match_key, review
from vouchers.store.tables.intake import referral


def _run(fund: Fund, ids: list[int], **payload: int) -> None:
    fund.allocate(ids, **payload)
    carry_all(fund.ctx, ["allocate"])


@pytest.fixture
def fund(ctx: Context) -> Fund:
    """The default scheme with a pool and no money."""
    return open_fund(ctx)


def test_a_first_voucher_goes_out_at_once_and_the_ruling_tops_it_up(
    fund: Fund,
) -> None:
    """An off-supply row in review gets one voucher; matched later, it gets the rest."""
    fund.give("gift", 100_000)
    ids = fund.refer(1, off_supply=True, state="checking")
    _run(fund, ids, first=1)
    _run(fund, ids, first=1)
    assert fund.states(ids) == ["checking"]
    assert [row.value_pence for row in fund.vouchers()] == [4_900]
    with fund.ctx.begin(name="test") as uow:
        uow.conn.execute(update(referral).values(state="matched"))
    _run(fund, ids)
    assert fund.states(ids) == ["granted"]
    assert [row.id & 7 for row in fund.awards()] == [0, 1]
    assert [row.value_pence for row in fund.vouchers()] == [4_900, 4_900]
    fund.assert_books_balance()


def test_a_first_voucher_is_given_once_per_phone_and_dwelling(fund: Fund) -> None:
    """Two rows in review with one phone get one first voucher between them."""
    fund.give("gift", 100_000)
    ids = fund.refer(2, off_supply=True, state="checking")
    with fund.ctx.begin(name="test") as uow:
        uow.conn.execute(
            insert(match_key),
            [
                {"key": 77, "kind": KeyKind.MOBILE, "version": 1, "resident_id": one}
                for one in ids
            ],
        )
    _run(fund, ids, first=1)
    _run(fund, ids, first=1)
    assert [row.referral_id for row in fund.awards()] == ids[:1]


def test_an_overdue_review_gets_its_first_voucher_without_being_off_supply(
    fund: Fund,
) -> None:
    """Nobody ruled in time, and the scheme says that one voucher goes out then."""
    fund.give("gift", 100_000)
    ids = fund.refer(1, days_left=3, state="checking")
    _run(fund, ids, first=1)
    assert fund.awards() == []
    _run(fund, ids, first=1, overdue=1)
    assert len(fund.awards()) == 1


def test_a_first_voucher_that_found_no_money_comes_before_the_waitlist(
    fund: Fund,
) -> None:
    """Money for one voucher goes to the home off supply, not to who waits for less."""
    waiting = fund.refer(1, days_left=3)
    doubted = fund.refer(1, off_supply=True, state="checking")
    with fund.ctx.begin(name="test") as uow:
        uow.conn.execute(
            insert(review).values(
                id=doubted[0],
                scheme_id=fund.scheme_id,
                kind="person",
                state="open",
                protected=False,
                need_rank=21,
                candidates=[],
                model="test",
                opened_at=uow.now,
            )
        )
    _run(fund, doubted, first=1)
    _run(fund, waiting)
    assert fund.awards() == []

    fund.give("gift", 5_000)
    carry_all(fund.ctx, ["allocate"])

    assert [row.referral_id for row in fund.awards()] == doubted
    assert fund.states(waiting) == ["waiting"]
    fund.assert_books_balance()
