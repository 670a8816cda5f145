"""Numbers of things, derived from what they belong to: a step run twice meets itself.

A referral's number holds its batch and its row as Excel counts it; an award's number
holds its referral, a voucher's its award, and so on. Each fits a signed 64-bit integer.
"""

from __future__ import annotations

from enum import IntEnum

ROW_BITS = 21
#: The most rows one file may hold: a row number has 21 bits.
ROWS_MAX = (1 << ROW_BITS) - 1


class Purpose(IntEnum):
    """Why a resident is written to; part of a message's number."""

    AWARD = 0  #: the first message with the codes
    REMINDER = 1  #: names the codes that are still unused
    REISSUE = 2  #: a new code in place of an old one
    EXPIRY = 3  #: the last reminder before a code ends
    NEUTRAL = 4  #: a wording that gives nothing away


class Place(IntEnum):
    """Where a contribution's pence can be; part of an account's number."""

    GIVEN = 0  #: outside the house: what the funder gave, kept as a negative balance
    AVAILABLE = 1  #: free to be granted
    COMMITTED = 2  #: approved, waiting for a second person or for stock
    ISSUED = 3  #: on live codes
    REDEEMED = 4  #: used at a shop
    COSTS = 5  #: fees, postage, fraud cover
    WRITTEN_OFF = 6  #: lost, with a reason
    RETURNED = 7  #: paid back to the funder
    SUSPENSE = 8  #: of a scheme: redemptions that no contribution can bear
    PREPAID = 9  #: of a scheme: floats that lie with an issuer


def referral_id(batch_id: int, row_no: int) -> int:
    """Number of the referral or row error in row `row_no` (as Excel counts)."""
    if not 0 < row_no <= ROWS_MAX:
        raise ValueError("row number out of range")
    return batch_id << ROW_BITS | row_no


def batch_of(referral: int) -> int:
    """Number of the batch that a referral came in."""
    return referral >> ROW_BITS


def row_of(referral: int) -> int:
    """Row of a referral as Excel counts it (the header is row 1)."""
    return referral & ROWS_MAX


def award_id(referral: int, n: int = 0) -> int:
    """Number of the nth award (0 to 7) of a referral."""
    return referral << 3 | n


def referral_of(award: int) -> int:
    """Number of the referral that an award belongs to."""
    return award >> 3


def voucher_id(award: int, n: int) -> int:
    """Number of the nth voucher (0 to 7) of an award."""
    return award << 3 | n


def award_of(voucher: int) -> int:
    """Number of the award that a voucher belongs to."""
    return voucher >> 3


def message_id(award: int, purpose: Purpose, generation: int = 0) -> int:
    """Number of the one message for an award, a purpose and a generation (0 to 7)."""
    return award << 6 | purpose << 3 | generation


def award_of_message(message: int) -> int:
    """Number of the award that a message speaks of."""
    return message >> 6


def attempt_id(message: int, n: int) -> int:
    """Number of the nth try (0 to 15) to hand a message to a provider."""
    return message << 4 | n


def message_of(attempt: int) -> int:
    """Number of the message that an attempt tried to send."""
    return attempt >> 4


def account_id(contribution: int, place: Place) -> int:
    """Number of a contribution's account at one place."""
    return contribution << 4 | place


def scheme_account_id(scheme: int, place: Place) -> int:
    """Number of a scheme-wide account: suspense or prepaid."""
    return (1 << 40 | scheme) << 4 | place


def minted_code_id(voucher: int) -> int:
    """Number of a code that we made ourselves for a voucher."""
    return 1 << 61 | voucher


def stock_code_id(stock_batch: int, n: int) -> int:
    """Number of the nth code of an imported stock batch."""
    return stock_batch << 24 | n
