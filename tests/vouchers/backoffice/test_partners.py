"""Partners: their terms, what they lack, and who may change them."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from vouchers.backoffice import partners
from vouchers.domain.roles import Person, Role
from vouchers.errors import NotAllowed, NotFound, Refused
from vouchers.pipeline.context import Context
from vouchers.store.tables.parties import partner as table

OWNER = Person(1, "owner", frozenset({Role.OWNER}))


def add(ctx: Context, slug: str = "harbour", **terms: object) -> int:
    """A partner with a name and whatever a test cares about."""
    return partners.add(
        ctx,
        slug=slug,
        name="Harbour Homes",
        by=OWNER,
        door="cli",
        **terms,  # type: ignore[arg-type]
    )


def test_a_new_partner_reads_what_it_still_needs(ctx: Context) -> None:
    """Before a live file: an agreement, a contact and a passed dry run."""
    add(ctx)

    [row] = partners.listing(ctx, by=OWNER)

    assert row["missing"] == [
        "a signed agreement",
        "a named contact",
        "one passed dry run",
    ]


def test_terms_can_be_added_later(ctx: Context) -> None:
    """An agreement and a contact that come later are kept."""
    add(ctx)
    partners.amend(
        ctx,
        slug="harbour",
        by=OWNER,
        door="cli",
        agreement_on=date(2026, 1, 5),
        contact="Dana Whitlock",
    )

    shown = partners.show(ctx, slug="harbour", by=OWNER)

    assert shown["missing"] == ["one passed dry run"]
    assert shown["contact"] == {"name": "Dana Whitlock"}


def test_the_contact_is_sealed(ctx: Context) -> None:
    """A stolen database does not name who answers at a partner."""
    add(ctx, contact="Dana Whitlock")

    with ctx.reading() as conn:
        sealed = conn.scalar(select(table.c.contact_sealed))

    assert sealed is not None
    assert b"Dana" not in sealed


def test_a_refuge_is_reached_through_its_workers(ctx: Context) -> None:
    """A refuge's profile starts as partner_only."""
    add(ctx, refuge=True)

    assert partners.listing(ctx, by=OWNER)[0]["safe_contact"] == "partner_only"


def test_an_id_is_taken_once(ctx: Context) -> None:
    """A second partner of the same id is refused."""
    add(ctx)

    with pytest.raises(Refused, match="already"):
        add(ctx)


@pytest.mark.parametrize("slug", ["", "A", "a b", "../up", "-x"])
def test_an_id_can_be_a_folder_name(ctx: Context, slug: str) -> None:
    """Ids name folders in the inbox, so nothing but letters, digits and dashes."""
    with pytest.raises(Refused):
        add(ctx, slug)


def test_suspending_and_resuming(ctx: Context) -> None:
    """A suspended partner can be taken up again; doing either twice is refused."""
    add(ctx)
    partners.suspend(ctx, slug="harbour", by=OWNER, door="cli")
    assert partners.listing(ctx, by=OWNER)[0]["state"] == "suspended"
    with pytest.raises(Refused):
        partners.suspend(ctx, slug="harbour", by=OWNER, door="cli")

    partners.resume(ctx, slug="harbour", by=OWNER, door="cli")

    assert partners.listing(ctx, by=OWNER)[0]["state"] == "active"


def test_a_partners_person_sees_its_own_organisation_only(ctx: Context) -> None:
    """Lists hold one row for a partner's person; others' terms are refused."""
    own = add(ctx)
    add(ctx, "other")
    bob = Person(2, "bob", frozenset({Role.PARTNER}), own)

    assert [row["partner"] for row in partners.listing(ctx, by=bob)] == ["harbour"]
    with pytest.raises(NotAllowed):
        partners.show(ctx, slug="other", by=bob)


def test_an_unknown_partner_is_named(ctx: Context) -> None:
    """Asking for a partner that is not there says where to look."""
    with pytest.raises(NotFound, match="vouchers partners list"):
        partners.show(ctx, slug="nobody", by=OWNER)
