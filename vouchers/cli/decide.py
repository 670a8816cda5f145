"""Commands for what only a person can decide: who is who, and who waits."""

from __future__ import annotations

from typing import Annotated

import typer

from vouchers.cli.frame import Answer, Frame, command
from vouchers.domain.roles import Duty

reviews = typer.Typer(no_args_is_help=True, help="Is this somebody we know?")


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    panel = {"rich_help_panel": "Work under way"}
    app.add_typer(reviews, name="reviews", **panel)
    command(app, "waitlist", **panel)(waitlist)


def waitlist(
    frame: Frame,
    scheme: Annotated[
        str | None, typer.Option(help="Needed when there are several.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="The first so many.")] = 100,
) -> Answer:
    """Who waits for money or stock, in the order in which they are served, and why."""
    from dataclasses import asdict

    from vouchers.cli import tables
    from vouchers.pipeline import waitlist as office
    from vouchers.store import parties, schemes

    frame.person(Duty.SEE_WORK)
    with frame.ctx.reading() as conn:
        row = schemes.by_slug(conn, scheme) if scheme else schemes.only(conn)
        slugs = {found.id: found.slug for found in parties.list_partners(conn)}
    places = office.places(frame.ctx, row.id, limit=limit)
    document = [
        {**asdict(place), "partner": slugs.get(place.partner_id)} for place in places
    ]
    rows = [
        (place.number, place.referral_id, slugs.get(place.partner_id), place.need_band,
         "off" if place.off_supply else "", place.since, place.sentence)
        for place in places
    ]  # fmt: skip
    heads = ("place", "referral", "partner", "band", "supply", "since", "why it waits")
    drawn = tables.table(None, heads, rows, right=("place", "band"))
    return Answer(document, [drawn if rows else tables.done("nobody waits")])
