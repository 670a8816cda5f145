"""How questions of identity look in a terminal: the queue, and both sides of one.

Every difference has a sign beside its colour, so that it reads without colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from vouchers.cli import tables
from vouchers.domain.matching.rulings import Ruling, RulingReason
from vouchers.domain.matching.settlement import ReviewKind

if TYPE_CHECKING:
    from vouchers.backoffice.review_sheets import Line, Sheet, Side
    from vouchers.backoffice.reviews import Decided

_ASKS = {
    ReviewKind.PERSON: "known?",
    ReviewKind.SEVERAL: "which?",
    ReviewKind.HOUSEHOLD: "household?",
    ReviewKind.JOINED: "joined one",
}
_QUESTIONS = {
    ReviewKind.PERSON: "is this somebody we know?",
    ReviewKind.SEVERAL: "which of these people is it, if any?",
    ReviewKind.HOUSEHOLD: "do these people share a household?",
    ReviewKind.JOINED: "the same person as in another review",
}
_RULINGS = {
    Ruling.SAME_PERSON: "it is that resident",
    Ruling.SAME_HOUSEHOLD: "somebody else, of that household",
    Ruling.SEPARATE_HOUSEHOLD: "somebody else at the same door, another household",
    Ruling.DIFFERENT: "somebody else, with a household of their own",
}
#: Sign and style of a field that agrees, that does not, that one side lacks.
_SAME, _DIFFERS, _BLANK = ("=", "dim"), ("≠", "bold yellow"), ("·", "dim")


def queue(
    lines: Sequence[Line], count: int, late: int, *, now: datetime
) -> list[RenderableType]:
    """The questions that wait, neediest first."""
    if not lines:
        return [tables.done("nothing waits for a ruling")]
    protected = any(line.protected for line in lines)
    rows = [
        (
            line.id,
            _ASKS[line.kind] + (" (again)" if line.state == "undone" else ""),
            "–" if line.kind is ReviewKind.JOINED else _chances(line),
            f"{line.need_band} off" if line.off_supply else str(line.need_band),
            Text(f"{_age(line, now)}{' late' * line.escalated}",
                 style="red" if line.escalated else ""),
            line.partner,
            f"{line.batch_id}/{line.row_no}",
            *(["protected" if line.protected else ""] if protected else []),
        )
        for line in lines
    ]  # fmt: skip
    heads = ["review", "asks", "person, home", "need", "waits", "partner", "row"]
    if protected:
        heads.append("safety")
    more = f"{count:,} wait" + (f", {late:,} of them too long" if late else "")
    return [
        tables.table(None, heads, rows, right=("review", "row")),
        tables.warn(more) if late else more,
        tables.hint(f"vouchers reviews show {lines[0].id}"),
    ]


def rulings(lines: Sequence[Line]) -> list[RenderableType]:
    """What was ruled, and by whom."""
    if not lines:
        return [tables.done("nothing was decided")]
    rows = [
        (line.id, (line.ruling or "").replace("_", " "), line.decided_by, line.partner,
         f"{line.batch_id}/{line.row_no}")
        for line in lines
    ]  # fmt: skip
    heads = ("review", "ruling", "decided by", "partner", "row")
    return [
        tables.table(None, heads, rows, right=("review", "row")),
        tables.hint(f"vouchers reviews undo {lines[0].id}", "to take one back"),
    ]


def sheet(found: Sheet) -> list[RenderableType]:
    """One question: the row beside each person it may be, and what speaks for what."""
    line = found.line
    supply = ", off supply" if line.off_supply else ""
    late = ", [red]late[/red]" if line.escalated else ""
    shown: list[RenderableType] = [
        f"[bold]Review {line.id}: {_QUESTIONS[line.kind]}[/bold]",
        f"{escape(line.partner)}, batch {line.batch_id} row {line.row_no}, need band "
        f"{line.need_band}{supply}, since {line.opened_at:%d %b %H:%M}{late}",
    ]
    if found.joined:
        rows = len(found.joined)
        words = "1 other row waits" if rows == 1 else f"{rows} other rows wait"
        shown.append(f"{words} for the same ruling")
    if not found.sides:
        shown += ["", tables.facts("this row", found.fields)]
    for side in found.sides:
        shown += ["", _heading(side), _both(side), *_evidence(side)]
    return [*shown, "", *_next(found)]


def decided(done: Sequence[Decided], waiting: int, late: int) -> list[RenderableType]:
    """What became of each review of a call, and what is left."""
    shown: list[RenderableType] = []
    for one in done:
        if not one.done:
            shown.append(tables.warn(f"{one.id}: {one.message}"))
            continue
        rows = len(one.released)
        goes = "its row goes on" if rows == 1 else f"{rows} rows go on"
        shown.append(tables.done(f"{one.id}: {one.message.replace('_', ' ')}; {goes}"))
    good = [one.id for one in done if one.done]
    if good:
        shown.append(
            tables.hint(f"vouchers reviews undo {good[-1]}", "to take it back")
        )
    if waiting:
        told = f"{waiting:,} more wait{f', {late:,} of them too long' if late else ''}"
        shown.append(tables.hint(f"vouchers reviews list ({told})"))
    return shown


def _age(line: Line, now: datetime) -> str:
    """For how long a question waits, in the largest unit that fits."""
    minutes = int((now - line.opened_at).total_seconds() // 60)
    if minutes < 120:
        return f"{max(0, minutes)} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"


def _chances(line: Line) -> str:
    return f"{_percent(line.person)}, {_percent(line.household)}"


def _heading(side: Side) -> Text:
    head = Text(f"Resident {side.resident_id}", style="bold")
    head.append(
        f": {_percent(side.person)} the same person, {_percent(side.household)} another"
        " of the same household",
        style="not bold",
    )
    if side.in_review:
        head.append(
            f" (in review too: decide {side.resident_id} first)", style="yellow"
        )
    return head


def _percent(chance: float) -> str:
    """A chance in whole percent, which never claims to be certain."""
    if chance < 0.01:
        return "<1%"
    if chance > 0.99:
        return ">99%"
    return f"{chance:.0%}"


def _both(side: Side) -> Table:
    """The row's fields beside the resident's, with a sign for each."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    made.add_column("", style="dim", no_wrap=True)
    made.add_column("", no_wrap=True, width=1)
    made.add_column("this row", overflow="fold")
    made.add_column(f"resident {side.resident_id}", overflow="fold")
    for one in side.compared:
        both = bool(one.row and one.resident)
        sign, style = _DIFFERS if one.differs else _SAME if both else _BLANK
        value = style if one.differs else ""
        made.add_row(
            one.field.replace("_", " "),
            Text(sign, style=style),
            Text(one.row or "–", style=value if one.row else "dim"),
            Text(one.resident or "–", style=value if one.resident else "dim"),
        )
    return made


