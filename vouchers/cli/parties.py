"""Commands about those who take part: partners and people."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from vouchers.cli.frame import DOOR, Answer, Frame, command, keep_token
from vouchers.domain.roles import Duty, Role

partners = typer.Typer(
    no_args_is_help=True, help="Organisations that hand in residents."
)
people = typer.Typer(no_args_is_help=True, help="People, their roles and tokens.")

Slug = Annotated[
    str, typer.Argument(help="The partner's id: small letters and dashes.")
]
Handle = Annotated[str, typer.Argument(help="How the audit log names this person.")]
Day = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Day on which the agreement was signed."),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(partners, name="partners", rich_help_panel="Taking part")
    app.add_typer(people, name="people", rich_help_panel="Taking part")


@command(partners, "add")
def add_partner(
    frame: Frame,
    slug: Slug,
    name: Annotated[str, typer.Option(help="Full name.")],
    known_as: Annotated[
        str | None, typer.Option(help="Name its residents know; written in the text.")
    ] = None,
    contact: Annotated[
        str | None, typer.Option(help="Who answers there; needed for live files.")
    ] = None,
    contact_email: Annotated[str | None, typer.Option(help="Their e-mail.")] = None,
    homes: Annotated[int, typer.Option(help="Homes; under 5,000 is small.")] = 0,
    region: Annotated[str | None, typer.Option(help="Region of the scheme.")] = None,
    refuge: Annotated[
        bool, typer.Option("--refuge", help="Its residents are protected.")
    ] = False,
    agreement: Day = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="A scheme it may not draw from.")
    ] = None,
) -> Answer:
    """Add a partner. It may hand in a dry run at once."""
    from vouchers.backoffice import partners as office
    from vouchers.cli import tables

    person = frame.person(Duty.CHANGE_PARTNERS)
    office.add(
        frame.ctx,
        slug=slug,
        name=name,
        known_as=known_as,
        contact=contact,
        contact_email=contact_email,
        homes=homes,
        region=region,
        refuge=refuge,
        agreement_on=agreement.date() if agreement else None,
        excluded=exclude or (),
        by=person,
        door=DOOR,
    )
    shown = office.show(frame.ctx, slug=slug, by=person)
    still = ", ".join(shown["missing"])
    return Answer(
        shown,
        [tables.done(f"{slug} added; before live files it needs: {still or '-'}")],
    )


@command(partners, "list")
def list_partners(frame: Frame) -> Answer:
    """Every partner, and what each still needs to go live."""
    from vouchers.backoffice import partners as office
    from vouchers.cli import tables

    rows = office.listing(frame.ctx, by=frame.person(Duty.SEE_ROWS))
    columns = ("partner", "known_as", "homes", "region", "refuge", "state", "missing")
    heads = ("partner", "known as", "homes", "region", "refuge", "state", "still needs")
    drawn = tables.table(
        None, heads, [[row[c] for c in columns] for row in rows], right=["homes"]
    )
    return Answer(rows, [drawn])


@command(partners, "show")
def show_partner(frame: Frame, slug: Slug) -> Answer:
    """One partner: terms, contact, what is missing."""
    from vouchers.backoffice import partners as office

    return Answer(office.show(frame.ctx, slug=slug, by=frame.person(Duty.SEE_ROWS)))


@command(partners, "amend")
def amend_partner(
    frame: Frame,
    slug: Slug,
    agreement: Day = None,
    contact: Annotated[str | None, typer.Option(help="Who answers there now.")] = None,
    contact_email: Annotated[str | None, typer.Option(help="Their e-mail.")] = None,
    homes: Annotated[int | None, typer.Option(help="Homes.")] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Schemes it may not draw from.")
    ] = None,
) -> Answer:
    """Change an agreement, a contact, homes or exclusions."""
    from vouchers.backoffice import partners as office
    from vouchers.cli import tables

    person = frame.person(Duty.CHANGE_PARTNERS)
    office.amend(
        frame.ctx,
        slug=slug,
        by=person,
        door=DOOR,
        agreement_on=agreement.date() if agreement else None,
        contact=contact,
        contact_email=contact_email,
        homes=homes,
        excluded=exclude,
    )
    shown = office.show(frame.ctx, slug=slug, by=person)
    return Answer(shown, [tables.done(f"{slug} changed")])


@command(partners, "suspend")
def suspend_partner(frame: Frame, slug: Slug) -> Answer:
    """Take no more files from a partner; what it handed in goes on."""
    from vouchers.backoffice import partners as office
    from vouchers.cli import tables

    office.suspend(
        frame.ctx, slug=slug, by=frame.person(Duty.CHANGE_PARTNERS), door=DOOR
    )
    document = {"partner": slug, "state": "suspended"}
    return Answer(document, [tables.done(f"{slug} suspended")])


@command(partners, "resume")
def resume_partner(frame: Frame, slug: Slug) -> Answer:
    """Take files from a suspended partner again."""
    from vouchers.backoffice import partners as office
    from vouchers.cli import tables

    office.resume(
        frame.ctx, slug=slug, by=frame.person(Duty.CHANGE_PARTNERS), door=DOOR
    )
    document = {"partner": slug, "state": "active"}
    return Answer(document, [tables.done(f"{slug} may hand in files again")])


@command(partners, "list-communal")
def list_communal(
    frame: Frame,
    slug: Slug,
    address: Annotated[
        str, typer.Option(help="House number and street, as in your files.")
    ],
    postcode: Annotated[str, typer.Option(help="Its whole postcode.")],
    uprn: Annotated[str, typer.Option(help="Its UPRN, if your files give it.")] = "",
    remove: Annotated[
        bool, typer.Option("--remove", help="Take it off the list.")
    ] = False,
) -> Answer:
    """List a home that many singles share: there, each is a household."""
    from vouchers.backoffice import listings

    changed = listings.list_communal(
        frame.ctx,
        slug=slug,
        address=address,
        postcode=postcode,
        uprn=uprn,
        remove=remove,
        by=frame.person(Duty.SUBMIT),
        door=DOOR,
    )
    return _listed_answer(slug, "communal home", changed=changed, remove=remove)


@command(partners, "list-worker-phone")
def list_worker_phone(
    frame: Frame,
    slug: Slug,
    mobile: Annotated[str, typer.Option(help="The worker's UK mobile number.")],
    remove: Annotated[
        bool, typer.Option("--remove", help="Take it off the list.")
    ] = False,
) -> Answer:
    """List a worker's mobile: no resident's code is ever sent to it."""
    from vouchers.backoffice import listings

    changed = listings.list_worker_phone(
        frame.ctx,
        slug=slug,
        mobile=mobile,
        remove=remove,
        by=frame.person(Duty.SUBMIT),
        door=DOOR,
    )
    return _listed_answer(slug, "worker's phone", changed=changed, remove=remove)


def _listed_answer(slug: str, what: str, *, changed: bool, remove: bool) -> Answer:
    from vouchers.cli import tables

    document = {"partner": slug, "what": what, "listed": not remove, "new": changed}
    if not changed:
        words = f"{slug}: this {what} was {'not listed' if remove else 'listed before'}"
        return Answer(document, [tables.warn(words)])
    done = "taken off the list" if remove else "listed"
    words = f"{slug}: {what} {done}; it holds for rows handed in from now on"
    return Answer(document, [tables.done(words)])


@command(people, "add")
def add_person(
    frame: Frame,
    handle: Handle,
    role: Annotated[list[Role], typer.Option(help="Repeat for several roles.")],
    partner: Annotated[
        str | None, typer.Option(help="Organisation, for the role partner.")
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(help="Write the token there (mode 600) instead of showing it."),
    ] = None,
) -> Answer:
    """Add a person. Their token is shown once and kept nowhere."""
    from vouchers.backoffice import people as office

    token = office.add(
        frame.ctx,
        handle=handle,
        roles=role,
        partner=partner,
        by=frame.person(Duty.CHANGE_PEOPLE),
        door=DOOR,
    )
    return _token_answer(handle, token, token_file, "added")


@command(people, "amend")
def amend_person(
    frame: Frame,
    handle: Handle,
    role: Annotated[
        list[Role], typer.Option(help="All roles from now on; may be repeated.")
    ],
) -> Answer:
    """Give a person other roles; their token stays."""
    from vouchers.backoffice import people as office
    from vouchers.cli import tables

    office.amend(frame.ctx, handle=handle, roles=role, by=frame.person(), door=DOOR)
    roles = sorted(one.value for one in role)
    words = f"{handle} is {', '.join(roles)}"
    return Answer({"handle": handle, "roles": roles}, [tables.done(words)])


@command(people, "renew")
def renew_token(
    frame: Frame,
    handle: Handle,
    token_file: Annotated[
        Path | None,
        typer.Option(help="Write the token there (mode 600) instead of showing it."),
    ] = None,
) -> Answer:
    """Give a person a new token; the old one stops at once."""
    from vouchers.backoffice import people as office

    token = office.renew(frame.ctx, handle=handle, by=frame.person(), door=DOOR)
    return _token_answer(handle, token, token_file, "has a new token")


@command(people, "list")
def list_people(frame: Frame) -> Answer:
    """Everybody with their roles; never a token."""
    from vouchers.backoffice import people as office
    from vouchers.cli import tables

    frame.person(Duty.SEE_WORK)
    rows = office.listing(frame.ctx)
    columns = ("handle", "roles", "partner", "state", "since")
    return Answer(
        rows, [tables.table(None, columns, [[row[c] for c in columns] for row in rows])]
    )


@command(people, "suspend")
def suspend_person(frame: Frame, handle: Handle) -> Answer:
    """Stop a person's token; what they did stays in the audit log."""
    from vouchers.backoffice import people as office
    from vouchers.cli import tables

    office.suspend(
        frame.ctx, handle=handle, by=frame.person(Duty.CHANGE_PEOPLE), door=DOOR
    )
    document = {"handle": handle, "state": "suspended"}
    return Answer(document, [tables.done(f"{handle} suspended")])


def _token_answer(handle: str, token: str, kept: Path | None, words: str) -> Answer:
    from vouchers.cli import tables

    if kept is not None:
        keep_token(kept, token)
        document = {"handle": handle, "token_file": str(kept)}
        return Answer(document, [tables.done(f"{handle} {words}; token in {kept}")])
    return Answer(
        {"handle": handle, "token": token},
        [
            tables.done(f"{handle} {words}"),
            f"  VOUCHERS_TOKEN={token}",
            "  [dim]Shown this once: hand it over, it is kept nowhere.[/dim]",
        ],
    )
