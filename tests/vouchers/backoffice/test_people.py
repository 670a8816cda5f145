"""People and their tokens: shown once, kept as digests, stopped at once."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from vouchers.backoffice import people
from vouchers.domain.roles import Person, Role
from vouchers.errors import NotAllowed, Refused
from vouchers.pipeline.context import Context
from vouchers.store.tables.parties import person as table
from vouchers.store.tables.proof import audit_event


@pytest.fixture
def owner(ctx: Context) -> Person:
    """The first owner of a new installation."""
    token = people.first_owner(ctx)
    with ctx.reading() as conn:
        return people.identify(conn, token)


def test_the_first_owner_is_made_once(ctx: Context) -> None:
    """A new installation makes one owner; asked again it makes nobody."""
    assert people.first_owner(ctx) is not None
    assert people.first_owner(ctx) is None


def test_a_token_stands_for_its_person(ctx: Context, owner: Person) -> None:
    """Whoever shows a token is known by handle, roles and nothing else."""
    token = people.add(ctx, handle="amy", roles=[Role.FINANCE], by=owner, door="cli")

    with ctx.reading() as conn:
        amy = people.identify(conn, token)

    assert (amy.handle, amy.roles) == ("amy", {Role.FINANCE})


def test_no_token_is_kept(ctx: Context, owner: Person) -> None:
    """Neither the people table nor the audit log holds a token."""
    token = people.add(ctx, handle="amy", roles=[Role.FINANCE], by=owner, door="cli")

    with ctx.reading() as conn:
        digests = list(conn.scalars(select(table.c.token_digest)))
        bodies = " ".join(conn.scalars(select(audit_event.c.body)))

    assert token.encode() not in b"".join(digests)
    assert token not in bodies


def test_a_suspended_persons_token_stops(ctx: Context, owner: Person) -> None:
    """After a suspension the token is refused at once."""
    token = people.add(ctx, handle="amy", roles=[Role.FINANCE], by=owner, door="cli")
    people.suspend(ctx, handle="amy", by=owner, door="cli")

    with ctx.reading() as conn, pytest.raises(NotAllowed):
        people.identify(conn, token)


def test_a_renewed_token_replaces_the_old_one(ctx: Context, owner: Person) -> None:
    """The old token stops with the new one's first minute."""
    old = people.add(ctx, handle="amy", roles=[Role.FINANCE], by=owner, door="cli")
    new = people.renew(ctx, handle="amy", by=owner, door="cli")

    with ctx.reading() as conn:
        assert people.identify(conn, new).handle == "amy"
        with pytest.raises(NotAllowed):
            people.identify(conn, old)


def test_only_owners_add_people(ctx: Context, owner: Person) -> None:
    """A finance person cannot add anybody, so nobody approves with a second self."""
    token = people.add(ctx, handle="amy", roles=[Role.FINANCE], by=owner, door="cli")
    with ctx.reading() as conn:
        amy = people.identify(conn, token)

    with pytest.raises(NotAllowed):
        people.add(ctx, handle="amy2", roles=[Role.FINANCE], by=amy, door="cli")


@pytest.mark.parametrize("token", [None, "", "fv_unknown"])
def test_whoever_has_no_token_is_nobody(ctx: Context, token: str | None) -> None:
    """A missing or unknown token is refused with what to do."""
    with ctx.reading() as conn, pytest.raises(NotAllowed):
        people.identify(conn, token)


def test_the_role_partner_stands_alone(ctx: Context, owner: Person) -> None:
    """A partner's person has an organisation and no second role."""
    with pytest.raises(Refused, match="stands alone"):
        people.add(ctx, handle="bob", roles=[Role.PARTNER], by=owner, door="cli")
    with pytest.raises(Refused, match="stands alone"):
        people.add(
            ctx,
            handle="bob",
            roles=[Role.PARTNER, Role.FINANCE],
            by=owner,
            door="cli",
            partner="x",
        )


def test_an_addition_is_in_the_audit_log(ctx: Context, owner: Person) -> None:
    """Who added whom, with which roles, stands in the log."""
    people.add(ctx, handle="amy", roles=[Role.FINANCE], by=owner, door="cli")

    with ctx.reading() as conn:
        bodies = list(conn.scalars(select(audit_event.c.body)))

    assert any('"actor":"owner/cli"' in body and "finance" in body for body in bodies)


def test_roles_are_changed_by_an_owner_and_the_token_stays(
    ctx: Context, owner: Person
) -> None:
    """The change is in the log; nobody takes the last owner away from themselves."""
    token = people.add(ctx, handle="amy", roles=[Role.FINANCE], by=owner, door="cli")

    people.amend(ctx, handle="amy", roles=[Role.REVIEWER], by=owner, door="cli")

    with ctx.reading() as conn:
        amy = people.identify(conn, token)
        kinds = list(conn.scalars(select(audit_event.c.kind)))
    assert amy.roles == {Role.REVIEWER}
    assert "person.amended" in kinds
    with pytest.raises(NotAllowed):
        people.amend(ctx, handle="amy", roles=[Role.OWNER], by=amy, door="cli")
    with pytest.raises(Refused, match="ask another owner"):
        people.amend(ctx, handle="owner", roles=[Role.FINANCE], by=owner, door="cli")
    with pytest.raises(Refused, match="added anew"):
        people.amend(ctx, handle="amy", roles=[Role.PARTNER], by=owner, door="cli")
