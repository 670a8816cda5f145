"""Rows are keyed and sealed, and safe ways of contact respected."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, insert, select

from tests.partner_files import (
    csv_file,
    errors,
    open_house,
    referrals,
    row,
)
from vouchers.domain.matching.features import read_phone
from vouchers.domain.matching.keys import KeyKind
from vouchers.pipeline.accept import Receipt, submit
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store.tables.intake import (
    batch,
    contact,
    row_error,
)
from vouchers.store.tables.parties import partner_listing
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
