"""Events that are committed get their numbers, the tree grows, checkpoints are signed.

Numbering happens after the commit and one at a time, so that the pipeline never queues
up for a number; until then an event waits with a pending mark.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from sqlalchemy import Connection

from vouchers.crashpoints import crashpoint
from vouchers.domain import checkpoint as notes
from vouchers.domain.checkpoint import Checkpoint, PublicKey
from vouchers.errors import VoucherError
from vouchers.pipeline.context import Context
from vouchers.store import audit_tree
from vouchers.store.audit_tree import StoredCheckpoint
from vouchers.store.sealing import Keyring

#: Events numbered in one transaction: about a tenth of a second.
EVENTS_MAX = 4096
#: Seconds between two signatures while events keep coming.
SIGN_EVERY_S = 1.0


class LogRewrittenError(VoucherError):
    """The audit log is not a continuation of what was signed; nothing more is signed.

    Run `vouchers audit verify`. After restoring an older backup on purpose, say so with
    `vouchers audit checkpoint --accept-loss REASON`.
    """


def seal(ctx: Context) -> int:
    """Number all waiting events and sign; gives how many were numbered."""
    total, signed = 0, time.monotonic()
    while done := integrate(ctx):
        total += done
        if time.monotonic() - signed >= SIGN_EVERY_S:
            sign(ctx)
            signed = time.monotonic()
        if done < EVENTS_MAX:
            break
    sign(ctx)
    return total


def integrate(ctx: Context, limit: int = EVENTS_MAX) -> int:
    """Number up to `limit` waiting events; 0 if none waits or another process does it.

    Killed at any moment, either all of this happened or nothing, and the next call goes
    on from there with the same numbers.
    """
    with ctx.reading() as conn:
        if not audit_tree.pending(conn, 1):
            return 0
    with ctx.begin(name="integrate") as uow:
        if not audit_tree.try_lock(uow.conn):
            return 0
        events = audit_tree.pending(uow.conn, limit)
        if events:
            audit_tree.append(uow.conn, events)
        return len(events)


def sign(ctx: Context) -> Checkpoint | None:
    """Sign the log as it stands; None if that is signed already or nothing is there.

    LogRewrittenError is raised, and nothing signed, if the log does not contain what
    was signed before, here or in this database.
    """
    with ctx.begin(name="integrate.sign") as uow:
        if not audit_tree.try_lock(uow.conn):
            return None
        size = audit_tree.size(uow.conn)
        last = audit_tree.latest_checkpoint(uow.conn)
        _refuse_rewritten(uow.conn, ctx.keys, size, last)
        if size == (last.size if last else 0):
            return None
        checkpoint = Checkpoint(
            ctx.keys.origin, size, audit_tree.root_at(uow.conn, size)
        )
        note = notes.sign(checkpoint, ctx.keys.public_key, ctx.keys.sign)
        signed = StoredCheckpoint(size, checkpoint.root, note.decode(), uow.now)
        audit_tree.add_checkpoint(uow.conn, signed)
    # Only after the commit: a checkpoint that was rolled back must not be remembered.
    remember(ctx.keys, note)
    crashpoint("integrate.remembered")
    return checkpoint


def public_key(keys: Keyring) -> PublicKey:
    """The key that auditors are given."""
    return PublicKey(keys.origin, keys.public_key)


def memory_path(keys: Keyring) -> Path:
    """The file beside the key file that holds the last checkpoint signed here."""
    return keys.path.with_suffix(".signed")


def remembered(keys: Keyring) -> Checkpoint | None:
    """The last checkpoint that this host signed, whatever the database says."""
    path = memory_path(keys)
    if not path.exists():
        return None
    return notes.verify(path.read_bytes(), public_key(keys))


def remember(keys: Keyring, note: bytes) -> None:
    """Keep a signed note outside the database; never an older one over a newer one."""
    path = memory_path(keys)
    known = remembered(keys)
    if known and known.size >= notes.parse(note).size:
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    draft.write_bytes(note)
    draft.replace(path)


def _refuse_rewritten(
    conn: Connection, keys: Keyring, size: int, last: StoredCheckpoint | None
) -> None:
    known = [remembered(keys)]
    if last is not None:
        known.append(notes.verify(last.note.encode(), public_key(keys)))
    for earlier in known:
        if earlier is None:
            continue
        if earlier.size > size:
            raise LogRewrittenError(signed=earlier.size, found=size)
        if audit_tree.root_at(conn, earlier.size) != earlier.root:
            raise LogRewrittenError(signed=earlier.size, found=size)
