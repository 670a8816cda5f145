"""Audit events are written without a number, once, and never changed."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError

from vouchers.store import audit
from vouchers.store.tables.proof import audit_event, audit_pending


@pytest.mark.parametrize("count", [0, 1, 9, 10, 700])
def test_every_event_is_written_with_its_pending_mark(ctx, count):
    """Few or many: each event has one row and waits for the integrator."""
    events = [
        ("referral.accepted", n, f'{{"n":{n},"tab":"\\t"}}') for n in range(count)
    ]

    with ctx.begin() as uow:
        audit.insert_events(uow.conn, events)

    with ctx.reading() as conn:
        rows = conn.execute(
            select(audit_event.c.kind, audit_event.c.entity_id, audit_event.c.body)
            .join(audit_pending, audit_pending.c.event_id == audit_event.c.id)
            .order_by(audit_event.c.id)
        ).all()
    assert [tuple(row) for row in rows] == events


def test_a_failed_transaction_leaves_no_event(ctx):
    """P6: the event is in the same transaction as what it tells of."""
    with pytest.raises(RuntimeError), ctx.begin() as uow:
        uow.record("scheme.paused", 1)
        raise RuntimeError

    with ctx.reading() as conn:
        assert conn.execute(select(audit_event)).all() == []


@pytest.mark.parametrize(
    "statement",
    ["update audit_event set body = 'x'", "delete from audit_event where id > 0"],
)
def test_the_database_itself_refuses_to_change_an_event(ctx, statement):
    """A slip of the hand in a console does not rewrite the log."""
    with ctx.begin() as uow:
        uow.record("scheme.paused", 1)

    with pytest.raises(DatabaseError, match="append-only"), ctx.begin() as uow:
        uow.conn.exec_driver_sql("delete from audit_pending")
        uow.conn.exec_driver_sql(statement)
