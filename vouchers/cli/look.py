"""Commands that look: status of every row, one referral's story, search."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vouchers.cli.frame import DOOR, Answer, Exit, Frame, command
from vouchers.domain.roles import Duty

if TYPE_CHECKING:
    from rich.console import RenderableType

#: Columns of a status, in the order in which a row becomes them.
WORDS = (
    "to_correct", "received", "checking", "waiting", "granted", "sent", "delivered",
    "not_delivered", "used", "expired", "not_granted",
)  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    panel = {"rich_help_panel": "Files and rows"}
    command(app, "status", **panel)(status)
    command(app, "explain", **panel)(explain)
    command(app, "search", **panel)(search)


def status(
    frame: Frame,
    batch: Annotated[
        int | None, typer.Option(help="One batch, with its faults.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest batches.")] = 200,
) -> Answer:
    """Account for every row of every file, and show every queue."""
    from vouchers.backoffice import status as office

    person = frame.person(Duty.SEE_ROWS)
    if batch is not None:
        account = office.one_batch(frame.ctx, batch, by=person)
        code = Exit.LOOK if office.needs_look(account) else Exit.DONE
        return Answer(account, _one(account), code)
    document = office.overview(frame.ctx, by=person, limit=limit)
    code = Exit.LOOK if office.needs_look(document) else Exit.DONE
    return Answer(document, _all(document, frame.console.width), code)


def _all(document: dict[str, Any], width: int) -> list[RenderableType]:
    from vouchers.cli import tables

    batches, total = document["batches"], document["rows"]
    wide = rows_table(batches, total)
    shown: list[RenderableType] = [
        wide if _fits(wide, width) else _in_words(batches, total)
    ]
    if "queues" in document:
        columns = ("queue", "waiting", "running", "held", "dead", "paused")
        rows = [[queue[name] for name in columns] for queue in document["queues"]]
        shown.append(tables.table("Queues", columns, rows, right=columns[1:5]))
    unread, missing = document["unread"], document["unaccounted"]
    if missing or document["held"]:
        shown.append(
            tables.warn(f"{missing} rows without a place, {document['held']} held")
        )
    elif not unread:
        shown.append(tables.done("every row of every file has its place"))
    if unread:
        shown.append(f"{unread:,} rows are still being read: look again in a moment")
    if document.get("stopped") and "queues" in document:
        count = document["stopped"]
        words = "1 file waits" if count == 1 else f"{count} files wait"
        shown.append(tables.warn(f"{words} for a person: vouchers batches list"))
    return shown


def rows_table(
    batches: list[dict[str, Any]], total: dict[str, int], title: str | None = None
) -> RenderableType:
    """What became of the rows: a line a file, a column a word that occurs."""
    from rich.text import Text

    from vouchers.cli import tables

    used = [word for word in WORDS if total.get(word)]
    held = sum(account["held"] for account in batches)
    lines: list[list[Any]] = [
        [
            account["batch"],
            account["partner"],
            account["state"],
            account["rows_total"],
            *(account["words"][word] or "" for word in used),
            *([account["held"]] if held else []),
        ]
        for account in batches
    ]
    lines.append(
        [
            "",
            Text("all", style="bold"),
            "",
            sum(account["rows_total"] or 0 for account in batches),
            *(total[word] for word in used),
            *([held] if held else []),
        ]
    )
    heads = [word.replace("_", " ") for word in used] + (["held"] if held else [])
    return tables.table(
        title,
        ("batch", "partner", "state", "rows", *heads),
        lines,
        right=("batch", "rows", *heads),
    )


def _fits(table: RenderableType, width: int) -> bool:
    """Whether no column has to be squeezed: a lost column is a lost answer."""
    from rich.console import Console
    from rich.measure import Measurement

    console = Console(width=1_000)
    return Measurement.get(console, console.options, table).maximum <= width


def _in_words(batches: list[dict[str, Any]], total: dict[str, int]) -> RenderableType:
    """The same for a narrow terminal: the counts as words, which may wrap."""
    from vouchers.cli import tables

    def said(words: dict[str, int], held: int) -> str:
        counts = {**words, "held": held}
        return ", ".join(
            f"{counts[word]:,} {word.replace('_', ' ')}"
            for word in (*WORDS, "held")
            if counts[word]
        )

    lines = [
        [
            account["batch"],
            account["partner"],
            account["state"],
            account["rows_total"],
            said(account["words"], account["held"]),
        ]
        for account in batches
    ]
    held = sum(account["held"] for account in batches)
    rows = sum(account["rows_total"] or 0 for account in batches)
    lines.append(["", "all", "", rows, said(total, held)])
    heads = ("batch", "partner", "state", "rows", "what became of them")
    return tables.table(None, heads, lines, right=("batch", "rows"))


def _one(account: dict[str, Any]) -> list[RenderableType]:
    from vouchers.cli import tables

    words = {word: n for word, n in account["words"].items() if n}
    shown: list[RenderableType] = [
        tables.facts(
            f"Batch {account['batch']} of {account['partner']}",
            {
                **({"file": account["file"]} if account["file"] else {}),
                "state": account["state"],
                **({"because": account["refused"]} if account["refused"] else {}),
                "received": account["received_at"],
                "rows": account["rows_total"],
                **words,
                "held": account["held"],
                **({"still being read": n} if (n := account["unread"]) else {}),
                "without a place": account["unaccounted"],
            },
        )
    ]
    if account["state"] == "stopped":
        shown.append(tables.hint(f"vouchers batches show {account['batch']}"))
    if account["faults"]:
        rows = [
            (code, rows, _meaning(code)) for code, rows in account["faults"].items()
        ]
        shown.append(
            tables.table(
                "To correct", ("fault", "rows", "meaning"), rows, right=["rows"]
            )
        )
    return shown


def _meaning(code: str) -> str:
    """What a fault says, be it of the form or of the scheme's rules."""
    from vouchers.domain import eligibility
    from vouchers.domain.intake import Fault, sentence

    if code in set(Fault):
        return sentence(code, column="The cell")
    return eligibility.FAULTS.get(code, ("", code))[1]


