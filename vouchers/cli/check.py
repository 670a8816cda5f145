"""The command that asks before a row is handed in; names come by file or prompt."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vouchers.cli.frame import DOOR, Answer, Exit, Frame, command
from vouchers.domain.intake.asked import NEEDED, QUESTION_MAX, parse_question
from vouchers.domain.roles import Duty

if TYPE_CHECKING:
    from rich.console import RenderableType

#: What a person at a terminal is asked beyond what is needed.
_PROMPTED = ("address_line_1", "mobile", "meter_number", "off_supply", "household_size")


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    command(app, "check", rich_help_panel="Files and rows")(check)


def check(
    frame: Frame,
    partner: Annotated[
        str | None, typer.Option(help="Who asks; a partner's person need not say.")
    ] = None,
    scheme: Annotated[
        str | None, typer.Option(help="Needed when more than one is open.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(help="JSON, or a CSV with one row; - is stdin. Else we ask you."),
    ] = None,
) -> Answer:
    """Ask whether a resident would be supported now, before you collect more.

    Nothing of the question is kept. Names are typed in or read from a file, never from
    the command line, which other users and your history can read.
    """
    from vouchers.backoffice import check as office

    person = frame.person(Duty.ASK)
    found = office.ask(
        frame.ctx, person, partner=partner, scheme=scheme, given=_given(file), door=DOOR
    )
    document = office.document_of(found)
    return Answer(document, _shown(document), Exit.DONE)


def _given(file: Path | None) -> Mapping[str, str]:
    if file is None and sys.stdin.isatty():
        return _prompted()
    if file is None or str(file) == "-":
        text = sys.stdin.read(QUESTION_MAX + 1)
    else:
        with file.open(encoding="utf-8-sig", errors="replace") as stream:
            text = stream.read(QUESTION_MAX + 1)
    return parse_question(text)


def _prompted() -> dict[str, str]:
    """What a person types; prompts go to stderr, so that stdout holds the answer."""
    typer.echo("Blank where you do not know. Nothing of this is kept.", err=True)
    asked = {
        name.value: typer.prompt(name.replace("_", " "), err=True) for name in NEEDED
    }
    for name in _PROMPTED:
        words = f"{name.replace('_', ' ')} (or blank)"
        asked[name] = typer.prompt(words, default="", show_default=False, err=True)
    return asked


def _shown(document: Mapping[str, object]) -> list[RenderableType]:
    from vouchers.cli import tables

    good = document["answer"] == "would_be_supported"
    return [(tables.done if good else tables.warn)(str(document["sentence"]))]
