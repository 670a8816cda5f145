"""Referrals that a partner gives up leave the queue with all that hung on them."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import insert, select

from tests.partner_files import csv_file, open_house, referrals, row
from vouchers.domain.reasons import Reason
from vouchers.pipeline.accept import submit
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store import referrals as store
from vouchers.store.tables.awards import waitlist


def test_a_request_that_ends_leaves_the_waitlist(ctx: Context, tmp_path: Path) -> None:
    """Nobody waits for money on a request that was taken back."""
    open_house(ctx)
    path = csv_file(tmp_path / "a.csv", [row(1)])
    submit(ctx, partner="elm-homes", path=path, via="cli", actor="w")
    carry_all(ctx, ["accept"])
    (found,) = referrals(ctx)
    with ctx.begin() as uow:
        uow.conn.execute(
            insert(waitlist).values(
                referral_id=found.id,
                scheme_id=found.scheme_id,
                need_rank=found.need_rank,
                since=uow.now,
                supply_version=0,
                rule="no_money",
            )
        )
        store.end(uow, [(found.id, Reason.WITHDRAWN, 99)])
    with ctx.reading() as conn:
        assert conn.execute(select(waitlist)).all() == []
    assert (referrals(ctx)[0].state, referrals(ctx)[0].reason) == (
        "withdrawn",
        "withdrawn",
    )


def test_cells_come_back_as_they_were(ctx: Context) -> None:
    """A row as it came opens in its own place; an erased one is empty."""
    cells = ["T1", "Zoë", ""]
    sealed = store.seal_cells(ctx.keys, "referral.original_sealed", 5, cells)
    assert store.open_cells(ctx.keys, "referral.original_sealed", 5, sealed) == cells
    assert store.open_cells(ctx.keys, "referral.original_sealed", 5, None) == []
