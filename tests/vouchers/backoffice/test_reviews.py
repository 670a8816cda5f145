"""Reviews: what people rule on identity holds, can be taken back, and is remembered."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from tests.referrals import person
from tests.reviewing import (
    AMY,
    FIN,
    SAM,
    TWIN,
    WHY,
    deduplicated,
    now,
    open_scheme,
    rows,
    rule,
    two_in_question,
)
from vouchers.backoffice import reviews
from vouchers.domain.matching.rulings import Ruling
from vouchers.domain.roles import Person, Role
from vouchers.errors import NotAllowed, NotFound
from vouchers.pipeline.context import Context
from vouchers.store.tables.identity import resident, review
from vouchers.store.tables.parties import scheme, scheme_version
from vouchers.store.tables.proof import audit_event
from vouchers.store.tables.work import job


@pytest.fixture(autouse=True)
def a_scheme(ctx: Context) -> None:
    """The scheme as shipped."""
    open_scheme(ctx)


@pytest.fixture
def twins(ctx: Context) -> tuple[Any, Any]:
    """Sarah is known; Hannah, of the same birthday and home, is in review."""
    return two_in_question(ctx)


def test_the_queue_is_in_order_of_need(ctx: Context) -> None:
    """The neediest review stands first, whatever came first."""
    deduplicated(ctx, person())
    (late,) = deduplicated(ctx, person(**TWIN), need_rank=700)
    (needy,) = deduplicated(ctx, person(given_name="Gordon"), need_rank=10)
    assert [line.id for line in reviews.listing(ctx, AMY)] == [needy.id, late.id]


def test_a_case_is_shown_side_by_side(ctx: Context, twins: Any) -> None:
    """Both people's fields, what differs, why it is asked; and that it was opened."""
    sarah, hannah = twins
    sheet = reviews.show(ctx, AMY, hannah.id, door="test")
    (side,) = sheet.sides
    assert (side.resident_id, side.differing) == (sarah.id, ("given_name",))
    assert sheet.fields["given_name"] == "Hannah"
    assert side.fields["given_name"] == "Sarah"
    assert side.questions == ("Are these twins, or one person under two given names?",)
    assert "same date of birth" in side.speaks_for
    assert "same home" in side.says_little
    assert "given names differ" in side.speaks_against
    by_name = {one.field: (one.row, one.resident, one.differs) for one in side.compared}
    assert by_name["given_name"] == ("Hannah", "Sarah", True)
    assert by_name["family_name"] == ("Patterson", "Patterson", False)
    (event,) = [e for e in rows(ctx, audit_event) if e.kind == "review.shown"]
    assert '"actor":"amy/test"' in event.body
    assert "Sarah" not in event.body


def test_same_household_lets_the_twin_share(ctx: Context, twins: Any) -> None:
    """Two people, one household: the row goes on to allocate."""
    sarah, hannah = twins
    assert rule(ctx, hannah.id, Ruling.SAME_HOUSEHOLD).done
    after = now(ctx, hannah.id)
    assert (after.state, after.resident_id, after.household_id) == (
        "matched", hannah.id, sarah.household_id,
    )  # fmt: skip
    assert [hannah.id] in [j.items for j in rows(ctx, job) if j.queue == "allocate"]


def test_same_person_merges_into_the_older_number(ctx: Context, twins: Any) -> None:
    """A merge keeps the older id, leaves a redirect and moves nothing else."""
    sarah, hannah = twins
    rule(ctx, hannah.id, Ruling.SAME_PERSON)
    after = now(ctx, hannah.id)
    assert (after.resident_id, after.household_id) == (sarah.id, sarah.household_id)
    merged = {r.id: r.merged_into for r in rows(ctx, resident)}
    assert merged == {sarah.id: None, hannah.id: sarah.id}
    (again,) = deduplicated(ctx, person(**TWIN), partner_id=5)
    assert again.resident_id == sarah.id


