"""Commands about the matching model: learn it, hold it against others and rulings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vouchers.cli.frame import DOOR, Answer, Exit, Frame, command
from vouchers.domain.roles import Duty

if TYPE_CHECKING:
    from rich.console import RenderableType

matching = typer.Typer(no_args_is_help=True, help="How residents are recognised.")


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(matching, name="matching", rich_help_panel="Work under way")


@command(matching, "audit")
def audit(
    frame: Frame,
    limit: Annotated[
        int, typer.Option(min=1, max=500, help="Pairs that are listed.")
    ] = 20,
    memory: Annotated[
        str, typer.Option(help="What the second opinion may use, at most.")
    ] = "2GB",
    opened: Annotated[
        bool,
        typer.Option("--open", help="Show names too; whose you saw is recorded."),
    ] = False,
) -> Answer:
    """Ask Splink about the whole register, and list where it sees it otherwise.

    Splink is a matcher of others, with a model of its own. It needs
    `pip install 'fuel-vouchers[audit]'`. Everything stays in memory: about 200 MB, and
    up to 3 MB more for each 1,000 residents. Protected residents are left out. Nothing
    is changed and no review is opened: a review is about a row that waits, and these
    residents have been decided on.
    """
    from dataclasses import asdict

    from vouchers.backoffice import matching_audit as office

    person = frame.person(Duty.REVIEW)
    with frame.aside.status("asking for a second opinion"):
        found = office.audit(
            frame.ctx, person, door=DOOR, limit=limit, memory=memory, opened=opened
        )
    ends = Exit.LOOK if found.listed else Exit.DONE
    return Answer(asdict(found), _audited(found), ends)


def _audited(found: Any) -> list[RenderableType]:
    from vouchers.cli import tables

    counted = {
        "residents compared": found.residents,
        "forms in which they are known": found.rows,
        "pairs that Splink scored": found.compared,
        "pairs of residents that it would join": found.would_join,
        "residents that it would part": found.would_part,
        **{
            f"of {found.looked_at:,} looked at: {stand.value.replace('_', ' ')}": n
            for stand, n in found.stands.items()
        },
    }
    shown: list[RenderableType] = [tables.facts("A second opinion", counted)]
    if not found.listed:
        return [*shown, tables.done("nothing that a person would have to look at")]
    rows = [
        (one.left, "same" if one.left == one.right else one.right,
         one.stand.value.replace("_", " "), f"{one.splink:.3f}", f"{one.person:.3f}",
         f"{one.household:.3f}", "; ".join(one.why) or one.advice)
        for one in found.listed
    ]  # fmt: skip
    heads = ("resident", "and", "with us", "Splink", "person", "home", "our evidence")
    right = ("Splink", "person", "home")
    shown.append(tables.table("Where the two differ", heads, rows, right=right))
    for one in found.listed:
        if one.opened is not None:
            names = list(dict.fromkeys([*one.opened[0], *one.opened[1]]))
            sides = [(n.replace("_", " "), *(s.get(n, "") for s in one.opened))
                     for n in names]  # fmt: skip
            shown.append(
                tables.table(
                    f"{one.left} and {one.right}",
                    ("", str(one.left), str(one.right)), sides,
                )
            )  # fmt: skip
    return shown


@command(matching, "train")
def train(
    frame: Frame,
    out: Annotated[
        Path | None, typer.Option(help="Write it there: a new file, or a folder.")
    ] = None,
) -> Answer:
    """Learn the model's probabilities from the rows handed in, without any rulings.

    Writes a new file beside the model in use and says what it changes. It is used when
    VOUCHERS_MODEL names it, on every host alike; nothing learns by itself. How often
    given names and birth dates are wrong stays as it is. The file holds no names.
    """
    from dataclasses import asdict

    from vouchers.backoffice import training as office

    person = frame.person(Duty.REVIEW)
    with frame.aside.status("learning from the rows handed in"):
        found = office.train(frame.ctx, person, out, door=DOOR)
    ends = Exit.FAILED if found.faults else Exit.DONE
    return Answer(asdict(found), _trained(found), ends)


def _trained(found: Any) -> list[RenderableType]:
    from vouchers.cli import tables

    counted = {
        "model": found.model,
        "rows": found.rows,
        "pairs that share something": found.pairs,
        "of these, expected to be one person": found.person_pairs,
        "expected to be one household": found.household_pairs,
        "rounds": found.rounds,
    }
    rows = [
        (".".join(one.place), f"{one.old:.6g}", f"{one.new:.6g}")
        for one in found.changes
    ]
    shown: list[RenderableType] = [
        tables.facts("Learned from", counted),
        tables.table("Numbers that moved", ("number", "was", "becomes"), rows,
                     right=("was", "becomes")),
    ]  # fmt: skip
    shown += [tables.warn(f"not written: {fault}") for fault in found.faults]
    if found.file is not None:
        shown.append(tables.done(f"written: {found.file} (version {found.version})"))
        shown.append(_how_to_use(found.file))
    elif not found.faults:
        shown.append(tables.done("nothing moved: the model in use fits these rows"))
    return shown


def _how_to_use(file: Path) -> str:
    return (
        "[dim]Run the table of hard cases, then name it on every host: "
        f"VOUCHERS_MODEL={file}[/dim]"
    )


@command(matching, "calibrate")
def calibrate(
    frame: Frame,
    false_match_rate: Annotated[
        float, typer.Option(help="Share of automatic matches that may be wrong.")
    ] = 0.002,
    missed_match_rate: Annotated[
        float, typer.Option(help="Share of pairs let pass that may be one person.")
    ] = 0.01,
    write: Annotated[
        bool,
        typer.Option("--write", help="Write a new model file beside the one in use."),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write it there: a new file, or a folder.")
    ] = None,
) -> Answer:
    """Turn reviewers' rulings into thresholds that keep a stated rate of mistakes.

    With too few rulings it says how many are needed, and changes nothing. A threshold
    moves only inside the band in which people ruled. The file is a proposal.
    """
    from dataclasses import asdict

    from vouchers.backoffice import calibration as office

    person = frame.person(Duty.SEE_WORK)
    report = office.calibrate(
        frame.ctx,
        person,
        false_match_rate=false_match_rate,
        missed_match_rate=missed_match_rate,
        door=DOOR,
        write=write,
        out=out,
    )
    ends = Exit.FAILED if report.refused else Exit.DONE
    document = {**asdict(report), "caveat": office.CAVEAT}
    return Answer(document, _calibrated(report, office.CAVEAT), ends)


def _calibrated(report: Any, caveat: str) -> list[RenderableType]:
    from vouchers.cli import tables

    counted = {
        "model": report.model,
        "rulings under it": report.rulings,
        "of these, sent by a warning": report.guarded,
        "outside the band": report.outside,
        "under other versions, left out": sum(report.others.values()),
    }
    rows = [
        (f"{band.low:.2f} to {band.high:.2f}", band.rulings,
         f"{band.same / band.rulings:.1%}" if band.rulings else "",
         f"{band.same_most:.1%}" if band.rulings else "",
         f"{band.different_most:.1%}" if band.rulings else "")
        for band in report.bands
    ]  # fmt: skip
    heads = ("score", "rulings", "same", "same at most", "different at most")
    shown: list[RenderableType] = [tables.facts("Rulings", counted)]
    if any(band.rulings for band in report.bands):
        title = "Without a warning, by score"
        shown.append(tables.table(title, heads, rows, right=heads[1:]))
    for one in report.thresholds:
        words = f"{one.name} {one.old:g} -> {one.new:g}: {one.why}"
        kept = f"{one.name} stays at {one.old:g}: {one.why}"
        shown.append(tables.done(words) if one.moved else tables.warn(kept))
    if report.refused:
        shown.append(tables.warn(f"too few rulings: {report.refused}"))
    if report.too_low is not None:
        shown.append(
            tables.warn(
                f"of pairs just below the match threshold at least "
                f"{report.too_low:.1%} are two people; some above it will be, too: "
                "raise it by hand, or look at matches with `vouchers matching audit`"
            )
        )
    if report.file is not None:
        shown += [
            tables.done(f"written: {report.file} (version {report.version})"),
            _how_to_use(report.file),
        ]
    elif report.moved:
        shown.append(tables.warn("nothing was written: --write does, beside the model"))
    return [*shown, f"[dim]{caveat}[/dim]"]
