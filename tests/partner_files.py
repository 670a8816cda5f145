"""Invented partners' files, and a house with a scheme and a partner to take them."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from vouchers.pipeline.context import Context
from vouchers.store import parties
from vouchers.store.tables.intake import referral, row_error
from vouchers.store.tables.parties import partner, scheme, scheme_version

RULES = Path(__file__).parent.parent / "config" / "scheme.toml"

HEADER = [
    "reference",
    "given_name",
    "family_name",
    "date_of_birth",
    "address_line_1",
    "postcode",
    "meter_type",
    "energy_supplier",
    "worker",
    "resident_told",
    "off_supply",
    "days_left",
    "mobile",
    "household_size",
    "safe_contact",
    "action",
]


def row(n: int, **changes: str) -> dict[str, str]:
    """One invented resident who is near the end of their credit."""
    values = {
        "reference": f"T{n:05d}",
        "given_name": "Ann" + "abcdefghij"[n % 10],
        "family_name": "Example" + "klmnopqrst"[n // 10 % 10],
        "date_of_birth": f"19{60 + n % 30}-0{1 + n % 9}-1{n % 10}",
        "address_line_1": f"{n} High Street",
        "postcode": f"SW1A {n % 10}AA",
        "meter_type": "prepay_key",
        "energy_supplier": "EDF",
        "worker": "Wendy",
        "resident_told": "yes",
        "off_supply": "no",
        "days_left": "2",
        "mobile": f"07700900{n % 1000:03d}",
        "household_size": "2",
        "safe_contact": "",
        "action": "",
    }
    return values | changes


def csv_text(rows: list[dict[str, str]], header: list[str] | None = None) -> str:
    """A CSV file with these rows, as Excel writes it."""
    header = header or HEADER
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([[each.get(name, "") for name in header] for each in rows])
    return out.getvalue()


def csv_file(path: Path, rows: list[dict[str, str]]) -> Path:
    """The same, on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(csv_text(rows).encode())
    return path


def open_house(ctx: Context, **changes: Any) -> int:
    """A scheme under the shipped rules and a partner who may hand in live files."""
    with ctx.begin() as uow:
        if uow.conn.execute(select(scheme.c.id)).first() is None:
            scheme_id = uow.conn.execute(
                insert(scheme)
                .values(slug="winter_fund", name="Winter", state="open", version=1)
                .returning(scheme.c.id)
            ).scalar_one()
            uow.conn.execute(
                insert(scheme_version).values(
                    scheme_id=scheme_id,
                    number=1,
                    body=RULES.read_text(encoding="utf-8"),
                    digest="test",
                    state="active",
                    loaded_by="test",
                    loaded_at=uow.now,
                )
            )
        slug = changes.pop("slug", "elm-homes")
        return parties.insert_partner(
            uow.conn,
            ctx.keys,
            contact={"name": "Wendy"},
            agreement_on=date(2026, 1, 1),
            now=uow.now,
            **{
                "slug": slug,
                "name": slug,
                "known_as": slug,
                "excluded": [],
                "dry_run_at": uow.now,
                **changes,
            },
        )


def change_partner(ctx: Context, slug: str = "elm-homes", **values: Any) -> None:
    """Set columns of the partner."""
    with ctx.begin() as uow:
        uow.conn.execute(update(partner).where(partner.c.slug == slug).values(**values))


def referrals(ctx: Context) -> list[Any]:
    """Every referral, in order of batch and row."""
    with ctx.reading() as conn:
        return list(conn.execute(select(referral).order_by(referral.c.id)))


def errors(ctx: Context) -> list[tuple[int, list[str]]]:
    """Every row error as (row number, codes)."""
    with ctx.reading() as conn:
        found = conn.execute(select(row_error).order_by(row_error.c.id))
        return [(each.row_no, [f["code"] for f in each.faults]) for each in found]
