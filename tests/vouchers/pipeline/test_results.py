"""Result files: the partner's own columns, and what became of each row."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from sqlalchemy import select, update

from tests.conftest import Clock
from tests.partner_files import HEADER, csv_file, csv_text, open_house, row
from vouchers.domain.intake.columns import RESULT_COLUMNS
from vouchers.pipeline import integrate, results
from vouchers.pipeline.accept import Receipt, submit
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store import batches
from vouchers.store.tables.intake import batch, referral


def hand_in(ctx: Context, path: Path) -> Receipt:
    """Submit, and let the accept jobs run."""
    receipt = submit(ctx, partner="elm-homes", path=path, via="cli", actor="wendy/cli")
    carry_all(ctx, ["accept"])
    return receipt


def read(path: Path) -> list[dict[str, str]]:
    """A result file as a spreadsheet would show it."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_result_has_the_partners_columns_in_order_then_ours(
    ctx: Context, tmp_path: Path
) -> None:
    """Columns come back in the order they came in, unknown ones too."""
    open_house(ctx)
    header = ["Notes", *reversed(HEADER)]
    text = csv_text([row(1) | {"Notes": "=cmd()"}, row(2, postcode="x")], header)
    path = tmp_path / "jan.csv"
    path.write_text(text, encoding="utf-8")
    receipt = hand_in(ctx, path)
    written = results.write(ctx, receipt.batch_id or 0)
    assert written == ctx.outbox / "elm-homes" / "jan.result.csv"
    with written.open(encoding="utf-8-sig", newline="") as stream:
        assert next(csv.reader(stream)) == [*header, *RESULT_COLUMNS]
    good, bad = read(written)
    assert good["row_status"] == "received"
    assert good["Notes"] == "'=cmd()"
    assert bad["row_status"] == "to_correct"
    assert bad["reason_code"] == "postcode_invalid"
    assert "is not a UK postcode" in bad["reason"]


def test_a_result_file_can_be_corrected_and_handed_in_again(
    ctx: Context, tmp_path: Path
) -> None:
    """Our own columns at the end are known when they come back."""
    open_house(ctx)
    rows = [row(1, household_size=""), row(2, postcode="x")]
    first = hand_in(ctx, csv_file(tmp_path / "jan.csv", rows))
    path = results.write(ctx, first.batch_id or 0)
    mended = tmp_path / "mended.csv"
    mended.write_text(
        path.read_text(encoding="utf-8-sig").replace(",x,", ",SW1A 2AA,"),
        encoding="utf-8",
    )
    again = hand_in(ctx, mended)
    assert again.outcome == "accepted", again
    same, new = read(results.write(ctx, again.batch_id or 0))
    assert (same["row_status"], same["reason_code"]) == (
        "not_granted",
        "already_received",
    )
    assert "row 2 of jan.csv" in same["reason"]
    # How the repeat was read does not matter: nothing came of it.
    assert "Household size" not in same["reason"]
    assert new["row_status"] == "received"


def test_sweep_writes_a_file_once_per_change(
    ctx: Context, tmp_path: Path, clock: Clock
) -> None:
    """The sweep learns from the audit log what changed and rewrites only that."""
    open_house(ctx)
    hand_in(ctx, csv_file(tmp_path / "jan.csv", [row(1)]))
    integrate.seal(ctx)
    assert results.sweep(ctx) == 1
    assert results.sweep(ctx) == 0
    submit(
        ctx,
        partner="elm-homes",
        path=csv_file(
            tmp_path / "w.csv", [{"reference": "T00001", "action": "withdraw"}]
        ),
        via="cli",
        actor="w",
    )
    carry_all(ctx, ["accept"])
    integrate.seal(ctx)
    clock.forward(minutes=20)
    assert results.sweep(ctx) == 2
    shown = read(ctx.outbox / "elm-homes" / "jan.result.csv")
    assert (shown[0]["row_status"], shown[0]["reason_code"]) == (
        "not_granted",
        "withdrawn",
    )


