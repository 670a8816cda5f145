"""Accept: every row of a file becomes exactly one referral or one row error."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update

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
from vouchers.domain.matching.features import read_phone
from vouchers.domain.matching.keys import KeyKind
from vouchers.pipeline import accept, row_reading
from vouchers.pipeline.accept import Receipt, submit
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store import batches
from vouchers.store.tables.intake import (
    batch,
    batch_chunk,
    contact,
    referral,
    row_error,
)
from vouchers.store.tables.parties import partner_listing, scheme
from vouchers.store.tables.proof import audit_event
from vouchers.store.tables.work import job


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


def test_a_workers_phone_never_gets_a_code(ctx: Context, tmp_path: Path) -> None:
    """A phone the partner listed as a worker's leaves no route, and the row says so."""
    partner = open_house(ctx)
    key = ctx.keys.match_key(KeyKind.MOBILE, read_phone("+447700900001"))
    with ctx.begin() as uow:
        uow.conn.execute(
            insert(partner_listing).values(
                partner_id=partner, kind="worker_phone", key=key
            )
        )
    hand_in(ctx, csv_file(tmp_path / "a.csv", [row(1), row(2)]))
    assert errors(ctx) == [(2, ["no_contact_route"])]
    with ctx.reading() as conn:
        (faults,) = conn.scalars(select(row_error.c.faults))
    assert (faults[0]["cell"], faults[0]["hint"]) == ("M2", "The number is a worker's.")


def test_a_refuges_rows_are_protected_and_texted_only_in_neutral_words(
    ctx: Context, tmp_path: Path
) -> None:
    """A blank safe_contact takes the refuge's profile, which has no channel."""
    open_house(ctx, refuge=True)
    rows = [row(1), row(2, safe_contact="sms_neutral")]
    hand_in(ctx, csv_file(tmp_path / "a.csv", rows))
    assert errors(ctx) == [(2, ["no_contact_route"])]
    (found,) = referrals(ctx)
    assert (found.protected, found.safe_contact) == (True, "sms_neutral")


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


def test_rows_off_supply_travel_in_urgent_jobs_of_their_own(
    ctx: Context, tmp_path: Path
) -> None:
    """They are staged first, and matched in an urgent job of the best need."""
    open_house(ctx)
    rows = [row(n) for n in range(1, 40)]
    rows[20] = row(21, off_supply="Yes", days_left="")
    submit(
        ctx,
        partner="elm-homes",
        path=csv_file(tmp_path / "a.csv", rows),
        via="cli",
        actor="w",
    )
    query = select(job.c.lane, job.c["items"]).order_by(job.c.id)
    with ctx.reading() as conn:
        staged = conn.execute(query).all()
    assert [(each[0], len(each[1])) for each in staged] == [(0, 1), (1, 38)]
    carry_all(ctx, ["accept"])
    with ctx.reading() as conn:
        follow = conn.execute(query.where(job.c.queue == "deduplicate")).all()
    assert sorted((each[0], len(each[1])) for each in follow) == [(0, 1), (1, 38)]


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


def test_a_row_our_code_fails_on_is_held_alone(
    ctx: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its neighbours are accepted; after the mend the row can be tried again."""
    open_house(ctx)
    keep = row_reading._request

    def poisoned(ctx_: object, of: object, row_no: int, *rest: object) -> object:
        if row_no == 4:
            raise RuntimeError("poison")
        return keep(ctx_, of, row_no, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(row_reading, "_request", poisoned)
    receipt = hand_in(ctx, csv_file(tmp_path / "a.csv", [row(n) for n in range(1, 6)]))
    assert [each.row_no for each in referrals(ctx)] == [2, 3, 5, 6]
    assert errors(ctx) == [(4, ["failed_here"])]
    with ctx.reading() as conn:
        counts = batches.counts(conn, receipt.batch_id or 0)
        held = conn.execute(select(job).where(job.c.state == "held")).one()
    assert (counts.accounted, counts.held) == (5, 1)
    monkeypatch.setattr(row_reading, "_request", keep)
    with ctx.begin() as uow:
        uow.conn.execute(
            update(job).where(job.c.id == held.id).values(state="ready", attempts=0)
        )
    carry_all(ctx, ["accept"])
    assert [each.row_no for each in referrals(ctx)] == [2, 3, 4, 5, 6]
    assert errors(ctx) == []
    assert count(ctx, batch_chunk) == 0


def test_contacts_and_rows_are_sealed_and_open_in_their_place_only(
    ctx: Context, tmp_path: Path
) -> None:
    """A stolen table names nobody; the mobile opens for the referral it belongs to."""
    open_house(ctx)
    hand_in(ctx, csv_file(tmp_path / "a.csv", [row(1, family_name="Zaphod")]))
    with ctx.reading() as conn:
        sealed = conn.execute(select(contact)).one()
        dump = b"".join(
            repr(tuple(each)).encode()
            for table in (batch, row_error, contact, audit_event)
            for each in conn.execute(select(table))
        )
    (found,) = referrals(ctx)
    opened = ctx.keys.open("contact.sealed", found.id, sealed.sealed)
    assert opened == b"+447700900001"
    assert b"Zaphod" not in dump + repr(tuple(found)).encode()
    assert b"7700900001" not in dump
    assert b"a.csv" not in dump


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
