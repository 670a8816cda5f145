"""Committed events get contiguous numbers, and only honest logs are signed."""

import threading

import pytest
from sqlalchemy import delete, func, select

from vouchers.domain import checkpoint as notes
from vouchers.domain.merkle import Range, leaf_hash
from vouchers.pipeline import integrate
from vouchers.store import audit_tree
from vouchers.store.tables.proof import (
    audit_checkpoint,
    audit_event,
    audit_leaf,
    audit_node,
    audit_pending,
)
from vouchers.store.unit_of_work import begin


def happen(ctx, count, kind="scheme.noted"):
    """Commit `count` events."""
    with ctx.begin() as uow:
        for n in range(count):
            uow.record(kind, n)


def without_guards(ctx, statement):
    """What the owner of the database can do: change what the triggers protect."""
    with begin(ctx.engine, now=ctx.clock()) as uow:
        if uow.conn.dialect.name == "postgresql":
            uow.conn.exec_driver_sql("set local session_replication_role = replica")
        else:
            names = uow.conn.exec_driver_sql(
                "select name from sqlite_master where type = 'trigger'"
            ).scalars()
            for name in list(names):
                uow.conn.exec_driver_sql(f"drop trigger {name}")
        uow.conn.execute(statement)


def test_events_are_numbered_without_gaps(ctx):
    """Whatever the chunks, the numbers run from 0 and every event has one."""
    happen(ctx, 700)

    taken = [integrate.integrate(ctx, 300) for _ in range(4)]

    with ctx.reading() as conn:
        numbers = conn.scalars(select(audit_leaf.c.seq).order_by(audit_leaf.c.seq))
        assert list(numbers) == list(range(700))
        assert conn.scalar(select(func.count()).select_from(audit_pending)) == 0
    assert taken == [300, 300, 100, 0]


@pytest.mark.parametrize("parts", [[1], [255, 1], [256], [257, 300], [1, 1, 511, 600]])
def test_the_root_does_not_depend_on_how_the_log_grew(ctx, parts):
    """Stored peaks and freshly hashed leaves give the same root."""
    for part in parts:
        happen(ctx, part)
        integrate.integrate(ctx)

    with ctx.reading() as conn:
        bodies = conn.scalars(
            select(audit_event.c.body)
            .join(audit_leaf, audit_leaf.c.event_id == audit_event.c.id)
            .order_by(audit_leaf.c.seq)
        ).all()
        tree = Range()
        for body in bodies:
            tree.add(leaf_hash(body.encode()))
        assert audit_tree.root_at(conn, sum(parts)) == tree.root()


def test_a_checkpoint_is_signed_once_for_each_size(ctx):
    """Nothing new, nothing signed; the public key alone checks the note."""
    happen(ctx, 3)

    first = integrate.seal(ctx), integrate.seal(ctx)

    with ctx.reading() as conn:
        [stored] = audit_tree.all_checkpoints(conn)
    key = notes.PublicKey.parse(str(integrate.public_key(ctx.keys)))
    assert first == (3, 0)
    assert notes.verify(stored.note.encode(), key).size == 3
    assert integrate.remembered(ctx.keys).root == stored.root


def test_an_empty_log_is_not_signed(ctx):
    """There is nothing to say about nothing."""
    assert integrate.sign(ctx) is None


def test_two_integrators_never_give_the_same_number(ctx):
    """Threads that race for the same events number each once."""
    happen(ctx, 2_000)
    done = []
    threads = [
        threading.Thread(
            target=lambda: [
                done.append(integrate.integrate(ctx, 100)) for _ in range(20)
            ]
        )
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    integrate.seal(ctx)

    with ctx.reading() as conn:
        assert audit_tree.size(conn) == 2_000
        assert conn.scalar(select(func.count()).select_from(audit_leaf)) == 2_000


def test_a_database_put_back_to_an_earlier_day_is_not_signed(ctx):
    """P6: the memory beside the key file notices what the database has forgotten."""
    happen(ctx, 300)
    integrate.seal(ctx)
    happen(ctx, 300)
    integrate.seal(ctx)

    without_guards(ctx, delete(audit_checkpoint).where(audit_checkpoint.c.size > 300))
    without_guards(ctx, delete(audit_leaf).where(audit_leaf.c.seq >= 300))
    later = (audit_node.c.position > 0) | (audit_node.c.level > 8)
    without_guards(ctx, delete(audit_node).where(later))
    happen(ctx, 400, "scheme.reopened")
    integrate.integrate(ctx)

    with pytest.raises(integrate.LogRewrittenError):
        integrate.sign(ctx)


def test_a_shortened_log_is_not_signed(ctx):
    """A log smaller than the signed one is refused by the database's own memory."""
    happen(ctx, 20)
    integrate.seal(ctx)
    integrate.memory_path(ctx.keys).unlink()

    without_guards(ctx, delete(audit_leaf).where(audit_leaf.c.seq >= 10))

    with pytest.raises(integrate.LogRewrittenError):
        integrate.sign(ctx)


def test_an_older_note_never_replaces_a_newer_memory(ctx):
    """Two processes may finish in the other order."""
    happen(ctx, 1)
    integrate.seal(ctx)
    with ctx.reading() as conn:
        old = audit_tree.latest_checkpoint(conn).note.encode()
    happen(ctx, 1)
    integrate.seal(ctx)

    integrate.remember(ctx.keys, old)

    assert integrate.remembered(ctx.keys).size == 2
