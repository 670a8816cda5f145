"""Check before asking: the pipeline's own answer, nothing kept, nobody protected."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select

from tests.conftest import Clock
from tests.partner_files import change_partner, csv_file, open_house, row
from vouchers.backoffice import check, doctor_asks, fund, listings
from vouchers.domain.asking import Answer, Answered
from vouchers.domain.roles import Person, Role
from vouchers.errors import BadFile, NotAllowed, Refused, TooMany
from vouchers.pipeline.accept import submit
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store.tables import metadata
from vouchers.store.tables.intake import referral
from vouchers.store.tables.parties import ask_count
from vouchers.store.tables.proof import audit_event

AMY = Person(1, "amy", frozenset({Role.OPERATOR}))
BOB = Person(2, "bob", frozenset({Role.REVIEWER}))
FIELDS = ("given_name", "family_name", "date_of_birth", "postcode")


def ask(
    ctx: Context, who: Person = AMY, /, partner: str = "oak-homes", **given: str
) -> Answered:
    """One question, without the wait for the beat."""
    return check.ask(
        ctx, who, partner=partner, given=given, door="test", pause=lambda _: None
    )


def about(n: int, **more: str) -> dict[str, str]:
    """What one asks about resident n of `partner_files`."""
    return {name: row(n)[name] for name in (*FIELDS, "address_line_1")} | more


def handed_in(ctx: Context, path: Any, *rows: dict[str, str], **how: Any) -> None:
    """A live file of elm-homes, carried as far as an award."""
    submit(
        ctx, partner=how.pop("partner", "elm-homes"), path=csv_file(path, list(rows)),
        via="cli", actor="w",
    )  # fmt: skip
    carry_all(ctx, ["accept", "deduplicate", "allocate"])


@pytest.fixture
def house(ctx: Context) -> Context:
    """Two partners under the shipped rules, and money to give."""
    open_house(ctx)
    open_house(ctx, slug="oak-homes")
    fund.add_funder(ctx, "amy/cli", slug="trust", name="The Trust")
    fund.add_pool(ctx, "amy/cli", scheme="winter_fund", slug="main", name="Main")
    fund.give(
        ctx, "amy/cli", slug="gift", funder_slug="trust", pool_slug="main",
        pence=1_000_000,
    )  # fmt: skip
    fund.confirm(ctx, "bob/cli", "gift")
    fund.receive(ctx, "bob/cli", "gift", pence=1_000_000, bank_line="line")
    return ctx


def bodies(ctx: Context, kind: str) -> list[dict[str, Any]]:
    """The audit events of one kind."""
    with ctx.reading() as conn:
        found = conn.execute(
            select(audit_event.c.body).where(audit_event.c.kind == kind)
        )
        return [json.loads(body) for body in found.scalars()]


def sizes(ctx: Context) -> dict[str, int]:
    """How many rows each table has, but for the count and the log."""
    with ctx.reading() as conn:
        return {
            table.name: conn.scalar(select(func.count()).select_from(table)) or 0
            for table in metadata.sorted_tables
            if not table.name.startswith("audit_") and table.name != "ask_count"
        }


def test_a_stranger_would_be_supported_and_nothing_is_kept(house: Context) -> None:
    """The question leaves a count and an event: who asked, when, the kind of answer."""
    before = sizes(house)
    found = ask(house, **about(1))
    assert found == Answered(Answer.WOULD_BE_SUPPORTED)
    assert sizes(house) == before
    (told,) = bodies(house, "check.asked")
    assert set(told) == {"actor", "answer", "at", "entity", "kind", "person"}
    assert (told["actor"], told["answer"]) == ("amy/test", "would_be_supported")
    with house.reading() as conn:
        counted = conn.execute(select(ask_count)).all()
    assert sorted((r.who, r.asked, r.turned_away) for r in counted) == [
        ("partner", 1, 0), ("person", 1, 0),
    ]  # fmt: skip


def test_who_has_a_voucher_is_already_supported_with_the_next_date(
    house: Context, tmp_path: Path
) -> None:
    """Another partner learns the fact and a date; the date then comes true."""
    handed_in(house, tmp_path / "a.csv", row(1))
    found = ask(house, **about(1))
    assert found == Answered(Answer.ALREADY_SUPPORTED, date(2026, 12, 21))
    assert found.sentence == "Already supported. Next eligible on 21/12/2026."
    slip = about(1, given_name="Anb", address_line_1="1 High St")
    assert ask(house, **slip).answer is Answer.ALREADY_SUPPORTED


def test_the_answer_is_what_handing_in_then_does(
    house: Context, tmp_path: Path
) -> None:
    """Somebody else at the same home shares the cap; a stranger does not."""
    handed_in(house, tmp_path / "a.csv", row(1))
    partner = row(1, reference="P", given_name="Colin", date_of_birth="1959-08-24",
                  mobile="07700900555")  # fmt: skip
    stranger = row(2)
    asked = [
        ask(house, **{k: one[k] for k in (*FIELDS, "address_line_1", "mobile")})
        for one in (partner, stranger)
    ]
    handed_in(house, tmp_path / "b.csv", partner, stranger, partner="oak-homes")
    with house.reading() as conn:
        states = conn.execute(
            select(referral.c.state, referral.c.next_on)
            .where(referral.c.partner_id == 2).order_by(referral.c.id)
        ).all()  # fmt: skip
    assert [tuple(one) for one in states] == [
        ("declined", date(2026, 12, 21)), ("granted", None),
    ]  # fmt: skip
    assert [(one.answer, one.next_on) for one in asked] == [
        (Answer.ALREADY_SUPPORTED, date(2026, 12, 21)),
        (Answer.WOULD_BE_SUPPORTED, None),
    ]


def test_a_partners_own_request_is_named_as_its_own_and_nobody_elses(
    house: Context, tmp_path: Path
) -> None:
    """The reference comes back to the partner that gave it, not to another."""
    handed_in(house, tmp_path / "a.csv", row(1))
    own = ask(house, partner="elm-homes", **about(1)).own
    assert own is not None
    assert (own.reference, own.received_on, own.word) == (
        "T00001", date(2026, 12, 7), "granted",
    )  # fmt: skip
    assert ask(house, partner="oak-homes", **about(1)).own is None


def test_a_likeness_needs_a_person(house: Context, tmp_path: Path) -> None:
    """A twin at the same home is not for a machine to tell apart."""
    handed_in(house, tmp_path / "a.csv", row(1))
    assert ask(house, **about(1, given_name="Hannah")).answer is Answer.NEEDS_A_PERSON


def test_a_request_under_way_cannot_be_foreseen(house: Context, tmp_path: Path) -> None:
    """Until it is decided whether another's row is granted, nothing can be said."""
    submit(house, partner="elm-homes", path=csv_file(tmp_path / "a.csv", [row(1)]),
           via="cli", actor="w")  # fmt: skip
    carry_all(house, ["accept", "deduplicate"])
    assert ask(house, **about(1)) == Answered(Answer.CANNOT_BE_SAID)
    own = ask(house, partner="elm-homes", **about(1))
    assert own.why == "Your own request is under way."


