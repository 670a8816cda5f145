"""The tables of legal moves are complete and checked."""

from __future__ import annotations

import pytest

from vouchers.domain import lifecycle
from vouchers.domain.lifecycle import MessageState, ReferralState, VoucherState
from vouchers.errors import IllegalMove


@pytest.mark.parametrize(
    ("moves", "states"),
    [
        (lifecycle.REFERRAL_MOVES, ReferralState),
        (lifecycle.VOUCHER_MOVES, VoucherState),
        (lifecycle.MESSAGE_MOVES, MessageState),
    ],
)
def test_every_state_has_its_line_in_the_table(moves: dict, states: type) -> None:
    """A state without a line would be a trap."""
    assert set(moves) == set(states)


def test_a_delivered_message_stays_delivered() -> None:
    """No late word takes a delivery back."""
    assert not lifecycle.MESSAGE_MOVES[MessageState.DELIVERED]


def test_an_illegal_move_is_refused() -> None:
    """A redeemed voucher cannot be released: its money is spent."""
    with pytest.raises(IllegalMove):
        lifecycle.check_voucher(VoucherState.REDEEMED, VoucherState.RELEASED)


def test_a_legal_move_passes() -> None:
    """An expired voucher is released once the network has spoken."""
    lifecycle.check_voucher(VoucherState.AWAITING_NETWORK, VoucherState.RELEASED)
    lifecycle.check_referral(ReferralState.WAITING, ReferralState.GRANTED)
    lifecycle.check_message(MessageState.UNDELIVERED, MessageState.DELIVERED)
