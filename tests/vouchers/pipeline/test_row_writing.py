"""Rows held against what their partner sent before."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select, update

from tests.conftest import Clock
from tests.partner_files import (
    csv_file,
    errors,
    open_house,
    referrals,
    row,
)
from vouchers.pipeline.accept import Receipt, submit
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store.tables.intake import (
    referral,
    row_error,
)


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


def test_a_changed_row_corrects_the_open_one_and_keeps_its_place(
    ctx: Context, tmp_path: Path, clock: Clock
) -> None:
    """The earlier request is taken back; the new one counts from its receipt."""
    open_house(ctx)
    hand_in(ctx, csv_file(tmp_path / "a.csv", [row(1)]))
    received = ctx.clock()
    clock.forward(days=3)
    hand_in(ctx, csv_file(tmp_path / "b.csv", [row(1, household_size="5")]))
    old, new = referrals(ctx)
    assert (old.state, old.reason) == ("withdrawn", "corrected")
    assert (new.state, new.action, new.first_referral_id) == (
        "received",
        "correct",
        old.id,
    )
    assert new.received_at == received
    assert new.household_size == 5


def test_another_member_of_the_household_under_one_reference_is_a_new_request(
    ctx: Context, tmp_path: Path
) -> None:
    """The reference is usually the tenant's number: it may stand for two people."""
    open_house(ctx)
    hand_in(ctx, csv_file(tmp_path / "a.csv", [row(1)]))
    other = row(1, given_name="Bob", date_of_birth="1950-02-03")
    hand_in(ctx, csv_file(tmp_path / "b.csv", [other]))
    assert [r.state for r in referrals(ctx)] == ["received", "received"]


def test_a_reference_twice_in_one_file_goes_back(ctx: Context, tmp_path: Path) -> None:
    """The later row is returned and names the row that has the reference already."""
    open_house(ctx)
    rows = [row(1), row(2), row(3, reference="t00001")]
    hand_in(ctx, csv_file(tmp_path / "a.csv", rows))
    assert errors(ctx) == [(4, ["repeated_reference"])]
    with ctx.reading() as conn:
        (faults,) = conn.scalars(select(row_error.c.faults))
    assert (faults[0]["cell"], faults[0]["hint"]) == ("A4", "Row 2 has it too.")


def test_withdraw_takes_back_what_is_open_and_needs_only_the_reference(
    ctx: Context, tmp_path: Path
) -> None:
    """A withdrawal of nothing, or of what was granted, says so and changes nothing."""
    open_house(ctx)
    hand_in(ctx, csv_file(tmp_path / "a.csv", [row(1), row(2)]))
    granted = referrals(ctx)[1].id
    with ctx.begin() as uow:
        uow.conn.execute(
            update(referral).where(referral.c.id == granted).values(state="granted")
        )
    gone = [{"reference": f"T0000{n}", "action": "withdraw"} for n in (1, 2, 3)]
    hand_in(ctx, csv_file(tmp_path / "w.csv", gone))
    assert [(r.state, r.reason) for r in referrals(ctx)] == [
        ("withdrawn", "withdrawn"),
        ("granted", None),
        ("withdrawn", "withdrawn"),
        ("declined", "too_late_to_withdraw"),
        ("declined", "nothing_to_withdraw"),
    ]


def test_correct_without_an_open_request_is_told_so(
    ctx: Context, tmp_path: Path
) -> None:
    """A correction acts on an open request; it never makes a new one by itself."""
    open_house(ctx)
    hand_in(ctx, csv_file(tmp_path / "a.csv", [row(1, action="correct")]))
    assert [(r.state, r.reason) for r in referrals(ctx)] == [
        ("declined", "nothing_to_correct")
    ]


def test_a_changed_way_of_contact_reaches_a_granted_request(
    ctx: Context, tmp_path: Path
) -> None:
    """After the award a row may still say that texts are not safe: it is protected."""
    open_house(ctx)
    hand_in(ctx, csv_file(tmp_path / "a.csv", [row(1)]))
    with ctx.begin() as uow:
        uow.conn.execute(update(referral).values(state="granted"))
    changed = row(1, safe_contact="partner_only", action="correct")
    hand_in(ctx, csv_file(tmp_path / "b.csv", [changed]))
    first, second = referrals(ctx)
    assert (first.safe_contact, first.protected) == ("partner_only", True)
    assert second.reason == "too_late_to_correct"


def test_an_open_request_ends_when_texts_are_no_longer_safe(
    ctx: Context, tmp_path: Path
) -> None:
    """The row that says so goes back, yet the request it corrects is taken back."""
    open_house(ctx)
    hand_in(ctx, csv_file(tmp_path / "a.csv", [row(1)]))
    hand_in(ctx, csv_file(tmp_path / "b.csv", [row(1, safe_contact="partner_only")]))
    (found,) = referrals(ctx)
    assert (found.state, found.reason) == ("withdrawn", "corrected")
    assert errors(ctx) == [(2, ["no_contact_route"])]
