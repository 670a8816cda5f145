"""Column types and clock expressions that mean the same on PostgreSQL and SQLite."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Dialect, MetaData
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import DateTime, TypeDecorator

#: Names for constraints, so that a migration can speak of each by name.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: 64-bit key; SQLite needs INTEGER for a key that numbers itself.
Big = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
#: JSON in which Python's None is SQL's NULL.
Json = JSON(none_as_null=True)


class Instant(TypeDecorator[datetime]):
    """An aware UTC moment: timestamptz on PostgreSQL, sortable text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse a naive moment; SQLite gets it in UTC without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002  (the name is SQLAlchemy's)
    ) -> datetime | None:
        """Give every moment back in UTC, whatever the session's zone is."""
        if value is None:
            return None
        return (
            value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        )


class db_now(FunctionElement[datetime]):  # noqa: N801  (reads as SQL)
    """The database's own clock, which all hosts share: for leases and backoff."""

    type = Instant()
    inherit_cache = True
    name = "db_now"


class db_from_now(FunctionElement[datetime]):  # noqa: N801
    """The database's clock plus a number of seconds."""

    type = Instant()
    inherit_cache = True
    name = "db_from_now"


@compiles(db_now, "postgresql")
def _now_postgresql(_element: Any, _compiler: SQLCompiler, **_kw: Any) -> str:
    return "clock_timestamp()"


@compiles(db_now, "sqlite")
def _now_sqlite(_element: Any, _compiler: SQLCompiler, **_kw: Any) -> str:
    return "(strftime('%Y-%m-%d %H:%M:%f', 'now') || '000')"


@compiles(db_from_now, "postgresql")
def _from_now_postgresql(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    seconds = compiler.process(element.clauses, **kw)
    return f"(clock_timestamp() + make_interval(secs => CAST({seconds} AS float8)))"


@compiles(db_from_now, "sqlite")
def _from_now_sqlite(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    seconds = compiler.process(element.clauses, **kw)
    return f"(strftime('%Y-%m-%d %H:%M:%f', 'now', {seconds} || ' seconds') || '000')"
