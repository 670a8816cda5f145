"""A file to begin with: every column that is read, and invented rows that pass."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import typer

from vouchers.cli.frame import Answer, Frame, command
from vouchers.errors import Refused

#: Invented people at numbers that nobody can have.
EXAMPLES: tuple[dict[str, str], ...] = (
    {
        "reference": "T-1042",
        "given_name": "Ngozi",
        "family_name": "Okafor",
        "date_of_birth": "31/12/1980",
        "address_line_1": "14 Mill Lane",
        "postcode": "LS6 2AB",
        "meter_type": "prepay_key",
        "energy_supplier": "British Gas",
        "worker": "Dana Whitlock",
        "resident_told": "yes",
        "off_supply": "yes",
        "mobile": "07700 900001",
        "household_size": "3",
        "children_under_5": "yes",
    },
    {
        "reference": "T-1043",
        "given_name": "Bevan",
        "family_name": "Lloyd",
        "date_of_birth": "02/05/1951",
        "address_line_1": "Flat 2, 88 Station Road",
        "postcode": "CF24 1DX",
        "meter_type": "prepay_smart",
        "energy_supplier": "EDF",
        "worker": "Dana Whitlock",
        "resident_told": "yes",
        "off_supply": "no",
        "days_left": "2",
        "mobile": "07700 900002",
        "household_size": "1",
        "over_65": "yes",
    },
)


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    command(app, "template", rich_help_panel="Files and rows")(template)


def template(
    frame: Frame,  # noqa: ARG001  (needs no house)
    file: Annotated[Path, typer.Argument(dir_okay=False, help="Where to write it.")],
    examples: Annotated[
        bool, typer.Option("--examples", help="With two invented residents.")
    ] = False,
) -> Answer:
    """Write a CSV with every column that is read, for Excel to open."""
    from vouchers.cli import tables
    from vouchers.domain.intake import Field

    columns = [field.value for field in Field]
    rows = EXAMPLES if examples else ()
    try:
        stream = file.open("x", encoding="utf-8-sig", newline="")
    except FileExistsError:
        raise Refused(f"{file} is there already; nothing was written") from None
    with stream:
        writer = csv.DictWriter(stream, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    told = (
        f"{file} has {len(columns)} columns; the first ten, off_supply or days_left, "
        "and nearly always mobile are needed"
    )
    document = {"file": str(file), "columns": columns, "rows": len(rows)}
    return Answer(document, [tables.done(told)])
