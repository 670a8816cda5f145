"""Commands that prove: the audit log, the ledger, the house's own promises."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from vouchers.cli.frame import Answer, Exit, Frame, command
from vouchers.domain.roles import Duty

audit = typer.Typer(
    no_args_is_help=True, help="What happened, and that it is all there."
)
ledger = typer.Typer(no_args_is_help=True, help="The books: export and check them.")
keys = typer.Typer(no_args_is_help=True, help="The keys that seal residents' data.")


class Form(StrEnum):
    """Programs that can read the books."""

    HLEDGER = "hledger"
    BEANCOUNT = "beancount"
    CSV = "csv"


Out = Annotated[Path, typer.Option(help="Where to write.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(audit, name="audit", rich_help_panel="Proof")
    app.add_typer(ledger, name="ledger", rich_help_panel="Proof")
    app.add_typer(keys, name="keys", rich_help_panel="The installation")


@command(audit, "verify")
def verify_audit(
    frame: Frame,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="An earlier checkpoint that you kept elsewhere."),
    ] = None,
) -> Answer:
    """Recompute the whole log and compare it with every checkpoint."""
    from vouchers.backoffice import audit as office
    from vouchers.cli import tables

    frame.person(Duty.SEE_AUDIT)
    report = office.verify(frame.ctx, checkpoint)
    document = {
        "ok": report.ok,
        "size": report.size,
        "checkpoints": report.checkpoints,
        "problems": _problems(report.problems),
    }
    if report.ok:
        words = (
            f"{report.size:,} events, {report.checkpoints} checkpoints: nothing was "
            "changed, removed, added or moved"
        )
        return Answer(document, [tables.done(words)])
    lines = [tables.warn(problem.sentence) for problem in report.problems]
    return Answer(document, lines, Exit.LOOK)


@command(audit, "checkpoint")
def make_checkpoint(
    frame: Frame,
    out: Annotated[
        Path | None, typer.Option(help="Keep it in a file, best on another machine.")
    ] = None,
    accept_loss: Annotated[
        str | None,
        typer.Option(
            metavar="REASON",
            help="An older backup was restored on purpose: go on from it.",
        ),
    ] = None,
) -> Answer:
    """Sign a statement of the whole log as it is now. Keep it somewhere else."""
    from rich.text import Text

    from vouchers.backoffice import audit as office
    from vouchers.cli import tables

    frame.person(Duty.SEE_AUDIT)
    if accept_loss is not None:
        office.accept_loss(frame.ctx, frame.actor(Duty.ROTATE_KEYS), accept_loss)
    note = office.checkpoint(frame.ctx)
    if out is None:
        return Answer({"checkpoint": note}, [Text(note)])
    out.write_text(note, encoding="utf-8")
    return Answer(
        {"checkpoint": note, "file": str(out)}, [tables.done(f"kept in {out}")]
    )


@command(audit, "prove")
def prove_event(
    frame: Frame,
    event: Annotated[int | None, typer.Option(help="Number of an event.")] = None,
    entity: Annotated[
        str | None, typer.Option(help="subject:number, such as award:1234.")
    ] = None,
) -> Answer:
    """Show that an event is in the log, for anyone who holds a checkpoint."""
    from rich.text import Text

    from vouchers.backoffice import audit as office

    frame.person(Duty.SEE_AUDIT)
    if (event is None) == (entity is None):
        raise typer.BadParameter("give either --event or --entity")
    subject = None
    if entity is not None:
        name, _, number = entity.partition(":")
        if not number.isdigit():
            raise typer.BadParameter("an entity is written subject:number")
        subject = (name, int(number))
    found = office.prove(frame.ctx, event=event, entity=subject)
    shown = [Text(f"#{e.number} {e.body}\n\n{e.proof}") for e in found]
    return Answer(
        [{"number": e.number, "body": e.body, "proof": e.proof} for e in found], shown
    )


@command(audit, "export")
def export_audit(frame: Frame, out: Out) -> Answer:
    """Write the whole log with its proofs, for an auditor's own program."""
    from vouchers.backoffice import audit as office
    from vouchers.cli import tables

    frame.person(Duty.SEE_AUDIT)
    done = office.export(frame.ctx, out)
    document = {
        "events": done.events,
        "checkpoints": done.checkpoints,
        "file": str(out),
    }
    return Answer(document, [tables.done(f"{done.events:,} events written to {out}")])


@command(ledger, "export")
def export_ledger(
    frame: Frame,
    form: Annotated[Form, typer.Option("--format", help="Whose format.")],
    out: Annotated[
        Path | None, typer.Option(help="Where to write; without it, to stdout.")
    ] = None,
) -> Answer:
    """Write the books so that an independent program can add them up."""
    from vouchers.backoffice import books
    from vouchers.cli import tables

    frame.person(Duty.SEE_MONEY)
    if out is None and frame.json:
        raise typer.BadParameter("with --json, give --out FILE for the books")
    if out is None:
        transfers = books.export(frame.ctx, form.value, sys.stdout)
        return Answer({"transfers": transfers}, [tables.NOTHING])
    with out.open("w", encoding="utf-8", newline="") as stream:
        transfers = books.export(frame.ctx, form.value, stream)
    document = {"transfers": transfers, "file": str(out)}
    return Answer(document, [tables.done(f"{transfers:,} transfers written to {out}")])


@command(ledger, "verify")
def verify_ledger(frame: Frame) -> Answer:
    """Replay every transfer, and let each accounting program on this machine agree."""
    from vouchers.backoffice import books
    from vouchers.cli import tables

    frame.person(Duty.SEE_MONEY)
    report = books.verify(frame.ctx)
    document = {
        "ok": report.ok,
        "programs": report.programs,
        "problems": _problems(report.problems),
    }
    if report.ok:
        by = ", ".join(str(program) for program in report.programs)
        words = f"the books add up to the penny; agreed by our replay and {by or 'no'}"
        return Answer(document, [tables.done(words)])
    lines = [tables.warn(_sentence(problem)) for problem in report.problems]
    return Answer(document, lines, Exit.LOOK)


@command(keys, "rotate")
def rotate_keys(
    frame: Frame,
    match: Annotated[
        bool, typer.Option("--match", help="The match keys instead of the seals.")
    ] = False,
) -> Answer:
    """Make a new key and seal everything anew with it."""
    from dataclasses import asdict

    from vouchers.backoffice import keys as office
    from vouchers.cli import tables

    actor = frame.actor(Duty.ROTATE_KEYS)
    done = office.rotate(frame.ctx, actor, match=match)
    words = (
        f"key {done.sealing_key} seals from now on; what older keys sealed is sealed "
        "anew by `vouchers work`. Copy the key file to every host and into its backup"
    )
    return Answer(asdict(done), [tables.done(words)])


def _problems(problems: Any) -> list[Any]:
    from dataclasses import asdict, is_dataclass

    return [
        asdict(problem)
        if is_dataclass(problem) and not isinstance(problem, type)
        else str(problem)
        for problem in problems
    ]


def _sentence(problem: Any) -> str:
    return str(getattr(problem, "sentence", problem))
