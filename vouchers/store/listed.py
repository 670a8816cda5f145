"""Rows by a list of values: one bound value, one cached plan, any length."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    LargeBinary,
    String,
    cast,
    false,
    func,
    literal,
    select,
)
from sqlalchemy import (
    any_ as sql_any,
)
from sqlalchemy.types import UserDefinedType


class _Untyped(UserDefinedType[str]):
    """A text whose kind the database takes from the cast around it.

    Declared a text, it would be read into an array again for every row of a scan.
    """

    cache_ok = True

    def get_col_spec(self, **_kw: Any) -> str:
        """The name in DDL, where it never stands."""
        return "text"


_KINDS: dict[type, Any] = {int: BigInteger(), str: String(), bytes: LargeBinary()}


def among(
    conn: Connection,
    column: ColumnElement[Any],
    values: Collection[int] | Collection[str] | Collection[bytes],
) -> ColumnElement[bool]:
    """`column` has one of `values`: an array on PostgreSQL, a JSON list on SQLite.

    A long IN list is compiled and planned anew for each length; this is not.
    """
    listed = list(values)
    if not listed:
        # An empty array has no kind of its own to be compared with the column.
        return false()
    kind = type(listed[0])
    if conn.dialect.name == "postgresql":
        # Enums of numbers and words are bound as what they are made of.
        array = ARRAY(next(_KINDS[base] for base in kind.__mro__ if base in _KINDS))
        return column == sql_any(cast(literal(array_text(listed), _Untyped()), array))
    if kind is bytes:
        # JSON has no bytes, and SQLite plans an IN list as fast as anything.
        return column.in_(listed)
    found = func.json_each(json.dumps(listed)).table_valued("value")
    return column.in_(select(found.c.value))


def array_text(values: Iterable[Any]) -> str:
    """`values` in the text form of a PostgreSQL array, `None` as NULL.

    The driver writes lists value by value through its own type system, at several
    times the cost of the statement that is sent with them.
    """
    return "{" + ",".join([_element(value) for value in values]) + "}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, str):
        escaped = str.replace(value, "\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, date):
        return f'"{value.isoformat()}"'
    return f'"\\\\x{bytes(value).hex()}"'
