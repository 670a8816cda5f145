"""Roles allow exactly the duties they are for."""

from __future__ import annotations

import pytest

from vouchers.domain.roles import ALLOWED, Duty, Person, Role
from vouchers.errors import NotAllowed


def person(*roles: Role, partner_id: int | None = None) -> Person:
    """Somebody with these roles."""
    return Person(1, "amy", frozenset(roles), partner_id)


def test_every_duty_belongs_to_somebody() -> None:
    """No duty is left that nobody could ever do."""
    assert set(ALLOWED) == set(Duty)
    assert all(ALLOWED.values())


@pytest.mark.parametrize("role", [role for role in Role if role != Role.SAFEGUARDING])
def test_only_safeguarding_sees_protected_residents(role: Role) -> None:
    """No other role, not even the owner's, opens a protected resident's story."""
    assert not person(role).may(Duty.SEE_PROTECTED)


def test_a_partners_person_asks_hands_in_and_looks_and_no_more() -> None:
    """The role partner allows three duties."""
    allowed = {duty for duty in Duty if person(Role.PARTNER, partner_id=3).may(duty)}

    assert allowed == {Duty.ASK, Duty.SUBMIT, Duty.SEE_ROWS}


def test_a_refusal_names_the_role_that_is_needed() -> None:
    """Whoever may not do something reads which role could."""
    with pytest.raises(NotAllowed, match="needs the role finance or owner"):
        person(Role.OPERATOR).must(Duty.CHANGE_MONEY)


def test_a_partners_person_sees_no_other_partner() -> None:
    """Rows of another organisation are refused; staff see all."""
    person(Role.OPERATOR).must_own(4)
    person(Role.PARTNER, partner_id=4).must_own(4)

    with pytest.raises(NotAllowed):
        person(Role.PARTNER, partner_id=4).must_own(5)


def test_the_audit_names_the_person_and_the_door() -> None:
    """An actor reads handle/door."""
    assert person(Role.OWNER).actor("cli") == "amy/cli"
