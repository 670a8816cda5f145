"""Loses the answer to the COMMIT of a named unit: done, and nobody hears of it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, make_url

from tests.faults.harness import DeafProxy
from vouchers import bootstrap
from vouchers.store import unit_of_work
from vouchers.store.unit_of_work import UnitOfWork

#: Prelude of a process whose units the proxy can tell apart.
MARKED = "tests.faults.deaf:mark_units"
_MARK = re.compile(rb"/\* unit ([a-z_.]+) #\d+ \*/")


def mark_units() -> None:
    """Have every unit of this process say its name to the database before it ends."""
    real = unit_of_work.begin
    numbers = itertools.count()

    @contextmanager
    def marked(
        engine: Engine, *, name: str = "unit", **how: Any
    ) -> Iterator[UnitOfWork]:
        with real(engine, name=name, **how) as uow:
            yield uow
            # A number, or the driver would prepare it and send no text any more.
            mark = f"/* unit {name} #{next(numbers)} */ select 1"
            uow.conn.exec_driver_sql(mark)

    unit_of_work.begin = marked
    bootstrap.begin = marked


class Forgetful(DeafProxy):
    """Stands before PostgreSQL and swallows one answer for each unit it is told of."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port, every=1)
        #: Units whose next COMMIT will be answered by silence.
        self.wanted: set[str] = set()

    def url(self, straight: str) -> str:
        """The address of the same database through this proxy."""
        told = make_url(straight).set(
            host="127.0.0.1", port=self.port, query={"sslmode": "disable"}
        )
        return told.render_as_string(hide_password=False)

    def is_turn(self, asked: bytes) -> bool:
        """Whether to swallow the answer to a COMMIT, by what was asked before it."""
        marks = _MARK.findall(asked)
        if not marks:
            return False
        with self.lock:
            unit = marks[-1].decode()
            if unit not in self.wanted:
                return False
            self.wanted.remove(unit)
            self.swallowed += 1
            return True
