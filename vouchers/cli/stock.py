"""Commands about codes and the networks where they are used."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from vouchers.cli.frame import Answer, Exit, Frame, command
from vouchers.domain.roles import Duty

stock = typer.Typer(no_args_is_help=True, help="Codes that were bought.")
redemptions = typer.Typer(no_args_is_help=True, help="What networks report.")
activations = typer.Typer(no_args_is_help=True, help="Codes that we announce.")

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A CSV file.")]
Network = Annotated[str, typer.Option(help="Its id in the scheme's rules.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    panel = "Money"
    app.add_typer(stock, name="stock", rich_help_panel=panel)
    app.add_typer(activations, name="activations", rich_help_panel=panel)
    app.add_typer(redemptions, name="redemptions", rich_help_panel=panel)
    command(app, "expire", rich_help_panel=panel)(expire)


@command(stock, "import")
def import_stock(
    frame: Frame,
    file: File,
    network: Network,
    scheme: Annotated[
        str | None, typer.Option(help="Needed when there are several.")
    ] = None,
    cost_pounds: Annotated[str, typer.Option(help="What the codes cost.")] = "0",
) -> Answer:
    """Take in codes (columns code, value, expires); one bad line quarantines all."""
    from dataclasses import asdict

    from vouchers.backoffice import stock as office
    from vouchers.cli import tables
    from vouchers.cli.money import to_pence
    from vouchers.store import schemes

    actor = frame.actor(Duty.CHANGE_STOCK)
    if scheme is None:
        with frame.ctx.reading() as conn:
            scheme = schemes.only(conn).slug
    taken = office.take_in(
        frame.ctx,
        actor,
        scheme=scheme,
        network=network,
        path=file,
        cost_pence=to_pence(cost_pounds),
    )
    if taken.faults:
        rows = [(fault.line, fault.fault) for fault in taken.faults[:50]]
        drawn = tables.table("Quarantined", ("line", "fault"), rows, right=["line"])
        hint = tables.warn("no code was taken in: put the file right or ask anew")
        return Answer(asdict(taken), [drawn, hint], Exit.LOOK)
    words = "was taken in before; nothing changed" if taken.repeated else "taken in"
    line = f"{taken.units:,} codes worth {tables.pounds(taken.pence)} {words}"
    return Answer(asdict(taken), [tables.done(line)])


@command(stock, "levels")
def levels(frame: Frame) -> Answer:
    """How many codes of each network and value are free."""
    from vouchers.backoffice import stock as office
    from vouchers.cli import tables

    frame.person(Duty.SEE_MONEY)
    found = office.levels(frame.ctx)
    document = [level._asdict() for level in found]
    rows = [
        (level.network, tables.pounds(level.value_pence), level.free, level.bound,
         level.first_expires_on)
        for level in found
    ]  # fmt: skip
    heads = ("network", "value", "free", "bound", "first ends on")
    drawn = tables.table(None, heads, rows, right=heads[1:4])
    return Answer(document, [drawn if rows else tables.warn("no codes were imported")])


@command(activations, "export")
def export_activations(
    frame: Frame,
    network: Network,
    out: Annotated[Path, typer.Option(help="Folder to write into.")],
) -> Answer:
    """Write the codes we made that a network does not know yet. Keep the file safe."""
    from dataclasses import asdict

    from vouchers.backoffice import activations as office
    from vouchers.cli import tables

    actor = frame.actor(Duty.CHANGE_STOCK)
    done = office.export(frame.ctx, actor, network=network, out=out)
    if done.path is None:
        return Answer(
            asdict(done), [tables.done(f"{network} knows every code already")]
        )
    words = f"{done.units:,} codes worth {tables.pounds(done.pence)} in {done.path}"
    return Answer(asdict(done), [tables.done(words)])


@command(redemptions, "import")
def import_redemptions(
    frame: Frame,
    file: File,
    network: Network,
    first_day: Day = None,
    last_day: Day = None,
) -> Answer:
    """Take in a network's file of what was used; the same file changes nothing."""
    from dataclasses import asdict

    from vouchers.cli import tables
    from vouchers.pipeline import redeem

    actor = frame.actor(Duty.IMPORT_REDEMPTIONS)
    if (first_day is None) != (last_day is None):
        raise typer.BadParameter("give --first-day and --last-day together, or neither")
    covers = (first_day.date(), last_day.date()) if first_day and last_day else None
    receipt = redeem.import_feed(frame.ctx, network, file, actor, covers=covers)
    words = (
        f"{receipt.lines:,} lines: {receipt.new:,} new, {receipt.repeated:,} known, "
        f"{receipt.conflicting:,} conflicting, {receipt.unreadable:,} unreadable"
    )
    if receipt.unreadable or receipt.conflicting:
        hint = "see `vouchers redemptions discrepancies`"
        return Answer(asdict(receipt), [tables.warn(f"{words}; {hint}")], Exit.LOOK)
    return Answer(asdict(receipt), [tables.done(words)])


@command(redemptions, "discrepancies")
def list_discrepancies(
    frame: Frame,
    settled: Annotated[
        bool, typer.Option("--settled", help="Those that are settled.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="The oldest so many.")] = 200,
) -> Answer:
    """What networks' files said that does not fit, until somebody settles it."""
    from dataclasses import asdict

    from vouchers.backoffice import discrepancies as office
    from vouchers.cli import tables

    frame.person(Duty.SEE_MONEY)
    found = office.listing(frame.ctx, settled=settled, limit=limit)
    document = [asdict(one) for one in found]
    if not found:
        return Answer(document, [tables.done("no discrepancies")])
    rows = [
        (one.number, one.network, one.transaction or one.place, one.voucher,
         tables.pounds(one.pence) if one.pence else "", one.sentence)
        for one in found
    ]  # fmt: skip
    heads = ("number", "network", "transaction", "voucher", "amount", "what happened")
    drawn = tables.table(None, heads, rows, right=("number", "voucher", "amount"))
    return Answer(document, [drawn], Exit.DONE if settled else Exit.LOOK)


@command(redemptions, "settle")
def settle_discrepancies(
    frame: Frame,
    numbers: Annotated[list[int], typer.Argument(help="Numbers of discrepancies.")],
    reason: Annotated[str, typer.Option(help="How; it is kept in the audit log.")],
) -> Answer:
    """Say that discrepancies are settled with the network; moves no money."""
    from vouchers.backoffice import discrepancies as office
    from vouchers.cli import tables

    actor = frame.actor(Duty.CHANGE_MONEY)
    count = office.settle(frame.ctx, actor, numbers, reason=reason)
    return Answer({"settled": numbers}, [tables.done(f"{count:,} settled")])


def expire(frame: Frame) -> Answer:
    """End codes whose day has passed; free the money whose network has spoken."""
    from dataclasses import asdict

    from vouchers.cli import tables
    from vouchers.pipeline import expire as office

    frame.person(Duty.CHANGE_STOCK)
    swept = office.sweep(frame.ctx)
    words = (
        f"{swept.expired:,} codes ended, {swept.released:,} freed, "
        f"{tables.pounds(swept.released_pence)} back in their contributions"
    )
    return Answer(asdict(swept), [tables.done(words)])
