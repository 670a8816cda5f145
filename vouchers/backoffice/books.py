"""The ledger for other people's programs, and their verdict on whether it adds up."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TextIO

from sqlalchemy import Connection, func, select

from vouchers.domain.bookkeeping import Form, Posting, account_name, style
from vouchers.domain.calendar import local_date
from vouchers.domain.ids import Place
from vouchers.pipeline.context import Context
from vouchers.store import invariants
from vouchers.store.invariants import money as promises
from vouchers.store.tables.money import account, contribution, transfer
from vouchers.store.tables.parties import scheme

#: Transfers read at a time.
BITE = 5_000
#: Seconds that an accounting program may think about the books.
PROGRAM_S = 600


@dataclass(frozen=True)
class BooksReport:
    """Whether the books add up, and who says so besides us."""

    transfers: int
    problems: tuple[str, ...]
    #: Programs that have read the books and agreed or not.
    programs: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Nobody found anything."""
        return not self.problems


def export(ctx: Context, form: str, out: TextIO) -> int:
    """Write every transfer, then each account's stored balance as an assertion.

    The balances written are those kept with the accounts, not sums of what was just
    written: a program that reads the file checks one against the other. Holds ids,
    codes and names of schemes and gifts, nothing of a person. Gives the number of
    transfers.
    """
    with ctx.reading() as conn:
        return _write(conn, Form(form), out)


def verify(ctx: Context) -> BooksReport:
    """Recompute everything from the transfers, and ask the programs found here.

    beancount's `bean-check` and `hledger` are used when they are installed.
    """
    with ctx.reading() as conn:
        problems = [
            f"{check.sentence}: {', '.join(found[: invariants.EXAMPLES])}"
            for check in promises.CHECKS
            if check.promise == "P3" and (found := check.find(conn, ctx.clock()))
        ]
        transfers = _count(conn)
        programs = []
        with tempfile.TemporaryDirectory() as folder:
            for form, program in _programs():
                path = Path(folder) / f"books.{form.value}"
                with path.open("w", encoding="utf-8") as stream:
                    _write(conn, form, stream)
                verdict = _ask(form, program, path)
                programs.append(Path(program).name)
                if verdict:
                    problems.append(f"{Path(program).name}: {verdict}")
    return BooksReport(transfers, tuple(problems), tuple(programs))


def _write(conn: Connection, form: Form, out: TextIO) -> int:
    names, balances = _accounts(conn)
    how = style(form)
    first, last = _days(conn)
    out.write(how.heading)
    for name in sorted(names.values()):
        out.write(how.opening(name, first))
    out.write("\n" if form != Form.CSV else "")
    count = 0
    for posting in _postings(conn, names):
        out.write(how.posting(posting))
        count += 1
    end = last + timedelta(days=1)
    for id_, name in sorted(names.items(), key=lambda item: item[1]):
        out.write(how.balance(name, balances[id_], end))
    return count


def _accounts(conn: Connection) -> tuple[dict[int, str], dict[int, int]]:
    """Names and balances of all accounts that were ever used."""
    rows = conn.execute(
        select(
            account.c.id,
            account.c.place,
            account.c.balance_pence,
            scheme.c.slug.label("scheme"),
            contribution.c.slug.label("gift"),
        )
        .join(scheme, scheme.c.id == account.c.scheme_id)
        .outerjoin(contribution, contribution.c.id == account.c.contribution_id)
        .where((account.c.version > 0) | (account.c.balance_pence != 0))
        .order_by(account.c.id)
    ).all()
    names: dict[int, str] = {}
    taken: dict[str, int] = defaultdict(int)
    for row in rows:
        name = account_name(Place(row.place), row.scheme, row.gift)
        taken[name] += 1
        # Two names that differ only in signs would be one account to the programs.
        names[row.id] = name if taken[name] == 1 else f"{name}-{row.id}"
    return names, {row.id: int(row.balance_pence) for row in rows}


def _days(conn: Connection) -> tuple[date, date]:
    row = conn.execute(
        select(func.min(transfer.c.event_at), func.max(transfer.c.event_at))
    ).one()
    if row[0] is None:
        return date(2000, 1, 1), date(2000, 1, 1)
    return local_date(row[0]), local_date(row[1])


def _postings(conn: Connection, names: dict[int, str]) -> Iterator[Posting]:
    last = 0
    while True:
        rows = conn.execute(
            select(transfer)
            .where(transfer.c.id > last)
            .order_by(transfer.c.id)
            .limit(BITE)
        ).all()
        if not rows:
            return
        for row in rows:
            yield Posting(
                id=row.id,
                on=local_date(row.event_at),
                kind=row.kind,
                key=row.key,
                debit=names[row.debit_id],
                credit=names[row.credit_id],
                pence=row.amount_pence,
            )
        last = rows[-1].id


def _count(conn: Connection) -> int:
    return int(conn.scalar(select(func.count()).select_from(transfer)) or 0)


def _programs() -> list[tuple[Form, str]]:
    """Accounting programs on the path or beside our own Python."""
    beside = str(Path(sys.executable).parent)
    found = []
    for form, name in ((Form.BEANCOUNT, "bean-check"), (Form.HLEDGER, "hledger")):
        program = shutil.which(name) or shutil.which(name, path=beside)
        if program:
            found.append((form, program))
    return found


def _ask(form: Form, program: str, path: Path) -> str:
    """What the program has to complain of; empty when it agrees."""
    words = [program, str(path)]
    if form == Form.HLEDGER:
        words = [program, "-f", f"hledger:{path}", "check"]
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=PROGRAM_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"could not be asked ({type(error).__name__})"
    if done.returncode == 0:
        return ""
    said = (done.stderr or done.stdout).strip().splitlines()
    return said[0].replace(str(path), "books") if said else "does not agree"
