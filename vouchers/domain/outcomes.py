"""Decides what a partner reads of a row: a word, a reason, what to tell the resident.

Nothing here speaks of another partner. Of a protected resident not even "already
supported" is said, since that alone would show that the person is known somewhere.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from vouchers.domain.lifecycle import MessageState, ReferralState, VoucherState
from vouchers.domain.reasons import SENTENCES, Reason


class Word(StrEnum):
    """Where a row stands, in the partner's words."""

    TO_CORRECT = "to_correct"  #: the partner has to mend the row
    RECEIVED = "received"  #: understood; nothing is decided yet
    CHECKING = "checking"  #: a person of ours looks at it
    WAITING = "waiting"  #: entitled; money or stock is short
    GRANTED = "granted"  #: there is a voucher
    SENT = "sent"  #: its text is on the way
    DELIVERED = "delivered"  #: the phone has it
    NOT_DELIVERED = "not_delivered"  #: the phone does not have it
    USED = "used"  #: the money is on the meter
    EXPIRED = "expired"  #: it can no longer be used
    NOT_GRANTED = "not_granted"  #: no voucher, with a reason


#: Words that ask the partner to do something, the most pressing first.
TO_DO = (Word.TO_CORRECT, Word.NOT_DELIVERED)

_BEFORE = {
    ReferralState.RECEIVED: Word.RECEIVED,
    ReferralState.MATCHED: Word.RECEIVED,
    ReferralState.CHECKING: Word.CHECKING,
    ReferralState.HELD: Word.CHECKING,
    ReferralState.WAITING: Word.WAITING,
    ReferralState.DECLINED: Word.NOT_GRANTED,
    ReferralState.WITHDRAWN: Word.NOT_GRANTED,
}
_BY_MESSAGE = {
    MessageState.ACCEPTED: Word.SENT,
    MessageState.SENT: Word.SENT,
    MessageState.DELIVERED: Word.DELIVERED,
    MessageState.UNDELIVERED: Word.NOT_DELIVERED,
    MessageState.FAILED: Word.NOT_DELIVERED,
    MessageState.CANCELLED: Word.NOT_DELIVERED,
    MessageState.HELD: Word.NOT_DELIVERED,
}
#: Words of a row whose voucher is on its way, there or used.
_GIVEN = frozenset({Word.GRANTED, Word.SENT, Word.DELIVERED, Word.USED})
_LIVE = frozenset(
    {VoucherState.COMMITTED, VoucherState.LIVE, VoucherState.VOID_REQUESTED}
)
#: Ended by a person, not by the calendar.
_ENDED_BY_HAND = frozenset({VoucherState.VOIDED, VoucherState.WRITTEN_OFF})
_USED = frozenset(
    {VoucherState.REDEEMED, VoucherState.PART_REDEEMED, VoucherState.REFUSED_USED}
)


def word(
    *,
    state: str,
    reason: str | None = None,  # noqa: ARG001  (the word does not hang on it yet)
    message_state: str | None = None,
    vouchers: Collection[str] = (),
    file_stopped: bool = False,
) -> Word:
    """The word for a referral, by the states of its award's text and vouchers.

    `file_stopped` says that its file waits for a person.
    """
    before = _BEFORE.get(ReferralState(state))
    if before is not None:
        return Word.CHECKING if file_stopped and before is Word.RECEIVED else before
    held = {VoucherState(each) for each in vouchers}
    if held and not held & _LIVE:
        return Word.USED if held & _USED else Word.EXPIRED
    if message_state is None:
        return Word.GRANTED
    return _BY_MESSAGE.get(MessageState(message_state), Word.GRANTED)


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands beside a row in the partner's file."""

    word: Word
    reason_code: str = ""
    reason: str = ""
    tell_the_resident: str = ""
    next_on: date | None = None


