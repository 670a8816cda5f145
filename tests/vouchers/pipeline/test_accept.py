"""Accept: every row of a file becomes exactly one referral or one row error."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from tests.conftest import Clock
from tests.partner_files import (
    change_partner,
    csv_file,
    csv_text,
    errors,
    open_house,
    referrals,
    row,
)
from vouchers.pipeline import accept
from vouchers.pipeline.accept import Receipt, submit
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store import batches
from vouchers.store.tables.intake import (
    batch,
    batch_chunk,
)
from vouchers.store.tables.parties import scheme
from vouchers.store.tables.proof import audit_event


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
    with ctx.reading() as conn:
        counts = batches.counts(conn, receipt.batch_id or 0)
    assert (counts.total, counts.accounted, counts.errors) == (3, 3, 1)


def test_the_same_file_again_changes_nothing(ctx: Context, tmp_path: Path) -> None:
    """A file that was received is recognised by its content, whatever its name."""
    open_house(ctx)
    path = csv_file(tmp_path / "a.csv", [row(1), row(2)])
    first = hand_in(ctx, path)
    events = count(ctx, audit_event)
    again = hand_in(ctx, path.rename(tmp_path / "b.csv"))
    assert (again.outcome, again.batch_id) == ("already_received", first.batch_id)
    assert "07/12/2026" in again.message
    assert count(ctx, audit_event) == events
    assert len(referrals(ctx)) == 2


def test_the_same_name_with_other_content_is_a_revision(
    ctx: Context, tmp_path: Path
) -> None:
    """The second file is taken, with a notice; rows sent before are recognised."""
    open_house(ctx)
    first = hand_in(ctx, csv_file(tmp_path / "a.csv", [row(1)]))
    second = hand_in(ctx, csv_file(tmp_path / "a.csv", [row(1), row(2)]))
    assert second.revision_of == first.batch_id
    assert "revision" in [notice.code for notice in second.notices]
    assert [(r.state, r.reason) for r in referrals(ctx)] == [
        ("received", None),
        ("declined", "already_received"),
        ("received", None),
    ]
    assert referrals(ctx)[1].first_referral_id == referrals(ctx)[0].id


def test_a_submit_that_died_goes_on_where_it_stopped(
    ctx: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each chunk is staged once, whatever was staged and even carried before."""
    open_house(ctx)
    monkeypatch.setattr(accept, "CHUNK_ROWS", 10)
    path = csv_file(tmp_path / "a.csv", [row(n) for n in range(1, 46)])
    keep = batches.stage
    calls = []

    def dies(*args: object, **kwargs: object) -> bool:
        calls.append(kwargs["number"])
        if len(calls) == 3:
            raise KeyboardInterrupt
        return keep(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(batches, "stage", dies)
    with pytest.raises(KeyboardInterrupt):
        hand_in(ctx, path)
    carry_all(ctx, ["accept"])
    assert len(referrals(ctx)) == 20
    monkeypatch.setattr(batches, "stage", keep)
    receipt = hand_in(ctx, path)
    assert receipt.outcome == "accepted"
    assert [each.row_no for each in referrals(ctx)] == list(range(2, 47))
    assert count(ctx, batch_chunk) == 0
    assert count(ctx, batch) == 1


def test_p1_a_half_received_file_is_taken_whole_though_the_scheme_paused_meanwhile(
    ctx: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of its rows are on their way: refusing the rest would split the file."""
    open_house(ctx)
    monkeypatch.setattr(accept, "CHUNK_ROWS", 10)
    path = csv_file(tmp_path / "a.csv", [row(n) for n in range(1, 21)])
    with monkeypatch.context() as patched:
        keep = batches.stage

        def dies(*args: object, **kwargs: object) -> bool:
            if kwargs["number"] == 1:
                raise KeyboardInterrupt
            return keep(*args, **kwargs)  # type: ignore[arg-type]

        patched.setattr(batches, "stage", dies)
        with pytest.raises(KeyboardInterrupt):
            hand_in(ctx, path)
    with ctx.begin() as uow:
        uow.conn.execute(update(scheme).values(state="paused"))

    receipt = hand_in(ctx, path, scheme="winter_fund")

    assert receipt.outcome == "accepted"
    assert len(referrals(ctx)) == 20


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": "suspended"}, "partner_suspended"),
        ({"agreement_on": None}, "partner_not_ready"),
        ({"contact_sealed": None}, "partner_has_no_contact"),
        ({"dry_run_at": None}, "dry_run_first"),
        ({"excluded": ["winter_fund"]}, "partner_excluded"),
    ],
)
def test_a_partner_who_is_not_ready_is_told_what_is_missing(
    ctx: Context, tmp_path: Path, changes: dict[str, object], code: str
) -> None:
    """A live file needs an active partner with agreement, contact and dry run."""
    open_house(ctx)
    change_partner(ctx, **changes)
    path = csv_file(tmp_path / "a.csv", [row(1)])
    receipt = hand_in(ctx, path)
    assert (receipt.outcome, receipt.code) == ("refused", code)
    change_partner(
        ctx,
        state="active",
        agreement_on=ctx.clock().date(),
        contact_sealed=b"x",
        dry_run_at=ctx.clock(),
        excluded=[],
    )
    assert hand_in(ctx, path).outcome == "accepted"
    assert len(referrals(ctx)) == 1


@pytest.mark.parametrize("state", ["paused", "closed"])
def test_a_scheme_that_is_not_open_takes_no_file(
    ctx: Context, tmp_path: Path, state: str
) -> None:
    """Pausing or closing a scheme stops intake at the door."""
    open_house(ctx)
    with ctx.begin() as uow:
        uow.conn.execute(update(scheme).values(state=state))
    path = csv_file(tmp_path / "a.csv", [row(1)])
    receipt = hand_in(ctx, path, scheme="winter_fund")
    assert (receipt.outcome, receipt.code) == ("refused", f"scheme_{state}")


def test_a_file_outside_the_schemes_dates_is_refused(
    ctx: Context, tmp_path: Path, clock: Clock
) -> None:
    """The scheme's own first and last day bound what comes in."""
    open_house(ctx)
    clock.forward(days=1_000)
    receipt = hand_in(ctx, csv_file(tmp_path / "a.csv", [row(1)]))
    assert (receipt.outcome, receipt.code) == ("refused", "scheme_not_open")


def test_a_refused_file_is_remembered_with_its_code(
    ctx: Context, tmp_path: Path
) -> None:
    """The refusal is a batch of its own, without rows, and in the audit log."""
    open_house(ctx)
    path = tmp_path / "a.csv"
    path.write_text(csv_text([row(1)]).replace("postcode", "favourite colour"))
    receipt = hand_in(ctx, path)
    assert (receipt.outcome, receipt.code) == ("refused", "missing_column")
    with ctx.reading() as conn:
        kept = conn.execute(select(batch)).one()
    assert (kept.state, kept.refused_code) == ("refused", "missing_column")
