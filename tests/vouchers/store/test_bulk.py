"""Many rows at once arrive whole, on either database."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from vouchers.pipeline.context import Context
from vouchers.store.bulk import chunks, insert_rows, update_by
from vouchers.store.tables.awards import waitlist
from vouchers.store.tables.identity import membership


def row(ctx: Context, number: int, detail: object = None) -> dict[str, object]:
    """One row of the waitlist."""
    return {
        "referral_id": number,
        "scheme_id": 1,
        "need_rank": number,
        "since": ctx.clock(),
        "supply_version": 0,
        "rule": "no_money",
        "detail": detail,
    }


@pytest.mark.parametrize("size", [1, 19, 20, 700])
def test_rows_arrive_with_their_json_and_moments(ctx: Context, size: int) -> None:
    """Few rows and many take different roads and look alike afterwards."""
    with ctx.begin() as uow:
        rows = [row(ctx, n, {"n": n} if n % 2 else None) for n in range(size)]
        insert_rows(uow.conn, waitlist, rows)

    with ctx.reading() as conn:
        found = conn.execute(select(waitlist).order_by(waitlist.c.referral_id)).all()
    assert [item.detail for item in found] == [item["detail"] for item in rows]
    assert {item.since for item in found} == {ctx.clock()}


@pytest.mark.parametrize("size", [1, 60])
def test_a_key_that_is_there_is_refused_or_left(ctx: Context, size: int) -> None:
    """`ignore` keeps the first row; `error` refuses the second."""
    with ctx.begin() as uow:
        insert_rows(uow.conn, waitlist, [row(ctx, 1, {"first": 1})])
    with ctx.begin() as uow:
        more = [row(ctx, n, {"later": n}) for n in range(1, 1 + size)]
        insert_rows(uow.conn, waitlist, more, on_conflict="ignore")
    with pytest.raises(IntegrityError), ctx.begin() as uow:
        insert_rows(uow.conn, waitlist, [row(ctx, 1)])

    with ctx.reading() as conn:
        found = conn.scalars(
            select(waitlist.c.detail).order_by(waitlist.c.referral_id)
        ).all()
    assert found == [{"first": 1}, *({"later": n} for n in range(2, 1 + size))]


def test_many_rows_are_updated_each_to_its_own_values(ctx: Context) -> None:
    """Values, JSON and NULL reach the row with the same key and no other."""
    with ctx.begin() as uow:
        insert_rows(uow.conn, waitlist, [row(ctx, n, {}) for n in range(50)])
        fresh = [
            {"referral_id": n, "need_rank": n * 2, "detail": {"n": n} if n else None}
            for n in range(40)
        ]
        assert update_by(uow.conn, waitlist, fresh, key="referral_id") == 40

    with ctx.reading() as conn:
        found = conn.execute(select(waitlist).order_by(waitlist.c.referral_id)).all()
    assert [item.need_rank for item in found[:3]] == [0, 2, 4]
    assert [item.detail for item in found[:2]] == [None, {"n": 1}]
    assert found[45].need_rank == 45


def test_dates_may_be_absent(ctx: Context) -> None:
    """A NULL among dates does not confuse the array that carries them."""
    day = date(2026, 12, 7)
    with ctx.begin() as uow:
        rows = [
            {"household_id": n, "resident_id": n, "from_on": day, "to_on": None}
            for n in range(3)
        ]
        insert_rows(uow.conn, membership, rows)
        update_by(
            uow.conn,
            membership,
            [{"household_id": 0, "to_on": None}, {"household_id": 1, "to_on": day}],
            key="household_id",
        )
    with ctx.reading() as conn:
        ends = conn.scalars(
            select(membership.c.to_on).order_by(membership.c.household_id)
        ).all()
    assert ends == [None, day, None]


def test_chunks_cut_without_losing_anything() -> None:
    """Every item is in exactly one chunk, in order."""
    assert list(chunks(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(chunks([], 2)) == []
