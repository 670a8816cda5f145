"""Commands about the scheme's rules and whether it takes rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from vouchers.cli.frame import Answer, Exit, Frame, command
from vouchers.domain.roles import Duty

scheme = typer.Typer(no_args_is_help=True, help="The scheme's rules and its state.")

File = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="A scheme file (TOML).")
]
Slug = Annotated[str, typer.Argument(help="The scheme's id.")]
Reason = Annotated[str, typer.Option(help="Why; partners may be told.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(scheme, name="scheme", rich_help_panel="Taking part")


@command(scheme, "check")
def check(frame: Frame, file: File) -> Answer:
    """Name every fault of a rules file, and what its provider lacks here."""
    from schemas.scheme import Scheme
    from vouchers import providers
    from vouchers.backoffice import scheme as office
    from vouchers.cli import tables

    text = file.read_text(encoding="utf-8")
    faults = office.check(text)
    if not faults:
        texting = Scheme.parse(text).messages
        faults = providers.scheme_faults(frame.settings, texting)
    document = {"ok": not faults, "faults": faults}
    if not faults:
        return Answer(document, [tables.done(f"{file} may be loaded")])
    return Answer(document, [tables.warn(fault) for fault in faults], Exit.FAILED)


@command(scheme, "load")
def load(frame: Frame, file: File) -> Answer:
    """Propose a version of the rules; another person approves it."""
    from dataclasses import asdict

    from vouchers.backoffice import scheme as office
    from vouchers.cli import tables

    actor = frame.actor(Duty.CHANGE_SCHEME)
    version = office.load(frame.ctx, file.read_text(encoding="utf-8"), actor)
    words = (
        f"version {version.number} of {version.slug} is proposed; somebody else runs: "
        f"vouchers scheme approve {version.slug}"
    )
    return Answer(asdict(version), [tables.done(words)])


@command(scheme, "approve")
def approve(
    frame: Frame,
    slug: Slug,
    version: Annotated[
        int | None, typer.Option(help="Which proposal; the newest if left out.")
    ] = None,
) -> Answer:
    """Put proposed rules in force; whoever loaded them may not."""
    from dataclasses import asdict

    from vouchers.backoffice import scheme as office
    from vouchers.cli import tables

    actor = frame.actor(Duty.APPROVE_SCHEME)
    active = office.approve(frame.ctx, slug, actor, version)
    words = f"version {active.number} of {slug} is in force"
    return Answer(asdict(active), [tables.done(words)])


@command(scheme, "list")
def list_schemes(frame: Frame) -> Answer:
    """Every scheme with the versions of its rules."""
    from dataclasses import asdict

    from vouchers.backoffice import scheme as office
    from vouchers.cli import tables
    from vouchers.store import schemes

    frame.person(Duty.SEE_ROWS)
    with frame.ctx.reading() as conn:
        found = schemes.all_schemes(conn)
    document: list[dict[str, Any]] = [
        {
            "scheme": row.slug,
            "name": row.name,
            "state": row.state,
            "versions": [asdict(v) for v in office.versions(frame.ctx, row.slug)],
        }
        for row in found
    ]
    lines = [
        (one["scheme"], one["state"], v["number"], v["state"], v["loaded_by"],
         v["approved_by"])
        for one in document
        for v in one["versions"]
    ]  # fmt: skip
    heads = ("scheme", "is", "version", "rules are", "loaded by", "approved by")
    return Answer(document, [tables.table(None, heads, lines, right=["version"])])


@command(scheme, "pause")
def pause(frame: Frame, slug: Slug, reason: Reason) -> Answer:
    """Stop intake and new awards; who waits keeps their place."""
    from vouchers.backoffice import scheme as office
    from vouchers.cli import tables

    office.pause(frame.ctx, slug, frame.actor(Duty.CHANGE_SCHEME), reason)
    return Answer(
        {"scheme": slug, "state": "paused"}, [tables.done(f"{slug} is paused")]
    )


@command(scheme, "resume")
def resume(frame: Frame, slug: Slug) -> Answer:
    """Take rows again and look at everybody who waited."""
    from vouchers.backoffice import scheme as office
    from vouchers.cli import tables

    office.resume(frame.ctx, slug, frame.actor(Duty.CHANGE_SCHEME))
    return Answer({"scheme": slug, "state": "open"}, [tables.done(f"{slug} is open")])


@command(scheme, "close")
def close(frame: Frame, slug: Slug, reason: Reason) -> Answer:
    """Take no more rows, for good; what was accepted is still decided."""
    from vouchers.backoffice import scheme as office
    from vouchers.cli import tables

    office.close(frame.ctx, slug, frame.actor(Duty.CHANGE_SCHEME), reason)
    return Answer(
        {"scheme": slug, "state": "closed"}, [tables.done(f"{slug} is closed")]
    )
