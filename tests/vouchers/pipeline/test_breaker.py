"""A file that looks wrong as a whole waits for a person; people in the dark do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.partner_files import open_house, referrals
from tests.stopped_files import (
    OPAL,
    STEPS,
    a_batch,
    broken,
    hand_in,
    handed_in,
    row,
    states,
    suspicious,
)
from vouchers.backoffice import batches as office
from vouchers.domain.matching.features import read_features
from vouchers.domain.matching.keys import KeyKind
from vouchers.pipeline import strays
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store.bulk import insert_rows
from vouchers.store.tables.intake import batch, batch_chunk, row_error
from vouchers.store.tables.parties import partner_listing
from vouchers.store.tables.proof import audit_event
from vouchers.store.tables.work import job


def test_a_file_that_looks_right_passes_its_gate_by_itself(
    ctx: Context, tmp_path: Path
) -> None:
    """Nobody is asked, and what was counted of it is forgotten."""
    open_house(ctx)
    batch_id = handed_in(ctx, tmp_path / "a.csv", [row(n) for n in range(1, 121)])
    found = a_batch(ctx, batch_id)
    assert (found.state, found.gated, found.watch) == ("open", False, None)
    assert (found.rows_read, found.rows_matched) == (120, 120)
    assert "received" not in states(ctx, batch_id)


def test_bulk_rows_wait_until_the_whole_file_was_read(
    ctx: Context, tmp_path: Path
) -> None:
    """The gate opens with the last chunk; rows off supply are matched before it."""
    open_house(ctx)
    rows = [row(n) for n in range(1, 120)] + [row(120, off_supply="yes", days_left="")]
    receipt = hand_in(ctx, tmp_path / "a.csv", rows)
    carry_all(ctx, ["accept"], jobs_max=1)
    carry_all(ctx, ["deduplicate"])
    assert a_batch(ctx, receipt.batch_id).gated
    assert [r.off_supply for r in referrals(ctx)] == [True]
    assert referrals(ctx)[0].state == "matched"
    carry_all(ctx, ["accept", "deduplicate"])
    assert states(ctx, receipt.batch_id) == {"matched": 120}


def test_one_phone_on_many_rows_stops_the_file(ctx: Context, tmp_path: Path) -> None:
    """Its rows are not matched, no sweep starts them, and nothing is broken."""
    open_house(ctx)
    batch_id = handed_in(ctx, tmp_path / "a.csv", suspicious())
    found = a_batch(ctx, batch_id)
    assert (found.state, found.stopped_for) == (
        "stopped",
        [{"reason": "same_phone", "rows": 60, "of": 120, "limit": 36}],
    )
    assert states(ctx, batch_id) == {"received": 120}
    ctx.clock.forward(hours=1)  # type: ignore[attr-defined]
    with ctx.begin() as uow:
        strays.sweep(uow)
    carry_all(ctx, STEPS)
    assert states(ctx, batch_id) == {"received": 120}
    assert broken(ctx) == []


def test_the_numbers_of_a_stopped_file_grow_while_it_is_read(
    ctx: Context, tmp_path: Path
) -> None:
    """Its first chunk stops it; whoever looks later reads of the whole file."""
    open_house(ctx)
    batch_id = handed_in(ctx, tmp_path / "a.csv", suspicious(700))
    (stopped,) = a_batch(ctx, batch_id).stopped_for
    assert (stopped["rows"], stopped["of"]) == (350, 700)
    with ctx.reading() as conn:
        events = conn.scalars(
            select(audit_event.c.id).where(audit_event.c.kind == "batch.stopped")
        ).all()
    assert len(events) == 1


def test_nothing_of_a_person_is_kept_with_a_stopped_file(
    ctx: Context, tmp_path: Path
) -> None:
    """P7: counts by keyed hash, and codes in the audit log."""
    open_house(ctx)
    handed_in(ctx, tmp_path / "a.csv", suspicious())
    with ctx.reading() as conn:
        kept = str(conn.execute(select(batch.c.watch, batch.c.stopped_for)).all())
        kept += str(conn.execute(select(audit_event.c.body)).all())
    assert "900999" not in kept
    assert "Example" not in kept


def test_a_row_in_the_dark_gets_its_first_voucher_and_then_waits(
    ctx: Context, tmp_path: Path
) -> None:
    """It is matched, promised one voucher, and the release promises the rest."""
    open_house(ctx)
    rows = [*suspicious(), row(200, off_supply="yes", days_left="")]
    receipt = hand_in(ctx, tmp_path / "a.csv", rows)
    # The file is stopped by the rows that follow before this one is allocated.
    carry_all(ctx, ["accept", "deduplicate"])
    batch_id = int(receipt.batch_id or 0)
    carry_all(ctx, ["allocate"], jobs_max=1)
    dark = next(r for r in referrals(ctx) if r.off_supply)
    assert dark.state == "matched"
    with ctx.reading() as conn:
        firsts = conn.execute(select(job).where(job.c.queue == "allocate")).all()
    assert [j["items"] for j in (r._mapping for r in firsts) if j["payload"]] == [
        [dark.id]
    ]
    carry_all(ctx, STEPS)
    office.release(ctx, OPAL, batch_id, reason="asked the partner", door="test")
    carry_all(ctx, STEPS)
    assert next(r for r in referrals(ctx) if r.off_supply).state == "waiting"


def test_a_submit_that_died_in_a_stopped_file_goes_on_where_it_stopped(
    ctx: Context, tmp_path: Path
) -> None:
    """Stopped by its first chunk, half staged: the same file again stages the rest."""
    open_house(ctx)
    rows = suspicious(700)
    receipt = hand_in(ctx, tmp_path / "a.csv", rows)
    with ctx.begin() as uow:
        # As a kill leaves it between two chunks.
        uow.conn.execute(
            batch.update().values(state="stopped", rows_staged=500, stopped_for=[])
        )
        uow.conn.execute(batch_chunk.delete().where(batch_chunk.c.number == 1))
        uow.conn.execute(job.delete().where(job.c.turn == 1))
    again = hand_in(ctx, tmp_path / "a.csv", rows)
    assert (again.outcome, again.batch_id) == ("accepted", receipt.batch_id)
    found = a_batch(ctx, int(receipt.batch_id or 0))
    assert (found.state, found.rows_staged) == ("stopped", 700)


def test_a_file_of_repeats_stops_half_way(ctx: Context, tmp_path: Path) -> None:
    """Another partner's list: the first rows show it, later chunks wait."""
    open_house(ctx)
    open_house(ctx, slug="oak-homes")
    handed_in(ctx, tmp_path / "a.csv", [row(n) for n in range(1, 701)])
    batch_id = handed_in(
        ctx, tmp_path / "b.csv", [row(n) for n in range(1, 701)], partner="oak-homes"
    )
    found = a_batch(ctx, batch_id)
    assert found.state == "stopped"
    assert [one["reason"] for one in found.stopped_for] == ["repeats"]
    assert found.rows_matched == 500
    assert states(ctx, batch_id)["received"] == 200
    office.release(ctx, OPAL, batch_id, reason="both were asked to", door="test")
    carry_all(ctx, STEPS)
    found = a_batch(ctx, batch_id)
    assert (found.state, found.rows_matched) == ("open", 700)
    assert not states(ctx, batch_id).keys() & {"received", "matched"}


