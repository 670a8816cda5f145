"""Commands about files: hand one in, read what became of its rows."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated, Any

import typer

from vouchers.cli.frame import DOOR, Answer, Exit, Frame, command
from vouchers.domain.roles import Duty
from vouchers.errors import NotFound


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    panel = {"rich_help_panel": "Files and rows"}
    command(app, "submit", **panel)(submit)
    command(app, "results", **panel)(results)


def submit(
    frame: Frame,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A CSV or XLSX file.")
    ],
    partner: Annotated[str, typer.Option(help="Whose residents they are.")],
    scheme: Annotated[
        str | None, typer.Option(help="Needed when more than one is open.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen; keep nothing.")
    ] = False,
) -> Answer:
    """Hand in a partner's file, by the same rules as the drop folder."""
    from dataclasses import asdict

    from vouchers.pipeline import accept
    from vouchers.store import parties

    person = frame.person(Duty.SUBMIT)
    with frame.ctx.reading() as conn:
        person.must_own(parties.partner_by_slug(conn, partner).id)
    receipt = accept.submit(
        frame.ctx,
        partner=partner,
        scheme=scheme,
        path=file,
        via=DOOR,
        actor=person.actor(DOOR),
        dry_run=dry_run,
    )
    refused = receipt.outcome == "refused"
    return Answer(
        asdict(receipt), _receipt(receipt), Exit.FAILED if refused else Exit.DONE
    )


def _receipt(receipt: Any) -> list[Any]:
    from vouchers.cli import tables
    from vouchers.pipeline import accept

    if receipt.outcome == "refused":
        return [tables.warn(f"refused ({receipt.code}): {receipt.message}")]
    if receipt.outcome == "already_received":
        return [tables.done(f"batch {receipt.batch_id}: {receipt.message}")]
    notices = [tables.warn(str(_words(notice))) for notice in receipt.notices]
    if receipt.preview is not None:
        return [*_preview(receipt), *notices]
    words = (
        f"batch {receipt.batch_id}: {accept.counted(receipt.rows)} received; "
        f"vouchers status --batch {receipt.batch_id} follows them"
    )
    return [tables.done(words), *notices]


def _preview(receipt: Any) -> list[Any]:
    from vouchers.cli import tables

    preview = receipt.preview
    counted = {
        "rows": preview.rows,
        "would be granted today": preview.granted,
        "looked at by a person": preview.checked,
        "waiting for money or stock": preview.waiting,
        "not granted": preview.declined,
        "to correct": preview.to_correct,
    }
    if preview.withdrawn:
        counted["take a request back"] = preview.withdrawn
    if preview.undecided:
        counted["read, but not decided on"] = preview.undecided
    shown: list[Any] = [tables.facts("A dry run: nothing was kept", counted)]
    for title, rows in (
        ("Why not granted", preview.reasons),
        ("What we would take for granted", preview.assumed),
    ):
        if rows:
            lines = [(rows[text], text) for text in sorted(rows)]
            shown.append(tables.table(title, ("rows", "what"), lines, right=["rows"]))
    if preview.examples:
        columns = ("row", "cell", "what to do")
        faults = preview.examples
        more = preview.to_correct - len({number for number, _, _ in faults})
        caption = f"and {more:,} more rows" if more > 0 else None
        shown.append(
            tables.table("To correct", columns, faults, right=["row"], caption=caption)
        )
    shown += [
        tables.warn(f"the file would wait for a person: {reason}")
        for reason in preview.stops
    ]
    if receipt.code == "no_row_accepted":
        shown.append(tables.warn("no row could be taken: this dry run does not count"))
    else:
        shown.append(tables.done("hand it in with the same words without --dry-run"))
    return shown


def _words(notice: Any) -> str:
    return str(getattr(notice, "text", notice))


def results(
    frame: Frame,
    batch: Annotated[int, typer.Option(help="Number of the batch.")],
    out: Annotated[
        Path | None, typer.Option(help="Where to write; without it, to stdout.")
    ] = None,
) -> Answer:
    """Write a batch's result file: the partner's columns, what became of each row."""
    import io

    from vouchers.cli import tables
    from vouchers.pipeline import results as office
    from vouchers.store import status

    person = frame.person(Duty.SEE_ROWS)
    with frame.ctx.reading() as conn:
        row = status.one_batch(conn, batch)
        if row is None:
            raise NotFound(f"there is no batch {batch}: see `vouchers status`")
        person.must_own(row.partner_id)
    if out is not None:
        with office.replacing(out) as stream:
            rows = office.write_result(frame.ctx, batch, stream)
        document = {"batch": batch, "rows": rows, "file": str(out)}
        return Answer(document, [tables.done(f"{rows:,} rows written to {out}")])
    text = io.StringIO(newline="")
    office.write_result(frame.ctx, batch, text)
    if not frame.json:
        # As it is, for `> file` and for the next program.
        typer.echo(text.getvalue(), nl=False)
        return Answer({"batch": batch}, [tables.NOTHING])
    text.seek(0)
    return Answer({"batch": batch, "rows": list(csv.DictReader(text))})
