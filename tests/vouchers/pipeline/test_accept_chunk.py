"""Chunks of rows: urgent ones apart, a poisoned row alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from tests.partner_files import (
    csv_file,
    errors,
    open_house,
    referrals,
    row,
)
from vouchers.pipeline import row_reading
from vouchers.pipeline.accept import Receipt, submit
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store import batches
from vouchers.store.tables.intake import (
    batch_chunk,
)
from vouchers.store.tables.work import job


def hand_in(ctx: Context, path: Path, **more: object) -> Receipt:
    """Submit as the partner's worker would, and let the accept jobs run."""
    receipt = submit(
        ctx, partner="elm-homes", path=path, via="cli", actor="wendy/cli", **more
    )
    carry_all(ctx, ["accept"])
    return receipt


def count(ctx: Context, table: object) -> int:
    """How many rows a table has."""
    with ctx.reading() as conn:
        return conn.execute(select(func.count()).select_from(table)).scalar_one()


def test_rows_off_supply_travel_in_urgent_jobs_of_their_own(
    ctx: Context, tmp_path: Path
) -> None:
    """They are staged first, and matched in an urgent job of the best need."""
    open_house(ctx)
    rows = [row(n) for n in range(1, 40)]
    rows[20] = row(21, off_supply="Yes", days_left="")
    submit(
        ctx,
        partner="elm-homes",
        path=csv_file(tmp_path / "a.csv", rows),
        via="cli",
        actor="w",
    )
    query = select(job.c.lane, job.c["items"]).order_by(job.c.id)
    with ctx.reading() as conn:
        staged = conn.execute(query).all()
    assert [(each[0], len(each[1])) for each in staged] == [(0, 1), (1, 38)]
    carry_all(ctx, ["accept"])
    with ctx.reading() as conn:
        follow = conn.execute(query.where(job.c.queue == "deduplicate")).all()
    assert sorted((each[0], len(each[1])) for each in follow) == [(0, 1), (1, 38)]


def test_a_row_our_code_fails_on_is_held_alone(
    ctx: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its neighbours are accepted; after the mend the row can be tried again."""
    open_house(ctx)
    keep = row_reading._request

    def poisoned(ctx_: object, of: object, row_no: int, *rest: object) -> object:
        if row_no == 4:
            raise RuntimeError("poison")
        return keep(ctx_, of, row_no, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(row_reading, "_request", poisoned)
    receipt = hand_in(ctx, csv_file(tmp_path / "a.csv", [row(n) for n in range(1, 6)]))
    assert [each.row_no for each in referrals(ctx)] == [2, 3, 5, 6]
    assert errors(ctx) == [(4, ["failed_here"])]
    with ctx.reading() as conn:
        counts = batches.counts(conn, receipt.batch_id or 0)
        held = conn.execute(select(job).where(job.c.state == "held")).one()
    assert (counts.accounted, counts.held) == (5, 1)
    monkeypatch.setattr(row_reading, "_request", keep)
    with ctx.begin() as uow:
        uow.conn.execute(
            update(job).where(job.c.id == held.id).values(state="ready", attempts=0)
        )
    carry_all(ctx, ["accept"])
    assert [each.row_no for each in referrals(ctx)] == [2, 3, 4, 5, 6]
    assert errors(ctx) == []
    assert count(ctx, batch_chunk) == 0
