"""What a partner reads of a row: one of eleven words, never anything about others."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vouchers.domain.lifecycle import MessageState, ReferralState, VoucherState
from vouchers.domain.outcomes import (
    Word,
    show,
    voucher_named,
    voucher_reference,
    word,
)
from vouchers.domain.reasons import Reason

#: What these say concerns the file; the resident is told nothing.
OF_THE_FILE = ("corrected", "nothing_to_correct", "nothing_to_withdraw")


@pytest.mark.parametrize(
    ("state", "text", "vouchers", "expected"),
    [
        ("received", None, (), "received"),
        ("matched", None, (), "received"),
        ("checking", None, (), "checking"),
        ("held", None, (), "checking"),
        ("waiting", None, (), "waiting"),
        ("declined", None, (), "not_granted"),
        ("withdrawn", None, (), "not_granted"),
        ("granted", None, ("live",), "granted"),
        ("granted", "queued", ("live",), "granted"),
        ("granted", "unknown", ("live",), "granted"),
        ("granted", "sent", ("live", "live"), "sent"),
        ("granted", "delivered", ("live",), "delivered"),
        ("granted", "delivered", ("redeemed", "live"), "delivered"),
        ("granted", "undelivered", ("live",), "not_delivered"),
        ("granted", "cancelled", ("live",), "not_delivered"),
        ("granted", "delivered", ("redeemed", "redeemed"), "used"),
        ("granted", "undelivered", ("redeemed", "released"), "used"),
        ("granted", "delivered", ("awaiting_network",), "expired"),
        ("granted", "delivered", ("released", "released"), "expired"),
    ],
)
def test_each_stage_has_its_word(
    state: str, text: str | None, vouchers: tuple[str, ...], expected: str
) -> None:
    """The word follows the voucher once it is over, the text before that."""
    assert word(state=state, message_state=text, vouchers=vouchers) == expected


@settings(deadline=None)
@given(
    st.sampled_from(ReferralState),
    st.sampled_from([None, *Reason]),
    st.sampled_from([None, *MessageState]),
    st.sets(st.sampled_from(VoucherState)),
    st.booleans(),
)
def test_every_combination_has_a_word(
    state: ReferralState,
    reason: Reason | None,
    text: MessageState | None,
    vouchers: set[VoucherState],
    protected: bool,
) -> None:
    """No state that the house can be in leaves a partner without an answer."""
    shown = show(
        state=state,
        reason=reason,
        message_state=text,
        vouchers=vouchers,
        protected=protected,
    )
    assert shown.word in Word
    assert shown.tell_the_resident or reason in OF_THE_FILE


def test_a_duplicate_is_told_already_supported_and_the_next_date() -> None:
    """Which partner helped before is not said (P9)."""
    shown = show(
        state="declined", reason="already_supported", next_on=date(2026, 12, 20)
    )
    assert shown.reason_code == "already_supported"
    assert shown.next_on == date(2026, 12, 20)
    assert "20/12/2026" in shown.tell_the_resident


@pytest.mark.parametrize(
    "reason", ["already_received", "too_late_to_correct", "too_late_to_withdraw"]
)
def test_whoever_has_a_voucher_is_never_told_that_there_is_none(reason: str) -> None:
    """A row that came too late changes nothing for a resident who was granted."""
    shown = show(state="declined", reason=reason)
    assert "could not get you" not in shown.tell_the_resident
    assert "use that one" in shown.tell_the_resident


def test_a_text_that_did_not_arrive_says_what_to_do() -> None:
    """The worker reads that the number is in question, the resident is asked for it."""
    shown = show(state="granted", message_state="undelivered", vouchers=["live"])
    assert shown.reason_code == "text_not_delivered"
    assert "Check the number" in shown.reason
    assert "right number" in shown.tell_the_resident


def test_a_text_that_was_stopped_for_safety_asks_for_no_number() -> None:
    """Who must not be texted is not to be asked for a number to text."""
    shown = show(
        state="granted", message_state="cancelled", vouchers=["live"], by_worker=True
    )
    assert shown.reason_code == "text_stopped"
    assert "number" not in shown.reason + shown.tell_the_resident


@pytest.mark.parametrize("state", ["checking", "waiting", "withdrawn"])
def test_a_first_voucher_is_told_while_the_rest_is_open(state: str) -> None:
    """Somebody off supply holds a code already: they must not wait for a second."""
    reason = {"checking": "identity", "waiting": "no_money"}.get(state, "withdrawn")
    shown = show(state=state, reason=reason, vouchers=["live"])
    assert shown.tell_the_resident.startswith("You have a first voucher")
    plain = show(state=state, reason=reason)
    assert "first voucher" not in plain.tell_the_resident


def test_a_voucher_that_was_taken_back_was_not_left_unused() -> None:
    """The resident is not blamed for what a person of ours did."""
    voided = show(state="granted", vouchers=["voided"], message_state="delivered")
    assert "taken back" in voided.tell_the_resident
    ended = show(state="granted", vouchers=["released"], message_state="delivered")
    assert "not used in time" in ended.tell_the_resident


@pytest.mark.parametrize("reason", ["already_supported", "cap_awards", "cap_pence"])
def test_of_a_protected_resident_not_even_that_is_told(reason: str) -> None:
    """The answer is the same for each reason that would show a person is known."""
    shown = show(
        state="declined", reason=reason, next_on=date(2026, 12, 20), protected=True
    )
    assert (shown.reason_code, shown.next_on) == ("not_granted", None)
    assert "supported" not in shown.reason + shown.tell_the_resident
    assert "2026" not in shown.tell_the_resident


@given(st.integers(min_value=1, max_value=(1 << 62) - 1))
def test_a_voucher_reference_names_the_voucher_and_is_no_number(number: int) -> None:
    """Excel cannot round it, and it leads back to the voucher."""
    assert voucher_named(voucher_reference(number)) == number
    assert not voucher_reference(number).isdigit()


def test_what_is_no_reference_names_nothing() -> None:
    """A code or a slip finds no voucher."""
    assert voucher_named("6337123456789012") is None
    assert voucher_named("Vx") is None


@pytest.mark.parametrize("message_state", ["queued", "accepted", "delivered"])
def test_a_partner_is_told_that_an_award_is_only_part_of_the_usual(
    message_state: str,
) -> None:
    """The fund ran low, so the household got what was left: the file says so."""
    shown = show(
        state="granted",
        reason="granted_in_part",
        message_state=message_state,
        vouchers=["live"],
    )

    assert shown.reason_code == "granted_in_part"
    assert "part of the usual amount" in shown.reason
    assert shown.word in (Word.GRANTED, Word.SENT, Word.DELIVERED)