def test_different_is_remembered_whatever_comes_between(
    ctx: Context, twins: Any
) -> None:
    """A ruling 'different' survives a row that looks like both."""
    sarah, hannah = twins
    rule(ctx, hannah.id, Ruling.DIFFERENT)
    (again,) = deduplicated(ctx, person(**TWIN), partner_id=3)
    assert (again.state, again.resident_id) == ("matched", hannah.id)
    (bridge,) = deduplicated(ctx, person(given_name="Sarah Hannah"), partner_id=4)
    assert bridge.resident_id in (sarah.id, bridge.id)
    assert {r.merged_into for r in rows(ctx, resident)} == {None}


def test_all_who_joined_the_review_go_on_with_it(ctx: Context, twins: Any) -> None:
    """One ruling settles every row that waited for it."""
    sarah, hannah = twins
    (joined,) = deduplicated(ctx, person(**TWIN), partner_id=3)
    done = rule(ctx, joined.id, Ruling.SAME_HOUSEHOLD)
    assert done.released == (hannah.id, joined.id)
    assert now(ctx, joined.id).household_id == sarah.household_id
    assert reviews.listing(ctx, AMY) == []


def test_separate_household_is_never_asked_again(ctx: Context) -> None:
    """A flatmate gets a household of her own, and the next row asks nobody."""
    deduplicated(ctx, person())
    flatmate = {"given_name": "Ines", "family_name": "Marlow",
                "date_of_birth": date(1991, 5, 2), "mobile": None}  # fmt: skip
    (ines,) = deduplicated(ctx, person(**flatmate))
    assert ines.state == "checking"
    rule(ctx, ines.id, Ruling.SEPARATE_HOUSEHOLD)
    (again,) = deduplicated(ctx, person(**flatmate), partner_id=2)
    assert (again.state, again.household_id) == ("matched", ines.id)


def test_a_review_is_decided_once(ctx: Context, twins: Any) -> None:
    """The second ruling learns of the first and changes nothing."""
    _sarah, hannah = twins
    rule(ctx, hannah.id, Ruling.DIFFERENT)
    second = rule(ctx, hannah.id, Ruling.SAME_PERSON)
    assert (second.done, second.message) == (False, "this review is decided: different")


def test_many_are_decided_at_once(ctx: Context) -> None:
    """One call rules on many; a wrong number among them spoils nothing."""
    deduplicated(ctx, person())
    asked = deduplicated(ctx, person(**TWIN), person(given_name="Gordon"))
    done = reviews.decide(
        ctx, AMY, [asked[0].id, 99, asked[1].id], Ruling.DIFFERENT,
        reason=WHY, door="test",
    )  # fmt: skip
    assert [d.done for d in done] == [True, False, True]


def test_p9_protected_reviews_exist_for_safeguarding_only(ctx: Context) -> None:
    """P9: another reviewer neither sees nor opens nor decides them."""
    hidden = {"safe_contact": "partner_only"}
    deduplicated(ctx, person(**hidden))
    (twin,) = deduplicated(ctx, person(**TWIN, **hidden))
    assert twin.state == "checking"
    assert reviews.listing(ctx, AMY) == []
    with pytest.raises(NotFound):
        reviews.show(ctx, AMY, twin.id, door="test")
    assert not rule(ctx, twin.id, Ruling.DIFFERENT).done
    assert [line.id for line in reviews.listing(ctx, SAM)] == [twin.id]
    (done,) = reviews.decide(
        ctx, SAM, [twin.id], Ruling.DIFFERENT, reason=WHY, door="test"
    )
    assert done.done


def test_p9_no_ruling_joins_a_protected_person_to_others(ctx: Context) -> None:
    """P9: naming a protected resident in an ordinary review finds nobody."""
    (hidden,) = deduplicated(ctx, person(safe_contact="none"))
    deduplicated(ctx, person())
    (twin,) = deduplicated(ctx, person(**TWIN))
    done = rule(ctx, twin.id, Ruling.SAME_PERSON, same_as=hidden.id)
    assert (done.done, done.message) == (False, "no such resident")


