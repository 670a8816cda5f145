"""An installation of real processes that a test may kill, and that must then finish."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, func, select, update

from schemas.row import SafeContact
from tests.conftest import NOON
from tests.end_to_end.installation import (
    OWNER,
    fund,
    house,
    roomy_scheme,
)
from tests.end_to_end.one_file import people
from tests.end_to_end.stack import Stack
from tests.faults import nursery
from tests.faults.deaf import MARKED, Forgetful
from tests.partner_files import csv_file
from vouchers.backoffice import partners as partners_office
from vouchers.backoffice import people as people_office
from vouchers.backoffice import scheme as scheme_office
from vouchers.domain.roles import Person, Role
from vouchers.pipeline import accept
from vouchers.pipeline.context import Context
from vouchers.store import invariants
from vouchers.store.tables import db_now
from vouchers.store.tables.messages import message
from vouchers.store.tables.work import job, tick

OLGA = Person(id=0, handle="olga", roles=frozenset(Role), partner_id=None)
KILLED = -9
#: What ends well: done, or done and something is held for a person.
WELL = (0, 3)
PARTNERS = ("elm-homes", "oak-council")
#: Seconds after which a process that was to die, or to end, counts as stuck.
PATIENCE_S = 120.0
#: Rounds that the house is left alone for; each ends when nothing is due.
ROUNDS = 12
#: So that a lost answer is settled within a test's patience.
SETTLE_S = "1.0"

WORK = ("work",)
UNTIL_IDLE = ("work", "--until-idle")


class Broken:
    """Partners, a fund without money, and processes that die when they are told to."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.processes: list[BaseProcess] = []
        #: Vouchers that a test has done something with.
        self.used: set[int] = set()
        #: What puts right the damage that was done.
        self.mends: list[Callable[[], None]] = []
        self._people = iter(people(900))
        self._known: list[dict[str, str]] = []
        self._count = 0
        self._clock = NOON
        self._is_rich = False

    # ------------------------------------------------------------ processes

    def start(
        self, *words: str, crash_at: str = "", deaf: Forgetful | None = None
    ) -> BaseProcess:
        """Start `vouchers WORDS`, to die at a point or with a proxy to the database."""
        self.forward(seconds=20)
        self._count += 1
        environ = self.stack.environ | {"VOUCHERS_CRASH_LOG": str(self._log)}
        if deaf is not None:
            environ["VOUCHERS_DATABASE_URL"] = deaf.url(
                environ["VOUCHERS_DATABASE_URL"]
            )
        if crash_at:
            environ["VOUCHERS_CRASH_AT"] = crash_at
        born = nursery.start(
            words,
            environ=environ,
            folder=self.stack.folder,
            output=self._output,
            prelude=MARKED if deaf is not None else None,
        )
        self.processes.append(born)
        return born

    def ended(self, process: BaseProcess) -> int:
        """Wait for a process; its exit code, -9 when it was killed."""
        process.join(PATIENCE_S)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise AssertionError(f"it never ended: {self.last_words()}")
        self.processes.remove(process)
        return process.exitcode

    def run(self, *words: str, crash_at: str = "") -> int:
        """Run `vouchers WORDS` to its end; its exit code."""
        return self.ended(self.start(*words, crash_at=crash_at))

    def kill_at(self, point: str, *words: str) -> None:
        """Run a command that must come to a point and be killed there, nowhere else."""
        assert self.run(*words, crash_at=point) == KILLED, (
            f"{point} was not reached by vouchers {' '.join(words)}:"
            f" {self.last_words()}"
        )
        assert point in self._log.read_text("utf-8").split()
        self.check_invariants()

    def finish(self) -> None:
        """Let the house finish: nobody touches anything but starting its worker."""
        for _ in range(ROUNDS):
            assert self.run(*UNTIL_IDLE) in WELL, self.last_words()
            if not self._texts_under_way():
                return
            time.sleep(0.5)
        raise AssertionError(f"texts stay under way: {self.last_words()}")

    def join(self) -> None:
        """Wait for every process that was started and not yet waited for."""
        for process in list(self.processes):
            assert self.ended(process) in WELL, self.last_words()

    def last_words(self) -> str:
        """The end of what the processes printed."""
        return self._output.read_text(errors="replace")[-4000:]

    def close(self) -> None:
        """End what still runs."""
        for process in self.processes:
            process.kill()
            process.join()
        self.processes.clear()

    # ------------------------------------------------------------ new work

    def forward(self, **parts: float) -> None:
        """Let business time pass for whatever is started or opened from now on."""
        self._clock += timedelta(**parts)
        self.stack.environ["VOUCHERS_CLOCK"] = self._clock.isoformat()

    def rows(self, count: int = 3) -> list[dict[str, str]]:
        """New residents, one of them off supply, and one whom both partners know."""
        new = [next(self._people) for _ in range(count)]
        new[0] = new[0] | {"off_supply": "yes", "days_left": ""}
        again = self._known[-1:]
        self._known = new[1:]
        return new + again

    def file(self, rows: list[dict[str, str]] | None = None) -> Path:
        """A partner's next file: the partners take turns."""
        self._count += 1
        partner = PARTNERS[self._count % 2]
        folder = self.stack.folder / "files" / partner
        return csv_file(folder / f"{self._count}.csv", rows or self.rows())

    def hand_in(self, rows: list[dict[str, str]] | None = None) -> int:
        """Have a new file received, with nothing done about it yet; its batch."""
        path = self.file(rows)
        with self.house() as ctx:
            receipt = accept.submit(
                ctx, partner=path.parent.name, path=path, via="cli", actor=OWNER
            )
        assert receipt.outcome == "accepted", receipt.message
        return int(receipt.batch_id or 0)

    def give(self, pence: int) -> None:
        """Another gift arrives."""
        self._count += 1
        fund(self.stack, pence=pence, name=f"gift-{self._count}")

    def be_rich(self) -> None:
        """Have money for everybody from here on."""
        if not self._is_rich:
            self.give(5_000_000)
            self._is_rich = True

    # ------------------------------------------------------------ behind its back

    def house(self) -> AbstractContextManager[Context]:
        """The installation, opened in the test's own process."""
        return house(self.stack)

    def change(self, table: Table, where: ColumnElement[bool], **values: Any) -> None:
        """Set columns as damage, a mend or the passing of time would."""
        with self.house() as ctx, ctx.begin() as uow:
            uow.conn.execute(update(table).where(where).values(**values))

    def all(self, *columns: Any, where: Any = True) -> list[Any]:
        """Rows of a query over `columns`."""
        with self.house() as ctx, ctx.reading() as conn:
            return list(conn.execute(select(*columns).where(where)))

    def clock_again(self, *sweeps: str) -> None:
        """Have the minute of these sweeps come round again."""
        with self.house() as ctx, ctx.begin() as uow:
            uow.conn.execute(delete(tick).where(tick.c.name.in_(sweeps)))

    def wait_no_longer(self) -> None:
        """Have every job that was put off be due now."""
        self.change(job, job.c.state == "ready", run_at=db_now())

    def check_invariants(self) -> None:
        """Nothing that the promises forbid is there, not even in mid-flow."""
        with self.house() as ctx, ctx.reading() as conn:
            found = invariants.run(conn, ctx.clock())
        assert not found, [str(one) for one in found]

    def _texts_under_way(self) -> int:
        open_ = message.c.state.in_(("queued", "sending", "unknown"))
        [[count]] = self.all(func.count(), where=open_)
        return int(count)

    @property
    def _log(self) -> Path:
        return self.stack.folder / f"points-{self._count}.log"

    @property
    def _output(self) -> Path:
        return self.stack.folder / "output.log"


