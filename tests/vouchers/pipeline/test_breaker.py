"""A file that looks wrong as a whole waits for a person; people in the dark do not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.partner_files import csv_file, open_house, referrals
from tests.partner_files import row as plain_row
from vouchers.backoffice import batches as office
from vouchers.backoffice import doctor_work, explain, status
from vouchers.domain.matching.features import read_features
from vouchers.domain.matching.keys import KeyKind
from vouchers.domain.roles import Person, Role
from vouchers.errors import NotAllowed, NotFound, Refused
from vouchers.pipeline import results, strays
from vouchers.pipeline.accept import Receipt, submit
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store import invariants
from vouchers.store.bulk import insert_rows
from vouchers.store.tables.intake import batch, batch_chunk, row_error
from vouchers.store.tables.parties import partner_listing
from vouchers.store.tables.proof import audit_event
from vouchers.store.tables.work import job

STEPS = ["accept", "deduplicate", "allocate"]
OPAL = Person(1, "opal", frozenset({Role.OPERATOR}))
FIN = Person(2, "fin", frozenset({Role.FINANCE}))
GIVEN = (
    "Oliver", "Amelia", "Mohammed", "Isla", "Sanjay", "Freya", "Tobias", "Ngozi",
    "Callum", "Beatrix", "Hugo", "Priya", "Desmond", "Wilma", "Yusuf", "Agnes",
    "Rupert", "Leila", "Magnus", "Chidi",
)  # fmt: skip
FAMILY = (
    "Atkinson", "Brzezinski", "Cartwright", "Dhillon", "Eastwood", "Fitzgerald",
    "Gallagher", "Hutchinson", "Iqbal", "Jankowski", "Kowalczyk", "Llewellyn",
    "Montgomery", "Nwosu", "Okonkwo", "Pemberton", "Quigley", "Rosenthal", "Sutherland",
    "Thistlethwaite", "Underhill", "Vasquez", "Wolstenholme", "Xenakis", "Yarborough",
    "Zielinski", "Abernathy", "Blenkinsop", "Chowdhury", "Drinkwater", "Entwistle",
    "Farquhar", "Grimshaw", "Hardcastle", "Inglethorpe",
)  # fmt: skip
ONE_PHONE = {"mobile": "07700900999"}


def row(n: int, **changes: str) -> dict[str, str]:
    """One of seven hundred invented residents whom nobody takes for another."""
    names = {"given_name": GIVEN[n % 20], "family_name": FAMILY[n // 20 % 35]}
    born = f"{1940 + n * 7 % 60}-{1 + n * 5 % 12:02d}-{1 + n * 11 % 28:02d}"
    home = {
        "address_line_1": f"{n} {FAMILY[n * 3 % 35]} Road",
        "postcode": f"LS{1 + n % 29} {n % 10}{'ABDEFGHJLN'[n // 10 % 10]}A",
    }
    return plain_row(n, date_of_birth=born, **names, **home) | changes


def hand_in(ctx: Context, path: Path, rows: list[Any], **more: Any) -> Receipt:
    """Submit a file."""
    return submit(
        ctx, partner=more.pop("partner", "elm-homes"), path=csv_file(path, rows),
        via="cli", actor="wendy/cli", **more,
    )  # fmt: skip


def handed_in(ctx: Context, path: Path, rows: list[Any], **more: Any) -> int:
    """Submit a file and carry it as far as it goes; gives its batch."""
    receipt = hand_in(ctx, path, rows, **more)
    carry_all(ctx, STEPS)
    assert receipt.batch_id is not None
    return receipt.batch_id


def suspicious(rows: int = 120, share: int = 2, **changes: str) -> list[Any]:
    """A file in which every `share`-th row has the office's phone."""
    return [
        row(n, **(ONE_PHONE if n % share == 0 else {}), **changes)
        for n in range(1, rows + 1)
    ]


def a_batch(ctx: Context, batch_id: int) -> Any:
    """A batch as it stands."""
    with ctx.reading() as conn:
        return conn.execute(select(batch).where(batch.c.id == batch_id)).one()


def states(ctx: Context, batch_id: int) -> Counter[str]:
    """How many referrals of a batch stand where."""
    return Counter(r.state for r in referrals(ctx) if r.batch_id == batch_id)


def broken(ctx: Context) -> list[str]:
    """Promises of the house that do not hold."""
    with ctx.reading() as conn:
        found = invariants.run(conn, ctx.clock())
    # Nothing signs the log here, so its events wait for their numbers.
    return [str(one) for one in found if one.promise != "P6"]


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


def test_a_dry_run_says_that_the_file_would_stop(ctx: Context, tmp_path: Path) -> None:
    """And keeps nothing: no batch, no count."""
    open_house(ctx)
    receipt = hand_in(ctx, tmp_path / "a.csv", suspicious(), dry_run=True)
    assert receipt.preview is not None
    assert receipt.preview.stops == (
        "60 of 120 rows have one and the same phone number (the limit is 36)",
    )
    assert "wait for a person of ours" in receipt.message
    with ctx.reading() as conn:
        assert conn.execute(select(batch.c.id)).all() == []


def test_a_dry_run_of_another_partners_list_says_so(
    ctx: Context, tmp_path: Path
) -> None:
    """Repeats are counted among the rows that it decided on."""
    open_house(ctx)
    open_house(ctx, slug="oak-homes")
    rows = [row(n) for n in range(1, 121)]
    handed_in(ctx, tmp_path / "a.csv", rows)
    receipt = hand_in(ctx, tmp_path / "b.csv", rows, partner="oak-homes", dry_run=True)
    assert receipt.preview is not None
    assert [stop[:3] for stop in receipt.preview.stops] == ["120"]


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
