"""The command that asks before a row is handed in; names come by file or prompt."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vouchers.cli.frame import DOOR, Answer, Exit, Frame, command
from vouchers.domain.intake.asked import NEEDED, QUESTION_MAX, parse_question
from vouchers.domain.roles import Duty
from vouchers.errors import BadFile

if TYPE_CHECKING:
    from rich.console import RenderableType

    from vouchers.domain.asking import Answered

#: How often a question that cannot be read is put again.
_TRIES = 3
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

    def asked(given: Mapping[str, str]) -> Answered:
        return office.ask(
            frame.ctx, person, partner=partner, scheme=scheme, given=given, door=DOOR
        )

    typed = file is None and sys.stdin.isatty()
    found = _conversation(frame, asked) if typed else asked(_given(file))
    document = office.document_of(found)
    return Answer(document, _shown(document), Exit.DONE)


def _given(file: Path | None) -> Mapping[str, str]:
    if file is None or str(file) == "-":
        text = sys.stdin.read(QUESTION_MAX + 1)
    else:
        with file.open(encoding="utf-8-sig", errors="replace") as stream:
            text = stream.read(QUESTION_MAX + 1)
    return parse_question(text)


def _conversation(
    frame: Frame, asked: Callable[[Mapping[str, str]], Answered]
) -> Answered:
    """Ask field by field; what cannot be read is asked again, the rest is kept."""
    from rich.markup import escape

    frame.aside.print("Blank where you do not know. Nothing of this is kept.")
    given: dict[str, str] = {}
    for _ in range(_TRIES):
        for name in (*NEEDED, *_PROMPTED):
            words = name.replace("_", " ") + ("" if name in NEEDED else " (or blank)")
            before = given.get(name, None if name in NEEDED else "")
            given[str(name)] = typer.prompt(
                words, default=before, show_default=bool(before), err=True
            )
        try:
            return asked(given)
        except BadFile as bad:
            # A question that was not read was not counted.
            said = bad
            frame.aside.print(f"[yellow]![/yellow] {escape(str(bad))}")
    raise said


def _shown(document: Mapping[str, object]) -> list[RenderableType]:
    from vouchers.cli import tables

    good = document["answer"] == "would_be_supported"
    return [(tables.done if good else tables.warn)(str(document["sentence"]))]
