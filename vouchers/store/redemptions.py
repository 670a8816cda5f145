"""Networks' files and their lines, the vouchers they speak of, and discrepancies."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, case, func, insert, select, update

from vouchers.domain.ids import Place, award_of
from vouchers.domain.lifecycle import VoucherState
from vouchers.domain.redemption import Oddity, Voucher
from vouchers.store.bulk import chunks, insert_rows, update_by
from vouchers.store.listed import among
from vouchers.store.tables.awards import (
    award,
    discrepancy,
    feed_file,
    redemption,
    voucher,
)
from vouchers.store.tables.money import code, transfer
from vouchers.store.unit_of_work import UnitOfWork

#: Ids in one statement.
IDS_MAX = 2_000
#: States of a voucher whose award still counts against the household's cap.
COUNTING = frozenset(VoucherState) - {
    VoucherState.RELEASED,
    VoucherState.VOIDED,
    VoucherState.WRITTEN_OFF,
}


@dataclass(frozen=True, slots=True)
class StoredLine:
    """A staged line."""

    id: int
    network: str
    type: str
    voucher_id: int | None
    amount_pence: int
    balance_pence: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose money is on a voucher."""

    scheme_id: int
    contribution_id: int
    #: How many transfers speak of the voucher so far: makes the next one's key new.
    transfers: int


def open_file(
    conn: Connection, network: str, digest: bytes, actor: str, now: datetime
) -> tuple[int, bool]:
    """The number of a file, and whether it was known before."""
    known = conn.scalar(
        select(feed_file.c.id).where(feed_file.c.digest == digest).with_for_update()
    )
    if known is not None:
        return int(known), True
    made = conn.execute(
        insert(feed_file)
        .values(network=network, digest=digest, lines=0, actor=actor, imported_at=now)
        .returning(feed_file.c.id)
    ).scalar_one()
    return int(made), False


def close_file(
    conn: Connection, file_id: int, lines: int, covers: tuple[date, date] | None
) -> None:
    """Note how many lines a file has and which local days it speaks of."""
    first, last = covers or (None, None)
    conn.execute(
        update(feed_file)
        .where(feed_file.c.id == file_id)
        .values(lines=lines, covers_from=first, covers_to=last)
    )


def spans(conn: Connection, network: str) -> list[tuple[date, date]]:
    """The days that the network's files speak of."""
    rows = conn.execute(
        select(feed_file.c.covers_from, feed_file.c.covers_to).where(
            feed_file.c.network == network, feed_file.c.covers_to.is_not(None)
        )
    )
    return [(row.covers_from, row.covers_to) for row in rows]


def networks(conn: Connection) -> list[str]:
    """Networks that have sent a file."""
    return list(conn.scalars(select(feed_file.c.network).distinct()))


def known_lines(
    conn: Connection, network: str, transactions: Collection[str]
) -> dict[tuple[str, str], tuple[bytes, int]]:
    """Staged lines by (transaction, type): digest of the code, and pence."""
    rows = conn.execute(
        select(
            redemption.c.transaction_id,
            redemption.c.type,
            redemption.c.code_digest,
            redemption.c.amount_pence,
        ).where(
            redemption.c.network == network,
            among(conn, redemption.c.transaction_id, transactions),
        )
    )
    return {
        (row.transaction_id, row.type): (row.code_digest, row.amount_pence)
        for row in rows
    }


def vouchers_of(
    conn: Connection, network: str, digests: Collection[bytes]
) -> dict[bytes, int]:
    """Whose code it is, by digest; codes of other networks are not answered."""
    found: dict[bytes, int] = {}
    for part in chunks(digests, IDS_MAX):
        rows = conn.execute(
            select(code.c.digest, code.c.voucher_id).where(
                code.c.digest.in_(part),
                code.c.network == network,
                code.c.voucher_id.is_not(None),
            )
        )
        found |= {row.digest: row.voucher_id for row in rows}
    return found


def known_vouchers(conn: Connection, network: str, ids: Collection[int]) -> set[int]:
    """Which of these are vouchers of the network."""
    found: set[int] = set()
    for part in chunks(ids, IDS_MAX):
        found |= set(
            conn.scalars(
                select(voucher.c.id).where(
                    among(conn, voucher.c.id, part), voucher.c.network == network
                )
            )
        )
    return found


def stage(
    conn: Connection, file_id: int, lines: Sequence[Mapping[str, object]]
) -> list[int]:
    """Write new lines; gives the numbers of those that are to be applied."""
    if not lines:
        return []
    last = conn.scalar(select(func.coalesce(func.max(redemption.c.id), 0)))
    insert_rows(conn, redemption, lines, on_conflict="ignore")
    return list(
        conn.scalars(
            select(redemption.c.id)
            .where(
                redemption.c.id > last,
                redemption.c.feed_file_id == file_id,
                redemption.c.state == "new",
            )
            .order_by(redemption.c.id)
        )
    )


def new_lines(conn: Connection, ids: Collection[int]) -> list[StoredLine]:
    """Those of these lines that nobody has applied yet."""
    return _lines(conn, among(conn, redemption.c.id, ids))


def new_lines_of(conn: Connection, voucher_ids: Collection[int]) -> list[StoredLine]:
    """All lines of these vouchers that wait to be applied, from whichever file."""
    return _lines(conn, among(conn, redemption.c.voucher_id, voucher_ids))


