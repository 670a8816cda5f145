"""Which result files are behind is learned from the numbered audit log."""

from __future__ import annotations

from pathlib import Path

from tests.partner_files import csv_file, open_house, row
from vouchers.pipeline import integrate
from vouchers.pipeline.accept import submit
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store import batches, row_outcomes


def test_a_batch_is_behind_until_its_newest_change_is_written(
    ctx: Context, tmp_path: Path
) -> None:
    """Marks only move forward, so a late sweep never hides a change."""
    open_house(ctx)
    path = csv_file(tmp_path / "a.csv", [row(1)])
    number = submit(ctx, partner="elm-homes", path=path, via="cli", actor="w").batch_id
    carry_all(ctx, ["accept"])
    integrate.seal(ctx)
    with ctx.begin() as uow:
        events = list(row_outcomes.events_since(uow.conn, 0))
        row_outcomes.mark_changed(uow.conn, {number or 0: 40}, uow.now)
        row_outcomes.mark_changed(uow.conn, {number or 0: 30}, uow.now)
        assert row_outcomes.cursor(uow.conn) == 40
        assert [each.id for each in row_outcomes.behind(uow.conn)] == [number]
        batches.change(uow.conn, number or 0, written=40)
        assert row_outcomes.behind(uow.conn) == []
    assert "referral.received" in [kind for _, kind, _ in events]
