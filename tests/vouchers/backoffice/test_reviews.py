"""Reviews: what people rule on identity holds, can be taken back, and is remembered."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from tests.referrals import person, receive
from vouchers.backoffice import retractions, reviews
from vouchers.domain.matching.rulings import Ruling, RulingReason
from vouchers.domain.reasons import Reason
from vouchers.domain.roles import Person, Role
from vouchers.errors import NotAllowed, NotFound, Refused
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store import referrals
from vouchers.store.tables.awards import award, voucher
from vouchers.store.tables.identity import identity_edge, membership, resident
from vouchers.store.tables.intake import referral
from vouchers.store.tables.parties import scheme, scheme_version
from vouchers.store.tables.proof import audit_event
from vouchers.store.tables.work import job

AMY = Person(1, "amy", frozenset({Role.REVIEWER}))
SAM = Person(2, "sam", frozenset({Role.SAFEGUARDING}))
FIN = Person(3, "fin", frozenset({Role.FINANCE}))
WHY = RulingReason.PARTNER_CONFIRMED
TWIN = {"given_name": "Hannah"}


def deduplicated(ctx: Context, *rows: Any, **how: Any) -> list[Any]:
    """Receive rows in one batch, deduplicate them, give them back."""
    ids = receive(ctx, *rows, **how)
    carry_all(ctx, ["deduplicate"])
    return [now(ctx, rid) for rid in ids]


def now(ctx: Context, rid: int) -> Any:
    """A referral as it stands."""
    with ctx.reading() as conn:
        return conn.execute(select(referral).where(referral.c.id == rid)).one()


def rows(ctx: Context, table: Any) -> list[Any]:
    """All rows of a table."""
    with ctx.reading() as conn:
        return list(conn.execute(select(table)))


def rule(ctx: Context, review_id: int, ruling: Ruling, **more: Any) -> Any:
    """Amy's ruling on one review."""
    (done,) = reviews.decide(
        ctx, AMY, [review_id], ruling, reason=WHY, door="test", **more
    )
    return done


@pytest.fixture(autouse=True)
def a_scheme(ctx: Context) -> None:
    """The scheme as shipped, which says how much is too much."""
    body = Path("config/scheme.toml").read_text(encoding="utf-8")
    with ctx.begin() as uow:
        uow.conn.execute(
            insert(scheme).values(id=1, slug="winter", name="Winter", version=1)
        )
        uow.conn.execute(
            insert(scheme_version).values(
                id=1, scheme_id=1, number=1, body=body, digest="0" * 64,
                state="active", loaded_by="test", loaded_at=uow.now,
            )
        )  # fmt: skip


@pytest.fixture
def twins(ctx: Context) -> tuple[Any, Any]:
    """Sarah is known; Hannah, of the same birthday and home, is in review."""
    (sarah,) = deduplicated(ctx, person())
    (hannah,) = deduplicated(ctx, person(**TWIN), partner_id=2)
    return sarah, hannah


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


@pytest.mark.parametrize("ruling", list(Ruling))
def test_a_ruling_can_be_taken_back(ctx: Context, twins: Any, ruling: Ruling) -> None:
    """While nothing was granted, undo leaves everything as it was before the ruling."""
    _sarah, hannah = twins

    def world() -> Any:
        return (
            sorted((r.id, r.merged_into, r.provisional) for r in rows(ctx, resident)),
            sorted(tuple(m) for m in rows(ctx, membership)),
            (now(ctx, hannah.id).state, now(ctx, hannah.id).resident_id),
        )

    before = world()
    assert rule(ctx, hannah.id, ruling).done
    retractions.undo(ctx, AMY, hannah.id, door="test")
    assert world() == before
    assert [line.state for line in reviews.listing(ctx, AMY)] == ["undone"]
    assert rule(ctx, hannah.id, Ruling.SAME_HOUSEHOLD).done


def grant(ctx: Context, rid: int) -> None:
    """Grant a referral as allocate does, as far as reviews look."""
    row = now(ctx, rid)
    with ctx.begin() as uow:
        uow.conn.execute(
            insert(award).values(
                id=rid << 3, referral_id=rid, partner_id=row.partner_id, scheme_id=1,
                cap_group="x", pool_id=1, resident_id=row.resident_id,
                household_id=row.household_id, network="paypoint", state="granted",
                amount_pence=4900, full_pence=4900, granted_at=uow.now,
                granted_on=uow.now.date(), judged={},
            )
        )  # fmt: skip
        uow.conn.execute(
            update(referral).where(referral.c.id == rid).values(state="granted")
        )


def test_after_a_grant_only_unmerge_helps(ctx: Context, twins: Any) -> None:
    """Merge, grant, then unmerge: two people again, the refused one is judged anew."""
    sarah, hannah = twins
    rule(ctx, hannah.id, Ruling.SAME_PERSON)
    grant(ctx, sarah.id)
    with ctx.begin() as uow:
        uow.conn.execute(
            update(referral)
            .where(referral.c.id == hannah.id)
            .values(state="declined", reason="already_supported", updated_at=uow.now)
        )
    reopened = retractions.unmerge(ctx, AMY, hannah.id, door="test")
    after = now(ctx, hannah.id)
    assert reopened == (hannah.id,)
    assert (after.state, after.resident_id, after.household_id) == (
        "matched", hannah.id, hannah.id,
    )  # fmt: skip
    assert {e.kind for e in rows(ctx, identity_edge)} >= {"same", "different"}
    (again,) = deduplicated(ctx, person(**TWIN), partner_id=6)
    assert again.resident_id == hannah.id


