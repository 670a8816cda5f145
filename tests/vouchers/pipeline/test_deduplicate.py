"""Deduplication: one person is one resident, whoever sends them and however often."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, update

from config.queues import Lane
from tests.referrals import person, receive
from vouchers.domain.matching.keys import KeyKind
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store.bulk import insert_rows
from vouchers.store.jobs import JobSpec
from vouchers.store.tables.identity import membership, resident, review
from vouchers.store.tables.intake import referral
from vouchers.store.tables.parties import partner_listing
from vouchers.store.tables.work import job

TOM = {"given_name": "Tom", "date_of_birth": date(1983, 11, 2)}
ELSEWHERE = {"address_line_1": "7 Oak Road", "postcode": "BD1 4XY"}
OTHER_PHONE = {"mobile": "+447700900777"}
MARGARET = {
    "given_name": "Margaret", "family_name": "Okafor",
    "date_of_birth": date(1950, 6, 30), **ELSEWHERE, **OTHER_PHONE,
}  # fmt: skip


def row_of(ctx: Context, rid: int) -> Any:
    """A referral as it stands in the store."""
    with ctx.reading() as conn:
        return conn.execute(select(referral).where(referral.c.id == rid)).one()


def deduplicated(ctx: Context, *rows: Any, **how: Any) -> list[Any]:
    """Receive rows in one batch, deduplicate them, give them back."""
    ids = receive(ctx, *rows, **how)
    carry_all(ctx, ["deduplicate"])
    return [row_of(ctx, rid) for rid in ids]


def reviews(ctx: Context) -> list[Any]:
    """All reviews."""
    with ctx.reading() as conn:
        return list(conn.execute(select(review).order_by(review.c.id)))


def promised(ctx: Context) -> list[Any]:
    """Allocate jobs that wait."""
    with ctx.reading() as conn:
        found = select(job).where(job.c.kind == "allocate.chunk").order_by(job.c.id)
        return list(conn.execute(found))


def test_somebody_new_becomes_a_resident_with_a_household(ctx: Context) -> None:
    """Nobody is known yet: the row's number names resident and household."""
    (row,) = deduplicated(ctx, person())
    assert (row.state, row.resident_id, row.household_id) == ("matched", row.id, row.id)
    assert [list(j.items) if not isinstance(j.items, list) else j.items
            for j in promised(ctx)] == [[row.id]]  # fmt: skip


def test_the_same_row_again_is_the_same_resident(ctx: Context) -> None:
    """Another partner sends the same person: one resident, one household."""
    (first,) = deduplicated(ctx, person())
    (again,) = deduplicated(ctx, person(), partner_id=2)
    assert again.resident_id == first.id
    assert again.household_id == first.id
    assert again.judged["match"]["verdict"] == "match"
    assert "same mobile" in again.judged["match"]["why"]


def test_two_rows_of_one_file_meet_each_other(ctx: Context) -> None:
    """The same person twice in one file becomes one resident."""
    first, second = deduplicated(ctx, person(), person(family_name="Paterson"))
    assert second.resident_id == first.resident_id


def test_a_couple_shares_a_household(ctx: Context) -> None:
    """Another person with the surname and the home shares the household, unasked."""
    (sarah,) = deduplicated(ctx, person())
    (tom,) = deduplicated(ctx, person(**TOM), partner_id=2)
    assert tom.resident_id == tom.id
    assert tom.household_id == sarah.household_id
    assert reviews(ctx) == []


def test_strangers_are_strangers(ctx: Context) -> None:
    """Nothing in common: two residents, two households."""
    (sarah,) = deduplicated(ctx, person())
    (margaret,) = deduplicated(ctx, person(**MARGARET))
    assert margaret.household_id == margaret.id != sarah.household_id


def test_twins_are_a_persons_question(ctx: Context) -> None:
    """Born the same day in the same home under another name: a person must say."""
    deduplicated(ctx, person())
    (twin,) = deduplicated(ctx, person(given_name="Hannah"))
    assert twin.state == "checking"
    (asked,) = reviews(ctx)
    assert (asked.id, asked.kind, asked.state) == (twin.id, "person", "open")


def test_the_same_door_under_another_name_is_asked_not_refused(ctx: Context) -> None:
    """A flatmate, or a new tenant: money hangs on the answer, so a person gives it."""
    deduplicated(ctx, person())
    here = {"postcode": "LS6 2AB", "address_line_1": "14 Mill Lane"}
    (other,) = deduplicated(ctx, person(**{**MARGARET, **here}))
    assert other.state == "checking"
    assert reviews(ctx)[0].kind == "household"


