"""Commands for what only a person can decide: who is who, and who waits."""

from __future__ import annotations

from typing import Annotated

import typer

from vouchers.cli.frame import DOOR, Answer, Exit, Frame, command
from vouchers.domain.matching.rulings import Ruling, RulingReason
from vouchers.domain.roles import Duty

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
    limit: Annotated[int, typer.Option(min=1, help="The first so many.")] = 50,
) -> Answer:
    """Questions about who is who, in order of need; nobody's name is shown."""
    from dataclasses import asdict

    from vouchers.backoffice import reviews as office
    from vouchers.cli import review_pages as pages

    person = frame.person(Duty.REVIEW)
    lines = office.listing(frame.ctx, person, decided=decided, limit=limit)
    document = [asdict(line) for line in lines]
    if decided:
        return Answer(document, pages.rulings(lines))
    waiting = office.waiting(frame.ctx, person)
    return Answer(document, pages.queue(lines, *waiting, now=frame.ctx.clock()))


@command(reviews, "show")
def show_review(
    frame: Frame,
    review: Annotated[int, typer.Argument(help="Number of the review.")],
) -> Answer:
    """Both sides of a question, opened and compared; that you looked is recorded."""
    from dataclasses import asdict

    from vouchers.backoffice import reviews as office
    from vouchers.cli import review_pages as pages

    person = frame.person(Duty.REVIEW)
    sheet = office.show(frame.ctx, person, review, door=DOOR)
    return Answer(asdict(sheet), pages.sheet(sheet))


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
    from vouchers.cli import review_pages as pages

    person = frame.person(Duty.REVIEW)
    done = office.decide(
        frame.ctx, person, review, ruling, reason=reason, door=DOOR, same_as=same_as
    )
    shown = pages.decided(done, *office.waiting(frame.ctx, person))
    good = all(one.done for one in done)
    return Answer(
        [asdict(one) for one in done], shown, Exit.DONE if good else Exit.FAILED
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
