"""Daily outcomes: what a partner has to do stands on top."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.conftest import Clock
from tests.partner_files import csv_file, open_house, row
from vouchers.pipeline import daily_outcomes, results
from vouchers.pipeline.accept import Receipt, submit
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context


def hand_in(ctx: Context, path: Path) -> Receipt:
    """Submit, and let the accept jobs run."""
    receipt = submit(ctx, partner="elm-homes", path=path, via="cli", actor="wendy/cli")
    carry_all(ctx, ["accept"])
    return receipt


def read(path: Path) -> list[dict[str, str]]:
    """A result file as a spreadsheet would show it."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_outcomes_have_the_to_do_list_on_top_without_what_was_mended(
    ctx: Context, tmp_path: Path, clock: Clock
) -> None:
    """Rows to correct come first; one that was sent again rightly is gone."""
    partner = open_house(ctx)
    rows = [row(1), row(2, postcode="x"), row(3, postcode="y")]
    hand_in(ctx, csv_file(tmp_path / "jan.csv", rows))
    hand_in(ctx, csv_file(tmp_path / "feb.csv", [row(2)]))
    path = daily_outcomes.write(ctx, partner, clock().date())
    lines: list[dict[str, Any]] = read(path)
    assert [(each["reference"], each["row_status"]) for each in lines] == [
        ("T00003", "to_correct"),
        ("T00002", "received"),
        ("T00001", "received"),
    ]
    assert lines[0]["what_to_do"]
    assert path.name == "outcomes-2026-12-07.csv"


def test_outcomes_are_written_once_a_day_and_again_after_changes(
    ctx: Context, tmp_path: Path, clock: Clock
) -> None:
    """The sweep writes the day's file, and refreshes it after a pause."""
    open_house(ctx)
    hand_in(ctx, csv_file(tmp_path / "jan.csv", [row(1)]))
    results.sweep(ctx)
    day = ctx.outbox / "elm-homes" / "outcomes-2026-12-07.csv"
    first = day.stat().st_mtime_ns
    hand_in(ctx, csv_file(tmp_path / "feb.csv", [row(2)]))
    results.sweep(ctx)
    assert day.stat().st_mtime_ns == first
    clock.now += timedelta(hours=2)
    hand_in(ctx, csv_file(tmp_path / "mar.csv", [row(3)]))
    results.sweep(ctx)
    assert len(read(day)) == 3


def test_what_a_small_partner_mended_soon_leaves_its_to_do_list(
    ctx: Context, tmp_path: Path, clock: Clock
) -> None:
    """Who works through the list must not meet a row again that is right by now."""
    open_house(ctx)
    hand_in(ctx, csv_file(tmp_path / "jan.csv", [row(1, postcode="x")]))
    results.sweep(ctx)
    day = ctx.outbox / "elm-homes" / "outcomes-2026-12-07.csv"
    assert [each["row_status"] for each in read(day)] == ["to_correct"]
    clock.now += timedelta(minutes=3)
    hand_in(ctx, csv_file(tmp_path / "feb.csv", [row(1)]))
    clock.now += timedelta(minutes=1)
    results.sweep(ctx)
    assert [each["row_status"] for each in read(day)] == ["received"]