def test_a_later_row_joins_the_open_review(ctx: Context) -> None:
    """Who matches somebody in review waits for the same ruling."""
    deduplicated(ctx, person())
    (twin,) = deduplicated(ctx, person(given_name="Hannah"))
    (again,) = deduplicated(ctx, person(given_name="Hannah"), partner_id=3)
    assert again.state == "checking"
    assert again.resident_id == twin.resident_id


def test_off_supply_in_review_gets_a_first_voucher(ctx: Context) -> None:
    """Nobody sits in the dark for our doubts: allocate is told to grant one voucher."""
    deduplicated(ctx, person())
    (twin,) = deduplicated(ctx, person(given_name="Hannah", off_supply=True))
    job_now = promised(ctx)[-1]
    assert (job_now.items, job_now.payload, job_now.lane) == (
        [twin.id], {"first": 1}, Lane.URGENT,
    )  # fmt: skip


def test_moving_out_leaves_the_household_behind(ctx: Context) -> None:
    """One of a couple moves: she gets a household of her own from that day."""
    sarah, tom = deduplicated(ctx, person(), person(**TOM))
    (moved,) = deduplicated(ctx, person(**ELSEWHERE))
    assert moved.resident_id == sarah.resident_id
    assert moved.household_id == moved.id != tom.household_id
    with ctx.reading() as conn:
        ended = conn.execute(
            select(membership.c.to_on).where(
                membership.c.resident_id == sarah.resident_id,
                membership.c.household_id == sarah.household_id,
            )
        ).scalar_one()
    assert ended is not None


def test_a_new_address_is_remembered(ctx: Context) -> None:
    """After a move the person is found at the new home as well as at the old."""
    (sarah,) = deduplicated(ctx, person())
    deduplicated(ctx, person(**ELSEWHERE))
    (later,) = deduplicated(ctx, person(**ELSEWHERE, date_of_birth=date(1985, 3, 11),
                                        mobile=None))  # fmt: skip
    assert later.resident_id == sarah.resident_id


@pytest.mark.parametrize("hidden_first", [True, False])
def test_p9_a_protected_person_meets_nobody(ctx: Context, hidden_first: bool) -> None:
    """P9: a protected row and an ordinary one of the same person never meet."""
    rows = [person(safe_contact="partner_only"), person()]
    if not hidden_first:
        rows.reverse()
    (first,) = deduplicated(ctx, rows[0])
    (second,) = deduplicated(ctx, rows[1], partner_id=2)
    assert first.resident_id != second.resident_id
    assert first.household_id != second.household_id
    assert (first.state, second.state) == ("matched", "matched")
    assert second.judged["match"]["candidates"] == []
    assert reviews(ctx) == []


def test_p9_a_refuge_is_its_own_world(ctx: Context) -> None:
    """P9: women of one refuge do not share a household, and know of nobody outside."""
    deduplicated(ctx, person())
    first, second = deduplicated(
        ctx, person(given_name="Amara"), person(**TOM), refuge=True
    )
    assert first.household_id != second.household_id
    assert reviews(ctx) == []


def test_protected_people_are_matched_among_themselves(ctx: Context) -> None:
    """The same protected person twice is one resident."""
    (first,) = deduplicated(ctx, person(safe_contact="none"))
    (again,) = deduplicated(ctx, person(safe_contact="none"), partner_id=2)
    assert again.resident_id == first.resident_id


def test_a_partner_may_say_that_two_live_apart(ctx: Context) -> None:
    """`separate_household` gives an own household, asks nobody, and is remembered."""
    deduplicated(ctx, person())
    (tom,) = deduplicated(ctx, person(**TOM, separate_household=True))
    assert tom.household_id == tom.id
    (again,) = deduplicated(ctx, person(**TOM), partner_id=2)
    assert (again.resident_id, again.household_id) == (tom.id, tom.id)
    assert reviews(ctx) == []


def test_a_stopped_batch_waits_but_not_for_those_in_the_dark(ctx: Context) -> None:
    """The breaker holds a batch; its urgent rows get their first voucher."""
    ids = receive(ctx, person(), state="stopped")
    urgent = receive(
        ctx, person(**MARGARET, off_supply=True), state="stopped", lane=Lane.URGENT
    )
    carry_all(ctx, ["deduplicate"])
    assert row_of(ctx, ids[0]).state == "received"
    assert row_of(ctx, urgent[0]).state == "matched"
    assert [(j.items, j.payload) for j in promised(ctx)] == [(urgent, {"first": 1})]


