"""Caps hold on every day, and say truly when they will hold no longer."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.scheme import Caps
from vouchers.domain.caps import Judgement, PastAward, counted_pence, judge, used_up
from vouchers.domain.lifecycle import VoucherState
from vouchers.domain.reasons import Reason

TODAY = date(2026, 12, 7)
CAPS = Caps()
FULL = 9_800
YEAR = 6 * FULL

pasts = st.lists(
    st.builds(
        PastAward,
        referral_id=st.integers(2, 10**6),
        granted_on=st.integers(0, 400).map(lambda n: TODAY - timedelta(days=n)),
        pence=st.sampled_from([2_800, 4_900, 9_800]),
        all_redeemed=st.booleans(),
        partner_id=st.integers(1, 3),
    ),
    max_size=9,
    unique_by=lambda past: past.referral_id,
)


def ask(
    history: list[PastAward], today: date = TODAY, *, off_supply: bool = False
) -> Judgement:
    """Judge a full award for referral 1."""
    return judge(
        history,
        referral_id=1,
        full_pence=FULL,
        year_pence_max=YEAR,
        off_supply=off_supply,
        today=today,
        caps=CAPS,
    )


@given(pasts, st.booleans())
def test_no_award_passes_a_cap(history: list[PastAward], off_supply: bool) -> None:
    """Whoever is allowed has fewer than three awards and room for the pence."""
    told = ask(history, off_supply=off_supply)
    if told.refusal is None:
        window = [p for p in history if (TODAY - p.granted_on).days < 183]
        year = [p for p in history if (TODAY - p.granted_on).days < 365]
        assert len(window) < 3
        assert sum(p.pence for p in year) + FULL <= YEAR
        recent = [p for p in history if (TODAY - p.granted_on).days < 14]
        assert not recent or (off_supply and all(p.all_redeemed for p in recent))


@given(pasts)
def test_the_next_date_is_the_first_on_which_nothing_stands_in_the_way(
    history: list[PastAward],
) -> None:
    """On that date the answer is yes; the day before it is still no."""
    told = ask(history)
    if told.next_on is None:
        return
    next_on = told.next_on
    assert ask(history, next_on).refusal is None
    assert ask(history, next_on - timedelta(days=1)).refusal


@given(pasts)
def test_the_referrals_own_first_voucher_is_not_another_award(
    history: list[PastAward],
) -> None:
    """A top-up after a ruling is judged as if its first part were not there."""
    own = PastAward(1, TODAY, 4_900, False, 1)
    with_own, without = ask([*history, own]), ask(history)
    assert with_own.refusal == without.refusal


def test_inside_two_weeks_a_referral_joins_the_earlier_award() -> None:
    """It learns the date on which the household could be supported again."""
    past = PastAward(2, TODAY - timedelta(days=3), FULL, False, 1)
    told = ask([past], off_supply=True)
    assert told.refusal is Reason.ALREADY_SUPPORTED
    assert told.next_on == TODAY + timedelta(days=11)


def test_off_supply_again_with_everything_used_is_a_new_need() -> None:
    """The two weeks are waived, the other caps are not."""
    past = PastAward(2, TODAY - timedelta(days=3), FULL, True, 1)
    assert ask([past], off_supply=True).refusal is None
    assert ask([past]).refusal is Reason.ALREADY_SUPPORTED
    many = [
        PastAward(n, TODAY - timedelta(days=20 * n), FULL, True, 1) for n in (2, 3, 4)
    ]
    told = ask(many, off_supply=True)
    assert told.refusal is Reason.CAP_AWARDS


def test_what_was_released_counts_only_as_far_as_it_was_used() -> None:
    """A voucher counts whole while it may be used, then only what was used."""
    assert counted_pence(VoucherState.LIVE, 4_900, 0) == 4_900
    assert counted_pence(VoucherState.AWAITING_NETWORK, 4_900, 0) == 4_900
    assert counted_pence(VoucherState.RELEASED, 4_900, 1_000) == 1_000
    assert counted_pence(VoucherState.VOIDED, 4_900, 0) == 0
    assert used_up([VoucherState.REDEEMED]) and not used_up([VoucherState.LIVE])
