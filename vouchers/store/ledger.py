"""Remembers money: immutable transfers and the balances they add up to, in one go."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Connection, select

from vouchers.domain.ids import Place, account_id, scheme_account_id
from vouchers.domain.ledger import MAY_OWE, OF_SCHEME, Transfer, check, net, place_of
from vouchers.errors import LedgerError, SameKeyOtherContent
from vouchers.store.bulk import insert_rows, update_by
from vouchers.store.listed import among
from vouchers.store.tables.money import account, transfer
from vouchers.store.unit_of_work import UnitOfWork

#: A contribution's own places.
PLACES = tuple(place for place in Place if place not in OF_SCHEME)


def open_accounts(conn: Connection, *, scheme_id: int, contribution_id: int) -> None:
    """Make a contribution's accounts: a missing row would lock nothing."""
    insert_rows(
        conn,
        account,
        [
            {
                "id": account_id(contribution_id, place),
                "scheme_id": scheme_id,
                "contribution_id": contribution_id,
                "place": int(place),
            }
            for place in PLACES
        ],
        on_conflict="ignore",
    )


def open_scheme_accounts(conn: Connection, scheme_id: int) -> None:
    """Make the accounts that belong to a scheme as a whole."""
    insert_rows(
        conn,
        account,
        [
            {
                "id": scheme_account_id(scheme_id, place),
                "scheme_id": scheme_id,
                "contribution_id": None,
                "place": int(place),
            }
            for place in (*sorted(OF_SCHEME), Place.REDEEMED)
        ],
        on_conflict="ignore",
    )


def post(uow: UnitOfWork, transfers: Sequence[Transfer]) -> list[Transfer]:
    """Book `transfers` with their balances; give those that are new.

    A key seen before with the same content is no news; with other content it raises
    SameKeyOtherContent. LedgerError when an account that may not owe would.
    Accounts are locked in the order of their numbers, after households and gifts.
    """
    fresh = _unknown(uow.conn, transfers)
    gains = {acc: gain for acc, gain in net(fresh).items() if gain}
    touched = {number for one in fresh for number in (one.debit, one.credit)}
    held = _lock(uow.conn, touched, fresh)
    rows = []
    for number, gain in sorted(gains.items()):
        balance, version = held[number]
        if balance + gain < 0 and place_of(number) not in MAY_OWE:
            raise LedgerError("an account would fall below zero", account=number)
        rows.append(
            {"id": number, "balance_pence": balance + gain, "version": version + 1}
        )
    update_by(uow.conn, account, rows)
    insert_rows(uow.conn, transfer, [_row(one, uow) for one in fresh])
    return fresh


def is_posted(conn: Connection, key: str) -> bool:
    """Whether a transfer with this key is booked."""
    return conn.scalar(select(transfer.c.id).where(transfer.c.key == key)) is not None


def in_audit(transfers: Iterable[Transfer]) -> list[list[int | str]]:
    """Transfers as an audit event holds them, enough to replay the books."""
    return [[one.key, one.debit, one.credit, one.pence] for one in transfers]


def balances(conn: Connection, accounts: Collection[int]) -> dict[int, int]:
    """What stands on each account."""
    rows = conn.execute(
        select(account.c.id, account.c.balance_pence).where(
            among(conn, account.c.id, accounts)
        )
    )
    return {row.id: row.balance_pence for row in rows}


def of_contribution(conn: Connection, contribution_id: int) -> dict[Place, int]:
    """Where a contribution's pence are; `given` as a positive sum."""
    rows = conn.execute(
        select(account.c.place, account.c.balance_pence).where(
            account.c.contribution_id == contribution_id
        )
    )
    found = {Place(row.place): int(row.balance_pence) for row in rows}
    return {
        place: -found.get(place, 0) if place is Place.GIVEN else found.get(place, 0)
        for place in PLACES
    }


def _unknown(conn: Connection, transfers: Sequence[Transfer]) -> list[Transfer]:
    by_key: dict[str, Transfer] = {}
    for one in transfers:
        twin = by_key.setdefault(check(one).key, one)
        if twin.content() != one.content():
            raise SameKeyOtherContent(key=one.key)
    if not by_key:
        return []
    known = conn.execute(
        select(
            transfer.c.key,
            transfer.c.kind,
            transfer.c.debit_id,
            transfer.c.credit_id,
            transfer.c.amount_pence,
            transfer.c.voucher_id,
        ).where(among(conn, transfer.c.key, by_key.keys()))
    ).all()
    for row in known:
        if tuple(row[1:]) != by_key.pop(row.key).content():
            raise SameKeyOtherContent(key=row.key)
    return list(by_key.values())


def _lock(
    conn: Connection, accounts: Collection[int], transfers: Iterable[Transfer]
) -> dict[int, tuple[int, int]]:
    if not accounts:
        return {}
    statement = (
        select(account.c.id, account.c.balance_pence, account.c.version)
        .where(among(conn, account.c.id, sorted(accounts)))
        .order_by(account.c.id)
        .with_for_update()
    )
    held = {row.id: (row.balance_pence, row.version) for row in conn.execute(statement)}
    if len(held) < len(accounts):
        for scheme_id, gift in {(t.scheme_id, t.contribution_id) for t in transfers}:
            if gift is None:
                open_scheme_accounts(conn, scheme_id)
            else:
                open_accounts(conn, scheme_id=scheme_id, contribution_id=gift)
        held = {
            row.id: (row.balance_pence, row.version) for row in conn.execute(statement)
        }
    return held


def _row(one: Transfer, uow: UnitOfWork) -> dict[str, object]:
    return {
        "key": one.key,
        "kind": str(one.kind),
        "debit_id": one.debit,
        "credit_id": one.credit,
        "amount_pence": one.pence,
        "scheme_id": one.scheme_id,
        "contribution_id": one.contribution_id,
        "voucher_id": one.voucher_id,
        "reverses": one.reverses,
        "actor": uow.actor,
        "event_at": one.event_at,
        "recorded_at": uow.now,
    }
