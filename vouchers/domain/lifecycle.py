"""The states of everything that lives, and the only legal moves between them.

One table per entity; a test compares the handbook's drawing with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from vouchers.errors import IllegalMove


class ReferralState(StrEnum):
    """Where a referral stands in the house."""

    RECEIVED = "received"  #: its row was understood
    CHECKING = "checking"  #: a person must say who this is
    MATCHED = "matched"  #: resident and household are known
    WAITING = "waiting"  #: entitled; money or stock is short
    GRANTED = "granted"  #: an award was made
    DECLINED = "declined"  #: no award, with a reason
    WITHDRAWN = "withdrawn"  #: the partner took it back
    HELD = "held"  #: our code failed on it; a person must look


class VoucherState(StrEnum):
    """Where a voucher's money is."""

    COMMITTED = "committed"  #: approved, no code yet
    LIVE = "live"  #: a code can be used
    PART_REDEEMED = "part_redeemed"  #: used in part
    REDEEMED = "redeemed"  #: used up
    AWAITING_NETWORK = "awaiting_network"  #: expired; the network's word is awaited
    RELEASED = "released"  #: its money went back to its contribution
    VOID_REQUESTED = "void_requested"  #: asked to be void; the network has not answered
    VOIDED = "voided"  #: void by the network's word
    REFUSED_USED = "refused_used"  #: not void: it had been used
    WRITTEN_OFF = "written_off"  #: lost, with a reason


class MessageState(StrEnum):
    """Where a message to a resident stands."""

    QUEUED = "queued"  #: to be handed to the provider
    SENDING = "sending"  #: an attempt is claimed
    UNKNOWN = "unknown"  #: the answer was lost; evidence is sought
    ACCEPTED = "accepted"  #: the provider has it
    SENT = "sent"  #: a carrier has it
    DELIVERED = "delivered"  #: the phone has it
    UNDELIVERED = "undelivered"  #: the carrier could not deliver it
    FAILED = "failed"  #: the provider refused it for good
    CANCELLED = "cancelled"  #: not to be sent any more
    HELD = "held"  #: a person must look


R, V, M = ReferralState, VoucherState, MessageState

REFERRAL_MOVES: Mapping[ReferralState, frozenset[ReferralState]] = {
    R.RECEIVED: frozenset({R.CHECKING, R.MATCHED, R.DECLINED, R.WITHDRAWN, R.HELD}),
    R.CHECKING: frozenset({R.MATCHED, R.DECLINED, R.WITHDRAWN, R.HELD}),
    R.MATCHED: frozenset(
        {R.WAITING, R.GRANTED, R.DECLINED, R.WITHDRAWN, R.HELD, R.CHECKING}
    ),
    # Back to checking: somebody took back the ruling on who this is.
    R.WAITING: frozenset({R.GRANTED, R.DECLINED, R.WITHDRAWN, R.HELD, R.CHECKING}),
    R.GRANTED: frozenset(),
    R.DECLINED: frozenset({R.CHECKING, R.MATCHED}),
    R.WITHDRAWN: frozenset(),
    R.HELD: frozenset({R.RECEIVED, R.MATCHED, R.WAITING, R.DECLINED, R.WITHDRAWN}),
}

VOUCHER_MOVES: Mapping[VoucherState, frozenset[VoucherState]] = {
    V.COMMITTED: frozenset({V.LIVE, V.RELEASED}),
    V.LIVE: frozenset(
        {V.PART_REDEEMED, V.REDEEMED, V.AWAITING_NETWORK, V.VOID_REQUESTED}
    ),
    V.PART_REDEEMED: frozenset({V.LIVE, V.REDEEMED, V.AWAITING_NETWORK}),
    V.REDEEMED: frozenset({V.LIVE, V.PART_REDEEMED, V.AWAITING_NETWORK}),
    V.AWAITING_NETWORK: frozenset({V.PART_REDEEMED, V.REDEEMED, V.RELEASED}),
    V.RELEASED: frozenset({V.REDEEMED}),
    V.VOID_REQUESTED: frozenset({V.VOIDED, V.REFUSED_USED}),
    V.VOIDED: frozenset({V.RELEASED, V.WRITTEN_OFF}),
    V.REFUSED_USED: frozenset({V.REDEEMED, V.PART_REDEEMED}),
    V.WRITTEN_OFF: frozenset(),
}

_LATER = frozenset({M.ACCEPTED, M.SENT, M.DELIVERED, M.UNDELIVERED, M.FAILED})
MESSAGE_MOVES: Mapping[MessageState, frozenset[MessageState]] = {
    # What the provider says of an earlier attempt is true in any state of ours.
    M.QUEUED: _LATER | {M.SENDING, M.CANCELLED, M.HELD},
    M.SENDING: _LATER | {M.UNKNOWN, M.QUEUED, M.HELD},
    M.UNKNOWN: _LATER | {M.QUEUED, M.HELD},
    M.ACCEPTED: frozenset({M.SENT, M.DELIVERED, M.UNDELIVERED, M.FAILED}),
    M.SENT: frozenset({M.DELIVERED, M.UNDELIVERED, M.FAILED}),
    M.DELIVERED: frozenset(),
    M.UNDELIVERED: frozenset({M.DELIVERED}),
    M.FAILED: frozenset({M.UNDELIVERED, M.DELIVERED}),
    M.CANCELLED: _LATER,
    M.HELD: _LATER | {M.QUEUED, M.CANCELLED},
}


def check_referral(old: ReferralState, new: ReferralState) -> None:
    """Raise IllegalMove unless a referral may go from `old` to `new`."""
    if new not in REFERRAL_MOVES[old]:
        raise IllegalMove(f"a referral cannot go from {old} to {new}")


def check_voucher(old: VoucherState, new: VoucherState) -> None:
    """Raise IllegalMove unless a voucher may go from `old` to `new`."""
    if new not in VOUCHER_MOVES[old]:
        raise IllegalMove(f"a voucher cannot go from {old} to {new}")


def check_message(old: MessageState, new: MessageState) -> None:
    """Raise IllegalMove unless a message may go from `old` to `new`."""
    if new not in MESSAGE_MOVES[old]:
        raise IllegalMove(f"a message cannot go from {old} to {new}")