def test_of_a_protected_resident_nothing_is_learned(
    house: Context, tmp_path: Path
) -> None:
    """Her answer is a stranger's, word for word and column for column."""
    open_house(house, slug="refuge", refuge=True, safe_contact="sms_neutral")
    handed_in(house, tmp_path / "a.csv", row(1), partner="refuge")
    handed_in(house, tmp_path / "b.csv", row(2, safe_contact="sms_neutral"))
    with house.reading() as conn:
        assert set(conn.execute(select(referral.c.state)).scalars()) == {"granted"}
    stranger = ask(house, **about(7, mobile="07700900777"))
    for n in (1, 2):
        assert ask(house, **about(n, mobile=row(n)["mobile"])) == stranger
        for asker in ("oak-homes", "elm-homes"):
            assert ask(house, partner=asker, **about(n)) == stranger
    hidden = {"safe_contact": "sms_neutral"}
    for n in (1, 2, 7):
        guess = ask(house, **about(n, mobile=row(n)["mobile"]), **hidden)
        assert guess == Answered(Answer.CANNOT_BE_SAID)


def test_the_same_is_asked_of_the_database_for_a_protected_resident(
    house: Context, tmp_path: Path
) -> None:
    """Statement for statement as for a stranger: nothing is there to be timed."""
    open_house(house, slug="refuge", refuge=True, safe_contact="sms_neutral")
    handed_in(house, tmp_path / "a.csv", row(1), partner="refuge")
    said: list[str] = []
    event.listen(
        house.engine, "before_cursor_execute",
        lambda _c, _cur, statement, *_: said.append(statement),
    )  # fmt: skip

    def statements(n: int) -> list[str]:
        said.clear()
        ask(house, **about(n, mobile=row(n)["mobile"]))
        return said[:]

    statements(5)
    assert statements(1) == statements(7)


def test_a_refuge_reads_of_its_own_only(house: Context, tmp_path: Path) -> None:
    """What it said itself comes back; of another refuge's resident nothing does."""
    for slug in ("refuge", "shelter"):
        open_house(house, slug=slug, refuge=True, safe_contact="sms_neutral")
    handed_in(house, tmp_path / "a.csv", row(1), partner="refuge")
    question = about(1, mobile=row(1)["mobile"])
    own = ask(house, partner="refuge", **question)
    assert (own.answer, own.next_on) == (Answer.ALREADY_SUPPORTED, date(2026, 12, 21))
    other = ask(house, partner="shelter", **question)
    unknown = ask(house, partner="shelter", **about(8, mobile=row(8)["mobile"]))
    assert other == unknown == Answered(Answer.CANNOT_BE_SAID)


