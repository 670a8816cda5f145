"""Shows the questions of identity that wait: the queue, and one case side by side.

Reviews of protected residents exist for the safeguarding role only: to anyone else they
are not there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vouchers.domain.matching.features import FIELDS, read_features
from vouchers.domain.matching.model import Model
from vouchers.domain.matching.questions import questions
from vouchers.domain.matching.settlement import ReviewKind
from vouchers.domain.roles import Duty, Person
from vouchers.errors import NotFound
from vouchers.pipeline.context import Context
from vouchers.store import residents, reviews
from vouchers.store.registry import AnyRow

#: Weights below this (a factor of two thirds) speak for neither side.
_TELLS = 0.5


@dataclass(frozen=True, slots=True)
class Line:
    """One review as a queue shows it: nothing that is sealed."""

    id: int
    kind: ReviewKind
    state: str
    partner: str
    batch_id: int
    row_no: int
    need_band: int
    off_supply: bool
    protected: bool
    opened_at: datetime
    escalated: bool
    candidates: int
    #: How likely the best candidate is the same person, and of one household; 0 to 1.
    person: float
    household: float
    ruling: str | None
    decided_by: str | None


@dataclass(frozen=True, slots=True)
class Compared:
    """One field of the row beside the same field of a resident; '' where unknown."""

    field: str
    row: str
    resident: str
    #: Both are known, and do not mean the same.
    differs: bool


@dataclass(frozen=True, slots=True)
class Side:
    """A person beside the row in review."""

    resident_id: int
    fields: dict[str, str]
    #: Names of the fields that do not agree with the row's.
    differing: tuple[str, ...]
    compared: tuple[Compared, ...]
    person: float
    household: float
    #: What speaks for one person and what against it, the weightiest first.
    speaks_for: tuple[str, ...]
    speaks_against: tuple[str, ...]
    #: What one household would explain as well: the same home, say.
    says_little: tuple[str, ...]
    #: What to find out first.
    questions: tuple[str, ...]
    #: This resident's own row is in review: that one is to be decided first.
    in_review: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that a person needs to decide one review."""

    line: Line
    fields: dict[str, str]
    sides: tuple[Side, ...]
    #: Other rows that the same ruling settles.
    joined: tuple[int, ...] = ()
    #: The review in which this row's question is asked, where it joined one.
    asked_in: int | None = None


def listing(
    ctx: Context, person: Person, *, decided: bool = False, limit: int = 200
) -> list[Line]:
    """The queue, neediest first."""
    person.must(Duty.SEE_WORK)
    with ctx.reading() as conn:
        rows = reviews.queue(
            conn, protected=sees_protected(person), decided=decided, limit=limit
        )
    return [_line(row) for row in rows]


def waiting(ctx: Context, person: Person) -> tuple[int, int]:
    """How many reviews wait for somebody, and how many of them for too long."""
    person.must(Duty.SEE_WORK)
    with ctx.reading() as conn:
        return reviews.waiting_counts(conn, protected=sees_protected(person))


def show(ctx: Context, person: Person, review_id: int, *, door: str) -> Sheet:
    """One case side by side; that sealed data was opened, and by whom, is recorded."""
    person.must(Duty.REVIEW)
    model = residents.shipped_model()
    with ctx.begin(actor=person.actor(door), name="reviews.show") as uow:
        row = found(reviews.one(uow.conn, review_id), person)
        ids = [int(c["resident_id"]) for c in row.candidates]
        opened = residents.open_identities(uow.conn, ctx.keys, ids)
        plain = ctx.keys.open("referral.row_sealed", row.id, row.row_sealed)
        fields = _shown(json.loads(plain))
        provisional = reviews.provisional_among(uow.conn, ids)
        sides = [
            _side(model, fields, c, opened[number], in_review=number in provisional)
            for c in row.candidates
            if (number := int(c["resident_id"])) in opened
        ]
        waiting = row.state in reviews.WAITING and row.resident_id is not None
        joined = reviews.joined_to(uow.conn, row.resident_id) if waiting else []
        asked_in = None
        if waiting and row.kind == ReviewKind.JOINED:
            asked_in = reviews.asking(uow.conn, row.resident_id)
        uow.record("review.shown", row.id, opened=[s.resident_id for s in sides])
    others = tuple(number for number in joined if number != row.id)
    return Sheet(_line(row), fields, tuple(sides), others, asked_in)