def test_a_partners_own_repeats_stop_nothing(
    ctx: Context, tmp_path: Path, clock: Any
) -> None:
    """Who sends the same residents again after a month is no other partner."""
    open_house(ctx)
    handed_in(ctx, tmp_path / "a.csv", [row(n) for n in range(1, 121)])
    clock.forward(days=40)
    again = [row(n, reference=f"U{n}") for n in range(1, 121)]
    batch_id = handed_in(ctx, tmp_path / "b.csv", again)
    found = a_batch(ctx, batch_id)
    assert (found.state, found.rows_matched, found.rows_repeated) == ("open", 120, 0)


def test_p9_protected_rows_are_no_repeats(ctx: Context, tmp_path: Path) -> None:
    """P9: a file that stops, or would, says nothing of protected residents."""
    open_house(ctx)
    open_house(ctx, slug="oak-homes")
    rows = [row(n, safe_contact="sms_neutral") for n in range(1, 121)]
    handed_in(ctx, tmp_path / "a.csv", rows)
    batch_id = handed_in(ctx, tmp_path / "b.csv", rows, partner="oak-homes")
    found = a_batch(ctx, batch_id)
    assert (found.state, found.rows_repeated) == ("open", 0)


def test_a_hostel_that_is_listed_stops_nothing(ctx: Context, tmp_path: Path) -> None:
    """One home on many rows stops a file, unless its partner listed it."""
    partner_id = open_house(ctx)
    home = {"address_line_1": "1 Hostel Road", "postcode": "SW1A 1AA"}
    rows = [row(n, **home) for n in range(1, 121)]
    batch_id = handed_in(ctx, tmp_path / "a.csv", rows)
    assert a_batch(ctx, batch_id).stopped_for[0]["reason"] == "same_dwelling"
    dwelling = read_features(home).dwelling
    listed = {
        "partner_id": partner_id, "kind": "communal",
        "key": ctx.keys.match_key(KeyKind.DWELLING, dwelling), "sealed": b"",
        "created_at": ctx.clock(),
    }  # fmt: skip
    with ctx.begin() as uow:
        columns = {c.name for c in partner_listing.c}
        insert_rows(
            uow.conn, partner_listing,
            [{k: v for k, v in listed.items() if k in columns}],
        )  # fmt: skip
    other = [row(n, reference=f"V{n}", **home) for n in range(201, 321)]
    assert a_batch(ctx, handed_in(ctx, tmp_path / "b.csv", other)).state == "open"


def test_far_more_rows_than_usual_stop_a_file(ctx: Context, tmp_path: Path) -> None:
    """After three small files a large one is asked about."""
    open_house(ctx)
    for n in range(3):
        handed_in(ctx, tmp_path / f"{n}.csv", [row(10 + n)])
    batch_id = handed_in(ctx, tmp_path / "a.csv", [row(n) for n in range(100, 220)])
    assert a_batch(ctx, batch_id).stopped_for == [
        {"reason": "far_more_rows", "rows": 120, "of": 1, "limit": 6}
    ]


def test_a_row_that_our_code_fails_on_does_not_keep_the_gate_shut(
    ctx: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A held row was read as well; trying it again does not count it twice."""
    from vouchers.pipeline import row_reading

    open_house(ctx)
    real = row_reading._request

    def poisoned(ctx: Context, of: Any, row_no: int, *rest: Any) -> Any:
        if row_no == 5:
            raise RuntimeError("poison")
        return real(ctx, of, row_no, *rest)

    monkeypatch.setattr(row_reading, "_request", poisoned)
    batch_id = handed_in(ctx, tmp_path / "a.csv", [row(n) for n in range(1, 121)])
    found = a_batch(ctx, batch_id)
    assert (found.rows_read, found.gated) == (120, False)
    with ctx.reading() as conn:
        assert conn.execute(select(row_error.c.held)).scalars().all() == [True]
    assert "received" not in states(ctx, batch_id)
