"""The command `vouchers demo`: a winter Monday on this machine, in half a minute."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vouchers.cli.frame import Answer, Exit, Frame, command

if TYPE_CHECKING:
    from vouchers.cli.demo.play import Stage
    from vouchers.cli.demo.showing import Screen


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    command(app, "demo", rich_help_panel="Start here")(demo)


def demo(
    frame: Frame,
    residents: Annotated[
        int, typer.Option(min=50, max=900, help="How many invented residents.")
    ] = 600,
    seed: Annotated[int, typer.Option(help="Another number, other people.")] = 7,
    folder: Annotated[
        Path | None, typer.Option(help="Where it plays; emptied at the start.")
    ] = None,
) -> Answer:
    """Five partners' files become text messages, and every penny is proved."""
    from config import logging
    from vouchers.cli import tables
    from vouchers.cli.demo import play
    from vouchers.cli.demo.showing import Screen

    logging.configure("json", level=50)
    started = time.monotonic()
    where = folder or frame.settings.var / "demo"
    screen = Screen(frame.console, frame.aside, quiet=frame.json)
    screen.opening(residents)
    with play.stage(where, seed=seed, residents=residents) as on:
        document = _play(on, screen)
    document["seconds"] = round(time.monotonic() - started, 1)
    document["folder"] = str(where)
    screen.closing(document)
    good = document["ok"]
    return Answer(document, [tables.NOTHING], Exit.DONE if good else Exit.FAILED)


def _play(on: Stage, screen: Screen) -> dict[str, Any]:
    """Every act in turn; gives what the acts found."""
    from vouchers.backoffice import status
    from vouchers.cli.demo import play

    screen.rehearsed(play.rehearse(on))
    filed = play.drop_files(on)
    screen.received(filed)
    with play.at_work(on) as until_idle:
        screen.watch(on, until_idle, "rows become texts")
        first = status.overview(on.app.context, by=on.owner)
        screen.rows(first)
        screen.money(on)
        play.more_money(on)
        screen.watch(on, until_idle, "a second gift arrives")
        screen.served(on)
        screen.twins(on)
        screen.phone(on)
        before = status.overview(on.app.context, by=on.owner)["rows"]
        again = play.drop_files(on)
        screen.watch(on, until_idle, "the same files again")
        after = status.overview(on.app.context, by=on.owner)["rows"]
        screen.unchanged(again, before, after)
        feeds = play.redeem_most(on)
        screen.watch(on, until_idle, "the networks report")
        swept = play.expire_the_rest(on)
        screen.watch(on, until_idle, "unused codes end")
    screen.settled(feeds, swept)
    screen.story(on)
    proofs = screen.proofs(on)
    last = status.overview(on.app.context, by=on.owner)
    return {
        "ok": before == after and all(proofs.values()) and not last["unaccounted"],
        "rows": first["rows"],
        "after_second_gift": before,
        "at_the_end": last["rows"],
        "unaccounted": last["unaccounted"],
        "same_files_changed_nothing": before == after,
        "texts": screen.texts,
        "proofs": proofs,
    }
