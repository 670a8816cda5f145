"""A dry run says whether the file would be stopped, and keeps nothing."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from tests.partner_files import open_house
from tests.stopped_files import (
    hand_in,
    handed_in,
    row,
    suspicious,
)
from vouchers.pipeline.context import Context
from vouchers.store.tables.intake import batch


def test_a_dry_run_says_that_the_file_would_stop(ctx: Context, tmp_path: Path) -> None:
    """And keeps nothing: no batch, no count."""
    open_house(ctx)
    receipt = hand_in(ctx, tmp_path / "a.csv", suspicious(), dry_run=True)
    assert receipt.preview is not None
    assert receipt.preview.stops == (
        "60 of 120 rows have one and the same phone number (the limit is 36)",
    )
    assert "wait for a person of ours" in receipt.message
    with ctx.reading() as conn:
        assert conn.execute(select(batch.c.id)).all() == []


def test_a_dry_run_of_another_partners_list_says_so(
    ctx: Context, tmp_path: Path
) -> None:
    """Repeats are counted among the rows that it decided on."""
    open_house(ctx)
    open_house(ctx, slug="oak-homes")
    rows = [row(n) for n in range(1, 121)]
    handed_in(ctx, tmp_path / "a.csv", rows)
    receipt = hand_in(ctx, tmp_path / "b.csv", rows, partner="oak-homes", dry_run=True)
    assert receipt.preview is not None
    assert [stop[:3] for stop in receipt.preview.stops] == ["120"]
