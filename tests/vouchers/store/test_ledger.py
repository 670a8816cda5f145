"""The books in the database: all or nothing, once, and never below zero."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from tests.money import Fund, open_fund
from vouchers.domain.ids import Place
from vouchers.domain.ledger import Kind, Transfer, move
from vouchers.errors import LedgerError, SameKeyOtherContent
from vouchers.pipeline.context import Context
from vouchers.store import ledger
from vouchers.store.tables.money import transfer


@pytest.fixture
def fund(ctx: Context) -> Fund:
    """A fund with one gift of a thousand pounds."""
    made = open_fund(ctx)
    made.give("gift", 100_000)
    return made


def issue(fund: Fund, voucher: int, pence: int = 100) -> Transfer:
    """Money of the gift goes onto a voucher."""
    return move(
        Kind.ISSUE,
        key=f"issue:{voucher}",
        source=Place.AVAILABLE,
        target=Place.ISSUED,
        pence=pence,
        scheme_id=fund.scheme_id,
        contribution_id=1,
        event_at=fund.ctx.clock(),
        voucher_id=voucher,
    )


def test_many_transfers_are_booked_in_one_go(fund: Fund) -> None:
    """Six hundred at once; the balances are their sum."""
    with fund.ctx.begin(name="test") as uow:
        fresh = ledger.post(uow, [issue(fund, n) for n in range(600)])
    assert len(fresh) == 600
    assert fund.places("gift")[Place.ISSUED] == 60_000
    assert fund.left("gift") == 40_000


def test_the_same_transfer_twice_is_no_news(fund: Fund) -> None:
    """In one call, in a second one, and mixed with new ones."""
    with fund.ctx.begin(name="test") as uow:
        assert len(ledger.post(uow, [issue(fund, 1), issue(fund, 1)])) == 1
    with fund.ctx.begin(name="test") as uow:
        assert ledger.post(uow, [issue(fund, 1)]) == []
        assert len(ledger.post(uow, [issue(fund, 1), issue(fund, 2)])) == 1
    assert fund.places("gift")[Place.ISSUED] == 200


def test_the_same_key_with_another_amount_is_an_error(fund: Fund) -> None:
    """And nothing of that call is kept."""
    with fund.ctx.begin(name="test") as uow:
        ledger.post(uow, [issue(fund, 1)])
    with (
        pytest.raises(SameKeyOtherContent),
        fund.ctx.begin(name="test") as uow,
    ):
        ledger.post(uow, [issue(fund, 2), issue(fund, 1, pence=101)])
    assert fund.places("gift")[Place.ISSUED] == 100


def test_no_account_falls_below_zero(fund: Fund) -> None:
    """A voucher too many undoes the whole call."""
    with pytest.raises(LedgerError), fund.ctx.begin(name="test") as uow:
        ledger.post(uow, [issue(fund, 1), issue(fund, 2, pence=100_000)])
    assert fund.left("gift") == 100_000


def test_accounts_that_are_missing_are_opened(fund: Fund) -> None:
    """The scheme's own books too: suspense may owe."""
    late = move(
        Kind.LATE,
        key="late:1",
        source=Place.SUSPENSE,
        target=Place.REDEEMED,
        pence=500,
        scheme_id=fund.scheme_id,
        contribution_id=None,
        event_at=fund.ctx.clock(),
    )
    with fund.ctx.begin(name="test") as uow:
        ledger.post(uow, [late])
        held = ledger.balances(uow.conn, [late.debit, late.credit])
    assert held == {late.debit: -500, late.credit: 500}


def test_stored_balances_are_the_sum_of_the_transfers(fund: Fund) -> None:
    """Each account, from the transfers alone."""
    with fund.ctx.begin(name="test") as uow:
        ledger.post(uow, [issue(fund, n, pence=n + 1) for n in range(50)])
    amount = func.sum(transfer.c.amount_pence)
    with fund.ctx.reading() as conn:
        gained, lost = (
            {
                row[0]: row[1]
                for row in conn.execute(select(side, amount).group_by(side))
            }
            for side in (transfer.c.credit_id, transfer.c.debit_id)
        )
        held = ledger.balances(conn, gained.keys() | lost.keys())
    for number, balance in held.items():
        assert balance == gained.get(number, 0) - lost.get(number, 0)
