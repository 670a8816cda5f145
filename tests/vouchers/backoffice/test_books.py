"""An independent program reads the books and comes to the same penny."""

import csv
import io

import pytest
from sqlalchemy import update

from tests.vouchers_at_hand import world
from vouchers.backoffice import books
from vouchers.pipeline import expire
from vouchers.store.tables.money import account


@pytest.fixture
def house(ctx, clock):
    """Vouchers issued, expired and released: every kind of move is in the books."""
    made = world(ctx, count=5)
    clock.now = clock.now.replace(day=30)
    expire.sweep(ctx)
    return made


def written(house, form):
    """The books in one program's words."""
    out = io.StringIO()
    count = books.export(house.ctx, form, out)
    return count, out.getvalue()


def test_beancount_agrees_with_us(house):
    """`bean-check` finds nothing, and neither do we."""
    report = books.verify(house.ctx)

    assert report.problems == ()
    assert "bean-check" in report.programs
    assert report.transfers == 1 + 5 + 5


def test_beancount_and_we_both_find_a_wrong_balance(house):
    """A balance that was pushed by a pound is seen twice."""
    with house.ctx.begin() as uow:
        uow.conn.execute(
            update(account)
            .where(account.c.place == 1)
            .values(balance_pence=account.c.balance_pence + 100)
        )

    report = books.verify(house.ctx)

    assert not report.ok
    assert any("sum of its transfers" in problem for problem in report.problems)
    assert any(problem.startswith("bean-check") for problem in report.problems)


def test_the_hledger_books_assert_every_balance(house):
    """One assertion for each account that was ever used."""
    count, text = written(house, "hledger")

    assert count == 11
    assert text.count(" = GBP ") == text.count("\naccount ") == 3
    assert "    Assets:Winter:Gift:Available  GBP 0 = GBP 1000.00" in text


def test_the_csv_has_a_line_for_each_transfer_and_each_balance(house):
    """Transfers add up to the balances at the end of the same file."""
    _, text = written(house, "csv")

    rows = list(csv.DictReader(io.StringIO(text)))
    moved = [row for row in rows if row["kind"] != "balance"]
    available = "Assets:Winter:Gift:Available"
    total = sum(
        float(row["pounds"])
        * ((row["credit"] == available) - (row["debit"] == available))
        for row in moved
    )
    [stated] = [
        float(row["pounds"])
        for row in rows
        if row["kind"] == "balance" and row["debit"] == available
    ]
    assert len(moved) == 11
    assert total == stated == 1000.0


def test_empty_books_are_books(ctx):
    """Before the first gift there is nothing to add up, and nothing wrong."""
    assert books.verify(ctx).ok