def _evidence(side: Side) -> list[RenderableType]:
    made = Table.grid(padding=(0, 2))
    made.add_column(style="dim", no_wrap=True)
    made.add_column()
    for name, words in (
        ("one person", "; ".join(side.speaks_for)),
        ("another", "; ".join(side.speaks_against)),
        ("either", "; ".join(side.says_little)),
        ("ask", "\n".join(side.questions)),
    ):
        if words:
            made.add_row(name, Text(words, style="bold" if name == "ask" else ""))
    return [made]


def _next(found: Sheet) -> list[RenderableType]:
    line = found.line
    if line.ruling and line.state == "decided":
        return [
            f"ruled [bold]{line.ruling.replace('_', ' ')}[/bold] by {line.decided_by}",
            tables.hint(f"vouchers reviews undo {line.id}", "to take it back"),
        ]
    shown: list[RenderableType] = []
    if found.asked_in is not None:
        shown.append(tables.hint(f"vouchers reviews show {found.asked_in}", "asked in"))
    made = Table.grid(padding=(0, 2))
    made.add_column(no_wrap=True)
    made.add_column(style="dim")
    for ruling, meaning in _RULINGS.items():
        if line.kind is not ReviewKind.HOUSEHOLD or ruling is not Ruling.SAME_PERSON:
            made.add_row(ruling.value, meaning)
    which = " --same-as RESIDENT" if len(found.sides) > 1 else ""
    reasons = ", ".join(reason.value for reason in RulingReason)
    command = f"vouchers reviews decide {line.id} --ruling ... --reason ...{which}"
    return [
        *shown,
        made,
        Text(f"reasons: {reasons}", style="dim"),
        tables.hint(command),
    ]
