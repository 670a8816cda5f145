"""Dry run: the real steps decide, and nothing is kept."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select

from tests.partner_files import (
    change_partner,
    csv_file,
    open_house,
    referrals,
    row,
)
from vouchers.pipeline.accept import Receipt, submit
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store import parties
from vouchers.store.tables import metadata


def dry(ctx: Context, path: Path) -> Receipt:
    """A dry run of the partner's worker."""
    return submit(
        ctx, partner="elm-homes", path=path, via="cli", actor="w", dry_run=True
    )


def submit_live(ctx: Context, path: Path) -> None:
    """Hand a file in for real and carry it as far as it goes without a text."""
    submit(ctx, partner="elm-homes", path=path, via="cli", actor="w")
    carry_all(ctx, ["accept", "deduplicate", "allocate"])


def sizes(ctx: Context) -> dict[str, int]:
    """How many rows each table has, without the log that a dry run was passed."""
    with ctx.reading() as conn:
        return {
            table.name: conn.execute(
                select(func.count()).select_from(table)
            ).scalar_one()
            for table in metadata.sorted_tables
            if not table.name.startswith("audit_")
        }


def test_a_dry_run_counts_what_would_happen_and_keeps_nothing(
    ctx: Context, tmp_path: Path
) -> None:
    """Without money everybody who is entitled waits; what is wrong is shown by cell."""
    open_house(ctx)
    before = sizes(ctx)
    rows = [row(1), row(2, mobile="0123"), row(3), row(4, reference="T00001")]
    receipt = dry(ctx, csv_file(tmp_path / "a.csv", rows))
    preview = receipt.preview
    assert receipt.outcome == "previewed"
    assert preview is not None
    assert (preview.rows, preview.waiting, preview.to_correct) == (4, 2, 2)
    assert preview.faults == {"mobile_landline": 1, "repeated_reference": 1}
    assert preview.examples[0][1] == "M3"
    assert "2 must be corrected" in receipt.message
    assert sizes(ctx) == before
    assert referrals(ctx) == []


def test_a_passed_dry_run_opens_the_door_for_live_files(
    ctx: Context, tmp_path: Path
) -> None:
    """A partner without agreement may try; the passed run is remembered."""
    open_house(ctx)
    change_partner(ctx, dry_run_at=None, agreement_on=None)
    bad = csv_file(tmp_path / "bad.csv", [row(1, postcode="x")])
    assert dry(ctx, bad).code == "no_row_accepted"
    good = csv_file(tmp_path / "good.csv", [row(1)])
    assert dry(ctx, good).code is None
    with ctx.reading() as conn:
        found = parties.partner_by_slug(conn, "elm-homes")
    assert found.dry_run_at == ctx.clock()


def test_a_dry_run_of_a_file_that_cannot_be_read_says_why(
    ctx: Context, tmp_path: Path
) -> None:
    """A dry run refuses in the same words as a live file, and leaves no batch."""
    open_house(ctx)
    path = tmp_path / "a.csv"
    path.write_bytes(b"%PDF-1.7")
    before = sizes(ctx)
    receipt = dry(ctx, path)
    assert (receipt.outcome, receipt.code) == ("refused", "not_a_table")
    assert sizes(ctx) == before


def test_every_row_of_a_dry_run_is_counted_once_and_comes_true(
    ctx: Context, tmp_path: Path
) -> None:
    """Corrections, withdrawals and repeats too: the preview is what then happens."""
    open_house(ctx)
    submit_live(ctx, csv_file(tmp_path / "a.csv", [row(1), row(2), row(3)]))
    rows = [
        row(1, action="withdraw"),
        row(2, action="correct", household_size=""),
        row(3),
        row(4),
        row(5, postcode="x"),
        row(6, action="withdraw"),
    ]
    path = csv_file(tmp_path / "b.csv", rows)
    preview = dry(ctx, path).preview
    assert preview is not None
    counts = (preview.waiting, preview.withdrawn, preview.declined, preview.to_correct)
    assert counts == (2, 1, 2, 1)
    assert sum(counts) == preview.rows
    assert any(text.startswith("We already have") for text in preview.reasons)
    assert any(text.startswith("Household size") for text in preview.assumed)
    submit_live(ctx, path)
    states = [(each.row_no, each.state) for each in referrals(ctx)[3:]]
    assert states == [
        (2, "withdrawn"),
        (3, "waiting"),
        (4, "declined"),
        (5, "waiting"),
        (7, "declined"),
    ]


def test_a_dry_run_of_a_file_that_is_there_already_says_so(
    ctx: Context, tmp_path: Path
) -> None:
    """For real it would change nothing."""
    open_house(ctx)
    path = csv_file(tmp_path / "a.csv", [row(1)])
    submit_live(ctx, path)
    receipt = dry(ctx, path)
    assert [notice.code for notice in receipt.notices] == ["already_received"]


def test_the_faults_of_a_dry_run_come_in_the_order_of_the_rows(
    ctx: Context, tmp_path: Path
) -> None:
    """A person walks down the sheet once."""
    open_house(ctx)
    rows = [row(1), row(2, reference="T00001"), row(3, postcode="x")]
    preview = dry(ctx, csv_file(tmp_path / "a.csv", rows)).preview
    assert preview is not None
    assert [number for number, _, _ in preview.examples] == [3, 4]
