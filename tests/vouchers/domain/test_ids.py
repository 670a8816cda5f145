"""Derived numbers can be taken apart again and never meet by accident."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vouchers.domain import ids

BATCHES = st.integers(1, 2**25 - 1)
ROWS = st.integers(1, ids.ROWS_MAX)
FEW = st.integers(0, 7)


@given(BATCHES, ROWS, FEW, FEW, st.sampled_from(ids.Purpose), FEW, st.integers(0, 15))
def test_every_number_leads_back_to_its_row(
    batch: int, row: int, n: int, v: int, purpose: ids.Purpose, g: int, a: int
) -> None:
    """Referral, award, voucher, message and attempt each know what they belong to."""
    referral = ids.referral_id(batch, row)
    award = ids.award_id(referral, n)
    message = ids.message_id(award, purpose, g)
    attempt = ids.attempt_id(message, a)

    assert (ids.batch_of(referral), ids.row_of(referral)) == (batch, row)
    assert ids.referral_of(award) == referral
    assert ids.award_of(ids.voucher_id(award, v)) == award
    assert ids.award_of_message(message) == award
    assert ids.message_of(attempt) == message
    assert attempt < 2**63
    assert ids.minted_code_id(ids.voucher_id(award, v)) < 2**63


@given(st.integers(1, 2**30), st.sampled_from(ids.Place))
def test_accounts_of_contributions_and_schemes_never_meet(
    number: int, place: ids.Place
) -> None:
    """A scheme's suspense is not some contribution's account."""
    assert ids.account_id(number, place) != ids.scheme_account_id(number, place)
