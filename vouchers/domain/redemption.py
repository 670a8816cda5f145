"""What a line of a network's file does to a voucher and its money, and what is odd."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from schemas.feed import LineType
from vouchers.domain.ids import Place
from vouchers.domain.ledger import Kind
from vouchers.domain.lifecycle import VoucherState

_V, _P = VoucherState, Place
#: Types that use money, and types that take a use back.
USES = frozenset({LineType.REDEEM, LineType.PARTIAL})
RETURNS = frozenset({LineType.REVERSED, LineType.REFUNDED})
#: States in which the code has ended but its money is still on it.
_ENDED = frozenset({_V.AWAITING_NETWORK})
_RELEASED = frozenset({_V.RELEASED, _V.VOIDED, _V.WRITTEN_OFF})


class Oddity(StrEnum):
    """Why a line becomes a discrepancy."""

    UNKNOWN_CODE = "unknown_code"  #: no voucher of ours has this code
    UNREADABLE = "unreadable"  #: the line cannot be understood
    CONFLICTING = "conflicting"  #: the same transaction came before with other content
    NOT_ISSUED = "not_issued"  #: the voucher has no code yet
    OVER_VALUE = "over_value"  #: more was used than was left
    AFTER_EXPIRY = "after_expiry"  #: used after its last day
    AFTER_RELEASE = "after_release"  #: used after its money had gone back
    NOTHING_TO_RETURN = "nothing_to_return"  #: more was taken back than had been used
    EXPIRED_EARLY = "expired_early"  #: the network ended it before its last day
    CANCELLED_UNASKED = "cancelled_unasked"  #: the network made it void on its own
    BALANCE_DIFFERS = "balance_differs"  #: the network counts another rest
    MISSING_DAY = "missing_day"  #: a day that no file covers


@dataclass(frozen=True, slots=True)
class Voucher:
    """A voucher and where its pence are, as far as a line can change it."""

    id: int
    state: VoucherState
    value: int
    redeemed: int
    expires_on: date
    #: Pence still on the code, in its contribution's `issued`.
    issued: int
    #: Pence of late uses that the scheme's suspense account had to bear.
    from_suspense: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """What the network says happened, on which local day."""

    type: LineType
    pence: int
    on: date
    balance: int | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Pence from one place to another; the contribution's own, or the scheme's."""

    kind: Kind
    source: Place
    target: Place
    pence: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The voucher afterwards, the moves that lead there, and what was odd about it."""

    voucher: Voucher
    moves: tuple[Move, ...] = ()
    #: What was odd, and how many pence of it.
    oddities: tuple[tuple[Oddity, int], ...] = ()
    #: What is left of the contribution's available pence.
    available: int = 0


def apply(voucher: Voucher, line: Line, *, today: date, available: int) -> Outcome:
    """Decide what `line` does; `available` is what its contribution can still give."""
    if voucher.state == _V.COMMITTED:
        return Outcome(
            voucher, oddities=((Oddity.NOT_ISSUED, line.pence),), available=available
        )
    if line.type in USES:
        outcome = _use(voucher, line, available)
    elif line.type in RETURNS:
        outcome = _give_back(voucher, line, today, available)
    elif line.type == LineType.CANCELLED:
        outcome = _end(voucher, _cancel_oddities(voucher), available)
    else:
        early = voucher.issued > 0 and line.on <= voucher.expires_on
        early = early and voucher.state not in _ENDED
        odd = ((Oddity.EXPIRED_EARLY, voucher.issued),) if early else ()
        outcome = _end(voucher, odd, available)
    return _with_balance(outcome, line)


def release(voucher: Voucher) -> Outcome:
    """The money of an ended voucher goes back to its contribution."""
    return _end(voucher, (), 0)


def covered_until(spans: Iterable[tuple[date, date]]) -> date | None:
    """The last day up to which the files of a network leave no gap."""
    until: date | None = None
    for first, last in sorted(spans):
        if until is not None and first > until + timedelta(days=1):
            break
        until = last if until is None else max(until, last)
    return until


def missing_days(spans: Iterable[tuple[date, date]]) -> list[date]:
    """Days between the first and the last file that no file covers."""
    missing: list[date] = []
    until: date | None = None
    for first, last in sorted(spans):
        day = first if until is None else until + timedelta(days=1)
        while day < first:
            missing.append(day)
            day += timedelta(days=1)
        until = last if until is None else max(until, last)
    return missing


def _use(voucher: Voucher, line: Line, available: int) -> Outcome:
    left = voucher.value - voucher.redeemed
    used = min(line.pence, left)
    odd: list[tuple[Oddity, int]] = []
    if line.pence > left:
        odd.append((Oddity.OVER_VALUE, line.pence - left))
    on_code = min(used, voucher.issued)
    late = used - on_code
    from_available = min(late, available)
    from_suspense = late - from_available
    if voucher.state in _RELEASED:
        odd.append((Oddity.AFTER_RELEASE, used))
    elif line.on > voucher.expires_on:
        odd.append((Oddity.AFTER_EXPIRY, used))
    moves = _moves(
        Move(Kind.REDEEM, _P.ISSUED, _P.REDEEMED, on_code),
        Move(Kind.LATE, _P.AVAILABLE, _P.REDEEMED, from_available),
        Move(Kind.LATE, _P.SUSPENSE, _P.REDEEMED, from_suspense),
    )
    after = replace(
        voucher,
        redeemed=voucher.redeemed + used,
        issued=voucher.issued - on_code,
        from_suspense=voucher.from_suspense + from_suspense,
    )
    after = replace(after, state=_state_after_use(after))
    return Outcome(after, moves, tuple(odd), available - from_available)


def _state_after_use(voucher: Voucher) -> VoucherState:
    if voucher.redeemed == 0 or voucher.state in {_V.VOIDED, _V.WRITTEN_OFF}:
        return voucher.state
    if voucher.redeemed == voucher.value:
        return _V.REDEEMED
    if voucher.state in _ENDED | _RELEASED:
        return voucher.state
    return _V.PART_REDEEMED


def _give_back(voucher: Voucher, line: Line, today: date, available: int) -> Outcome:
    back = min(line.pence, voucher.redeemed)
    odd: tuple[tuple[Oddity, int], ...] = ()
    if line.pence > back or line.pence == 0:
        odd = ((Oddity.NOTHING_TO_RETURN, line.pence - back),)
    # Late uses are undone first, each to the place that bore it.
    to_suspense = min(back, voucher.from_suspense)
    released = voucher.state in _RELEASED
    to_available = back - to_suspense if released else 0
    to_code = back - to_suspense - to_available
    moves = _moves(
        Move(Kind.LATE, _P.REDEEMED, _P.SUSPENSE, to_suspense),
        Move(Kind.REVERSE, _P.REDEEMED, _P.AVAILABLE, to_available),
        Move(Kind.REVERSE, _P.REDEEMED, _P.ISSUED, to_code),
    )
    after = replace(
        voucher,
        redeemed=voucher.redeemed - back,
        issued=voucher.issued + to_code,
        from_suspense=voucher.from_suspense - to_suspense,
    )
    if back:
        after = replace(after, state=_state_after_return(after, today))
    return Outcome(after, moves, odd, available + to_available)


def _state_after_return(voucher: Voucher, today: date) -> VoucherState:
    if voucher.state in _RELEASED:
        return voucher.state
    if today > voucher.expires_on:
        return _V.AWAITING_NETWORK
    return _V.PART_REDEEMED if voucher.redeemed else _V.LIVE


def _cancel_oddities(voucher: Voucher) -> tuple[tuple[Oddity, int], ...]:
    asked = voucher.state in {_V.VOID_REQUESTED, _V.VOIDED, _V.AWAITING_NETWORK}
    if asked or not voucher.issued:
        return ()
    return ((Oddity.CANCELLED_UNASKED, voucher.issued),)


def _end(
    voucher: Voucher, odd: tuple[tuple[Oddity, int], ...], available: int
) -> Outcome:
    if not voucher.issued:
        return Outcome(voucher, oddities=odd, available=available)
    moves = _moves(Move(Kind.RELEASE, _P.ISSUED, _P.AVAILABLE, voucher.issued))
    after = replace(voucher, issued=0, state=_V.RELEASED)
    return Outcome(after, moves, odd, available + voucher.issued)


def _with_balance(outcome: Outcome, line: Line) -> Outcome:
    """A network that states a rest must state ours, as long as the code can be used."""
    usable = outcome.voucher.state in {_V.LIVE, _V.PART_REDEEMED, _V.REDEEMED}
    left = outcome.voucher.value - outcome.voucher.redeemed
    if line.balance is None or not usable or line.balance == left:
        return outcome
    odd = (Oddity.BALANCE_DIFFERS, abs(line.balance - left))
    return replace(outcome, oddities=(*outcome.oddities, odd))


def _moves(*moves: Move) -> tuple[Move, ...]:
    return tuple(move for move in moves if move.pence)