def test_the_schemes_rules_answer_before_anybody_is_looked_up(house: Context) -> None:
    """A meter that is not covered and a worker's phone are told with their rule."""
    fault = ask(house, **about(1, safe_contact="none"))
    assert fault.answer is Answer.NOT_COVERED
    assert "We reach residents by text only." in fault.sentence
    listings.list_worker_phone(
        house, slug="oak-homes", mobile="07700 900001", by=AMY, door="test"
    )
    lent = ask(house, **about(1, mobile="07700900001"))
    assert lent.answer is Answer.NOT_COVERED


def test_a_date_that_only_fills_the_cell_says_nothing(house: Context) -> None:
    """Nobody is told apart by 1 January 1970."""
    found = ask(house, **about(1, date_of_birth="01/01/1970"))
    assert found.answer is Answer.CANNOT_BE_SAID


def test_a_question_that_cannot_be_read_is_not_counted(house: Context) -> None:
    """Every fault is named in the words for rows, none with its value."""
    with pytest.raises(BadFile, match="postcode is only half a postcode") as found:
        ask(house, **about(1, postcode="LS6", date_of_birth="x"))
    assert "date_of_birth is not a date we can read" in str(found.value)
    with pytest.raises(BadFile, match="Did you mean mobile"):
        ask(house, **about(1, mobil="07700900001"))
    with house.reading() as conn:
        assert conn.execute(select(ask_count)).all() == []


def test_whose_files_we_would_not_take_asks_in_vain(house: Context) -> None:
    """Suspended, without agreement, or the wrong role: no answer, no count."""
    with pytest.raises(NotAllowed):
        ask(house, BOB, **about(1))
    worker = Person(3, "wes", frozenset({Role.PARTNER}), partner_id=1)
    with pytest.raises(NotAllowed, match="own organisation"):
        ask(house, worker, **about(1))
    change_partner(house, "oak-homes", agreement_on=None)
    with pytest.raises(Refused, match="no signed agreement"):
        ask(house, **about(1))
    change_partner(house, "oak-homes", state="suspended")
    with pytest.raises(Refused, match="no questions"):
        ask(house, **about(1))


def test_limits_hold_per_person_and_partner_and_let_go(
    house: Context, clock: Clock
) -> None:
    """The 21st question of an hour is told when to come back; then it is answered."""
    for _ in range(20):
        ask(house, **about(1))
    with pytest.raises(TooMany, match="Ask again from 13:00") as away:
        ask(house, **about(1))
    assert away.value.again_at == clock.now + timedelta(hours=1)
    with pytest.raises(TooMany):
        ask(house, partner="elm-homes", **about(2))
    others = [Person(n, f"p{n}", AMY.roles) for n in (11, 12)]
    for other in others:
        for _ in range(20):
            ask(house, other, **about(1))
    with pytest.raises(TooMany, match="Your organisation has"):
        ask(house, Person(13, "p13", AMY.roles), **about(1))
    assert len(bodies(house, "check.turned_away")) == 3
    clock.forward(minutes=59)
    with pytest.raises(TooMany):
        ask(house, **about(1))
    clock.forward(minutes=1)
    assert ask(house, **about(1)).answer is Answer.WOULD_BE_SUPPORTED


def test_counts_are_forgotten_after_a_month(house: Context, clock: Clock) -> None:
    """What the doctor does not look back on is not kept."""
    ask(house, **about(1))
    clock.forward(days=32)
    ask(house, **about(1))
    with house.reading() as conn:
        assert conn.scalar(select(func.count()).select_from(ask_count)) == 2


def test_many_at_once_pass_no_limit(house: Context) -> None:
    """Questions of several processes and threads are counted one after the other."""

    def one(_n: int) -> bool:
        try:
            ask(house, **about(1))
        except TooMany:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        answered = list(pool.map(one, range(36)))
    assert sum(answered) == 20


def test_the_doctor_sees_fishing(house: Context, clock: Clock) -> None:
    """A partner that met its limit is named; so is one that never hands anything in."""

    def levels() -> dict[str, str]:
        with house.reading() as conn:
            return {f.id: f.level for f in doctor_asks.examine(conn, clock.now)}

    for _ in range(20):
        ask(house, **about(1))
    assert set(levels().values()) == {"ok"}
    with pytest.raises(TooMany):
        ask(house, **about(1))
    assert levels() == {"asks": "warn", "asks_for_rows": "ok"}
    for _ in range(4):
        clock.forward(hours=25)
        for _ in range(20):
            ask(house, **about(1))
    assert levels() == {"asks": "ok", "asks_for_rows": "warn"}
