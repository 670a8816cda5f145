"""Reads the log, the books and the states in bites, however many there are."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, func, select

from vouchers.domain.ids import award_of
from vouchers.store.audit_tree import STORED_LEVEL
from vouchers.store.listed import among
from vouchers.store.tables.awards import award, voucher
from vouchers.store.tables.intake import referral
from vouchers.store.tables.messages import message
from vouchers.store.tables.money import account, transfer
from vouchers.store.tables.proof import (
    audit_event,
    audit_leaf,
    audit_node,
    audit_pending,
)

#: Rows in one bite.
BITE = 4_096
#: Tables whose states the log tells of.
TOLD: tuple[Table, ...] = (referral, award, voucher, message)


class Leaf(NamedTuple):
    """A number, the hash kept for it, and its event, if that is still there."""

    seq: int
    hash: bytes
    kind: str | None
    entity_id: int | None
    body: str | None


@dataclass(frozen=True, slots=True)
class Booked:
    """A transfer as the books have it."""

    id: int
    debit: int
    credit: int
    pence: int


def leaves(conn: Connection) -> Iterator[list[Leaf]]:
    """All numbered events in order, in bites that begin at multiples of the bite."""
    last = conn.scalar(select(func.max(audit_leaf.c.seq)))
    for start in range(0, 0 if last is None else last + 1, BITE):
        query = (
            select(
                audit_leaf.c.seq,
                audit_leaf.c.hash,
                audit_event.c.kind,
                audit_event.c.entity_id,
                audit_event.c.body,
            )
            .outerjoin(audit_event, audit_event.c.id == audit_leaf.c.event_id)
            .where(audit_leaf.c.seq >= start, audit_leaf.c.seq < start + BITE)
            .order_by(audit_leaf.c.seq)
        )
        yield [Leaf(*row) for row in conn.execute(query)]


def nodes(conn: Connection, start: int, end: int) -> dict[tuple[int, int], bytes]:
    """Stored level-8 roots of the leaves from `start` up to, not including, `end`."""
    rows = conn.execute(
        select(audit_node.c.position, audit_node.c.hash).where(
            audit_node.c.level == STORED_LEVEL,
            audit_node.c.position >= start >> STORED_LEVEL,
            audit_node.c.position < end >> STORED_LEVEL,
        )
    )
    return {(STORED_LEVEL, row.position): row.hash for row in rows}


def waiting(conn: Connection) -> Iterator[str]:
    """Bodies of events that wait for a number."""
    query = (
        select(audit_event.c.body)
        .join(audit_pending, audit_pending.c.event_id == audit_event.c.id)
        .order_by(audit_event.c.id)
    )
    yield from conn.scalars(query)


def strays(conn: Connection, limit: int) -> list[int]:
    """Events that have no number and wait for none."""
    query = (
        select(audit_event.c.id)
        .outerjoin(audit_leaf, audit_leaf.c.event_id == audit_event.c.id)
        .outerjoin(audit_pending, audit_pending.c.event_id == audit_event.c.id)
        .where(audit_leaf.c.event_id.is_(None), audit_pending.c.event_id.is_(None))
        .limit(limit)
    )
    return list(conn.scalars(query))


def booked(conn: Connection, keys: Collection[str]) -> dict[str, Booked]:
    """Transfers by their keys."""
    rows = conn.execute(
        select(
            transfer.c.key,
            transfer.c.id,
            transfer.c.debit_id,
            transfer.c.credit_id,
            transfer.c.amount_pence,
        ).where(among(conn, transfer.c.key, keys))
    )
    return {row.key: Booked(*row[1:]) for row in rows}


def transfers(conn: Connection) -> Iterator[tuple[int, str]]:
    """Every transfer's number and key."""
    last = 0
    while True:
        query = (
            select(transfer.c.id, transfer.c.key)
            .where(transfer.c.id > last)
            .order_by(transfer.c.id)
            .limit(BITE)
        )
        rows = conn.execute(query).all()
        if not rows:
            return
        yield from ((row.id, row.key) for row in rows)
        last = rows[-1].id


def balances(conn: Connection) -> dict[int, int]:
    """The stored balance of every account."""
    return {
        row.id: row.balance_pence
        for row in conn.execute(select(account.c.id, account.c.balance_pence))
    }


def states(
    conn: Connection, table: Table
) -> Iterator[tuple[Mapping[int, str], Mapping[int, str]]]:
    """Rows' states beside the states that their last events tell, in bites by id."""
    last = -1
    while True:
        query = (
            select(table.c.id, table.c.state)
            .where(table.c.id > last)
            .order_by(table.c.id)
            .limit(BITE)
        )
        rows = conn.execute(query).all()
        if not rows:
            return
        last = rows[-1].id
        now = {row.id: row.state for row in rows}
        yield now, _told(conn, table.name, now.keys())


def _told(conn: Connection, subject: str, ids: Collection[int]) -> dict[int, str]:
    own = audit_event.c.kind.startswith(f"{subject}.", autoescape=True)
    wanted = own & among(conn, audit_event.c.entity_id, ids)
    if subject == "voucher":
        # An award's event tells how its vouchers began, to spare an event for each.
        granted = audit_event.c.kind.startswith("award.", autoescape=True)
        above = {award_of(number) for number in ids}
        wanted |= granted & among(conn, audit_event.c.entity_id, above)
    rows = conn.execute(
        select(audit_event.c.kind, audit_event.c.entity_id, audit_event.c.body)
        .where(wanted)
        .order_by(audit_event.c.id)
    )
    told: dict[int, str] = {}
    for kind, entity, body in rows:
        document = read(body)
        if kind.startswith(f"{subject}."):
            if "state" in document:
                told[entity] = str(document["state"])
        elif "voucher_state" in document:
            begun = str(document["voucher_state"])
            told.update(dict.fromkeys(document.get("vouchers") or (), begun))
    return told


def read(body: str) -> dict[str, Any]:
    """An event's document; an empty one if the text is no document at all."""
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