def test_finance_does_not_decide_who_is_who(ctx: Context, twins: Any) -> None:
    """Rulings need the role for them."""
    with pytest.raises(NotAllowed):
        reviews.decide(
            ctx, FIN, [twins[1].id], Ruling.DIFFERENT, reason=WHY, door="test"
        )


def test_of_several_people_the_one_meant_has_to_be_named(ctx: Context) -> None:
    """Nobody is taken for the first of several by saying "the same person"."""
    (sarah,) = deduplicated(ctx, person())
    (hannah,) = deduplicated(ctx, person(**TWIN), partner_id=2)
    rule(ctx, hannah.id, Ruling.DIFFERENT)
    (both,) = deduplicated(ctx, person(given_name="S"), partner_id=3)
    with ctx.begin() as uow:
        shown = [
            {"resident_id": str(one), "person": 0.6, "household": 0.3, "guards": 0,
             "parts": []}
            for one in (sarah.id, hannah.id)
        ]  # fmt: skip
        uow.conn.execute(
            update(review)
            .where(review.c.id == both.id)
            .values(kind="several", candidates=shown)
        )
    refused = rule(ctx, both.id, Ruling.SAME_PERSON)
    assert (refused.done, "--same-as" in refused.message) == (False, True)
    assert rule(ctx, both.id, Ruling.SAME_PERSON, same_as=hannah.id).done
    assert now(ctx, both.id).resident_id == hannah.id


def test_p9_a_partners_person_sees_no_review(ctx: Context, twins: Any) -> None:
    """P9: neither the queue nor a case, not even of their own row."""
    worker = Person(9, "wendy", frozenset({Role.PARTNER}), partner_id=2)
    with pytest.raises(NotAllowed):
        reviews.listing(ctx, worker)
    with pytest.raises(NotAllowed):
        reviews.show(ctx, worker, twins[1].id, door="test")


def test_the_newest_ruling_stands_first(ctx: Context, twins: Any, clock: Any) -> None:
    """Whoever takes one back looks for what was ruled just now."""
    (other,) = deduplicated(ctx, person(given_name="Gordon"))
    rule(ctx, other.id, Ruling.DIFFERENT)
    clock.forward(minutes=1)
    rule(ctx, twins[1].id, Ruling.DIFFERENT)
    ruled = reviews.listing(ctx, AMY, decided=True)
    assert [line.id for line in ruled] == [twins[1].id, other.id]


def test_reviews_past_their_time_are_escalated_once(
    ctx: Context, twins: Any, clock: Any
) -> None:
    """After the target time a review is raised, and not again."""
    assert reviews.escalate(ctx) == 0
    clock.forward(hours=25)
    assert reviews.escalate(ctx) == 1
    assert reviews.escalate(ctx) == 0
    assert reviews.listing(ctx, AMY)[0].escalated


def test_award_once_gives_one_voucher_to_the_overdue(
    ctx: Context, twins: Any, clock: Any
) -> None:
    """Where the scheme says so, waiting too long is worth one voucher."""
    with ctx.begin() as uow:
        body = uow.conn.execute(select(scheme_version.c.body)).scalar_one()
        uow.conn.execute(update(scheme_version).values(state="replaced"))
        uow.conn.execute(
            insert(scheme_version).values(
                id=2, scheme_id=1, number=2, digest="1" * 64, state="active",
                body=body.replace('review_timeout = "hold"',
                                  'review_timeout = "award_once"'),
                loaded_by="test", loaded_at=uow.now,
            )
        )  # fmt: skip
        uow.conn.execute(update(scheme).values(version=2))
    clock.forward(hours=25)
    reviews.escalate(ctx)
    assert [(j.items, j.payload) for j in rows(ctx, job) if j.payload] == [
        ([twins[1].id], {"first": 1, "overdue": 1})
    ]
