"""Stopped files: who may let them go on or end them, and what each reader sees."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from tests.partner_files import open_house, referrals
from tests.stopped_files import (
    FIN,
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
from vouchers.backoffice import doctor_work, explain, status
from vouchers.domain.roles import Person, Role
from vouchers.errors import NotAllowed, NotFound, Refused
from vouchers.pipeline import results
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store.tables.proof import audit_event
from vouchers.store.tables.work import job


def test_release_lets_the_file_go_on_for_good(ctx: Context, tmp_path: Path) -> None:
    """One word with a reason: every row is matched, and it is recorded who said so."""
    open_house(ctx)
    batch_id = handed_in(ctx, tmp_path / "a.csv", suspicious())
    seen = office.release(
        ctx, OPAL, batch_id, reason="landlord's own switchboard", door="test"
    )
    assert seen == ("same_phone",)
    carry_all(ctx, STEPS)
    assert a_batch(ctx, batch_id).state == "open"
    assert "received" not in states(ctx, batch_id)
    with ctx.reading() as conn:
        (body,) = conn.scalars(
            select(audit_event.c.body).where(audit_event.c.kind == "batch.released")
        )
    assert '"actor":"opal/test"' in body
    assert "switchboard" in body
    assert broken(ctx) == []


def test_reject_ends_the_file_and_the_partner_reads_why(
    ctx: Context, tmp_path: Path
) -> None:
    """Every row is withdrawn with a reason; the same bytes are not taken again."""
    open_house(ctx)
    rows = suspicious()
    batch_id = handed_in(ctx, tmp_path / "a.csv", rows)
    office.reject(ctx, OPAL, batch_id, reason="phones were filled down", door="test")
    carry_all(ctx, STEPS)
    assert a_batch(ctx, batch_id).state == "rejected"
    assert states(ctx, batch_id) == {"withdrawn": 120}
    assert {r.reason for r in referrals(ctx)} == {"file_rejected"}
    with ctx.reading() as conn:
        told = next(iter(results.tell_batch(ctx, conn, a_batch(ctx, batch_id))))
    assert told.shown.word == "not_granted"
    assert "send the request again" in told.shown.reason
    again = hand_in(ctx, tmp_path / "a.csv", rows)
    assert (again.outcome, "did not go on" in again.message) == (
        "already_received",
        True,
    )
    mended = handed_in(ctx, tmp_path / "b.csv", [row(n) for n in range(1, 121)])
    assert "withdrawn" not in states(ctx, mended)
    assert broken(ctx) == []


def test_a_file_that_is_ended_while_it_is_read_ends_whole(
    ctx: Context, tmp_path: Path
) -> None:
    """Rows that are understood after the word was said are withdrawn as well."""
    open_house(ctx)
    receipt = hand_in(ctx, tmp_path / "a.csv", suspicious(700))
    batch_id = int(receipt.batch_id or 0)
    carry_all(ctx, ["accept"], jobs_max=1)
    assert a_batch(ctx, batch_id).state == "stopped"
    office.reject(ctx, OPAL, batch_id, reason="phones were filled down", door="test")
    carry_all(ctx, STEPS)
    assert states(ctx, batch_id) == {"withdrawn": 700}
    with ctx.reading() as conn:
        left = conn.execute(select(job.c.kind).where(job.c.state == "ready")).all()
    assert left == []


def test_a_release_while_the_file_is_read_lets_it_go_at_its_gate(
    ctx: Context, tmp_path: Path
) -> None:
    """Its bulk rows still wait until all of it was read, and then go on unasked."""
    open_house(ctx)
    receipt = hand_in(ctx, tmp_path / "a.csv", suspicious(700))
    batch_id = int(receipt.batch_id or 0)
    carry_all(ctx, ["accept"], jobs_max=1)
    office.release(ctx, OPAL, batch_id, reason="was asked", door="test")
    carry_all(ctx, ["deduplicate"])
    assert states(ctx, batch_id) == {"received": 500}
    carry_all(ctx, STEPS)
    assert "received" not in states(ctx, batch_id)


def test_partner_and_operator_read_where_the_file_stands(
    ctx: Context, tmp_path: Path
) -> None:
    """The partner reads "checking"; status and doctor ask an operator to look."""
    partner_id = open_house(ctx)
    batch_id = handed_in(ctx, tmp_path / "a.csv", suspicious())
    worker = Person(9, "wendy", frozenset({Role.PARTNER}), partner_id=partner_id)
    account = status.one_batch(ctx, batch_id, by=worker)
    assert (account["state"], account["words"]["checking"]) == ("checking", 120)
    theirs = explain.explain(
        ctx, reference="T00001", partner="elm-homes", by=worker, door="test"
    )
    assert (theirs["word"], theirs["reason"]) == ("checking", "file_checked")
    assert "file_waits_for" not in theirs
    ours = explain.explain(
        ctx, reference="T00001", partner="elm-homes", by=OPAL, door="test"
    )
    assert "60 of 120 rows" in ours["file_waits_for"][0]
    assert status.needs_look(status.overview(ctx, by=OPAL))
    with ctx.reading() as conn:
        found = {f.id: f for f in doctor_work.examine(conn)}["files"]
        told = next(iter(results.tell_batch(ctx, conn, a_batch(ctx, batch_id))))
    assert found.level == "warn"
    assert f"vouchers batches release {batch_id}" in found.hints[0]
    assert (told.shown.word, told.shown.reason_code) == ("checking", "file_checked")


def test_only_whom_it_concerns_lets_a_file_go_on(ctx: Context, tmp_path: Path) -> None:
    """Finance does not; nobody does twice; a number that is none is told so."""
    open_house(ctx)
    batch_id = handed_in(ctx, tmp_path / "a.csv", suspicious())
    with pytest.raises(NotAllowed):
        office.release(ctx, FIN, batch_id, reason="why not", door="test")
    with pytest.raises(Refused, match="reason"):
        office.release(ctx, OPAL, batch_id, reason="x", door="test")
    office.release(ctx, OPAL, batch_id, reason="was asked", door="test")
    with pytest.raises(Refused, match="not stopped"):
        office.release(ctx, OPAL, batch_id, reason="was asked", door="test")
    with pytest.raises(NotFound):
        office.show(ctx, OPAL, 99)
    (listed,) = office.listing(ctx, OPAL, everything=True)
    assert (listed.batch, listed.causes[0].released) == (batch_id, True)
    assert office.listing(ctx, OPAL) == []
