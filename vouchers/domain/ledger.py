"""Money moves: a transfer takes pence from one place to another, on legal routes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vouchers.domain.ids import Place, account_id, scheme_account_id
from vouchers.errors import LedgerError, SameKeyOtherContent

#: Accounts that may stand below zero: outside the house, or of a whole scheme.
MAY_OWE = frozenset({Place.GIVEN, Place.SUSPENSE, Place.PREPAID})
#: Accounts that belong to a scheme, not to a contribution.
OF_SCHEME = frozenset({Place.SUSPENSE, Place.PREPAID})


class Kind(StrEnum):
    """Why money moves."""

    RECEIVE = "receive"  #: a funder's money arrives
    MATCH = "match"  #: a matching funder's part, on the running sum
    WITHDRAW = "withdraw"  #: a gift is taken back, from what is unspent
    COMMIT = "commit"  #: approved; waits for stock or a second person
    UNCOMMIT = "uncommit"  #: not needed after all
    ISSUE = "issue"  #: a code is bound
    REDEEM = "redeem"  #: used at a shop
    REVERSE = "reverse"  #: a redemption was reversed
    RELEASE = "release"  #: unused money goes back to its contribution
    COST = "cost"  #: a fee
    WRITE_OFF = "write_off"  #: lost, with a reason
    RETURN = "return"  #: paid back to the funder
    LATE = "late"  #: redeemed after its money had been released


P = Place
#: Kind -> the places it may lead from and to.
ROUTES: dict[Kind, frozenset[tuple[Place, Place]]] = {
    Kind.RECEIVE: frozenset({(P.GIVEN, P.AVAILABLE)}),
    Kind.MATCH: frozenset({(P.GIVEN, P.AVAILABLE), (P.AVAILABLE, P.GIVEN)}),
    Kind.WITHDRAW: frozenset({(P.AVAILABLE, P.GIVEN)}),
    Kind.COMMIT: frozenset({(P.AVAILABLE, P.COMMITTED)}),
    Kind.UNCOMMIT: frozenset({(P.COMMITTED, P.AVAILABLE)}),
    Kind.ISSUE: frozenset({(P.AVAILABLE, P.ISSUED), (P.COMMITTED, P.ISSUED)}),
    Kind.REDEEM: frozenset({(P.ISSUED, P.REDEEMED)}),
    Kind.REVERSE: frozenset({(P.REDEEMED, P.ISSUED), (P.REDEEMED, P.AVAILABLE)}),
    Kind.RELEASE: frozenset({(P.ISSUED, P.AVAILABLE)}),
    Kind.COST: frozenset({(P.AVAILABLE, P.COSTS)}),
    Kind.WRITE_OFF: frozenset(
        {(P.ISSUED, P.WRITTEN_OFF), (P.AVAILABLE, P.WRITTEN_OFF)}
    ),
    Kind.RETURN: frozenset({(P.AVAILABLE, P.RETURNED)}),
    Kind.LATE: frozenset(
        {
            (P.AVAILABLE, P.REDEEMED),
            (P.SUSPENSE, P.REDEEMED),
            (P.REDEEMED, P.SUSPENSE),
            (P.REDEEMED, P.AVAILABLE),
        }
    ),
}


@dataclass(frozen=True, slots=True)
class Transfer:
    """One immutable movement: the debited account loses, the credited one gains."""

    #: Derived from what caused it, so that the same cause twice is one movement.
    key: str
    kind: Kind
    debit: int
    credit: int
    pence: int
    scheme_id: int
    contribution_id: int | None
    event_at: datetime
    voucher_id: int | None = None
    #: Key of the transfer that this one takes back.
    reverses: str | None = None

    def content(self) -> tuple[str, int, int, int, int | None]:
        """What must be the same when a key is seen again."""
        return (self.kind, self.debit, self.credit, self.pence, self.voucher_id)


def move(
    kind: Kind,
    *,
    key: str,
    source: Place,
    target: Place,
    pence: int,
    scheme_id: int,
    contribution_id: int | None,
    event_at: datetime,
    voucher_id: int | None = None,
    reverses: str | None = None,
) -> Transfer:
    """A transfer between two places of a contribution; LedgerError off the routes.

    Without a contribution both are the scheme's own: a redemption that nobody's gift
    can bear goes from suspense to the scheme's redeemed, and each gift still adds up.
    """
    return check(
        Transfer(
            key=key,
            kind=kind,
            debit=_account(source, scheme_id, contribution_id),
            credit=_account(target, scheme_id, contribution_id),
            pence=pence,
            scheme_id=scheme_id,
            contribution_id=contribution_id,
            event_at=event_at,
            voucher_id=voucher_id,
            reverses=reverses,
        )
    )


def _account(place: Place, scheme_id: int, contribution_id: int | None) -> int:
    if contribution_id is None:
        return scheme_account_id(scheme_id, place)
    if place in OF_SCHEME:
        raise LedgerError("a gift's money does not mix with the scheme's own")
    return account_id(contribution_id, place)


def place_of(account: int) -> Place:
    """The place that an account's number speaks of."""
    return Place(account & 0xF)


def check(transfer: Transfer) -> Transfer:
    """The transfer itself, if its amount and its route are legal; else LedgerError."""
    if transfer.pence <= 0:
        raise LedgerError("a transfer moves more than nothing", key=transfer.key)
    route = (place_of(transfer.debit), place_of(transfer.credit))
    if route not in ROUTES[transfer.kind]:
        raise LedgerError(
            f"{transfer.kind} does not lead from {route[0].name.lower()} "
            f"to {route[1].name.lower()}",
            key=transfer.key,
        )
    return transfer


def net(transfers: Iterable[Transfer]) -> dict[int, int]:
    """What each account gains (or loses, below zero) by all of `transfers`."""
    sums: dict[int, int] = defaultdict(int)
    for transfer in transfers:
        sums[transfer.debit] -= transfer.pence
        sums[transfer.credit] += transfer.pence
    return dict(sums)


class Books:
    """Balances in memory under the same rules as the store: a model to test against."""

    def __init__(self) -> None:
        self.balances: dict[int, int] = defaultdict(int)
        self.posted: dict[str, Transfer] = {}

    def post(self, transfers: Iterable[Transfer]) -> None:
        """Book all of `transfers` or none; a known key with its content is no news."""
        fresh: dict[str, Transfer] = {}
        for transfer in transfers:
            known = self.posted.get(transfer.key) or fresh.get(transfer.key)
            if known is None:
                fresh[transfer.key] = check(transfer)
            elif known.content() != transfer.content():
                raise SameKeyOtherContent(key=transfer.key)
        gains = net(fresh.values())
        for account, gain in gains.items():
            after = self.balances[account] + gain
            if after < 0 and place_of(account) not in MAY_OWE:
                raise LedgerError("an account would fall below zero", account=account)
        for account, gain in gains.items():
            self.balances[account] += gain
        self.posted.update(fresh)

    def given(self, contribution_id: int) -> int:
        """What a contribution's funder has given so far."""
        return -self.balances[account_id(contribution_id, Place.GIVEN)]

    def placed(self, contribution_id: int) -> int:
        """The sum over the places inside the house: it always equals `given`."""
        return sum(
            self.balances[account_id(contribution_id, place)]
            for place in Place
            if place != Place.GIVEN and place not in OF_SCHEME
        )
