"""Many rows at once: COPY on PostgreSQL, one prepared statement on SQLite."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar

from sqlalchemy import JSON, Connection, Table, insert
from sqlalchemy.dialects.postgresql import insert as insert_postgresql

from vouchers.store.listed import array_text

Row = Mapping[str, Any]
T = TypeVar("T")

#: Below this many rows COPY costs more than it saves.
COPY_MIN = 20
#: Values in one IN list: well under the limit of either database.
IN_MAX = 5_000


def insert_rows(
    conn: Connection,
    table: Table,
    rows: Sequence[Row],
    *,
    on_conflict: Literal["error", "ignore"] = "error",
) -> None:
    """Insert `rows`, which all have the same keys.

    With `ignore`, a row whose key is there already is left as it is: for natural keys
    that a step run twice meets again.
    """
    if not rows:
        return
    if conn.dialect.name == "postgresql" and len(rows) >= COPY_MIN:
        if on_conflict == "error":
            _copy(conn, table, rows)
        else:
            _insert_from_arrays(conn, table, rows)
        return
    if conn.dialect.name == "sqlite":
        _insert_sqlite(conn, table, rows, on_conflict)
        return
    statement: Any = insert(table)
    if on_conflict == "ignore":
        statement = insert_postgresql(table).on_conflict_do_nothing()
    conn.execute(statement, list(rows))


def _insert_sqlite(
    conn: Connection,
    table: Table,
    rows: Sequence[Row],
    on_conflict: Literal["error", "ignore"],
) -> None:
    names = list(rows[0])
    listed = ", ".join(f'"{name}"' for name in names)
    otherwise = " ON CONFLICT DO NOTHING" if on_conflict == "ignore" else ""
    _many_sqlite(
        conn,
        table,
        f'INSERT INTO "{table.name}" ({listed}) '
        f"VALUES ({', '.join('?' * len(names))}){otherwise}",
        names,
        rows,
    )


def _many_sqlite(
    conn: Connection,
    table: Table,
    sql: str,
    names: Sequence[str],
    rows: Sequence[Row],
) -> int:
    # The columns' own types say how a value is written; asked once a column, not once
    # a value, and without a compiled statement's way of handling parameters.
    written = [table.c[name].type.dialect_impl(conn.dialect) for name in names]
    processors = [kind.bind_processor(conn.dialect) for kind in written]
    columns = [
        [row[name] if process is None else process(row[name]) for row in rows]
        for name, process in zip(names, processors, strict=True)
    ]
    values = list(zip(*columns, strict=True))
    return conn.exec_driver_sql(sql, values).rowcount


def _copy(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    names = list(rows[0])
    as_json = [isinstance(table.c[name].type, JSON) for name in names]
    listed = ", ".join(f'"{name}"' for name in names)
    cursor = conn.connection.cursor()
    with cursor.copy(f'COPY "{table.name}" ({listed}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(
                [
                    _json(row[name]) if is_json else row[name]
                    for name, is_json in zip(names, as_json, strict=True)
                ]
            )


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


def update_by(
    conn: Connection, table: Table, rows: Sequence[Row], *, key: str = "id"
) -> int:
    """Set the other values of each row where column `key` has the row's value.

    All rows have the same keys. Gives the number of rows that were changed.
    """
    if not rows:
        return 0
    names = [name for name in rows[0] if name != key]
    if conn.dialect.name == "postgresql":
        return _update_from_arrays(conn, table, rows, key, names)
    sets = ", ".join(f'"{name}" = ?' for name in names)
    sql = f'UPDATE "{table.name}" SET {sets} WHERE "{key}" = ?'
    return _many_sqlite(conn, table, sql, [*names, key], rows)


def _update_from_arrays(
    conn: Connection, table: Table, rows: Sequence[Row], key: str, names: list[str]
) -> int:
    source, arrays = _unnest(conn, table, rows, (key, *names))
    sets = ", ".join(f'"{name}" = fresh."{name}"{_cast(table, name)}' for name in names)
    cursor = conn.connection.cursor()
    cursor.execute(
        f'UPDATE "{table.name}" SET {sets} '
        f'FROM {source} WHERE "{table.name}"."{key}" = fresh."{key}"',
        arrays,
    )
    return int(cursor.rowcount)


def _insert_from_arrays(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    names = list(rows[0])
    source, arrays = _unnest(conn, table, rows, names)
    listed = ", ".join(f'"{name}"' for name in names)
    values = ", ".join(f'fresh."{name}"{_cast(table, name)}' for name in names)
    conn.connection.cursor().execute(
        f'INSERT INTO "{table.name}" ({listed}) '
        f"SELECT {values} FROM {source} ON CONFLICT DO NOTHING",
        arrays,
    )


def _unnest(
    conn: Connection, table: Table, rows: Sequence[Row], names: Sequence[str]
) -> tuple[str, list[str]]:
    # One statement for all rows: one array a column. JSON travels as text.
    arrays: list[str] = []
    sources: list[str] = []
    for name in names:
        kind = table.c[name].type
        if isinstance(kind, JSON):
            arrays.append(array_text([_json(row[name]) for row in rows]))
            sources.append("%s::text[]")
        else:
            arrays.append(array_text([row[name] for row in rows]))
            sources.append(f"%s::{kind.compile(dialect=conn.dialect)}[]")
    listed = ", ".join(f'"{name}"' for name in names)
    return f"unnest({', '.join(sources)}) AS fresh({listed})", arrays


def _cast(table: Table, name: str) -> str:
    return "::json" if isinstance(table.c[name].type, JSON) else ""


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut `items` into lists of at most `size`."""
    chunk: list[T] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