_TELL: dict[Word, str] = {
    Word.TO_CORRECT: "",
    Word.RECEIVED: "Your request was sent in.",
    Word.CHECKING: "Your request is being looked at by a person.",
    Word.WAITING: "Your request has a place in the queue; a voucher comes as soon as"
    " there is money for it.",
    Word.GRANTED: "You have a voucher. The code comes in a text message.",
    Word.SENT: "A text message with the voucher code is on its way.",
    Word.DELIVERED: "The voucher code is in your text messages. The text says which"
    " shop to go to, and what to bring.",
    Word.NOT_DELIVERED: "The text could not be delivered. Is this the right number?",
    Word.USED: "The voucher was used.",
    Word.EXPIRED: "The voucher was not used in time and can no longer be used.",
    Word.NOT_GRANTED: "We could not get you a voucher this time.",
}
_NOT_ARRIVED = (
    "The text was not delivered. Check the number with the resident, and tell us"
    " the right one."
)
_NO_MORE_TEXTS = "We text this resident no more, as you asked. Tell us what is safe."
_BY_WORKER = "You have a voucher. I will give you the code."
#: Somebody off supply gets one voucher before the doubts about them are settled.
_FIRST = "You have a first voucher: use the code in your text messages."
_STOPPED = "You have a voucher. I will find out how it can reach you safely."
_TAKEN_BACK = "The voucher was taken back and can no longer be used."
_GRANTED_BEFORE = "If a text with a voucher code has come, use that one."
_NOT_TOLD = "We cannot grant this request. The fund's office can tell you more."
#: Reasons that show that a person or a household is known already.
_TELLING = frozenset({Reason.ALREADY_SUPPORTED, Reason.CAP_AWARDS, Reason.CAP_PENCE})
_TELL_REASON: dict[Reason, str] = {
    Reason.ALREADY_RECEIVED: f"Your request was sent in before. {_GRANTED_BEFORE}",
    Reason.TOO_LATE_TO_CORRECT: f"Your request was granted before. {_GRANTED_BEFORE}",
    Reason.TOO_LATE_TO_WITHDRAW: f"Your request was granted before. {_GRANTED_BEFORE}",
    # These speak of the file, not of the resident: there is nothing to pass on.
    Reason.CORRECTED: "",
    Reason.NOTHING_TO_CORRECT: "",
    Reason.NOTHING_TO_WITHDRAW: "",
    Reason.WITHDRAWN: "Your request was withdrawn.",
    Reason.FILE_REJECTED: "Your request has not gone on yet. I am asking why.",
    Reason.ALREADY_SUPPORTED: "Your household already has support from the fund.",
}


def show(
    *,
    state: str,
    reason: str | None = None,
    message_state: str | None = None,
    vouchers: Collection[str] = (),
    protected: bool = False,
    by_worker: bool = False,
    next_on: date | None = None,
    file_stopped: bool = False,
) -> Shown:
    """All that a partner reads of a referral.

    `by_worker` says that the code goes through the worker, not to the phone;
    `file_stopped` that the file waits for a person.
    """
    found = word(
        state=state,
        reason=reason,
        message_state=message_state,
        vouchers=vouchers,
        file_stopped=file_stopped,
    )
    if found is Word.CHECKING and _BEFORE[ReferralState(state)] is Word.RECEIVED:
        reason = Reason.FILE_CHECKED
    tell = _TELL[found]
    if found is Word.GRANTED and by_worker:
        tell = _BY_WORKER
    if found is Word.NOT_DELIVERED:
        return _undelivered(tell, stopped=by_worker)
    if found is Word.EXPIRED and _ENDED_BY_HAND.issuperset(vouchers):
        tell = _TAKEN_BACK
    code = _reason(reason)
    if code is Reason.GRANTED_IN_PART and found in _GIVEN:
        return Shown(found, code.value, SENTENCES[code], tell)
    if code is None or found not in (Word.NOT_GRANTED, Word.WAITING, Word.CHECKING):
        return Shown(found, tell_the_resident=tell)
    if protected and code in _TELLING:
        return Shown(found, "not_granted", _NOT_TOLD, _TELL[Word.NOT_GRANTED])
    tell = _TELL_REASON.get(code, tell)
    if VoucherState.LIVE in vouchers:
        tell = f"{_FIRST} {tell}"
    if next_on is not None and code in _TELLING:
        tell = f"{tell} You can ask again from {next_on:%d/%m/%Y}."
    return Shown(
        found,
        code.value,
        SENTENCES.get(code, ""),
        tell.strip(),
        next_on if found in (Word.NOT_GRANTED, Word.WAITING) else None,
    )


def _undelivered(tell: str, *, stopped: bool) -> Shown:
    """A text that did not arrive, or that may not be sent any more."""
    if stopped:
        return Shown(Word.NOT_DELIVERED, "text_stopped", _NO_MORE_TEXTS, _STOPPED)
    return Shown(Word.NOT_DELIVERED, "text_not_delivered", _NOT_ARRIVED, tell)


def _reason(text: str | None) -> Reason | None:
    try:
        return Reason(text) if text else None
    except ValueError:
        return None


def voucher_reference(voucher: int) -> str:
    """A voucher's name in files: it is no code, and Excel cannot round it."""
    return f"V{voucher:X}"


def voucher_named(reference: str) -> int | None:
    """The number of the voucher with this reference, or None when it is none."""
    text = reference.strip().upper()
    try:
        return int(text[1:], 16) if text.startswith("V") else None
    except ValueError:
        return None
