"""Accept: every row of a file becomes exactly one referral or one row error."""

from __future__ import annotations

from pathlib import Path

from tests.partner_files import csv_file, errors, open_house, referrals, row
from vouchers.pipeline.accept import Receipt, submit
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context


def hand_in(ctx: Context, path: Path, **more: object) -> Receipt:
    """Submit as the partner's worker would, and let the accept jobs run."""
    receipt = submit(
        ctx, partner="elm-homes", path=path, via="cli", actor="wendy/cli", **more
    )
    carry_all(ctx, ["accept"])
    return receipt


def test_right_rows_are_accepted_while_their_neighbours_go_back(
    ctx: Context, tmp_path: Path
) -> None:
    """One wrong row returns with its faults; the others become referrals."""
    open_house(ctx)
    rows = [row(1), row(2, postcode="nowhere", mobile="02079460000"), row(3)]
    receipt = hand_in(ctx, csv_file(tmp_path / "a.csv", rows))
    assert (receipt.outcome, receipt.rows) == ("accepted", 3)
    assert [each.row_no for each in referrals(ctx)] == [2, 4]
    assert errors(ctx) == [(3, ["postcode_invalid", "mobile_landline"])]
