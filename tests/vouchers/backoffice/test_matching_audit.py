"""A second opinion finds what was missed, names nobody unasked, leaves no trace."""

from __future__ import annotations

import json
import random
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.referrals import person, receive
from vouchers.backoffice import matching_audit
from vouchers.backoffice.second_opinion import SecondOpinion
from vouchers.domain.matching.disagreement import Stand
from vouchers.domain.matching.features import read_features
from vouchers.domain.roles import Person, Role
from vouchers.errors import NotAllowed, Refused
from vouchers.pipeline import deduplicate
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store import decisions, residents
from vouchers.store.tables.identity import match_key, resident
from vouchers.store.tables.proof import audit_event

AMY = Person(1, "amy", frozenset({Role.REVIEWER}))
FIN = Person(2, "fin", frozenset({Role.FINANCE}))
GIVEN = ["Adam", "Beth", "Carl", "Dora", "Evan", "Fay", "Gus", "Hope", "Ivan", "Joan"]
FAMILY = ["Abbot", "Barlow", "Crane", "Dyer", "Elton", "Frost", "Gale", "Hurst"]


def crowd(n: int) -> list[Any]:
    """Invented people who have nothing to do with each other."""
    dice = random.Random(7)
    return [
        person(
            reference=f"C{i}",
            given_name=dice.choice(GIVEN),
            family_name=dice.choice(FAMILY) + dice.choice(["", "s", "ton", "man"]),
            date_of_birth=date(1940 + dice.randrange(60), 1 + i % 12, 2 + i % 26),
            address_line_1=f"{i + 1} Long Road",
            postcode=f"M{i % 28 + 1} {i % 9}AB",
            mobile=f"+447700900{i % 900 + 100}",
        )
        for i in range(n)
    ]


def unseen(ctx: Context, row: Any, number: int = 9_999_999) -> int:
    """A resident that the matcher never held against anybody."""
    with ctx.begin() as uow:
        reading = deduplicate.read_opened(ctx.keys, number, row.pack(), protected=False)
        decisions.insert_provisional(uow, ctx.keys, number, reading)
        uow.conn.execute(match_key.delete().where(match_key.c.resident_id == number))
        uow.conn.execute(
            update(resident).where(resident.c.id == number).values(provisional=False)
        )
    return number


@pytest.fixture
def register(ctx: Context) -> Context:
    """120 strangers, Sarah, her protected self, and her unseen second self."""
    pytest.importorskip("splink", reason="needs the extra `audit`")
    receive(ctx, *crowd(120))
    receive(ctx, person(), partner_id=2)
    receive(ctx, person(reference="R"), partner_id=3, refuge=True)
    carry_all(ctx, ["deduplicate"])
    unseen(ctx, person(reference="Z", address_line_1="14 Mill Ln"))
    return ctx


def events(ctx: Context) -> list[dict[str, Any]]:
    """What the audit log says of audits."""
    with ctx.reading() as conn:
        found = conn.scalars(
            select(audit_event.c.body).where(audit_event.c.kind == "matching.audited")
        )
        return [json.loads(body) for body in found]


def test_what_was_missed_is_found_and_nobody_is_named(register: Context) -> None:
    """Sarah's second self stands first; her protected self is in no count."""
    found = matching_audit.audit(register, AMY, door="test")
    assert (found.residents, found.rows) == (122, 122)
    first = found.listed[0]
    with register.reading() as conn:
        sarah = conn.scalar(
            select(resident.c.id).where(
                resident.c.id > 3 << 20, resident.c.protected.is_(False)
            ).order_by(resident.c.id)
        )  # fmt: skip
    assert 9_999_999 in (first.left, first.right)
    assert sarah is not None
    assert first.stand is Stand.MISSED
    assert first.splink >= 0.95 and first.person >= 0.95
    assert "same date of birth" in first.why
    assert all(one.opened is None for one in found.listed)
    assert "Patterson" not in repr(found)
    (event,) = events(register)
    assert (event["actor"], event["residents"], event["opened"]) == (
        "amy/test", 122, [],
    )  # fmt: skip


def test_names_are_shown_when_asked_for_and_that_is_recorded(register: Context) -> None:
    """Both sides by field; whose were opened stands in the log."""
    found = matching_audit.audit(register, AMY, door="test", opened=True, limit=1)
    (one,) = found.listed
    assert one.opened is not None
    assert one.opened[0]["family_name"] == one.opened[1]["family_name"] == "Patterson"
    (event,) = events(register)
    assert event["opened"] == sorted([one.left, one.right])
    assert "Patterson" not in json.dumps(event)


def test_two_forms_that_do_not_belong_together_are_found(register: Context) -> None:
    """A resident joined with a stranger stands on the list as loosely joined."""
    with register.begin() as uow:
        rid = uow.conn.scalar(select(resident.c.id).order_by(resident.c.id).limit(1))
        assert rid is not None
        known, _ = residents.load(uow.conn, register.keys, [rid])
        stranger = read_features(
            {"given_name": "Wilfred", "family_name": "Quill",
             "date_of_birth": "1931-11-23", "postcode": "TR19 7AA",
             "address_line_1": "9 Harbour Wall"}
        )  # fmt: skip
        faces = residents.with_face(known[rid].faces, stranger)
        assert faces is not None
        sealed = residents.seal_faces(register.keys, rid, faces)
        uow.conn.execute(
            update(resident).where(resident.c.id == rid).values(faces_sealed=sealed)
        )
    found = matching_audit.audit(register, AMY, door="test")
    assert found.would_part == 1
    (one,) = [one for one in found.listed if one.left == one.right]
    assert (one.left, one.stand) == (rid, Stand.LOOSELY_JOINED)
    assert one.splink < 0.5


def test_who_may_not_review_may_not_ask(ctx: Context) -> None:
    """And a register too small to learn from says so."""
    with pytest.raises(NotAllowed):
        matching_audit.audit(ctx, FIN, door="test")
    pytest.importorskip("splink", reason="needs the extra `audit`")
    receive(ctx, person())
    carry_all(ctx, ["deduplicate"])
    with pytest.raises(Refused, match="1 rows are too few"):
        matching_audit.audit(ctx, AMY, door="test")


def test_memory_has_an_end_and_nothing_leaves_it() -> None:
    """No file, no temporary folder, no network; too little memory is said."""
    pytest.importorskip("splink", reason="needs the extra `audit`")
    with pytest.raises(Refused, match="no amount of memory"):
        SecondOpinion(memory="much")
    with pytest.raises(Refused, match="no amount of memory"):
        SecondOpinion(memory="2GB'; select 1; --")
    opinion = SecondOpinion(memory="1GB")
    for query in ("COPY (SELECT 1) TO 'out.csv'", "SELECT * FROM 'pyproject.toml'"):
        with pytest.raises(Refused, match="could not work") as refused:
            opinion._run(query)
        assert "out.csv" not in str(refused.value)
    opinion.close()