def set_up(stack: Stack) -> Broken:
    """Tables, keys, rules, two partners, money for one; web and simulator run."""
    with house(stack) as ctx:
        token = people_office.first_owner(ctx)
        if token is not None:
            stack.environ["VOUCHERS_TOKEN"] = token
        scheme_office.seed(
            ctx, Path(stack.environ["VOUCHERS_SCHEME"]).read_text(), OWNER
        )
        for slug in PARTNERS:
            partners_office.add(
                ctx,
                by=OLGA,
                door="cli",
                slug=slug,
                name=slug.replace("-", " ").title(),
                contact="Wendy Post",
                safe_contact=SafeContact.SMS_OK,
                agreement_on=date(2026, 9, 1),
            )
    stack.start_simulator("--delay", "0.05")
    stack.start_web()
    made = Broken(stack)
    made.give(28_00)
    return made


@contextmanager
def broken_house(
    folder: Path, *, database_url: str = "", broker_url: str = "memory"
) -> Iterator[Broken]:
    """An installation below `folder`; its processes end with the block."""
    body = roomy_scheme().replace(
        "\nsegments_per_second",
        f"\nsettle_after_s = {SETTLE_S}\nsettle_after_urgent_s = {SETTLE_S}"
        "\nsegments_per_second",
        1,
    )
    with Stack(
        folder,
        database_url=database_url,
        broker_url=broker_url,
        scheme=body,
        VOUCHERS_KEYS=str(folder / "var" / "keys.json"),
        VOUCHERS_THREADS="2",
    ) as stack:
        made = set_up(stack)
        try:
            yield made
        finally:
            made.close()