def _lines(conn: Connection, wanted: ColumnElement[bool]) -> list[StoredLine]:
    rows = conn.execute(
        select(
            redemption.c.id,
            redemption.c.network,
            redemption.c.type,
            redemption.c.voucher_id,
            redemption.c.amount_pence,
            redemption.c.balance_pence,
            redemption.c.at,
        ).where(wanted, redemption.c.state == "new")
    )
    return [StoredLine(*row) for row in rows]


def lock(conn: Connection, ids: Collection[int]) -> dict[int, tuple[Voucher, Owner]]:
    """Lock vouchers and read them with the pence that their transfers put on them."""
    held: dict[int, tuple[Voucher, Owner]] = {}
    rows = conn.execute(
        select(voucher)
        .where(among(conn, voucher.c.id, ids))
        .order_by(voucher.c.id)
        .with_for_update()
    ).all()
    money = _money(conn, ids)
    for row in rows:
        issued, suspense, transfers = money.get(row.id, (0, 0, 0))
        held[row.id] = (
            Voucher(
                id=row.id,
                state=VoucherState(row.state),
                value=row.value_pence,
                redeemed=row.redeemed_pence,
                expires_on=row.expires_on,
                issued=issued,
                from_suspense=suspense,
            ),
            Owner(row.scheme_id, row.contribution_id, transfers),
        )
    return held


def _money(conn: Connection, ids: Collection[int]) -> dict[int, tuple[int, int, int]]:
    """Of each voucher: pence in `issued`, pence borne by suspense, transfers."""
    rows = conn.execute(
        select(
            transfer.c.voucher_id,
            _net(Place.ISSUED),
            _net(Place.SUSPENSE),
            func.count(),
        )
        .where(among(conn, transfer.c.voucher_id, ids))
        .group_by(transfer.c.voucher_id)
    )
    return {row[0]: (int(row[1]), -int(row[2]), row[3]) for row in rows}


def _net(place: Place) -> ColumnElement[int]:
    gained = case((transfer.c.credit_id % 16 == int(place), transfer.c.amount_pence))
    lost = case((transfer.c.debit_id % 16 == int(place), transfer.c.amount_pence))
    return func.coalesce(func.sum(gained), 0) - func.coalesce(func.sum(lost), 0)


def write_vouchers(conn: Connection, after: Iterable[Voucher], now: datetime) -> None:
    """Write the states that were decided; a moment is kept for ends and releases."""
    rows = list(after)
    for ended in (False, True):
        update_by(
            conn,
            voucher,
            [
                {
                    "id": one.id,
                    "state": one.state.value,
                    "redeemed_pence": one.redeemed,
                    **({"released_at": now} if ended else {}),
                }
                for one in rows
                if (one.state == VoucherState.RELEASED) == ended
            ],
        )


def mark_lines(conn: Connection, applied: Mapping[int, bool]) -> None:
    """Mark lines: applied, or, where it is false, a discrepancy."""
    rows = [
        {"id": id_, "state": "applied" if clean else "discrepancy"}
        for id_, clean in applied.items()
    ]
    update_by(conn, redemption, rows)


def open_discrepancy(
    key: str,
    kind: Oddity,
    now: datetime,
    *,
    pence: int = 0,
    scheme_id: int | None = None,
    voucher_id: int | None = None,
    redemption_id: int | None = None,
) -> dict[str, object]:
    """A difference that a person must settle; the key makes it one, however often."""
    return {
        "key": key,
        "scheme_id": scheme_id,
        "kind": kind.value,
        "voucher_id": voucher_id,
        "redemption_id": redemption_id,
        "amount_pence": pence,
        "state": "open",
        "owner": None,
        "settled": False,
        "opened_at": now,
    }


def write_discrepancies(conn: Connection, rows: Sequence[dict[str, object]]) -> None:
    """Keep discrepancies; those known already stay as they are."""
    insert_rows(conn, discrepancy, rows, on_conflict="ignore")


def end_released_codes(conn: Connection, voucher_ids: Collection[int]) -> None:
    """The stock units of those of these vouchers that are released are spent."""
    released = select(voucher.c.id).where(
        among(conn, voucher.c.id, voucher_ids),
        voucher.c.state == VoucherState.RELEASED,
    )
    conn.execute(
        update(code)
        .where(code.c.voucher_id.in_(released), code.c.state == "bound")
        .values(state="void")
    )


def settle_awards(uow: UnitOfWork, voucher_ids: Collection[int]) -> None:
    """End awards none of whose vouchers counts any more; revive those that do."""
    ids = sorted({award_of(id_) for id_ in voucher_ids})
    counting = func.sum(case((voucher.c.state.in_(COUNTING), 1), else_=0))
    rows = uow.conn.execute(
        select(award.c.id, award.c.state, counting.label("counting"))
        .join(voucher, voucher.c.award_id == award.c.id)
        .where(among(uow.conn, award.c.id, ids))
        .group_by(award.c.id, award.c.state)
    ).all()
    changed = []
    for row in rows:
        state = "granted" if row.counting else "ended"
        if state != row.state:
            changed.append({"id": row.id, "state": state})
            action = "ended" if state == "ended" else "revived"
            uow.record(f"award.{action}", row.id, state=state)
    update_by(uow.conn, award, changed)
