"""Who may do what: roles that people hold, and the duties that each role allows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vouchers.errors import NotAllowed


class Role(StrEnum):
    """What a person is here for."""

    OWNER = "owner"  #: answers for the scheme
    OPERATOR = "operator"  #: keeps files and messages moving
    FINANCE = "finance"  #: answers for the money
    REVIEWER = "reviewer"  #: says who is who
    SAFEGUARDING = "safeguarding"  #: the only one who sees protected residents
    DATA_PROTECTION = "data_protection"  #: answers residents about their data
    PARTNER = "partner"  #: hands in residents and sees their own organisation's


class Duty(StrEnum):
    """Something that is done by a person and needs a role."""

    CHANGE_SCHEME = "change the scheme"
    APPROVE_SCHEME = "approve a scheme's rules"
    CHANGE_PARTNERS = "change partners"
    CHANGE_PEOPLE = "change people"
    SUBMIT = "hand in a file"
    ASK = "ask whether a resident would be supported"
    SEE_ROWS = "see what became of rows"
    OPEN_SEALED = "open what is sealed about residents"
    SEE_PROTECTED = "see protected residents"
    REVIEW = "decide reviews"
    SEE_WORK = "see queues and reviews"
    CHANGE_WORK = "change queues and held work"
    SEE_MONEY = "see the money"
    CHANGE_MONEY = "change the money"
    APPROVE_MONEY = "approve what another person did with the money"
    CHANGE_STOCK = "change the stock of codes"
    IMPORT_REDEMPTIONS = "import what networks report"
    SEE_AUDIT = "see the audit log"
    ROTATE_KEYS = "rotate keys"


_R = Role
_STAFF = frozenset(set(Role) - {Role.PARTNER})

#: The one table of who may do what, for commands, API and pages alike.
ALLOWED: dict[Duty, frozenset[Role]] = {
    Duty.CHANGE_SCHEME: frozenset({_R.OWNER}),
    Duty.APPROVE_SCHEME: frozenset({_R.OWNER, _R.FINANCE}),
    Duty.CHANGE_PARTNERS: frozenset({_R.OWNER, _R.OPERATOR}),
    Duty.CHANGE_PEOPLE: frozenset({_R.OWNER}),
    Duty.SUBMIT: frozenset({_R.OWNER, _R.OPERATOR, _R.PARTNER}),
    Duty.ASK: frozenset({_R.OWNER, _R.OPERATOR, _R.PARTNER}),
    Duty.SEE_ROWS: frozenset(Role),
    Duty.OPEN_SEALED: frozenset(
        {_R.OPERATOR, _R.REVIEWER, _R.SAFEGUARDING, _R.DATA_PROTECTION}
    ),
    Duty.SEE_PROTECTED: frozenset({_R.SAFEGUARDING}),
    Duty.REVIEW: frozenset({_R.REVIEWER, _R.SAFEGUARDING}),
    Duty.SEE_WORK: _STAFF,
    Duty.CHANGE_WORK: frozenset({_R.OWNER, _R.OPERATOR}),
    Duty.SEE_MONEY: frozenset({_R.OWNER, _R.FINANCE, _R.OPERATOR}),
    Duty.CHANGE_MONEY: frozenset({_R.OWNER, _R.FINANCE}),
    Duty.APPROVE_MONEY: frozenset({_R.OWNER, _R.FINANCE}),
    Duty.CHANGE_STOCK: frozenset({_R.OWNER, _R.OPERATOR, _R.FINANCE}),
    Duty.IMPORT_REDEMPTIONS: frozenset({_R.OWNER, _R.OPERATOR, _R.FINANCE}),
    Duty.SEE_AUDIT: _STAFF,
    Duty.ROTATE_KEYS: frozenset({_R.OWNER}),
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a token: what they may do, and for whom."""

    id: int
    handle: str
    roles: frozenset[Role]
    #: The organisation a partner's person belongs to; None for staff.
    partner_id: int | None = None

    def may(self, duty: Duty) -> bool:
        """Whether one of this person's roles allows the duty."""
        return bool(self.roles & ALLOWED[duty])

    def must(self, duty: Duty) -> None:
        """Raise NotAllowed unless one of this person's roles allows the duty."""
        if not self.may(duty):
            needed = " or ".join(sorted(ALLOWED[duty]))
            raise NotAllowed(
                f"{self.handle} may not {duty}: that needs the role {needed}; "
                "an owner can give it with `vouchers people amend`"
            )

    def must_own(self, partner_id: int) -> None:
        """Raise NotAllowed when a partner's person asks for another partner's rows."""
        if self.partner_id is not None and self.partner_id != partner_id:
            raise NotAllowed(f"{self.handle} sees only their own organisation's rows")

    def actor(self, door: str) -> str:
        """How the audit log names this person at one door: cli, web or api."""
        return f"{self.handle}/{door}"
