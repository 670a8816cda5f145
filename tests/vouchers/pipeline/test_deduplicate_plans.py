"""The matcher's statements look things up; none reads a table from end to end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from tests.referrals import person, receive
from vouchers.pipeline import carry
from vouchers.pipeline.context import Context

pytestmark = pytest.mark.postgres

#: Rows that nobody has counted yet, as after the first large file of a new house.
CROWD = 30_000
#: Tables that grow with every row handed in, as this test fills them.
GROWING = ("resident", "match_key", "membership", "household")
_FILL = (
    "insert into resident (id, protected, provisional, created_at)"
    " select n, false, false, now() from generate_series(1, :crowd) n",
    "insert into household (id, created_at)"
    " select n, now() from generate_series(1, :crowd) n",
    "insert into membership (household_id, resident_id, from_on)"
    " select n, n, current_date from generate_series(1, :crowd) n",
    "insert into match_key (key, kind, version, resident_id)"
    " select n * 7919 + kind, kind, 1, n from generate_series(1, :crowd) n,"
    " generate_series(1, 9) kind",
)


@contextmanager
def plans_of(engine: Engine) -> Iterator[list[str]]:
    """The plan of every statement that looks something up, as it is asked."""
    plans: list[str] = []

    def explain(
        conn: Connection, _cursor: Any, statement: str, given: Any, *_: Any
    ) -> None:
        if re.match(r"\s*(select|update)\b", statement, re.I):
            with conn.connection.cursor() as aside:
                aside.execute(f"explain {statement}", given)
                plan = "\n".join(line for (line,) in aside.fetchall())
            plans.append(f"{statement}\n{plan}")

    event.listen(engine, "before_cursor_execute", explain)
    yield plans
    event.remove(engine, "before_cursor_execute", explain)


def test_no_statement_of_the_matcher_reads_a_whole_table(ctx: Context) -> None:
    """Whether the planner knows how many rows there are, or not yet."""
    if ctx.engine.dialect.name == "sqlite":
        pytest.skip("SQLite plans without counting")
    with ctx.begin() as uow:
        for statement in _FILL:
            uow.conn.execute(text(statement), {"crowd": CROWD})
    chunk = [
        person(reference=f"T{n}", given_name=f"Sarah{chr(97 + n % 26)}",
               mobile=f"+447700900{n:03}", address_line_1=f"{n} Mill Lane")
        for n in range(60)
    ]  # fmt: skip
    receive(ctx, *chunk)
    carry.carry_all(ctx, ["deduplicate"])
    receive(ctx, *chunk[:30])
    with plans_of(ctx.engine) as plans:
        carry.carry_all(ctx, ["deduplicate"])
    asked = [plan for plan in plans if any(name in plan for name in GROWING)]
    assert len(asked) > 4
    whole = [p for p in plans if re.search(rf"Seq Scan on ({'|'.join(GROWING)})\b", p)]
    assert whole == []
