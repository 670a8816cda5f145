"""Files at hand that look wrong as a whole, and people who look at them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import select

from tests.partner_files import csv_file, referrals
from tests.partner_files import row as plain_row
from vouchers.domain.roles import Person, Role
from vouchers.pipeline.accept import Receipt, submit
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store import invariants
from vouchers.store.tables.intake import batch

STEPS = ["accept", "deduplicate", "allocate"]
OPAL = Person(1, "opal", frozenset({Role.OPERATOR}))
FIN = Person(2, "fin", frozenset({Role.FINANCE}))
GIVEN = (
    "Oliver", "Amelia", "Mohammed", "Isla", "Sanjay", "Freya", "Tobias", "Ngozi",
    "Callum", "Beatrix", "Hugo", "Priya", "Desmond", "Wilma", "Yusuf", "Agnes",
    "Rupert", "Leila", "Magnus", "Chidi",
)  # fmt: skip
FAMILY = (
    "Atkinson", "Brzezinski", "Cartwright", "Dhillon", "Eastwood", "Fitzgerald",
    "Gallagher", "Hutchinson", "Iqbal", "Jankowski", "Kowalczyk", "Llewellyn",
    "Montgomery", "Nwosu", "Okonkwo", "Pemberton", "Quigley", "Rosenthal", "Sutherland",
    "Thistlethwaite", "Underhill", "Vasquez", "Wolstenholme", "Xenakis", "Yarborough",
    "Zielinski", "Abernathy", "Blenkinsop", "Chowdhury", "Drinkwater", "Entwistle",
    "Farquhar", "Grimshaw", "Hardcastle", "Inglethorpe",
)  # fmt: skip
ONE_PHONE = {"mobile": "07700900999"}


def row(n: int, **changes: str) -> dict[str, str]:
    """One of seven hundred invented residents whom nobody takes for another."""
    names = {"given_name": GIVEN[n % 20], "family_name": FAMILY[n // 20 % 35]}
    born = f"{1940 + n * 7 % 60}-{1 + n * 5 % 12:02d}-{1 + n * 11 % 28:02d}"
    home = {
        "address_line_1": f"{n} {FAMILY[n * 3 % 35]} Road",
        "postcode": f"LS{1 + n % 29} {n % 10}{'ABDEFGHJLN'[n // 10 % 10]}A",
    }
    return plain_row(n, date_of_birth=born, **names, **home) | changes


def hand_in(ctx: Context, path: Path, rows: list[Any], **more: Any) -> Receipt:
    """Submit a file."""
    return submit(
        ctx, partner=more.pop("partner", "elm-homes"), path=csv_file(path, rows),
        via="cli", actor="wendy/cli", **more,
    )  # fmt: skip


def handed_in(ctx: Context, path: Path, rows: list[Any], **more: Any) -> int:
    """Submit a file and carry it as far as it goes; gives its batch."""
    receipt = hand_in(ctx, path, rows, **more)
    carry_all(ctx, STEPS)
    assert receipt.batch_id is not None
    return receipt.batch_id


def suspicious(rows: int = 120, share: int = 2, **changes: str) -> list[Any]:
    """A file in which every `share`-th row has the office's phone."""
    return [
        row(n, **(ONE_PHONE if n % share == 0 else {}), **changes)
        for n in range(1, rows + 1)
    ]


def a_batch(ctx: Context, batch_id: int) -> Any:
    """A batch as it stands."""
    with ctx.reading() as conn:
        return conn.execute(select(batch).where(batch.c.id == batch_id)).one()


def states(ctx: Context, batch_id: int) -> Counter[str]:
    """How many referrals of a batch stand where."""
    return Counter(r.state for r in referrals(ctx) if r.batch_id == batch_id)


def broken(ctx: Context) -> list[str]:
    """Promises of the house that do not hold."""
    with ctx.reading() as conn:
        found = invariants.run(conn, ctx.clock())
    # Nothing signs the log here, so its events wait for their numbers.
    return [str(one) for one in found if one.promise != "P6"]
