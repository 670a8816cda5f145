"""First vouchers go out at once, once, and count as part of the award."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update

from tests.money import Fund, open_fund
from vouchers.backoffice import scheme as rules_desk
from vouchers.domain.matching.keys import KeyKind
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store.tables import db_now
from vouchers.store.tables.identity import match_key, review
from vouchers.store.tables.intake import referral
from vouchers.store.tables.work import job


def _run(fund: Fund, ids: list[int], **payload: int) -> None:
    fund.allocate(ids, **payload)
    carry_all(fund.ctx, ["allocate"])


@pytest.fixture
def fund(ctx: Context) -> Fund:
    """The default scheme with a pool and no money."""
    return open_fund(ctx)


def test_a_first_voucher_goes_out_at_once_and_the_ruling_tops_it_up(
    fund: Fund,
) -> None:
    """An off-supply row in review gets one voucher; matched later, it gets the rest."""
    fund.give("gift", 100_000)
    ids = fund.refer(1, off_supply=True, state="checking")
    _run(fund, ids, first=1)
    _run(fund, ids, first=1)
    assert fund.states(ids) == ["checking"]
    assert [row.value_pence for row in fund.vouchers()] == [4_900]
    with fund.ctx.begin(name="test") as uow:
        uow.conn.execute(update(referral).values(state="matched"))
    _run(fund, ids)
    assert fund.states(ids) == ["granted"]
    assert [row.id & 7 for row in fund.awards()] == [0, 1]
    assert [row.value_pence for row in fund.vouchers()] == [4_900, 4_900]
    fund.assert_books_balance()


def test_a_first_voucher_is_given_once_per_phone_and_dwelling(fund: Fund) -> None:
    """Two rows in review with one phone get one first voucher between them."""
    fund.give("gift", 100_000)
    ids = fund.refer(2, off_supply=True, state="checking")
    with fund.ctx.begin(name="test") as uow:
        uow.conn.execute(
            insert(match_key),
            [
                {"key": 77, "kind": KeyKind.MOBILE, "version": 1, "resident_id": one}
                for one in ids
            ],
        )
    _run(fund, ids, first=1)
    _run(fund, ids, first=1)
    assert [row.referral_id for row in fund.awards()] == ids[:1]


def test_an_overdue_review_gets_its_first_voucher_without_being_off_supply(
    fund: Fund,
) -> None:
    """Nobody ruled in time, and the scheme says that one voucher goes out then."""
    fund.give("gift", 100_000)
    ids = fund.refer(1, days_left=3, state="checking")
    _run(fund, ids, first=1)
    assert fund.awards() == []
    _run(fund, ids, first=1, overdue=1)
    assert len(fund.awards()) == 1


def test_a_first_voucher_that_found_no_money_comes_before_the_waitlist(
    fund: Fund,
) -> None:
    """Money for one voucher goes to the home off supply, not to who waits for less."""
    waiting = fund.refer(1, days_left=3)
    doubted = fund.refer(1, off_supply=True, state="checking")
    with fund.ctx.begin(name="test") as uow:
        uow.conn.execute(
            insert(review).values(
                id=doubted[0],
                scheme_id=fund.scheme_id,
                kind="person",
                state="open",
                protected=False,
                need_rank=21,
                candidates=[],
                model="test",
                opened_at=uow.now,
            )
        )
    _run(fund, doubted, first=1)
    _run(fund, waiting)
    assert fund.awards() == []

    fund.give("gift", 5_000)
    carry_all(fund.ctx, ["allocate"])

    assert [row.referral_id for row in fund.awards()] == doubted
    assert fund.states(waiting) == ["waiting"]
    fund.assert_books_balance()


def test_a_paused_scheme_gives_its_first_vouchers_when_it_is_resumed(
    fund: Fund,
) -> None:
    """A pause stops every award; this one comes by itself afterwards."""
    fund.give("gift", 100_000)
    ids = fund.refer(1, off_supply=True, state="checking")
    rules_desk.pause(fund.ctx, "winter_fund", "amy/cli", "audit")
    _run(fund, ids, first=1)
    assert fund.awards() == []

    rules_desk.resume(fund.ctx, "winter_fund", "amy/cli")
    _now(fund)
    carry_all(fund.ctx, ["allocate"])

    assert len(fund.awards(*ids)) == 1


def test_a_first_voucher_waits_for_needier_homes_on_their_way_and_comes_after(
    fund: Fund,
) -> None:
    """The last money is kept for who is needier; what they leave is asked for again."""
    fund.give("gift", 4_900)
    needier = fund.refer(1, off_supply=True, medical_device=True)
    ids = fund.refer(1, off_supply=True, state="checking")
    _run(fund, ids, first=1)
    assert fund.awards() == []

    with fund.ctx.begin(name="test") as uow:
        uow.conn.execute(
            update(referral).where(referral.c.id.in_(needier)).values(state="withdrawn")
        )
    _now(fund)
    carry_all(fund.ctx, ["allocate"])

    assert len(fund.awards(*ids)) == 1


def _now(fund: Fund) -> None:
    """Let what was put off be due."""
    with fund.ctx.begin(name="test") as uow:
        uow.conn.execute(
            update(job).where(job.c.state == "ready").values(run_at=db_now())
        )
