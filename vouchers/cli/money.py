"""Commands about the fund: who gave, what is left, what goes back."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vouchers.cli.frame import Answer, Frame, command
from vouchers.domain.roles import Duty

if TYPE_CHECKING:
    from rich.console import RenderableType

fund = typer.Typer(no_args_is_help=True, help="Funders, pools and contributions.")

Slug = Annotated[str, typer.Argument(help="Id: small letters, digits, dashes.")]
FullName = Annotated[str, typer.Option("--name", help="Full name.")]
Gift = Annotated[str, typer.Argument(help="Id of the contribution.")]
Pounds = Annotated[str, typer.Option(help="Amount, such as 1250 or 1250.50.")]
Day = typer.Option(formats=["%Y-%m-%d"])
Booking = Annotated[
    str, typer.Option(help="Bank line or letter: it is booked once only.")
]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(fund, name="fund", rich_help_panel="Money")


@command(fund, "add-funder")
def add_funder(frame: Frame, slug: Slug, name: FullName) -> Answer:
    """Remember who gives."""
    from vouchers.backoffice import fund as office
    from vouchers.cli import tables

    actor = frame.actor(Duty.CHANGE_MONEY)
    number = office.add_funder(frame.ctx, actor, slug=slug, name=name)
    return Answer({"funder": slug, "id": number}, [tables.done(f"funder {slug} added")])


@command(fund, "add-pool")
def add_pool(
    frame: Frame,
    slug: Slug,
    name: FullName,
    scheme: Annotated[
        str | None, typer.Option(help="Needed when there are several.")
    ] = None,
) -> Answer:
    """Open a budget that partners draw on."""
    from vouchers.backoffice import fund as office
    from vouchers.cli import tables
    from vouchers.store import schemes

    actor = frame.actor(Duty.CHANGE_MONEY)
    if scheme is None:
        with frame.ctx.reading() as conn:
            scheme = schemes.only(conn).slug
    number = office.add_pool(frame.ctx, actor, scheme=scheme, slug=slug, name=name)
    document = {"pool": slug, "id": number, "scheme": scheme}
    return Answer(document, [tables.done(f"pool {slug} opened in {scheme}")])


@command(fund, "give")
def give(
    frame: Frame,
    gift: Gift,
    pool: Annotated[str, typer.Option(help="Pool it goes into.")],
    funder: Annotated[str, typer.Option(help="Who gives.")],
    pounds: Pounds,
    starts_on: Annotated[datetime | None, Day] = None,
    ends_on: Annotated[datetime | None, Day] = None,
    region: Annotated[
        list[str] | None, typer.Option(help="Only these regions.")
    ] = None,
    outcode: Annotated[
        list[str] | None, typer.Option(help="Only these outward postcodes.")
    ] = None,
    partner: Annotated[
        list[str] | None, typer.Option(help="Only these partners' residents.")
    ] = None,
    meter_type: Annotated[
        list[str] | None, typer.Option(help="Only these meter types.")
    ] = None,
    need_band: Annotated[
        list[int] | None, typer.Option(help="Only these need bands, 1 to 8.")
    ] = None,
    priority: Annotated[int, typer.Option(help="Lower is drawn on first.")] = 0,
    allows_costs: Annotated[
        bool, typer.Option("--allows-costs", help="It may pay fees as well.")
    ] = False,
) -> Answer:
    """Note a pledge with its conditions; no money moves yet."""
    from vouchers.backoffice import fund as office
    from vouchers.cli import tables

    actor = frame.actor(Duty.CHANGE_MONEY)
    asked = {
        "regions": region,
        "outcodes": outcode,
        "partners": _partner_ids(frame, partner),
        "meter_types": meter_type,
        "need_bands": need_band,
    }
    number = office.give(
        frame.ctx,
        actor,
        slug=gift,
        funder_slug=funder,
        pool_slug=pool,
        pence=to_pence(pounds),
        restrictions={name: values for name, values in asked.items() if values},
        starts_on=starts_on.date() if starts_on else None,
        ends_on=ends_on.date() if ends_on else None,
        priority=priority,
        allows_costs=allows_costs,
    )
    words = f"{gift} is pledged; book its money with: vouchers fund receive {gift}"
    return Answer({"contribution": gift, "id": number}, [tables.done(words)])


@command(fund, "confirm")
def confirm(frame: Frame, gift: Gift) -> Answer:
    """Confirm a large pledge; whoever noted it may not."""
    from vouchers.backoffice import fund as office
    from vouchers.cli import tables

    office.confirm(frame.ctx, frame.actor(Duty.APPROVE_MONEY), gift)
    return Answer({"contribution": gift}, [tables.done(f"{gift} is confirmed")])


@command(fund, "receive")
def receive(frame: Frame, gift: Gift, pounds: Pounds, bank_line: Booking) -> Answer:
    """Book money that arrived; the same bank line is booked once."""
    from vouchers.backoffice import fund as office

    booked = office.receive(
        frame.ctx,
        frame.actor(Duty.CHANGE_MONEY),
        gift,
        pence=to_pence(pounds),
        bank_line=bank_line,
    )
    return _booked(gift, booked, f"{_sum(pounds)} of {gift} is booked", _BEFORE)


@command(fund, "withdraw")
def withdraw(frame: Frame, gift: Gift, pounds: Pounds, reference: Booking) -> Answer:
    """A funder takes back what is not spent; a voucher never."""
    from vouchers.backoffice import fund as office

    booked = office.withdraw(
        frame.ctx,
        frame.actor(Duty.CHANGE_MONEY),
        gift,
        pence=to_pence(pounds),
        reference=reference,
    )
    done = f"{_sum(pounds)} taken back from {gift}"
    return _booked(gift, booked, done, _BEFORE)


@command(fund, "return")
def return_unspent(
    frame: Frame,
    gift: Gift,
    reference: Booking,
    pounds: Annotated[
        str | None, typer.Option(help="All that is left if blank.")
    ] = None,
) -> Answer:
    """Pay what is left back to the funder at the end."""
    from vouchers.backoffice import fund as office

    booked = office.return_unspent(
        frame.ctx,
        frame.actor(Duty.CHANGE_MONEY),
        gift,
        pence=to_pence(pounds) if pounds else None,
        reference=reference,
    )
    done = _sum(pounds) if pounds else "what was left"
    nothing = f"nothing of {gift} is left, or it was booked before; nothing changed"
    return _booked(gift, booked, f"{done} of {gift} is returned", nothing)


@command(fund, "cost")
def pay_cost(frame: Frame, gift: Gift, pounds: Pounds, reference: Booking) -> Answer:
    """Pay a fee, postage or fraud cover from a gift that allows it."""
    from vouchers.backoffice import fund as office

    booked = office.pay_cost(
        frame.ctx,
        frame.actor(Duty.CHANGE_MONEY),
        gift,
        pence=to_pence(pounds),
        reference=reference,
    )
    return _booked(gift, booked, f"{_sum(pounds)} of costs paid from {gift}", _BEFORE)


@command(fund, "lapse")
def lapse(frame: Frame, gift: Gift) -> Answer:
    """Give up a pledge that never came."""
    from vouchers.backoffice import fund as office
    from vouchers.cli import tables

    office.lapse(frame.ctx, frame.actor(Duty.CHANGE_MONEY), gift)
    return Answer({"contribution": gift}, [tables.done(f"{gift} has lapsed")])


@command(fund, "close")
def close(frame: Frame, gift: Gift) -> Answer:
    """End a gift of which nothing is left to spend or to come back."""
    from vouchers.backoffice import fund as office
    from vouchers.cli import tables

    office.close(frame.ctx, frame.actor(Duty.CHANGE_MONEY), gift)
    return Answer({"contribution": gift}, [tables.done(f"{gift} is closed")])


@command(fund, "list")
def list_gifts(
    frame: Frame,
    scheme: Annotated[str | None, typer.Option(help="Of one scheme.")] = None,
) -> Answer:
    """Every contribution with where its pence are."""
    from vouchers.backoffice import fund as office

    frame.person(Duty.SEE_MONEY)
    document = [standing_document(one) for one in office.standings(frame.ctx, scheme)]
    return Answer(document, [gifts_table(document)])


def standing_document(standing: Any) -> dict[str, Any]:
    """A contribution as a document: its terms and its pence at each place."""
    gift = standing.gift
    places = {place.name.lower(): pence for place, pence in standing.places.items()}
    return {
        "contribution": gift.slug,
        "pool": gift.pool_slug,
        "funder": gift.funder_slug,
        "state": gift.state,
        "pledged_pence": gift.pledged_pence,
        "restrictions": gift.restrictions,
        "ends_on": gift.ends_on,
        "pence": places,
        "unspendable_pence": standing.unspendable_pence,
    }


def gifts_table(
    gifts: list[dict[str, Any]], title: str | None = None
) -> RenderableType:
    """Where each contribution's money is, places without a penny left out."""
    from vouchers.cli import tables
    from vouchers.domain.ids import Place

    places = [
        place.name.lower()
        for place in Place
        if any(gift["pence"].get(place.name.lower()) for gift in gifts)
    ]
    rows = [
        [
            gift["contribution"],
            gift["pool"],
            gift["state"],
            *(tables.pounds(gift["pence"].get(place, 0)) for place in places),
        ]
        for gift in gifts
    ]
    heads = [place.replace("_", " ") for place in places]
    return tables.table(title, ("gift", "pool", "state", *heads), rows, right=heads)


def to_pence(pounds: str) -> int:
    """Pounds as typed, to whole pence; refuses what is not an amount."""
    found = re.fullmatch(r"£?(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{2}))?", pounds.strip())
    if found is None:
        raise typer.BadParameter(f"{pounds!r} is no amount; write 1250 or 1250.50")
    whole, rest = found.groups()
    return int(whole.replace(",", "")) * 100 + int(rest or 0)


_BEFORE = "that was booked before; nothing changed"


def _sum(pounds: str) -> str:
    from vouchers.cli import tables

    return tables.pounds(to_pence(pounds))


def _booked(gift: str, booked: bool, done: str, not_done: str) -> Answer:
    from vouchers.cli import tables

    document = {"contribution": gift, "booked": booked}
    return Answer(document, [tables.done(done if booked else not_done)])


def _partner_ids(frame: Frame, slugs: list[str] | None) -> list[int]:
    from vouchers.store import parties

    if not slugs:
        return []
    with frame.ctx.reading() as conn:
        return [int(parties.partner_by_slug(conn, slug).id) for slug in slugs]
