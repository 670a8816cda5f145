"""Commands for files that were stopped as a whole: look, let go on, or end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vouchers.cli.frame import DOOR, Answer, Exit, Frame, command
from vouchers.domain.roles import Duty

if TYPE_CHECKING:
    from rich.console import RenderableType

    from vouchers.backoffice.batches import File

batches = typer.Typer(
    no_args_is_help=True, help="Files that look wrong as a whole and wait for you."
)

_Batch = Annotated[int, typer.Argument(help="Number of the batch.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(batches, name="batches", rich_help_panel="Work under way")


@command(batches, "list")
def list_batches(
    frame: Frame,
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that went on or were ended.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="The first so many.")] = 100,
) -> Answer:
    """Files that wait for a person, the longest first, and why."""
    from dataclasses import asdict

    from vouchers.backoffice import batches as office
    from vouchers.cli import tables

    person = frame.person(Duty.SEE_WORK)
    found = office.listing(frame.ctx, person, everything=everything, limit=limit)
    document = [asdict(one) for one in found]
    if not found:
        return Answer(document, [tables.done("no file was stopped")])
    rows = [
        (one.batch, one.partner, one.state, f"{one.rows:,}",
         f"{one.stopped_at:%d %b %H:%M}" if one.stopped_at else "",
         "; ".join(cause.sentence for cause in one.causes))
        for one in found
    ]  # fmt: skip
    heads = ("batch", "partner", "state", "rows", "since", "why")
    shown: list[RenderableType] = [
        tables.table(None, heads, rows, right=("batch", "rows"))
    ]
    waiting = [one for one in found if one.state == "stopped"]
    if waiting:
        shown.append(tables.hint(f"vouchers batches show {waiting[0].batch}"))
    return Answer(document, shown, Exit.LOOK if waiting else Exit.DONE)


@command(batches, "show")
def show_batch(frame: Frame, batch: _Batch) -> Answer:
    """One file: why it was stopped, how far it is, what to ask first."""
    from dataclasses import asdict

    from vouchers.backoffice import batches as office

    found = office.show(frame.ctx, frame.person(Duty.SEE_WORK), batch)
    stopped = found.state == "stopped"
    return Answer(asdict(found), _file(found), Exit.LOOK if stopped else Exit.DONE)


@command(batches, "release")
def release(
    frame: Frame,
    batch: _Batch,
    reason: Annotated[str, typer.Option(help="What you found out; it is recorded.")],
) -> Answer:
    """Let a stopped file go on; it does not stop for the same reasons again."""
    from vouchers.backoffice import batches as office
    from vouchers.cli import tables

    person = frame.person(Duty.CHANGE_WORK)
    seen = office.release(frame.ctx, person, batch, reason=reason, door=DOOR)
    document = {"batch": batch, "state": "open", "released_for": list(seen)}
    words = (
        f"batch {batch} goes on, in spite of: {', '.join(map(_plain, seen))}; "
        f"vouchers status --batch {batch} follows it"
    )
    return Answer(document, [tables.done(words)])


@command(batches, "reject")
def reject(
    frame: Frame,
    batch: _Batch,
    reason: Annotated[str, typer.Option(help="What is wrong; it is recorded.")],
) -> Answer:
    """End a stopped file: nothing more of it is granted, its partner reads that."""
    from vouchers.backoffice import batches as office
    from vouchers.cli import tables

    person = frame.person(Duty.CHANGE_WORK)
    office.reject(frame.ctx, person, batch, reason=reason, door=DOOR)
    words = (
        f"batch {batch} is ended; what was granted stays, every other row is withdrawn"
    )
    return Answer({"batch": batch, "state": "rejected"}, [tables.done(words)])


def _file(found: File) -> list[RenderableType]:
    from vouchers.cli import tables

    facts = {
        "state": found.state,
        "received": found.received_at,
        "rows": f"{found.rows:,}",
        "read so far": f"{found.rows_read:,}",
        "matched so far": f"{found.rows_matched:,}",
        "of these, known before": f"{found.rows_repeated:,}",
        "off supply and undecided": f"{found.off_supply_undecided:,}",
    }
    shown: list[RenderableType] = [
        tables.facts(f"Batch {found.batch} of {found.partner}", facts), ""
    ]  # fmt: skip
    from rich.padding import Padding

    for cause in found.causes:
        mark = tables.done if cause.released else tables.warn
        shown.append(mark(f"{cause.sentence}{', and went on' * cause.released}"))
        if not cause.released and found.state == "stopped":
            shown.append(Padding(f"[dim]{cause.question}[/dim]", (0, 0, 0, 4)))
    if found.state == "stopped":
        shown += [
            "",
            tables.hint(f'vouchers batches release {found.batch} --reason "..."'),
            tables.hint(f'vouchers batches reject {found.batch} --reason "..."', "or"),
        ]
    elif not found.causes:
        shown.append(tables.done("it was never stopped"))
    return shown


def _plain(code: str) -> str:
    return code.replace("_", " ")