def explain(
    frame: Frame,
    reference: Annotated[
        str, typer.Argument(help="The partner's reference, or our referral number.")
    ],
    partner: Annotated[str, typer.Option(help="Whose reference it is.")],
    open_: Annotated[
        bool, typer.Option("--open", help="Show the sealed row too; this is recorded.")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why it is opened.")] = None,
) -> Answer:
    """Tell one referral's whole story: steps, rules, scores, people, money, texts."""
    from vouchers.backoffice import explain as office

    if open_ and not reason:
        raise typer.BadParameter("--open needs --reason: it is recorded with your name")
    document = office.explain(
        frame.ctx,
        reference=reference,
        partner=partner,
        by=frame.person(Duty.SEE_ROWS),
        door=DOOR,
        open_reason=reason if open_ else None,
    )
    return Answer(document, story(document))


def story(document: dict[str, Any]) -> list[RenderableType]:
    """One referral's story as people read it, from top to bottom."""
    from vouchers.cli import tables

    shown: list[RenderableType] = [
        tables.facts(
            f"Referral {document['referral']}",
            {
                "partner": document["partner"],
                "file and row": f"batch {document['batch']}, row {document['row']}",
                "now": document["word"],
                "the partner reads": document["sentence"],
                "next date": document["next_on"],
                **(document.get("need") or {}),
            },
        ),
        *_waits(document),
        "",
        _steps(document["steps"]),
    ]
    for title, name, columns in _PARTS:
        rows = document.get(name)
        if rows:
            shown.append(_part(title, rows, columns))
    if document.get("note"):
        shown.append(tables.warn(document["note"]))
    if document.get("opened"):
        shown.append(tables.facts("Opened, and recorded", document["opened"]))
    return shown


def _waits(document: dict[str, Any]) -> list[RenderableType]:
    """Why the file of the row was stopped, and where to let it go on."""
    from vouchers.cli import tables

    causes = document.get("file_waits_for") or []
    if not causes:
        return []
    told = [tables.warn(f"its file waits for a person: {cause}") for cause in causes]
    return [*told, tables.hint(f"vouchers batches show {document['batch']}")]


_PARTS = (
    (
        "Vouchers",
        "vouchers",
        ("number", "value_pence", "state", "network", "charged_to", "expires_on"),
    ),
    ("Money", "transfers", ("transfer", "kind", "from", "to", "amount_pence", "by")),
    (
        "Texts",
        "messages",
        ("purpose", "state", "segments", "accepted_at", "delivered_at"),
    ),
    ("Held work", "held_jobs", ("job", "kind", "error")),
)


def _steps(steps: list[dict[str, Any]]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    made = Table.grid(padding=(0, 2))
    for style in ("dim", "", "dim", "dim"):
        made.add_column(style=style, overflow="fold")
    for step in steps:
        words = Text(step["what"])
        for detail in step["details"]:
            words.append(f"\n  {detail}", style="dim")
        number = f"#{step['event']}" if step["event"] is not None else ""
        made.add_row(f"{step['at']:%d %b %H:%M:%S}", words, step["by"], number)
    return made


def _part(
    title: str, rows: list[dict[str, Any]], columns: tuple[str, ...]
) -> RenderableType:
    from vouchers.cli import tables

    def value(row: dict[str, Any], column: str) -> Any:
        pence = column.endswith("_pence")
        return tables.pounds(row[column]) if pence else row[column]

    heads = [name.removesuffix("_pence").replace("_", " ") for name in columns]
    right = [
        head
        for head, name in zip(heads, columns, strict=True)
        if name.endswith("_pence") or name in ("number", "transfer", "segments", "job")
    ]
    lines = [[value(row, column) for column in columns] for row in rows]
    return tables.table(title, heads, lines, right=right)


def search(
    frame: Frame,
    reason: Annotated[str, typer.Option(help="Why you look; it is recorded.")],
    mobile: Annotated[
        str | None, typer.Option(help="A whole UK mobile number.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="A family name; with --born.")
    ] = None,
    born: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Birth date.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="A partner's reference; with --partner.")
    ] = None,
    partner: Annotated[str | None, typer.Option(help="Whose reference.")] = None,
) -> Answer:
    """Find referrals by mobile, by name and birth date, or by reference."""
    from vouchers.backoffice import status as office
    from vouchers.cli import tables

    found = office.search(
        frame.ctx,
        by=frame.person(Duty.OPEN_SEALED),
        door=DOOR,
        reason=reason,
        mobile=mobile,
        name=name,
        born=born.date() if born else None,
        reference=reference,
        partner=partner,
    )
    if not found:
        return Answer([], [tables.warn("nobody was found")])
    columns = ("referral", "partner", "batch", "row", "state", "reason", "received_at")
    rows = [[hit[column] for column in columns] for hit in found]
    return Answer(found, [tables.table(None, columns, rows, right=["batch", "row"])])
