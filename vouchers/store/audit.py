"""The audit log as rows: events, pending marks, leaves, nodes and checkpoints."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, insert, text

from vouchers.store.tables.proof import audit_event, audit_pending

#: kind ("subject.action"), entity id, canonical JSON body.
Event = tuple[str, int, str]

#: Ids that one draw from PostgreSQL's sequence is good for: its step.
ID_BLOCK = 64
#: Below this many events COPY costs more than it saves.
COPY_MIN = 10


def insert_events(conn: Connection, events: Sequence[Event]) -> None:
    """Write events without a number and mark them for the integrator."""
    if not events:
        return
    if conn.dialect.name != "postgresql":
        _insert_sqlite(conn, events)
    elif len(events) < COPY_MIN:
        _insert_postgresql(conn, events)
    else:
        _copy_postgresql(conn, events)


def _insert_sqlite(conn: Connection, events: Sequence[Event]) -> None:
    # Every writer holds the write lock from its first statement on, so ids above the
    # highest are free; the primary key would refuse anything else.
    top = conn.exec_driver_sql("select coalesce(max(id), 0) from audit_event").scalar()
    first = int(top or 0) + 1
    cursor = conn.connection.cursor()
    cursor.executemany(
        "insert into audit_event (id, kind, entity_id, body) values (?, ?, ?, ?)",
        [(first + n, *event) for n, event in enumerate(events)],
    )
    cursor.executemany(
        "insert into audit_pending (event_id) values (?)",
        [(first + n,) for n in range(len(events))],
    )


def _insert_postgresql(conn: Connection, events: Sequence[Event]) -> None:
    ids = _draw_ids(conn, len(events))
    rows = [
        {"id": id_, "kind": kind, "entity_id": entity, "body": body}
        for id_, (kind, entity, body) in zip(ids, events, strict=True)
    ]
    conn.execute(insert(audit_event), rows)
    conn.execute(insert(audit_pending), [{"event_id": id_} for id_ in ids])


def _copy_postgresql(conn: Connection, events: Sequence[Event]) -> None:
    ids = _draw_ids(conn, len(events))
    cursor = conn.connection.cursor()
    with cursor.copy("copy audit_event (id, kind, entity_id, body) from stdin") as copy:
        for id_, event in zip(ids, events, strict=True):
            copy.write_row((id_, *event))
    with cursor.copy("copy audit_pending (event_id) from stdin") as copy:
        for id_ in ids:
            copy.write_row((id_,))


def _draw_ids(conn: Connection, count: int) -> list[int]:
    """Ids from the table's sequence, so that both tables can be copied into."""
    sequence = "pg_get_serial_sequence('audit_event', 'id')::regclass"
    statement = text(f"select nextval({sequence}) from generate_series(1, :blocks)")
    firsts = conn.scalars(statement, {"blocks": -(-count // ID_BLOCK)})
    return [first + n for first in firsts for n in range(ID_BLOCK)][:count]
