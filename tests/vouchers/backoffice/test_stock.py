"""Bought codes: a file as a whole or not at all; minted ones are announced."""

from __future__ import annotations

import csv
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from schemas.scheme import Scheme
from tests.money import DEFAULT, Fund, open_fund
from vouchers.backoffice import activations, stock
from vouchers.domain import codes
from vouchers.errors import BadFile, Refused
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store.tables.money import code

STOCKED = DEFAULT.replace('supply = "mint"', 'supply = "stock"', 1)
PAYPOINT = Scheme.parse(STOCKED).networks["paypoint"]


def good(number: int) -> str:
    """A code of PayPoint's pattern, the same for the same number."""
    return codes.mint(PAYPOINT, number.to_bytes(codes.CHANCE_BYTES, "big"))


def write(path: Path, lines: list[tuple[str, str, str]]) -> Path:
    """A file as a seller of codes sends it."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("Code", "Value", "Expires"), *lines])
    return path


@pytest.fixture
def fund(ctx: Context) -> Fund:
    """A fund whose PayPoint codes are bought."""
    return open_fund(ctx, STOCKED)


def take_in(fund: Fund, path: Path) -> stock.Taken:
    """Amy imports a file."""
    return stock.take_in(
        fund.ctx, "amy/cli", scheme="winter_fund", network="paypoint", path=path
    )


def test_a_good_file_fills_the_shelf_and_again_changes_nothing(
    fund: Fund, tmp_path: Path
) -> None:
    """Known by its digest, whatever it is called."""
    lines = [(codes.grouped(good(n)), "49.00", "2027-12-31") for n in range(30)]
    taken = take_in(fund, write(tmp_path / "a.csv", lines))
    assert (taken.state, taken.units, taken.pence) == ("live", 30, 147_000)
    again = take_in(fund, write(tmp_path / "b.csv", lines))
    assert again.repeated and again.stock_batch_id == taken.stock_batch_id
    (level,) = stock.levels(fund.ctx)
    assert (level.free, level.value_pence, level.bound) == (30, 4_900, 0)


def test_one_bad_line_keeps_the_whole_file_away_and_names_each_reason(
    fund: Fund, tmp_path: Path
) -> None:
    """With the line as an editor counts it, and never the code itself."""
    lines = [
        (good(1), "49.00", "2027-12-31"),
        (good(2)[:-1], "49.00", ""),
        (good(3), "49.005", ""),
        (good(4), "149.00", ""),
        (good(5), "49.00", "31/12/2027"),
        (good(6), "49.00", "2020-01-01"),
        (good(1), "49.00", ""),
        (good(7)[:-1] + str((int(good(7)[-1]) + 1) % 10), "49.00", ""),
    ]
    taken = take_in(fund, write(tmp_path / "a.csv", lines))
    assert taken.state == "quarantined"
    assert [(fault.line, fault.fault) for fault in taken.faults] == [
        (3, "code_length"),
        (4, "value"),
        (5, "value_out_of_range"),
        (6, "expires"),
        (7, "expired"),
        (8, "code_twice_in_file"),
        (9, "code_check"),
    ]
    assert stock.levels(fund.ctx) == []


def test_a_code_seen_before_is_never_taken_again(fund: Fund, tmp_path: Path) -> None:
    """One code, one voucher, ever."""
    take_in(fund, write(tmp_path / "a.csv", [(good(1), "49.00", "")]))
    lines = [(good(2), "49.00", ""), (good(1), "49.00", "")]
    taken = take_in(fund, write(tmp_path / "b.csv", lines))
    assert [fault.fault for fault in taken.faults] == ["code_seen_before"]


def test_a_file_of_another_shape_or_network_is_refused(
    fund: Fund, tmp_path: Path
) -> None:
    """Before anything of it is looked at."""
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(BadFile):
        take_in(fund, path)
    with pytest.raises(Refused, match="stock"):
        stock.take_in(
            fund.ctx, "amy", scheme="winter_fund", network="post_office", path=path
        )


def test_stock_that_arrives_serves_who_waited_for_it(
    fund: Fund, tmp_path: Path
) -> None:
    """Short-lived units are skipped for all but homes off supply."""
    fund.give("gift", 100_000)
    dark, calm = fund.refer(1, off_supply=True), fund.refer(2)
    fund.allocate(calm + dark)
    carry_all(fund.ctx, ["allocate"])
    assert fund.referral(calm[0]).reason == "no_stock"
    today = fund.ctx.clock().date()
    short, long = today + timedelta(days=9), today + timedelta(days=99)
    lines = [(good(n), "49.00", str(short if n < 3 else long)) for n in range(6)]
    take_in(fund, write(tmp_path / "a.csv", lines))
    carry_all(fund.ctx, ["allocate"])
    assert fund.states(dark + calm) == ["granted"] * 3
    # Three long-lived units for two families: the second gets the part there is.
    assert [row.amount_pence for row in fund.awards(*calm)] == [9_800, 4_900]
    assert {row.expires_on for row in fund.vouchers(*dark)} == {short}
    assert short not in {row.expires_on for row in fund.vouchers(*calm)}
    with fund.ctx.reading() as conn:
        bound = conn.execute(select(code).where(code.c.state == "bound")).all()
    assert {row.voucher_id for row in bound} == {row.id for row in fund.vouchers()}
    fund.assert_books_balance()


def test_minted_codes_are_announced_once_in_a_file_only_we_can_read(
    ctx: Context, tmp_path: Path
) -> None:
    """The activation file holds the codes in clear; a second call writes nothing."""
    fund = open_fund(ctx)
    fund.give("gift", 100_000)
    fund.allocate(fund.refer(2))
    carry_all(ctx, ["allocate"])
    out = tmp_path / "activations"
    done = activations.export(ctx, "amy/cli", network="paypoint", out=out)
    assert done.path is not None and (done.units, done.pence) == (4, 19_600)
    assert stat.S_IMODE(done.path.stat().st_mode) == 0o600
    with done.path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert all(codes.fault(row["code"], PAYPOINT) is None for row in rows)
    assert {int(row["reference"]) for row in rows} == {v.id for v in fund.vouchers()}
    again = activations.export(ctx, "amy/cli", network="paypoint", out=out)
    assert again.path is None and len(list(out.iterdir())) == 1


def test_a_slip_in_a_networks_name_is_not_taken_for_a_network_without_news(
    ctx: Context, tmp_path: Path
) -> None:
    """Otherwise nobody would notice that its shops know no code."""
    open_fund(ctx)
    with pytest.raises(Refused, match="there are cash_out, paypoint, post_office"):
        activations.export(ctx, "amy/cli", network="paypiont", out=tmp_path)


def test_a_quarantined_file_handed_in_again_is_still_away_with_its_reasons(
    fund: Fund, tmp_path: Path
) -> None:
    """Nobody takes the second answer for "all is on the shelf"."""
    path = write(tmp_path / "a.csv", [(good(1), "149.00", "")])
    first = take_in(fund, path)
    again = take_in(fund, path)
    assert again.repeated and again.stock_batch_id == first.stock_batch_id
    assert (again.state, again.faults) == ("quarantined", first.faults)


@pytest.mark.parametrize("value", ["Infinity", "1e400000000", "4.9E+01", "NaN", "-49"])
def test_a_value_that_is_no_amount_is_a_fault_of_its_line(
    fund: Fund, tmp_path: Path, value: str
) -> None:
    """Numbers as sheets or programs write them are never guessed at."""
    taken = take_in(fund, write(tmp_path / "a.csv", [(good(1), value, "")]))
    assert [(fault.line, fault.fault) for fault in taken.faults] == [(2, "value")]