def sees_protected(person: Person) -> bool:
    """Whether protected residents exist for this person."""
    return person.may(Duty.SEE_PROTECTED)


def found(row: AnyRow | None, person: Person) -> AnyRow:
    """The review, unless it is not there for this person."""
    if row is None or (row.protected and not sees_protected(person)):
        raise NotFound("no such review")
    return row


def _line(row: AnyRow) -> Line:
    best: dict[str, Any] = row.candidates[0] if row.candidates else {}
    return Line(
        id=row.id,
        kind=ReviewKind(row.kind),
        state=row.state,
        partner=row.partner_name,
        batch_id=row.batch_id,
        row_no=row.row_no,
        need_band=row.need_band,
        off_supply=row.off_supply,
        protected=row.protected,
        opened_at=row.opened_at,
        escalated=row.escalated_at is not None,
        candidates=len(row.candidates),
        person=float(best.get("person", 0.0)),
        household=float(best.get("household", 0.0)),
        ruling=row.ruling,
        decided_by=row.decided_by,
    )


def _shown(fields: dict[str, Any]) -> dict[str, str]:
    """The fields that describe a person, in the order of the form."""
    return {name: str(fields[name]) for name in FIELDS if fields.get(name)}


def _side(
    model: Model,
    row: dict[str, str],
    candidate: dict[str, Any],
    plain: bytes,
    *,
    in_review: bool,
) -> Side:
    fields = _shown(json.loads(plain))
    differing = _differing(row, fields)
    speaks_for, against, little = _evidence(model, candidate)
    return Side(
        resident_id=int(candidate["resident_id"]),
        fields=fields,
        differing=differing,
        compared=tuple(
            Compared(
                name,
                row.get(name, ""),
                fields.get(name, ""),
                name in differing and bool(row.get(name)) and bool(fields.get(name)),
            )
            for name in FIELDS
            if name in row or name in fields
        ),
        person=float(candidate["person"]),
        household=float(candidate["household"]),
        speaks_for=speaks_for,
        speaks_against=against,
        says_little=little,
        questions=tuple(questions(int(candidate["guards"]))),
        in_review=in_review,
    )


def _evidence(model: Model, candidate: dict[str, Any]) -> tuple[tuple[str, ...], ...]:
    """What speaks for one person, against, and neither, in the version's own words."""
    known = {
        (field, level.name): level.words
        for field, levels in model.levels.items()
        for level in levels
    }
    ranked = sorted(candidate["parts"], key=lambda part: -abs(part[2]))
    told = [
        (known.get((field, level), f"{field}: {level.replace('_', ' ')}"), weight)
        for field, level, weight in ranked
    ]
    return (
        tuple(words for words, weight in told if weight >= _TELLS),
        tuple(words for words, weight in told if weight <= -_TELLS),
        tuple(words for words, weight in told if abs(weight) < _TELLS),
    )


def _differing(row: dict[str, str], other: dict[str, str]) -> tuple[str, ...]:
    """Fields that differ once both are read: `St` and `Street` do not."""
    ours, theirs = read_features(row), read_features(other)
    same_home = ours.dwelling and ours.dwelling == theirs.dwelling
    same_suffix = ours.suffix == theirs.suffix
    read = {
        "given_name": (ours.given, ours.others) == (theirs.given, theirs.others)
        and same_suffix,
        "family_name": ours.surname == theirs.surname and same_suffix,
        "date_of_birth": ours.born == theirs.born,
        "address_line_1": bool(same_home)
        or (ours.number, ours.flat) == (theirs.number, theirs.flat),
        "postcode": ours.postcode == theirs.postcode,
        "mobile": ours.mobile == theirs.mobile,
        "email": ours.email == theirs.email,
        "meter_number": ours.meter == theirs.meter,
        "uprn": ours.uprn == theirs.uprn,
    }
    named = {*row, *other}
    # What is written alike does not differ, whatever was read beside it: of "Jnr" only
    # the cell that has it.
    return tuple(
        name
        for name in FIELDS
        if name in named
        and not read.get(name, True)
        and row.get(name, "").casefold() != other.get(name, "").casefold()
    )
