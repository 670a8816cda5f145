"""Whatever a network reports, in whatever order, no penny appears or disappears."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.feed import LineType
from vouchers.domain import redemption
from vouchers.domain.ids import Place
from vouchers.domain.ledger import ROUTES
from vouchers.domain.lifecycle import VoucherState as S
from vouchers.domain.redemption import Line, Oddity, Voucher

LAST_DAY = date(2026, 12, 20)
IN_TIME = date(2026, 12, 10)
LATER = date(2027, 1, 5)


def live(**more):
    """A voucher of 49 pounds, unused."""
    facts = {"state": S.LIVE, "redeemed": 0, "issued": 4900} | more
    return Voucher(1, value=4900, expires_on=LAST_DAY, **facts)


def after(voucher, *lines, today=IN_TIME, available=10_000):
    """The outcome of the last of several lines."""
    outcome = None
    for line in lines:
        outcome = redemption.apply(voucher, line, today=today, available=available)
        voucher, available = outcome.voucher, outcome.available
    return outcome


def use(pence, on=IN_TIME, **more):
    """A line that says the code was used."""
    return Line(LineType.REDEEM, pence, on, **more)


def test_a_whole_use_moves_the_whole_value():
    """Used for its value: the money goes from issued to redeemed, nothing is odd."""
    outcome = after(live(), use(4900, balance=0))

    assert outcome.voucher.state == S.REDEEMED
    assert [(m.source, m.target, m.pence) for m in outcome.moves] == [
        (Place.ISSUED, Place.REDEEMED, 4900)
    ]
    assert outcome.oddities == ()


def test_a_partial_use_leaves_the_rest_on_the_code():
    """The rest can still be used, or comes back when the code ends."""
    outcome = after(live(), use(1900))

    assert outcome.voucher.state == S.PART_REDEEMED
    assert outcome.voucher.issued == 3000


def test_more_than_the_value_is_never_booked():
    """The network's excess is a discrepancy, not our money."""
    outcome = after(live(), use(6000))

    assert outcome.voucher.redeemed == 4900
    assert outcome.oddities == ((Oddity.OVER_VALUE, 1100),)


def test_a_use_reported_late_but_made_in_time_is_nothing_odd():
    """The network's day counts, not the day of its file."""
    outcome = after(live(state=S.AWAITING_NETWORK), use(4900), today=LATER)

    assert outcome.voucher.state == S.REDEEMED
    assert outcome.oddities == ()


def test_a_use_after_the_last_day_is_booked_and_questioned():
    """The shop was paid by somebody: the money moves, and a person asks why."""
    outcome = after(live(state=S.AWAITING_NETWORK), use(4900, LATER), today=LATER)

    assert outcome.oddities == ((Oddity.AFTER_EXPIRY, 4900),)


@pytest.mark.parametrize(
    ("available", "moves"),
    [
        (9_000, [(Place.AVAILABLE, Place.REDEEMED, 4900)]),
        (0, [(Place.SUSPENSE, Place.REDEEMED, 4900)]),
        (
            1_000,
            [
                (Place.AVAILABLE, Place.REDEEMED, 1000),
                (Place.SUSPENSE, Place.REDEEMED, 3900),
            ],
        ),
    ],
)
def test_a_use_after_release_is_borne_by_available_then_suspense(available, moves):
    """The money had gone back: what is left of it pays, the scheme bears the rest."""
    released = live(state=S.RELEASED, issued=0)

    outcome = after(released, use(4900), today=LATER, available=available)

    assert [(m.source, m.target, m.pence) for m in outcome.moves] == moves
    assert outcome.oddities == ((Oddity.AFTER_RELEASE, 4900),)
    assert outcome.voucher.state == S.REDEEMED


@pytest.mark.parametrize("today", [IN_TIME, LATER])
def test_a_reversed_use_puts_the_voucher_back(today):
    """Back to live, or to awaiting the network if its last day is over."""
    back = Line(LineType.REVERSED, 4900, IN_TIME)

    outcome = after(live(), use(4900), back, today=today)

    assert outcome.voucher.issued == 4900
    assert outcome.voucher.state == (S.LIVE if today == IN_TIME else S.AWAITING_NETWORK)


