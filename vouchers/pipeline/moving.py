"""Decided moves of a voucher's pence as transfers between numbered accounts."""

from __future__ import annotations

from datetime import datetime

from vouchers.domain.ids import Place, account_id, scheme_account_id
from vouchers.domain.ledger import Transfer, check
from vouchers.domain.redemption import Move, Outcome
from vouchers.store.redemptions import Owner


def transfers_for(
    cause: str, outcome: Outcome, owner: Owner, *, event_at: datetime
) -> list[Transfer]:
    """The transfers of an outcome; their keys derive from what caused it."""
    return [
        check(_transfer(f"{cause}:{n}", move, owner, outcome.voucher.id, event_at))
        for n, move in enumerate(outcome.moves)
    ]


def _transfer(
    key: str, move: Move, owner: Owner, voucher_id: int, event_at: datetime
) -> Transfer:
    # What suspense bears counts as redeemed of the scheme: no contribution has paid it,
    # so no contribution's own sum may change.
    of_scheme = Place.SUSPENSE in (move.source, move.target)

    def account(place: Place) -> int:
        if of_scheme:
            return scheme_account_id(owner.scheme_id, place)
        return account_id(owner.contribution_id, place)

    return Transfer(
        key=key,
        kind=move.kind,
        debit=account(move.source),
        credit=account(move.target),
        pence=move.pence,
        scheme_id=owner.scheme_id,
        contribution_id=None if of_scheme else owner.contribution_id,
        event_at=event_at,
        voucher_id=voucher_id,
    )
