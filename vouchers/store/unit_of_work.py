"""One transaction with all that belongs to it: work, audit events, follow-up jobs."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, text

from vouchers.crashpoints import crashpoint
from vouchers.store import audit, jobs
from vouchers.store.jobs import ClaimedJob, JobSpec

#: A value that an audit event may hold: ids, amounts, codes, lists of these.
Plain = int | str | bool | None | Sequence[Any]


class UnitOfWork:
    """A transaction under way; it commits once, at the end of `begin`."""

    def __init__(self, conn: Connection, now: datetime, actor: str) -> None:
        self.conn = conn
        #: The business clock, read once for the whole transaction.
        self.now = now
        #: Who does this: a person with a place (`amy/cli`), or `system`.
        self.actor = actor
        self._events: list[tuple[str, int, str]] = []
        self._jobs: list[JobSpec] = []
        self._completes: list[ClaimedJob] = []
        self._after: list[Callable[[], None]] = []

    def record(
        self, kind: str, entity_id: int, *, actor: str | None = None, **data: Plain
    ) -> None:
        """Note that something happened to an entity; written with the commit.

        `kind` reads "subject.action". `data` holds ids, pence, reason codes and states,
        never anything of a person and never a code.
        """
        body = {
            "actor": actor or self.actor,
            "at": self.now.isoformat(timespec="microseconds"),
            "entity": entity_id,
            "kind": kind,
            **data,
        }
        self._events.append((kind, entity_id, canonical(body)))

    def enqueue(self, *specs: JobSpec) -> None:
        """Promise what must follow; the promises are written with the commit."""
        self._jobs.extend(specs)

    def complete(self, job: ClaimedJob) -> None:
        """Mark the job done with this commit; LostLease undoes everything."""
        self._completes.append(job)

    def on_commit(self, after: Callable[[], None]) -> None:
        """Call `after` once the commit has happened; it must not fail."""
        self._after.append(after)

    @property
    def promised(self) -> int:
        """How many jobs this unit has promised so far."""
        return len(self._jobs)

    def flush(self) -> None:
        """Write events, jobs and completions; `begin` calls this before the commit."""
        if self._events:
            audit.insert_events(self.conn, self._events)
            self._events = []
        if self._jobs:
            jobs.insert_jobs(self.conn, self._jobs)
            self._jobs = []
        for job in self._completes:
            jobs.complete(self.conn, job)
        self._completes = []

    def committed(self) -> None:
        """Tell those who asked; `begin` calls this after the commit."""
        for after in self._after:
            after()


# Made once: `json.dumps` makes an encoder anew for each call with such wishes.
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def canonical(body: Any) -> str:
    """JSON in one form only: sorted keys, no blanks, ASCII."""
    return _CANONICAL.encode(body)


class WriteLock:
    """One writer at a time in this process, urgent first: SQLite allows no more."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._busy = False
        #: How many urgent writers wait now.
        self.urgent_waiting = 0

    @contextmanager
    def held(self, *, urgent: bool) -> Iterator[None]:
        """Hold the lock; an urgent writer passes all others that wait."""
        with self._condition:
            if urgent:
                self.urgent_waiting += 1
                while self._busy:
                    self._condition.wait()
                self.urgent_waiting -= 1
            else:
                while self._busy or self.urgent_waiting:
                    self._condition.wait()
            self._busy = True
        try:
            yield
        finally:
            with self._condition:
                self._busy = False
                self._condition.notify_all()


#: Shared by every engine of this process that speaks to SQLite.
_sqlite_lock = WriteLock()
_wake: list[Callable[[], None]] = []


def wake_with(call: Callable[[], None]) -> None:
    """Have `call` made after every commit that promised jobs: the dispatcher's bell."""
    _wake.append(call)


def stop_waking(call: Callable[[], None]) -> None:
    """Take back `wake_with`."""
    if call in _wake:
        _wake.remove(call)


@contextmanager
def begin(
    engine: Engine,
    *,
    now: datetime,
    actor: str = "system",
    urgent: bool = False,
    name: str = "unit",
) -> Iterator[UnitOfWork]:
    """Open a transaction that commits once at the end, or leaves no trace.

    `name` names the crash points before and after the commit.
    """
    lock = (
        _sqlite_lock.held(urgent=urgent)
        if engine.dialect.name == "sqlite"
        else nullcontext()
    )
    with lock:
        with engine.connect() as conn, conn.begin():
            uow = UnitOfWork(conn, now, actor)
            yield uow
            promised = uow.promised
            uow.flush()
            crashpoint(f"{name}.before_commit")
        if promised:
            for call in tuple(_wake):
                call()
    crashpoint(f"{name}.committed")
    uow.committed()


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for reading only, in one snapshot; nothing is written."""
    with engine.connect() as conn:
        if conn.dialect.name == "sqlite":
            # The driver is told to begin by hand; a deferred read takes no lock.
            conn = conn.execution_options(sqlite_begin="DEFERRED")
        else:
            conn = conn.execution_options(isolation_level="REPEATABLE READ")
            conn.execute(text("SET TRANSACTION READ ONLY"))
        yield conn
        conn.rollback()
