"""Decides what a row means when its reference was used before by the same partner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from schemas.row import Action, ResidentRow
from vouchers.domain.lifecycle import ReferralState
from vouchers.domain.reasons import Reason

#: A referral in one of these may still become an award.
OPEN = frozenset(
    {
        ReferralState.RECEIVED,
        ReferralState.CHECKING,
        ReferralState.MATCHED,
        ReferralState.WAITING,
        ReferralState.HELD,
    }
)


@dataclass(frozen=True, slots=True)
class Earlier:
    """A request that this partner made before under the same reference."""

    id: int
    state: ReferralState
    received_on: date
    #: Every voucher granted for it was used up.
    used_up: bool = False


@dataclass(frozen=True, slots=True)
class Ruling:
    """What becomes of a row; `first` is the earlier request that it touches."""

    state: ReferralState
    reason: Reason | None = None
    first: int | None = None
    #: The earlier request is taken back, for this reason.
    ends_first: Reason | None = None


NEW = Ruling(ReferralState.RECEIVED)


def rule_add(
    earlier: Sequence[tuple[Earlier, bool]],
    *,
    off_supply: bool,
    today: date,
    days: int,
) -> Ruling:
    """An added row against earlier requests for the same person, the newest first.

    Each comes with whether it says the very same. What is open is joined, or corrected
    by a row that says something else; what was granted inside `days` is joined too,
    unless the home is off supply again with every voucher used; after any other end a
    row is a new request.
    """
    for request, same_content in earlier:
        if request.state in OPEN:
            if same_content:
                return _declined(Reason.ALREADY_RECEIVED, request)
            return _corrects(request)
        if request.state is ReferralState.GRANTED:
            recent = (today - request.received_on).days < days
            again = off_supply and request.used_up
            if recent and not again:
                return _declined(Reason.ALREADY_RECEIVED, request)
            return NEW
    return NEW


def rule_change(action: Action, earlier: Sequence[Earlier]) -> Ruling:
    """A row that corrects or withdraws: it needs an open request to act on."""
    withdraws = action is Action.WITHDRAW
    found = next((request for request in earlier if request.state in OPEN), None)
    if found is not None:
        if not withdraws:
            return _corrects(found)
        return Ruling(
            ReferralState.WITHDRAWN,
            Reason.WITHDRAWN,
            found.id,
            ends_first=Reason.WITHDRAWN,
        )
    granted = next(
        (request for request in earlier if request.state is ReferralState.GRANTED), None
    )
    if granted is not None:
        return _declined(
            Reason.TOO_LATE_TO_WITHDRAW if withdraws else Reason.TOO_LATE_TO_CORRECT,
            granted,
        )
    return _declined(
        Reason.NOTHING_TO_WITHDRAW if withdraws else Reason.NOTHING_TO_CORRECT, None
    )


def same_person(a: ResidentRow, b: ResidentRow) -> bool:
    """Whether two rows under one reference speak of one person.

    Two of given name, family name and birth date are enough: a correction often mends
    one of them, while two members of a household share at most the family name.
    """
    agree = (
        _folded(a.given_name) == _folded(b.given_name),
        _folded(a.family_name) == _folded(b.family_name),
        a.date_of_birth == b.date_of_birth,
    )
    return sum(agree) >= 2


def _folded(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def _declined(reason: Reason, request: Earlier | None) -> Ruling:
    return Ruling(ReferralState.DECLINED, reason, request.id if request else None)


def _corrects(request: Earlier) -> Ruling:
    return Ruling(ReferralState.RECEIVED, first=request.id, ends_first=Reason.CORRECTED)
