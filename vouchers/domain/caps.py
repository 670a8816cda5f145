"""How much one household may have: awards in a window, pence in a year, pauses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from schemas.scheme import Caps
from vouchers.domain.calendar import in_window, leaves_window
from vouchers.domain.lifecycle import VoucherState
from vouchers.domain.reasons import Reason

_V = VoucherState
#: A voucher in one of these keeps its award counting.
COUNTS = frozenset(
    {
        _V.COMMITTED,
        _V.LIVE,
        _V.PART_REDEEMED,
        _V.REDEEMED,
        _V.AWAITING_NETWORK,
        _V.VOID_REQUESTED,
        _V.REFUSED_USED,
        _V.WRITTEN_OFF,
    }
)
#: States in which nothing is left to be used.
_USED_UP = frozenset({_V.REDEEMED, _V.REFUSED_USED, _V.WRITTEN_OFF})


def counted_pence(state: VoucherState, value_pence: int, redeemed_pence: int) -> int:
    """How much of a voucher counts: all of it while it may be used, else what was."""
    return value_pence if state in COUNTS else redeemed_pence


@dataclass(frozen=True, slots=True)
class PastAward:
    """What a household had by one referral, as far as it counts."""

    referral_id: int
    granted_on: date
    pence: int
    #: No voucher of it can be used any more because all were.
    all_redeemed: bool
    partner_id: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a cap stands in the way, and what it was judged on."""

    refusal: Reason | None
    #: First date on which none of the caps would stand in the way.
    next_on: date | None
    count: int
    pence: int


def used_up(states: Iterable[VoucherState]) -> bool:
    """Whether every voucher among `states` was used, so that none is of use now."""
    return all(state in _USED_UP for state in states)


def judge(
    history: Sequence[PastAward],
    *,
    referral_id: int,
    full_pence: int,
    year_pence_max: int,
    off_supply: bool,
    today: date,
    caps: Caps,
) -> Judgement:
    """Hold one more award of `full_pence` against what the household already had.

    The referral's own earlier part (a first voucher before a ruling) is not another
    award. Inside the time between awards the referral joins the earlier one, unless the
    home is off supply again and everything sent was used.
    """
    others = [past for past in history if past.referral_id != referral_id]
    own = sum(past.pence for past in history if past.referral_id == referral_id)
    window = sorted(
        past.granted_on
        for past in others
        if in_window(past.granted_on, today=today, days=caps.awards_window_days)
    )
    year = sorted(
        (past.granted_on, past.pence)
        for past in others
        if in_window(past.granted_on, today=today, days=caps.year_days)
    )
    recent = [
        past
        for past in others
        if in_window(past.granted_on, today=today, days=caps.between_days)
    ]
    spent = sum(pence for _, pence in year) + own
    excused = off_supply and all(past.all_redeemed for past in recent)
    joins = bool(recent) and not excused
    by_count = len(window) >= caps.awards_max
    by_pence = spent - own + full_pence > year_pence_max
    refusal = (
        Reason.ALREADY_SUPPORTED
        if joins
        else Reason.CAP_AWARDS
        if by_count
        else Reason.CAP_PENCE
        if by_pence
        else None
    )
    free_from = [today]
    if joins:
        last = max(past.granted_on for past in recent)
        free_from.append(leaves_window(last, days=caps.between_days))
    if by_count:
        leaving = window[len(window) - caps.awards_max]
        free_from.append(leaves_window(leaving, days=caps.awards_window_days))
    if by_pence:
        freed = _freed_on(year, spent - own + full_pence - year_pence_max, caps)
        free_from += [freed] if freed else []
    return Judgement(
        refusal=refusal,
        next_on=max(free_from) if refusal else None,
        count=len(window),
        pence=spent,
    )


def _freed_on(
    year: Sequence[tuple[date, int]], too_much: int, caps: Caps
) -> date | None:
    """When enough of the year's pence has left the window; None if it never does."""
    for granted_on, pence in year:
        too_much -= pence
        if too_much <= 0:
            return leaves_window(granted_on, days=caps.year_days)
    return None
