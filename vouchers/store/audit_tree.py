"""The numbered log: leaves in order, the roots above them, and signed checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, text

from vouchers.domain.merkle import NodeAt, Range, leaf_hash, peaks_of, subtree_hash
from vouchers.store.bulk import insert_rows
from vouchers.store.listed import among
from vouchers.store.tables.proof import (
    audit_checkpoint,
    audit_event,
    audit_leaf,
    audit_node,
    audit_pending,
)

#: Subtrees of 2**8 leaves and more are stored; smaller ones are hashed when asked for.
#: So a tree costs one node for 128 leaves, and no node is ever rewritten.
STORED_LEVEL = 8
#: One integrator at a time: the word for PostgreSQL's advisory lock.
_LOCK = 0x617564_6974


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A checkpoint as it was signed."""

    size: int
    root: bytes
    note: str
    signed_at: datetime


def try_lock(conn: Connection) -> bool:
    """Be the only integrator until the transaction ends; False if another one is."""
    if conn.dialect.name != "postgresql":
        return True  # a writer on SQLite is alone as it is
    taken = conn.scalar(text("select pg_try_advisory_xact_lock(:n)"), {"n": _LOCK})
    return bool(taken)


def size(conn: Connection) -> int:
    """How many events have a number."""
    last = conn.scalar(select(func.max(audit_leaf.c.seq)))
    return 0 if last is None else int(last) + 1


def pending(conn: Connection, limit: int) -> list[tuple[int, str]]:
    """Events that wait for a number, oldest first: (event id, body)."""
    waiting = select(audit_pending.c.event_id).order_by(audit_pending.c.event_id)
    ids = conn.scalars(waiting.limit(limit)).all()
    # Two looks rather than a join: on a young table the join reads the whole log.
    rows = conn.execute(
        select(audit_event.c.id, audit_event.c.body)
        .where(among(conn, audit_event.c.id, ids))
        .order_by(audit_event.c.id)
    )
    return [(row.id, row.body) for row in rows]


def append(conn: Connection, events: Sequence[tuple[int, str]]) -> int:
    """Number events from the end of the log on; gives the size that it now has."""
    tree = grown_range(conn)
    first = tree.size
    leaves = [leaf_hash(body.encode()) for _, body in events]
    nodes = [node for node in tree.extend(leaves) if node.level >= STORED_LEVEL]
    insert_rows(
        conn,
        audit_leaf,
        [
            {"seq": first + n, "event_id": event_id, "hash": leaf}
            for n, ((event_id, _), leaf) in enumerate(zip(events, leaves, strict=True))
        ],
    )
    insert_rows(conn, audit_node, [node._asdict() for node in nodes])
    numbered = [event_id for event_id, _ in events]
    conn.execute(
        delete(audit_pending).where(among(conn, audit_pending.c.event_id, numbered))
    )
    return tree.size


def grown_range(conn: Connection) -> Range:
    """The tree as it stands, ready to grow."""
    count, node = size(conn), node_reader(conn)
    return Range(count, [node(level, place) for level, place in peaks_of(count)])


def root_at(conn: Connection, count: int) -> bytes:
    """The root of the first `count` leaves."""
    return subtree_hash(0, count, node_reader(conn))


def node_reader(conn: Connection) -> NodeAt:
    """Look up the root of any complete subtree of the stored log."""

    def node(level: int, position: int) -> bytes:
        if level >= STORED_LEVEL:
            return _stored_node(conn, level, position)
        return _hashed_node(conn, level, position)

    return node


def _stored_node(conn: Connection, level: int, position: int) -> bytes:
    found = conn.scalar(
        select(audit_node.c.hash).where(
            audit_node.c.level == level, audit_node.c.position == position
        )
    )
    # A missing node is damage; a wrong hash makes whoever compares roots say so.
    return found if found is not None else b""


def _hashed_node(conn: Connection, level: int, position: int) -> bytes:
    start, count = position << level, 1 << level
    tree = Range()
    for leaf in conn.scalars(
        select(audit_leaf.c.hash)
        .where(audit_leaf.c.seq >= start, audit_leaf.c.seq < start + count)
        .order_by(audit_leaf.c.seq)
    ):
        tree.add(leaf)
    return tree.root()


def latest_checkpoint(conn: Connection) -> StoredCheckpoint | None:
    """What was signed last."""
    query = select(audit_checkpoint).order_by(audit_checkpoint.c.size.desc()).limit(1)
    row = conn.execute(query).first()
    return None if row is None else StoredCheckpoint(*row)


def all_checkpoints(conn: Connection) -> Iterator[StoredCheckpoint]:
    """Every signed checkpoint, the smallest log first."""
    for row in conn.execute(select(audit_checkpoint).order_by(audit_checkpoint.c.size)):
        yield StoredCheckpoint(*row)


def add_checkpoint(conn: Connection, signed: StoredCheckpoint) -> None:
    """Keep a signed checkpoint."""
    conn.execute(
        insert(audit_checkpoint).values(
            size=signed.size,
            root=signed.root,
            note=signed.note,
            signed_at=signed.signed_at,
        )
    )