def voucher_of(ctx: Context, rid: int, *, redeemed: int) -> None:
    """One voucher of the award of a referral, used up to some pence."""
    with ctx.begin() as uow:
        uow.conn.execute(
            insert(voucher).values(
                id=rid << 6, award_id=rid << 3, number=1, contribution_id=1,
                scheme_id=1, network="paypoint", value_pence=4900,
                redeemed_pence=redeemed,
                state="redeemed" if redeemed else "live", expires_on=uow.now.date(),
                issued_at=uow.now,
            )
        )  # fmt: skip


def test_a_ruling_is_undone_while_nothing_granted_on_it_was_redeemed(
    ctx: Context, twins: Any
) -> None:
    """The granted row keeps its vouchers; its question is open and is ruled on anew."""
    sarah, hannah = twins
    (joined,) = deduplicated(ctx, person(**TWIN), partner_id=3)
    rule(ctx, hannah.id, Ruling.DIFFERENT)
    grant(ctx, hannah.id)
    voucher_of(ctx, hannah.id, redeemed=0)
    with ctx.begin() as uow:
        uow.conn.execute(
            update(referral)
            .where(referral.c.id == joined.id)
            .values(state="declined", reason="already_supported")
        )
    assert retractions.undo(ctx, AMY, hannah.id, door="test") == (joined.id,)
    assert (now(ctx, hannah.id).state, now(ctx, joined.id).state) == (
        "granted", "checking",
    )  # fmt: skip
    done = rule(ctx, hannah.id, Ruling.SAME_PERSON)
    assert done.done
    assert (now(ctx, hannah.id).state, now(ctx, joined.id).state) == (
        "granted", "matched",
    )  # fmt: skip
    assert now(ctx, joined.id).resident_id == sarah.id


def test_after_a_merge_was_undone_the_granted_row_is_its_own_person_again(
    ctx: Context, twins: Any
) -> None:
    """Taken for Sarah and granted; undone, the row is Hannah's and ruled on anew."""
    _sarah, hannah = twins
    rule(ctx, hannah.id, Ruling.SAME_PERSON)
    grant(ctx, hannah.id)
    voucher_of(ctx, hannah.id, redeemed=0)
    assert retractions.undo(ctx, AMY, hannah.id, door="test") == ()
    after = now(ctx, hannah.id)
    assert (after.state, after.resident_id) == ("granted", hannah.id)
    assert rule(ctx, hannah.id, Ruling.DIFFERENT).done
    (again,) = deduplicated(ctx, person(**TWIN), partner_id=6)
    assert again.resident_id == hannah.id
    assert {r.merged_into for r in rows(ctx, resident)} == {None}


@pytest.mark.parametrize(
    ("ruling", "instead"),
    [(Ruling.SAME_PERSON, "--part"), (Ruling.DIFFERENT, "next row")],
)
def test_after_a_redemption_a_ruling_stands_and_says_what_to_do(
    ctx: Context, twins: Any, ruling: Ruling, instead: str
) -> None:
    """What was used at a shop on a ruling is not undone behind anybody's back."""
    _sarah, hannah = twins
    rule(ctx, hannah.id, ruling)
    grant(ctx, hannah.id)
    voucher_of(ctx, hannah.id, redeemed=100)
    with pytest.raises(Refused, match="redeemed") as refused:
        retractions.undo(ctx, AMY, hannah.id, door="test")
    assert instead in str(refused.value)


@pytest.mark.parametrize("ruling", [Ruling.SAME_HOUSEHOLD, Ruling.SAME_PERSON])
def test_a_row_that_joined_names_the_review_to_take_back(
    ctx: Context, twins: Any, ruling: Ruling
) -> None:
    """The ruling was given on the first row, and is taken back there."""
    _sarah, hannah = twins
    (joined,) = deduplicated(ctx, person(**TWIN), partner_id=3)
    rule(ctx, hannah.id, ruling)
    with pytest.raises(Refused, match=f"reviews undo {hannah.id}"):
        retractions.undo(ctx, AMY, joined.id, door="test")


def test_a_withdrawn_row_does_not_keep_a_ruling_from_being_taken_back(
    ctx: Context, twins: Any
) -> None:
    """Its partner took the row back after the ruling: who joined it is asked about."""
    _sarah, hannah = twins
    (joined,) = deduplicated(ctx, person(**TWIN), partner_id=3)
    rule(ctx, hannah.id, Ruling.SAME_HOUSEHOLD)
    with ctx.begin() as uow:
        referrals.end(uow, [(hannah.id, Reason.WITHDRAWN, hannah.id)])
    assert retractions.undo(ctx, AMY, hannah.id, door="test") == (joined.id,)
    assert now(ctx, hannah.id).state == "withdrawn"
    assert rule(ctx, joined.id, Ruling.DIFFERENT).done


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
