"""Rows by a list of numbers or words: one bound value, one cached plan, any length."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    String,
    bindparam,
    func,
    select,
)
from sqlalchemy import (
    any_ as sql_any,
)


def among(
    conn: Connection, column: ColumnElement[Any], values: Collection[int | str]
) -> ColumnElement[bool]:
    """`column` has one of `values`: an array on PostgreSQL, a JSON list on SQLite.

    A long IN list is compiled and planned anew for each length; this is not.
    """
    if conn.dialect.name == "postgresql":
        words = isinstance(next(iter(values), 0), str)
        kind = ARRAY(String() if words else BigInteger())
        return column == sql_any(bindparam(None, list(values), type_=kind, unique=True))
    listed = func.json_each(json.dumps(list(values))).table_valued("value")
    return column.in_(select(listed.c.value))


__all__ = ["among"]
