"""Commands about the installation itself: tables, health, the provider's stand-in."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from vouchers.cli.frame import Answer, Exit, Frame, command


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    panel = "The installation"
    command(app, "migrate", rich_help_panel=panel)(migrate)
    command(app, "doctor", rich_help_panel=panel)(doctor)
    app.command(
        "simulator",
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
        rich_help_panel=panel,
    )(simulator)


def migrate(
    frame: Frame,
    create_keys: Annotated[
        bool,
        typer.Option("--create-keys", help="Make the key file if there is none yet."),
    ] = False,
) -> Answer:
    """Make or bring up to date the tables; keys and first owner of a new house."""
    from vouchers.bootstrap import build
    from vouchers.cli import tables
    from vouchers.cli.frame import found_house
    from vouchers.errors import Refused
    from vouchers.store.sealing import Keyring

    settings = frame.settings
    if not settings.keys.exists():
        if not (create_keys or settings.embedded):
            raise Refused(
                f"there is no key file at {settings.keys}: bring the one that belongs "
                "to this database, or start a new house with --create-keys"
            )
        Keyring.create(settings.keys)
    app = build(settings, migrate=True)
    lines = [tables.done("tables are up to date")]
    kept = found_house(app)
    document: dict[str, str | bool | None] = {
        "migrated": True,
        "owner_token_file": None,
    }
    if kept is not None:
        document["owner_token_file"] = str(kept)
        lines.append(tables.done(f"first person: owner; their token lies in {kept}"))
    return Answer(document, lines)


def doctor(frame: Frame) -> Answer:
    """Look for whatever needs a person: promises, keys, work, clocks, disk."""
    from vouchers.backoffice import doctor as office
    from vouchers.cli import tables

    settings = frame.settings
    redis = None
    if settings.broker_url != "memory":

        def redis() -> None:
            import redis as client

            client.Redis.from_url(settings.broker_url, socket_timeout=3).ping()

    findings = office.examine(frame.ctx, redis)
    bad = [finding for finding in findings if finding.level != "ok"]
    marks = {"ok": "[green]✓[/green]", "warn": "[yellow]![/yellow]"}
    lines: list[str] = []
    for finding in findings:
        lines.append(f"{marks.get(finding.level, '[red]✗[/red]')} {finding.sentence}")
        lines += [f"    [dim]{hint}[/dim]" for hint in finding.hints]
    lines.append(
        tables.warn(f"{len(bad)} things to look at")
        if bad
        else tables.done(f"{len(findings)} checks, all well")
    )
    document = {"ok": not bad, "findings": [asdict(finding) for finding in findings]}
    return Answer(document, lines, Exit.LOOK if bad else Exit.DONE)


def simulator(words: typer.Context) -> None:
    """Play the text provider: real HTTP with a state. Takes --port, --port-file, ..."""
    from config.settings import SIMULATOR_PORT
    from vouchers.messages.simulator.__main__ import main

    given = list(words.args)
    if not any(word.startswith("--port") for word in given):
        given += ["--port", str(SIMULATOR_PORT)]
    main(given)
