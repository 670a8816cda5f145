"""The books add up after any run of transfers, and refuse what they must."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vouchers.domain.ids import Place
from vouchers.domain.ledger import ROUTES, Books, Kind, Transfer, move, net
from vouchers.errors import LedgerError, SameKeyOtherContent

NOON = datetime(2026, 12, 7, 12, tzinfo=UTC)
STEPS = [
    (kind, source, target)
    for kind, routes in ROUTES.items()
    for source, target in sorted(routes)
    if Place.SUSPENSE not in (source, target)
]


def moved(
    kind: Kind, source: Place, target: Place, pence: int, key: str, gift: int = 1
) -> Transfer:
    """A transfer of a gift."""
    return move(
        kind,
        key=key,
        source=source,
        target=target,
        pence=pence,
        scheme_id=1,
        contribution_id=gift,
        event_at=NOON,
    )


runs = st.lists(
    st.tuples(st.sampled_from(STEPS), st.integers(1, 5_000), st.integers(1, 3)),
    max_size=60,
)


@given(runs)
def test_per_gift_what_was_given_is_always_somewhere(
    run: list[tuple[tuple[Kind, Place, Place], int, int]],
) -> None:
    """Legal transfers in any order: given is the sum of the places, none negative."""
    books = Books()
    for number, ((kind, source, target), pence, gift) in enumerate(run):
        try:
            books.post([moved(kind, source, target, pence, f"k{number}", gift)])
        except LedgerError:
            continue
    for gift in (1, 2, 3):
        assert books.given(gift) == books.placed(gift)
    assert all(
        balance >= 0 or account & 15 == Place.GIVEN
        for account, balance in books.balances.items()
    )


@given(runs)
def test_posting_again_changes_nothing(
    run: list[tuple[tuple[Kind, Place, Place], int, int]],
) -> None:
    """The same transfers a second time are no news."""
    books = Books()
    posted = []
    for number, ((kind, source, target), pence, gift) in enumerate(run):
        one = moved(kind, source, target, pence, f"k{number}", gift)
        try:
            books.post([one])
            posted.append(one)
        except LedgerError:
            continue
    before = dict(books.balances)
    books.post(posted)
    assert dict(books.balances) == before


@given(runs)
def test_what_one_account_loses_another_gains(
    run: list[tuple[tuple[Kind, Place, Place], int, int]],
) -> None:
    """The sum over all accounts never changes."""
    transfers = [
        moved(kind, source, target, pence, f"k{n}", gift)
        for n, ((kind, source, target), pence, gift) in enumerate(run)
    ]
    assert sum(net(transfers).values()) == 0


def test_the_same_key_with_other_content_is_an_error() -> None:
    """A key derived from a cause cannot mean two movements."""
    books = Books()
    books.post([moved(Kind.RECEIVE, Place.GIVEN, Place.AVAILABLE, 100, "k")])
    with pytest.raises(SameKeyOtherContent):
        books.post([moved(Kind.RECEIVE, Place.GIVEN, Place.AVAILABLE, 101, "k")])


def test_money_keeps_to_its_routes() -> None:
    """Available money does not become redeemed without having been on a voucher."""
    with pytest.raises(LedgerError):
        moved(Kind.REDEEM, Place.AVAILABLE, Place.REDEEMED, 100, "k")
    with pytest.raises(LedgerError):
        moved(Kind.RECEIVE, Place.GIVEN, Place.AVAILABLE, 0, "k")


def test_a_gifts_money_does_not_mix_with_the_schemes_own() -> None:
    """A redemption that no gift can bear is booked on the scheme's accounts."""
    with pytest.raises(LedgerError):
        moved(Kind.LATE, Place.SUSPENSE, Place.REDEEMED, 100, "k")
    own = move(
        Kind.LATE,
        key="k",
        source=Place.SUSPENSE,
        target=Place.REDEEMED,
        pence=100,
        scheme_id=1,
        contribution_id=None,
        event_at=NOON,
    )
    assert own.contribution_id is None
