"""The tables of legal moves are complete and checked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vouchers.domain import lifecycle
from vouchers.domain.lifecycle import MessageState, ReferralState, VoucherState
from vouchers.errors import IllegalMove

DEVELOPERS = Path("vouchers/web/handbook/developers.md")


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


def test_the_handbook_draws_the_same_moves() -> None:
    """Who reads the page sees what the code allows, no more and no less."""
    page = DEVELOPERS.read_text(encoding="utf-8")
    for name, moves in (
        ("referral", lifecycle.REFERRAL_MOVES),
        ("voucher", lifecycle.VOUCHER_MOVES),
        ("message", lifecycle.MESSAGE_MOVES),
    ):
        drawing = page.split(f"%% {name}\n")[1].split("```")[0]
        drawn = {
            tuple(line.strip().split(" --> "))
            for line in drawing.splitlines()
            if "-->" in line
        }
        assert drawn == {(old, new) for old, after in moves.items() for new in after}


@pytest.mark.parametrize(
    ("name", "states"),
    [
        ("referral", ReferralState),
        ("voucher", VoucherState),
        ("message", MessageState),
    ],
)
def test_p8_the_handbook_says_what_moves_every_state(name: str, states: type) -> None:
    """A state that nothing moves on, and that is not final, would be for ever."""
    page = DEVELOPERS.read_text(encoding="utf-8")
    section = page.split("## What moves each state\n")[1].split("\n## ")[0]
    told = {
        state
        for line in section.splitlines()
        if line.startswith(f"| {name} `")
        for state in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    final = re.findall(r"`(\w+)`", section.split("Final are ")[1])
    assert set(states) <= told | set(final)