def test_a_hundred_neighbours_in_one_hostel_are_a_hundred_households(
    ctx: Context,
) -> None:
    """Many surnames at one door: the door says nothing, nobody is asked."""
    names = "Ade Adeyemi,Ben Brown,Cyd Clark,Dan Dogan,Eve Evans,Flo Fox,Gus Gill,"
    names += "Hal Hall,Ivo Ibe,Jim Jones"
    deduplicated(
        ctx,
        *(
            person(
                given_name=g, family_name=n,
                date_of_birth=date(1960 + i * 4, i + 1, 20),
                mobile=f"+4477009001{i:02}",
            )
            for i, (g, n) in enumerate(name.split() for name in names.split(","))
        ),
    )  # fmt: skip
    with ctx.reading() as conn:
        states = conn.execute(select(referral.c.state, referral.c.household_id)).all()
    assert sum(s.state == "matched" for s in states) >= 7
    (late,) = deduplicated(ctx, person(mobile=None), partner_id=4)
    assert (late.state, late.household_id) == ("matched", late.id)


def test_nothing_of_a_person_is_kept_in_clear(ctx: Context) -> None:
    """P7: what the matcher writes holds numbers and words of ours only."""
    deduplicated(ctx, person())
    deduplicated(ctx, person(given_name="Hannah"))
    with ctx.reading() as conn:
        stored = str(conn.execute(select(referral.c.judged)).all())
        stored += str(conn.execute(select(review)).all())
        stored += str(conn.execute(select(resident)).all())
    for word in ("Sarah", "sarah", "Patterson", "patterson", "Hannah", "mill lane"):
        assert word not in stored


def list_for(ctx: Context, kind: str, key_kind: int, text: str) -> None:
    """A partner lists a communal home or a worker's phone."""
    with ctx.begin() as uow:
        insert_rows(
            uow.conn,
            partner_listing,
            [
                {
                    "partner_id": 1,
                    "kind": kind,
                    "key": ctx.keys.match_key(key_kind, text),
                }
            ],
        )


def test_at_a_listed_communal_home_each_single_is_a_household(ctx: Context) -> None:
    """Two people of one surname in a listed hostel share nothing, and nobody asks."""
    deduplicated(ctx, person(**MARGARET))
    list_for(ctx, "communal", KeyKind.DWELLING, "LS6 2AB||14")
    sarah, tom = deduplicated(ctx, person(), person(**TOM))
    assert (sarah.household_id, tom.household_id) == (sarah.id, tom.id)
    assert reviews(ctx) == []


def test_the_rooms_of_a_listed_home_are_communal_too(ctx: Context) -> None:
    """Whoever lists a hostel does not list each of its rooms."""
    deduplicated(ctx, person(**MARGARET))
    list_for(ctx, "communal", KeyKind.DWELLING, "LS6 2AB||14")
    room = {"address_line_1": "Room 2, 14 Mill Lane"}
    sarah, tom = deduplicated(ctx, person(**room), person(**TOM, **room))
    assert (sarah.household_id, tom.household_id) == (sarah.id, tom.id)
    assert reviews(ctx) == []


def test_a_listed_workers_phone_joins_nobody(ctx: Context) -> None:
    """A support worker's phone on many rows makes no household of them."""
    deduplicated(ctx, person(**MARGARET))
    list_for(ctx, "worker_phone", KeyKind.MOBILE, "447700900001")
    here = {"address_line_1": "14 Mill Lane", "postcode": "LS6 2AB"}
    sarah, other = deduplicated(
        ctx, person(), person(**{**MARGARET, **here, "given_name": "Ngozi",
                                 "mobile": "+447700900001"})
    )  # fmt: skip
    assert other.household_id != sarah.household_id
    assert "same mobile" not in str(other.judged)


def test_a_row_that_cannot_be_read_is_held_alone(ctx: Context) -> None:
    """A broken seal holds its own row, visibly; its neighbours go on."""
    ids = receive(ctx, person(), person(**MARGARET))
    with ctx.begin() as uow:
        uow.conn.execute(
            update(referral)
            .where(referral.c.id == ids[0])
            .values(row_sealed=b"\x01" + bytes(40))
        )
    carry_all(ctx, ["deduplicate"])
    assert [row_of(ctx, rid).state for rid in ids] == ["held", "matched"]


def test_a_job_carried_twice_changes_nothing(ctx: Context) -> None:
    """The rows of a chunk that were settled before are left as they are."""
    (row,) = deduplicated(ctx, person())
    with ctx.begin() as uow:
        uow.enqueue(JobSpec("deduplicate", "deduplicate.chunk", [row.id]))
    carry_all(ctx, ["deduplicate"])
    assert row_of(ctx, row.id) == row
    assert len(promised(ctx)) == 1
