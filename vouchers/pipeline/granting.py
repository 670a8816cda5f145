"""Writes awards down: vouchers with codes, money, messages, evidence, all in bulk."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from config.queues import Lane
from schemas.row import SafeContact
from schemas.scheme import Network, Scheme, Supply
from vouchers.domain import codes
from vouchers.domain.allocation import Decision, Part
from vouchers.domain.calendar import local_date
from vouchers.domain.caps import Judgement
from vouchers.domain.ids import (
    Place,
    Purpose,
    award_id,
    minted_code_id,
    voucher_id,
)
from vouchers.domain.ledger import Kind, Transfer, move
from vouchers.domain.lifecycle import VoucherState
from vouchers.errors import CodeTaken
from vouchers.store import awards, ledger, messages, stock
from vouchers.store.awards import Candidate
from vouchers.store.bulk import insert_rows
from vouchers.store.jobs import JobSpec
from vouchers.store.sealing import Keyring
from vouchers.store.tables import awards as tables
from vouchers.store.tables.money import code
from vouchers.store.unit_of_work import UnitOfWork

#: Codes come from the issuer, after the money was set aside.
_ORDERED = frozenset({Supply.ORDER, Supply.ORDER_FILE})
#: Ways of contact for which a text is sent.
TEXTED = frozenset({SafeContact.SMS_OK, SafeContact.SMS_NEUTRAL})
#: A clash of two new codes is a matter of chance; three in a row are not.
_MINT_TRIES = 3


@dataclass(frozen=True, slots=True)
class Grant:
    """An award that was decided, with what it was judged on."""

    row: Candidate
    decision: Decision
    judgement: Judgement
    network: str
    #: Which award of its referral this is: 0, or 1 after a first voucher.
    n: int
    rules_version: int
    #: Place of its text among its partner's.
    turn: int = 0

    @property
    def award_id(self) -> int:
        """Number of the award."""
        return award_id(self.row.id, self.n)

    def vouchers(self) -> Iterable[tuple[int, Part]]:
        """Each voucher's number with what it is."""
        for number, part in enumerate(self.decision.parts):
            yield voucher_id(self.award_id, number), part


def write(
    uow: UnitOfWork, keys: Keyring, rules: Scheme, grants: Sequence[Grant]
) -> None:
    """Remember `grants`: awards, vouchers, codes, transfers, messages and evidence.

    The caller holds the locks of their households and contributions.
    """
    if not grants:
        return
    insert_rows(uow.conn, tables.award, [_award(uow, rules, one) for one in grants])
    bound = _bind_codes(uow, keys, rules, grants)
    vouchers = [
        _voucher(uow, one, number, part, bound.get(number))
        for one in grants
        for number, part in one.vouchers()
    ]
    insert_rows(uow.conn, tables.voucher, vouchers)
    by_grant = [(one, _transfers(uow, rules, one)) for one in grants]
    ledger.post(uow, [move for _, moves in by_grant for move in moves])
    awards.bump_households(uow.conn, {one.row.household_id or 0 for one in grants})
    for one, moves in by_grant:
        _record(uow, rules, one, moves)
    _tell(uow, rules, grants)
    _order(uow, rules, grants)


def is_ordered(network: Network) -> bool:
    """Whether this network's codes are ordered after the award was made."""
    return network.supply in _ORDERED


def _award(uow: UnitOfWork, rules: Scheme, one: Grant) -> dict[str, Any]:
    row = one.row
    return {
        "id": one.award_id,
        "referral_id": row.id,
        "partner_id": row.partner_id,
        "scheme_id": row.scheme_id,
        "cap_group": rules.scheme.cap_group,
        "pool_id": one.decision.parts[0].pool_id,
        "resident_id": row.resident_id,
        "household_id": row.household_id,
        "network": one.network,
        "state": "granted",
        "amount_pence": one.decision.pence,
        "full_pence": one.decision.full_pence,
        "granted_at": uow.now,
        "granted_on": local_date(uow.now, rules.zone),
        "judged": {
            "count": one.judgement.count,
            "pence": one.judgement.pence,
            "household_id": row.household_id,
            "rules_version": one.rules_version,
        },
    }


def _voucher(
    uow: UnitOfWork, one: Grant, number: int, part: Part, code_id: int | None
) -> dict[str, Any]:
    state = VoucherState.COMMITTED if code_id is None else VoucherState.LIVE
    return {
        "id": number,
        "award_id": one.award_id,
        "scheme_id": one.row.scheme_id,
        "contribution_id": part.source_id,
        "network": one.network,
        "number": number & 7,
        "value_pence": part.pence,
        "code_id": code_id,
        "state": state.value,
        "issued_at": uow.now,
        "expires_on": part.expires_on,
    }


