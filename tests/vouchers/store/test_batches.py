"""Batches remember what came in, sealed, and account for every row."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from tests.partner_files import csv_file, open_house, row
from vouchers.pipeline.accept import submit
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store import batches
from vouchers.store.tables.intake import batch, batch_chunk


def staged(ctx: Context, tmp_path: Path, rows: list[dict[str, str]]) -> int:
    """A batch whose rows are staged and not read yet."""
    open_house(ctx)
    path = csv_file(tmp_path / "a.csv", rows)
    receipt = submit(ctx, partner="elm-homes", path=path, via="cli", actor="w")
    return receipt.batch_id or 0


def test_every_row_is_accounted_for_at_every_moment(
    ctx: Context, tmp_path: Path
) -> None:
    """P1: staged rows are unread, then each is a referral or an error."""
    number = staged(ctx, tmp_path, [row(1), row(2, postcode="x"), row(3)])
    with ctx.reading() as conn:
        before = batches.counts(conn, number)
    carry_all(ctx, ["accept"])
    with ctx.reading() as conn:
        after = batches.counts(conn, number)
    assert (before.total, before.unread, before.accounted) == (3, 3, 0)
    assert (after.total, after.unread, after.accounted) == (3, 0, 3)
    assert (after.referrals, after.errors, after.moving) == ({"received": 2}, 1, 2)


def test_a_chunk_is_staged_once_whoever_asks(ctx: Context, tmp_path: Path) -> None:
    """Two submits of one file: the one that is behind finds its chunk taken."""
    number = staged(ctx, tmp_path, [row(1)])
    with ctx.begin() as uow:
        again = batches.stage(
            uow.conn,
            ctx.keys,
            batch_id=number,
            number=0,
            urgent=False,
            rows=[(2, ["x"], None)],
            staged_before=0,
        )
    assert again is False


def test_staged_rows_and_the_files_name_are_sealed(
    ctx: Context, tmp_path: Path
) -> None:
    """They open with the keys and are nowhere in clear."""
    number = staged(ctx, tmp_path, [row(1, family_name="Zaphod")])
    with ctx.reading() as conn:
        kept = conn.execute(select(batch)).one()
        raw = conn.execute(select(batch_chunk.c.sealed)).scalar_one()
        (opened,) = batches.open_chunk(conn, ctx.keys, number, 0) or []
    assert opened[0] == 2
    assert opened[1][2] == "Zaphod"
    assert b"Zaphod" not in raw
    assert batches.file_name(ctx.keys, kept) == "a.csv"
    assert b"a.csv" not in kept.name_sealed


def test_a_batch_is_finished_when_nothing_in_it_moves(
    ctx: Context, tmp_path: Path
) -> None:
    """Rows that go back are settled; rows still to be matched are not."""
    number = staged(ctx, tmp_path, [row(1, postcode="x")])
    with ctx.begin() as uow:
        assert not batches.finish(uow.conn, number, uow.now)
    carry_all(ctx, ["accept"])
    with ctx.begin() as uow:
        assert batches.finish(uow.conn, number, uow.now)
        assert not batches.finish(uow.conn, number, uow.now)
