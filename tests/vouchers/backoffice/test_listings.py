"""Communal homes and workers' phones: listed by a partner, found by the matcher."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from tests.partner_files import csv_file, errors, open_house, row
from vouchers.backoffice import listings, partners
from vouchers.domain.matching.features import read_features
from vouchers.domain.matching.keys import KeyKind
from vouchers.domain.roles import Person, Role
from vouchers.errors import NotAllowed, Refused
from vouchers.pipeline.accept import submit
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store import registry
from vouchers.store.tables.proof import audit_event

OWNER = Person(1, "owner", frozenset({Role.OWNER}))


def list_home(ctx: Context, *, by: Person = OWNER, **more: object) -> bool:
    """Elm Homes lists its hostel."""
    return listings.list_communal(
        ctx,
        slug="elm-homes",
        address="14 Mill Lane",
        postcode="ls62ab",
        by=by,
        door="cli",
        **more,  # type: ignore[arg-type]
    )


def list_phone(ctx: Context, mobile: str = "07700 900001", **more: object) -> bool:
    """Elm Homes lists Wendy's phone."""
    return listings.list_worker_phone(
        ctx,
        slug="elm-homes",
        mobile=mobile,
        by=OWNER,
        door="cli",
        **more,  # type: ignore[arg-type]
    )


def is_communal(ctx: Context, **home: str) -> bool:
    """Whether the matcher takes a row's home for a listed one."""
    key = ctx.keys.match_key(KeyKind.DWELLING, read_features(home).dwelling)
    with ctx.reading() as conn:
        return registry.listed(conn, "communal", [key]) == {key}


def test_a_listed_home_is_found_however_a_row_writes_it(ctx: Context) -> None:
    """With and without its UPRN, in other letters; the house next door is not it."""
    open_house(ctx)
    assert list_home(ctx, uprn="100012345")
    row = {"address_line_1": "14, MILL LANE", "postcode": "LS6 2AB"}
    assert is_communal(ctx, **row)
    assert is_communal(ctx, **row, uprn="100012345")
    assert not is_communal(ctx, **(row | {"address_line_1": "16 Mill Lane"}))


def test_a_listed_phone_gets_no_residents_code(ctx: Context, tmp_path: Path) -> None:
    """The row comes back to its partner, who is told that the number is a worker's."""
    open_house(ctx)
    assert list_phone(ctx)
    path = csv_file(tmp_path / "a.csv", [row(1), row(2)])
    submit(ctx, partner="elm-homes", path=path, via="cli", actor="wendy/cli")
    carry_all(ctx, ["accept"])
    assert errors(ctx) == [(2, ["no_contact_route"])]


def test_a_listing_can_be_taken_back_and_is_counted(ctx: Context) -> None:
    """Twice the same changes nothing; each change is an event without the address."""
    open_house(ctx)
    assert [list_home(ctx), list_home(ctx)] == [True, False]
    assert list_phone(ctx)
    shown = partners.show(ctx, slug="elm-homes", by=OWNER)
    assert (shown["communal_homes_listed"], shown["worker_phones_listed"]) == (1, 1)
    assert [list_home(ctx, remove=True), list_home(ctx, remove=True)] == [True, False]
    with ctx.reading() as conn:
        told = conn.execute(
            select(audit_event.c.kind, audit_event.c.body).order_by(audit_event.c.id)
        ).all()
    assert [kind for kind, _ in told if "listed" in kind] == [
        "partner.listed",
        "partner.listed",
        "partner.unlisted",
    ]
    assert "Mill" not in str(told)


def test_a_partners_person_lists_for_their_own_organisation_only(ctx: Context) -> None:
    """Another's listing would loosen how that partner's residents are matched."""
    number = open_house(ctx)
    own = Person(2, "wendy", frozenset({Role.PARTNER}), number)
    other = Person(3, "eve", frozenset({Role.PARTNER}), number + 1)
    assert list_home(ctx, by=own)
    with pytest.raises(NotAllowed):
        list_home(ctx, by=other)


@pytest.mark.parametrize("number", ["0161 496 0000", "call Wendy", "0770"])
def test_what_is_no_mobile_cannot_be_listed(ctx: Context, number: str) -> None:
    """The same words as in a file say why."""
    open_house(ctx)
    with pytest.raises(Refused, match="The number"):
        list_phone(ctx, number)


def test_half_a_postcode_cannot_be_listed(ctx: Context) -> None:
    """It would never be found in a row."""
    open_house(ctx)
    with pytest.raises(Refused, match="half a postcode"):
        listings.list_communal(
            ctx, slug="elm-homes", address="14 Mill Lane", postcode="LS6", by=OWNER,
            door="cli",
        )  # fmt: skip
