"""Eligibility: each rule that does not cover a row is named, all at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from schemas.row import MeterType, ResidentRow, SafeContact
from schemas.scheme import Scheme
from vouchers.domain import eligibility

SCHEME = Scheme.parse(Path("config/scheme.toml").read_text(encoding="utf-8"))
TODAY = date(2026, 12, 7)


@dataclass
class Partner:
    """A partner with a signed agreement."""

    agreement_on: date | None = date(2026, 1, 1)
    excluded: list[str] = field(default_factory=list)


def row(**more: Any) -> ResidentRow:
    """A prepay home with two days left."""
    facts: dict[str, Any] = {
        "reference": "T-1",
        "given_name": "Ada",
        "family_name": "Example",
        "date_of_birth": date(1980, 1, 1),
        "address_line_1": "1 Test Street",
        "postcode": "LS1 1AA",
        "meter_type": MeterType.PREPAY_KEY,
        "energy_supplier": "edf",
        "worker": "W",
        "resident_told": True,
        "off_supply": False,
        "days_left": 2,
    }
    return ResidentRow(**{**facts, **more})


@pytest.mark.parametrize(
    ("facts", "fault"),
    [
        ({"days_left": 6}, "not_at_risk_yet"),
        ({"days_left": None}, "supply_not_stated"),
        ({"resident_told": False}, "resident_not_told"),
        ({"household_size": 21}, "household_too_large"),
        ({"energy_supplier": "nobody"}, "no_network"),
        ({"safe_contact": SafeContact.PARTNER_ONLY}, "no_contact_route"),
    ],
)
def test_each_rule_names_itself(facts: dict[str, Any], fault: str) -> None:
    """And has a sentence that a partner can act on."""
    assert eligibility.faults(row(**facts), SCHEME, Partner(), today=TODAY) == [fault]
    assert eligibility.FAULTS[fault][1]


def test_a_home_off_supply_is_eligible_whatever_is_left_blank() -> None:
    """Days left need not be said when there are none."""
    dark = row(off_supply=True, days_left=None)
    assert eligibility.faults(dark, SCHEME, Partner(), today=TODAY) == []


def test_a_partner_needs_an_agreement_and_must_not_be_excluded() -> None:
    """These faults are of the whole file, not of a row."""
    wrong = Partner(agreement_on=None, excluded=["winter_fund"])
    found = eligibility.partner_faults(SCHEME, wrong, today=date(2030, 1, 1))
    assert found == ["partner_not_ready", "partner_excluded", "scheme_not_open"]
