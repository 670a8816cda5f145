"""Rows by a list of values: one bound value, one cached plan, any length."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    LargeBinary,
    String,
    bindparam,
    false,
    func,
    select,
)
from sqlalchemy import (
    any_ as sql_any,
)

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
        return column == sql_any(bindparam(None, listed, type_=array, unique=True))
    if kind is bytes:
        # JSON has no bytes, and SQLite plans an IN list as fast as anything.
        return column.in_(listed)
    found = func.json_each(json.dumps(listed)).table_valued("value")
    return column.in_(select(found.c.value))