def _bind_codes(
    uow: UnitOfWork, keys: Keyring, rules: Scheme, grants: Sequence[Grant]
) -> dict[int, int]:
    """Give each voucher its code: voucher -> code."""
    units: dict[int, int] = {}
    to_mint: list[tuple[int, str, int]] = []
    for one in grants:
        for number, part in one.vouchers():
            if part.unit_id is not None:
                units[part.unit_id] = number
            elif rules.networks[one.network].supply is Supply.MINT:
                to_mint.append((number, one.network, part.pence))
    if stock.bind(uow.conn, units) != len(units):
        raise CodeTaken("a stock unit went to somebody else under our lock")
    bound = {number: unit for unit, number in units.items()}
    return bound | _mint(uow, keys, rules, to_mint)


def _mint(
    uow: UnitOfWork,
    keys: Keyring,
    rules: Scheme,
    wanted: Sequence[tuple[int, str, int]],
) -> dict[int, int]:
    """Make new codes, unlike any seen before, for (voucher, network, value)."""
    if not wanted:
        return {}
    rows: list[dict[str, Any]] = []
    taken: set[bytes] = set()
    missing = list(wanted)
    for _ in range(_MINT_TRIES):
        drawn = [(one, *_draw(keys, rules.networks[one[1]])) for one in missing]
        known = stock.known_digests(uow.conn, [digest for _, _, digest in drawn])
        missing = []
        for one, plain, digest in drawn:
            if digest in known or digest in taken:
                missing.append(one)
                continue
            taken.add(digest)
            rows.append(_minted(keys, one, plain, digest))
        if not missing:
            break
    else:
        raise CodeTaken("a network's pattern leaves too few codes to draw from")
    insert_rows(uow.conn, code, rows)
    return {row["voucher_id"]: row["id"] for row in rows}


def _draw(keys: Keyring, network: Network) -> tuple[str, bytes]:
    plain = codes.mint(network, os.urandom(codes.CHANCE_BYTES))
    return plain, keys.code_digest(plain)


def _minted(
    keys: Keyring, wanted: tuple[int, str, int], plain: str, digest: bytes
) -> dict[str, Any]:
    number, network, value = wanted
    code_id = minted_code_id(number)
    return {
        "id": code_id,
        "digest": digest,
        "network": network,
        "value_pence": value,
        "state": "bound",
        "sealed": keys.seal("code.sealed", code_id, plain.encode()),
        "tail_key": keys.tail_key(plain),
        "voucher_id": number,
    }


def _transfers(uow: UnitOfWork, rules: Scheme, one: Grant) -> list[Transfer]:
    ordered = is_ordered(rules.networks[one.network])
    kind = Kind.COMMIT if ordered else Kind.ISSUE
    return [
        move(
            kind,
            key=f"{kind}:{number}",
            source=Place.AVAILABLE,
            target=Place.COMMITTED if ordered else Place.ISSUED,
            pence=part.pence,
            scheme_id=one.row.scheme_id,
            contribution_id=part.source_id,
            event_at=uow.now,
            voucher_id=number,
        )
        for number, part in one.vouchers()
    ]


def _record(
    uow: UnitOfWork, rules: Scheme, one: Grant, moves: Sequence[Transfer]
) -> None:
    ordered = is_ordered(rules.networks[one.network])
    uow.record(
        "award.granted",
        one.award_id,
        state="granted",
        referral=one.row.id,
        household=one.row.household_id,
        network=one.network,
        pence=one.decision.pence,
        full_pence=one.decision.full_pence,
        vouchers=[number for number, _ in one.vouchers()],
        voucher_state="committed" if ordered else "live",
        transfers=ledger.in_audit(moves),
        caps=[one.judgement.count, one.judgement.pence],
        rules_version=one.rules_version,
    )


def _tell(uow: UnitOfWork, rules: Scheme, grants: Sequence[Grant]) -> None:
    """Queue one text per award that holds its codes."""
    messages.queue(
        uow,
        [
            messages.NewMessage(
                award_id=one.award_id,
                purpose=Purpose.AWARD,
                generation=0,
                referral_id=one.row.id,
                scheme_id=one.row.scheme_id,
                template=messages.template_for(one.row.safe_contact, Purpose.AWARD),
                language=one.row.language,
                urgent=one.row.off_supply,
                batch_id=one.row.batch_id,
                need=one.row.need_rank,
                turn=one.turn,
            )
            for one in grants
            if not is_ordered(rules.networks[one.network])
        ],
    )


def _order(uow: UnitOfWork, rules: Scheme, grants: Sequence[Grant]) -> None:
    """Promise to get the codes that an issuer has to give."""
    for urgent in (True, False):
        wanted = [
            number
            for one in grants
            if is_ordered(rules.networks[one.network]) and one.row.off_supply is urgent
            for number, _ in one.vouchers()
        ]
        if wanted:
            uow.enqueue(
                JobSpec(
                    queue="obtain",
                    kind="obtain.chunk",
                    items=wanted,
                    lane=Lane.URGENT if urgent else Lane.BULK,
                )
            )
