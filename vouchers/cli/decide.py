"""Commands for what only a person can decide: who is who, and who waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vouchers.cli.frame import DOOR, Answer, Exit, Frame, command
from vouchers.domain.matching.rulings import Ruling, RulingReason
from vouchers.domain.roles import Duty

if TYPE_CHECKING:
    from rich.console import RenderableType

reviews = typer.Typer(no_args_is_help=True, help="Is this somebody we know?")


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    panel = "Work under way"
    app.add_typer(reviews, name="reviews", rich_help_panel=panel)
    command(app, "waitlist", rich_help_panel=panel)(waitlist)


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


@command(reviews, "list")
def list_reviews(
    frame: Frame,
    decided: Annotated[
        bool, typer.Option("--decided", help="The rulings, not the questions.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="The first so many.")] = 200,
) -> Answer:
    """Questions about who is who, in order of need; nobody's name is shown."""
    from dataclasses import asdict

    from vouchers.backoffice import reviews as office
    from vouchers.cli import tables

    person = frame.person(Duty.REVIEW)
    lines = office.listing(frame.ctx, person, decided=decided, limit=limit)
    document = [asdict(line) for line in lines]
    rows = [
        (line.id, line.kind, line.partner, f"{line.batch_id}/{line.row_no}",
         line.need_band, "off" if line.off_supply else "", line.opened_at,
         line.ruling if decided else line.candidates,
         line.decided_by if decided else "yes" if line.protected else "")
        for line in lines
    ]  # fmt: skip
    last = ("ruling", "decided by") if decided else ("candidates", "protected")
    heads = ("review", "kind", "partner", "row", "band", "supply", "since", *last)
    drawn = tables.table(None, heads, rows, right=("review", "row", "band"))
    nobody = "nothing was decided" if decided else "nothing waits for a ruling"
    return Answer(document, [drawn if rows else tables.done(nobody)])


@command(reviews, "show")
def show_review(
    frame: Frame,
    review: Annotated[int, typer.Argument(help="Number of the review.")],
) -> Answer:
    """Both sides of a question, opened and compared; that you looked is recorded."""
    from dataclasses import asdict

    from vouchers.backoffice import reviews as office

    person = frame.person(Duty.REVIEW)
    sheet = office.show(frame.ctx, person, review, door=DOOR)
    return Answer(asdict(sheet), _sheet(sheet))


@command(reviews, "decide")
def decide(
    frame: Frame,
    review: Annotated[list[int], typer.Argument(help="Numbers of reviews.")],
    ruling: Annotated[Ruling, typer.Option(help="What you say.")],
    reason: Annotated[RulingReason, typer.Option(help="What you saw.")],
    same_as: Annotated[
        int | None, typer.Option(help="The resident meant, where there are several.")
    ] = None,
) -> Answer:
    """Say who is who; rows that waited for it go on at once."""
    from dataclasses import asdict

    from vouchers.backoffice import reviews as office
    from vouchers.cli import tables

    done = office.decide(
        frame.ctx,
        frame.person(Duty.REVIEW),
        review,
        ruling,
        reason=reason,
        door=DOOR,
        same_as=same_as,
    )
    lines = [
        (tables.done if one.done else tables.warn)(f"{one.id}: {one.message}")
        for one in done
    ]
    good = all(one.done for one in done)
    return Answer(
        [asdict(one) for one in done], lines, Exit.DONE if good else Exit.FAILED
    )


@command(reviews, "undo")
def undo(
    frame: Frame,
    review: Annotated[int, typer.Argument(help="Number of the review.")],
    part: Annotated[
        bool,
        typer.Option(
            "--part",
            "--granted",
            help="Part two people who were taken for one, whatever was redeemed.",
        ),
    ] = False,
) -> Answer:
    """Take a ruling back, while nothing granted on it was redeemed; ask anew."""
    from vouchers.backoffice import retractions as office
    from vouchers.cli import tables

    person = frame.person(Duty.REVIEW)
    take_back = office.unmerge if part else office.undo
    opened = take_back(frame.ctx, person, review, door=DOOR)
    document = {"review": str(review), "opened": [str(row) for row in opened]}
    count = f"{len(opened)} row{'s' * (len(opened) != 1)}"
    words = (
        f"two people again; {count} refused because of it are judged anew"
        if part
        else f"the question is open again, for {count}"
    )
    shown = [tables.done(words)]
    if not part:
        shown.append(tables.hint(f"vouchers reviews show {review}"))
    return Answer(document, shown)


def _sheet(sheet: Any) -> list[RenderableType]:
    from vouchers.cli import tables

    names = list(sheet.fields)
    columns = [
        "",
        "this row",
        *(f"resident {side.resident_id}" for side in sheet.sides),
    ]
    rows = [
        [
            name.replace("_", " "),
            sheet.fields[name],
            *(side.fields.get(name, "") for side in sheet.sides),
        ]
        for name in names
    ]
    why = [
        f"resident {side.resident_id}: same person {side.person:.1%}, same household "
        f"{side.household:.1%}"
        for side in sheet.sides
    ]
    return [tables.table(f"Review {sheet.line.id}", columns, rows), *why]