def test_a_row_that_cannot_be_opened_is_told_all_the_same(
    ctx: Context, tmp_path: Path
) -> None:
    """Its own cells stay blank; what became of it, and its neighbours, are there."""
    open_house(ctx)
    receipt = hand_in(ctx, csv_file(tmp_path / "jan.csv", [row(1), row(2)]))
    with ctx.begin() as uow:
        uow.conn.execute(
            update(referral)
            .where(referral.c.row_no == 2)
            .values(original_sealed=b"no seal of ours")
        )

    damaged, whole = read(results.write(ctx, receipt.batch_id or 0))

    assert (damaged["reference"], damaged["row_status"]) == ("", "received")
    assert (whole["reference"], whole["row_status"]) == ("T00002", "received")


def test_a_file_that_cannot_be_written_stops_no_other(
    ctx: Context, tmp_path: Path
) -> None:
    """The sweep goes on to the next batch; the damaged one is tried again later."""
    open_house(ctx)
    first = hand_in(ctx, csv_file(tmp_path / "jan.csv", [row(1)]))
    hand_in(ctx, csv_file(tmp_path / "feb.csv", [row(2)]))
    with ctx.begin() as uow:
        uow.conn.execute(
            update(batch)
            .where(batch.c.id == first.batch_id)
            .values(layout_sealed=b"no seal of ours")
        )
    integrate.seal(ctx)

    assert results.sweep(ctx) == 1

    assert (ctx.outbox / "elm-homes" / "feb.result.csv").exists()


def _refused(ctx: Context, path: Path) -> int:
    """A file none of whose rows can be accepted: nothing happens to it later."""
    receipt = hand_in(ctx, csv_file(path, [row(1, postcode="x")]))
    integrate.seal(ctx)
    return receipt.batch_id or 0


def _state(ctx: Context, batch_id: int) -> str:
    with ctx.reading() as conn:
        found = conn.execute(select(batch.c.state).where(batch.c.id == batch_id))
        return str(found.scalar_one())


def test_a_sweep_that_was_killed_half_way_still_finishes_the_batch(
    ctx: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a killed sweep had read is looked at again, or the batch stays open."""
    open_house(ctx)
    batch_id = _refused(ctx, tmp_path / "jan.csv")
    kill = RuntimeError("killed")

    def die(*_: object) -> bool:
        raise kill

    with monkeypatch.context() as patched:
        patched.setattr(results.batches, "finish", die)
        with pytest.raises(RuntimeError):
            results.sweep(ctx)

    results.sweep(ctx)

    assert _state(ctx, batch_id) == "finished"


def test_a_batch_whose_rows_were_settled_before_it_opened_is_finished(
    ctx: Context, tmp_path: Path
) -> None:
    """Workers may be faster than the hand that closes the door behind a file."""
    open_house(ctx)
    receipt = hand_in(ctx, csv_file(tmp_path / "jan.csv", [row(1, postcode="x")]))
    batch_id = receipt.batch_id or 0
    with ctx.begin() as uow:
        batches.change(uow.conn, batch_id, state="receiving")
    integrate.seal(ctx)
    results.sweep(ctx)
    assert _state(ctx, batch_id) == "receiving"

    submit(
        ctx, partner="elm-homes", path=tmp_path / "jan.csv", via="cli", actor="w/cli"
    )
    integrate.seal(ctx)
    results.sweep(ctx)

    assert _state(ctx, batch_id) == "finished"


def test_the_draft_of_a_writer_that_died_is_forgotten(tmp_path: Path) -> None:
    """A killed process leaves rows in a hidden file; the next to write removes it."""
    dead, alive = tmp_path / ".dead.tmp", tmp_path / ".alive.tmp"
    for draft in (dead, alive):
        draft.write_text("rows of residents")
    os.utime(dead, (0, 0))

    with results.replacing(tmp_path / "jan.result.csv") as stream:
        stream.write("new")

    assert not dead.exists()
    assert alive.exists()
