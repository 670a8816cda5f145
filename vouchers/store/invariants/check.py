"""What a check is, and how it is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

#: Violations of one check that are fetched at most.
FOUND_MAX = 1_000

#: Gives what was found, given a connection and the business clock.
Find = Callable[[Connection, datetime], list[str]]


@dataclass(frozen=True)
class Check:
    """One thing that must never be found."""

    id: str
    #: The promise of the handbook that it shows.
    promise: str
    sentence: str
    find: Find


def sql(query: str) -> Find:
    """A check that is one query; what it finds is shown column by column."""
    statement = text(f"{query} limit {FOUND_MAX}")

    def find(conn: Connection, _: datetime) -> list[str]:
        return [":".join(map(str, row)) for row in conn.execute(statement)]

    return find


def each(*finds: Find) -> Find:
    """All that several checks find."""

    def find(conn: Connection, now: datetime) -> list[str]:
        return [row for one in finds for row in one(conn, now)]

    return find
