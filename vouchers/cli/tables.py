"""How answers look in a terminal: tables, small facts, pounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

#: Words that deserve a colour; all others are plain.
COLOURS = {
    "granted": "green",
    "sent": "green",
    "delivered": "green",
    "used": "green",
    "active": "green",
    "open": "green",
    "ok": "green",
    "yes": "green",
    "waiting": "yellow",
    "checking": "yellow",
    "received": "cyan",
    "paused": "yellow",
    "to_correct": "magenta",
    "not_granted": "yellow",
    "not_delivered": "red",
    "held": "red",
    "dead": "red",
    "suspended": "red",
    "closed": "red",
    "differs": "red",
    "expired": "dim",
}


#: Shown by a command that has printed its answer itself.
NOTHING = Text()


def pounds(pence: int) -> str:
    """Pence as people read them: £1,234.50, and -£5.00 below zero."""
    sign = "-" if pence < 0 else ""
    whole, rest = divmod(abs(pence), 100)
    return f"{sign}£{whole:,}.{rest:02d}"


def table(
    title: str | None,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    right: Iterable[str] = (),
    caption: str | None = None,
) -> Table:
    """A table with plain rules; columns named in `right` are numbers."""
    made = Table(
        title=title,
        caption=caption,
        box=SIMPLE_HEAD,
        title_justify="left",
        title_style="bold",
        caption_justify="left",
        header_style="bold",
        pad_edge=False,
    )
    numbers = set(right)
    for column in columns:
        made.add_column(
            column,
            justify="right" if column in numbers else "left",
            no_wrap=column in numbers,
        )
    for row in rows:
        made.add_row(*(cell(value) for value in row))
    return made


def cell(value: Any) -> Text:
    """One value: blank for nothing, a tick for yes, known words in their colour."""
    if value is None or value == "":
        return Text("–", style="dim")
    if isinstance(value, Text):
        return value
    if isinstance(value, bool):
        return Text("yes" if value else "no", style="" if value else "dim")
    if isinstance(value, datetime):
        return Text(value.strftime("%d %b %Y %H:%M"))
    if isinstance(value, date):
        return Text(value.strftime("%d %b %Y"))
    if isinstance(value, list | tuple | set | frozenset):
        return Text(", ".join(str(item) for item in value) or "–")
    if isinstance(value, Mapping):
        return Text(", ".join(f"{key} {item}" for key, item in value.items()) or "–")
    words = str(value)
    return Text(words, style=COLOURS.get(words, ""))


def facts(title: str | None, pairs: Mapping[str, Any]) -> Table:
    """Names and values, one a line, without rules."""
    made = Table.grid(padding=(0, 2))
    made.title = title
    made.title_justify = "left"
    made.title_style = "bold"
    made.add_column(style="dim")
    made.add_column()
    for name, value in pairs.items():
        made.add_row(name.replace("_", " "), cell(value))
    return made


def done(words: str) -> str:
    """A line that says something worked."""
    return f"[green]✓[/green] {escape(words)}"


def warn(words: str) -> str:
    """A line that asks somebody to look."""
    return f"[yellow]![/yellow] {escape(words)}"


def hint(words: str, before: str = "next") -> str:
    """The command that a person is likely to want now."""
    return f"[dim]{before}:[/dim] {escape(words)}"


def of_document(document: Any) -> list[RenderableType]:
    """A document whose command draws nothing of its own, drawn in the plainest way."""
    if isinstance(document, Mapping):
        simple = {k: v for k, v in document.items() if not _is_rows(v)}
        parts: list[RenderableType] = [facts(None, simple)] if simple else []
        for name, value in document.items():
            if _is_rows(value):
                parts.extend(_rows(str(name), value))
        return parts
    if _is_rows(document):
        return _rows(None, document)
    if isinstance(document, list | tuple) and not document:
        return [Text("nothing", style="dim")]
    return [cell(document)]


def _is_rows(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(isinstance(item, Mapping) for item in value)
    )


def _rows(title: str | None, rows: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    columns = list(rows[0])
    numbers = {
        name for name in columns if all(_is_number(row.get(name)) for row in rows)
    }
    pence = {name for name in numbers if name.endswith("_pence")}
    shown = [
        [
            pounds(row[name])
            if name in pence and row.get(name) is not None
            else row.get(name)
            for name in columns
        ]
        for row in rows
    ]
    heads = [name.removesuffix("_pence").replace("_", " ") for name in columns]
    right = [head for head, name in zip(heads, columns, strict=True) if name in numbers]
    return [table(title, heads, shown, right=right)]


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool))