def test_a_reversal_of_nothing_moves_nothing():
    """What was never used cannot be taken back."""
    outcome = after(live(), Line(LineType.REFUNDED, 4900, IN_TIME))

    assert outcome.moves == ()
    assert outcome.oddities == ((Oddity.NOTHING_TO_RETURN, 4900),)


def test_the_network_s_word_on_expiry_releases_the_rest():
    """After the last day, `expired` sends the unused pence home."""
    rest = live(state=S.AWAITING_NETWORK, redeemed=900, issued=4000)

    outcome = after(rest, Line(LineType.EXPIRED, 0, LATER), today=LATER)

    assert [(m.kind, m.pence) for m in outcome.moves] == [("release", 4000)]
    assert outcome.voucher.state == S.RELEASED
    assert outcome.oddities == ()


def test_a_balance_that_differs_is_noticed():
    """The network's count of the rest is compared with ours."""
    outcome = after(live(), use(1900, balance=2000))

    assert outcome.oddities == ((Oddity.BALANCE_DIFFERS, 1000),)


def test_a_voucher_without_a_code_cannot_be_used():
    """Committed money does not move because of a line."""
    outcome = after(live(state=S.COMMITTED, issued=0), use(4900))

    assert outcome.moves == ()
    assert outcome.oddities == ((Oddity.NOT_ISSUED, 4900),)


lines = st.builds(
    Line,
    st.sampled_from(LineType),
    st.integers(0, 6000),
    st.dates(IN_TIME, LATER),
    st.none() | st.integers(0, 5000),
)


@given(
    st.lists(lines, max_size=12),
    st.sampled_from([IN_TIME, LATER]),
    st.integers(0, 8000),
)
def test_no_order_of_lines_makes_or_loses_a_penny(reported, today, available):
    """P3 for any history: places never fall below zero and always add up."""
    voucher = live()
    places = {Place.ISSUED: 4900, Place.AVAILABLE: available, Place.REDEEMED: 0}
    places[Place.SUSPENSE] = 0
    for line in reported:
        outcome = redemption.apply(
            voucher, line, today=today, available=places[Place.AVAILABLE]
        )
        for move in outcome.moves:
            assert move.pence > 0
            assert (move.source, move.target) in ROUTES[move.kind]
            places[move.source] -= move.pence
            places[move.target] += move.pence
        voucher = outcome.voucher
        assert places[Place.AVAILABLE] == outcome.available >= 0
        assert places[Place.ISSUED] == voucher.issued >= 0
        assert places[Place.REDEEMED] == voucher.redeemed
        assert 0 <= voucher.redeemed <= voucher.value
        assert -places[Place.SUSPENSE] == voucher.from_suspense >= 0
        if voucher.state in {S.LIVE, S.PART_REDEEMED, S.AWAITING_NETWORK}:
            assert voucher.issued + voucher.redeemed == voucher.value
        else:
            assert voucher.issued == 0


def days(*offsets):
    """Spans of days counted from the first of December."""
    start = date(2026, 12, 1)
    return [
        (start + timedelta(days=first), start + timedelta(days=last))
        for first, last in offsets
    ]


def test_coverage_ends_at_the_first_gap():
    """A file for tomorrow does not make up for one that never came."""
    spans = days((0, 1), (2, 2), (4, 9))

    assert redemption.covered_until(spans) == date(2026, 12, 3)
    assert redemption.missing_days(spans) == [date(2026, 12, 4)]


def test_files_that_overlap_cover_once():
    """A network that repeats a day does no harm."""
    spans = days((0, 5), (2, 3), (6, 6))

    assert redemption.covered_until(spans) == date(2026, 12, 7)
    assert redemption.missing_days(spans) == []


def test_no_file_covers_nothing():
    """Without a file the network has said nothing."""
    assert redemption.covered_until([]) is None
