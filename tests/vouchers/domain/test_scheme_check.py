"""The scheme check names each rule under which money could never be spent."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from schemas.scheme import Scheme
from vouchers.backoffice.scheme import check
from vouchers.domain import scheme_check
from vouchers.domain.restrictions import Restrictions

DEFAULT = Path("config/scheme.toml").read_text(encoding="utf-8")


def test_the_shipped_scheme_has_no_fault() -> None:
    """It can be loaded as it is."""
    assert check(DEFAULT) == []


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("most_pence = 4900", "most_pence = 4000", "prices.winter.paypoint"),
        ('unknown = "post_office"', 'unknown = "nowhere"', "routing.unknown"),
        ('supply = "mint"', 'supply = "order"', "networks.paypoint.supply"),
        ("code_length = 18", "code_length = 10", "networks.paypoint.code_length"),
        ("months = [4, 5,", "months = [5,", "no list covers April"),
        ("[2800, 2800]", "[2800, 2700]", "equal parts"),
        ("[2800, 2800]", "[1400, 1400, 1400, 1400]", "fewer vouchers would do"),
        ("one_person = 1\n", "one_person = 2\n", "household_classes"),
        ("valid_days = 30 ", "valid_days = 10 ", "networks.paypoint.valid_days"),
        ('"bg",', '"bg", "edf",', "already means"),
        ("awards_max = 3", 'awards_max = "3"', "caps.awards_max"),
        ("awards_max = 3", "awards_most = 3", "caps.awards_most"),
        ('"Europe/London"', '"Europe/Atlantis"', "scheme.time_zone"),
        ("closes_on = 2028", "closes_on = 2024", "scheme.closes_on"),
        ("between_days = 14", "between_days = 400", "caps.between_days"),
        ('prefix = "61"', 'prefix = "AB"', "networks.paypoint.prefix"),
        ("days_before_expiry = [7, 2]", "days_before_expiry = [40]", "reminders"),
        ("[caps]", "[caps", "not a TOML file"),
        ('provider = "twilio"', 'provider = "pigeon"', "messages.provider"),
    ],
)
def test_each_fault_names_its_rule(old: str, new: str, rule: str) -> None:
    """A file with one thing wrong is refused with the rule that it breaks."""
    assert old in DEFAULT
    found = check(DEFAULT.replace(old, new, 1))
    assert any(rule in fault for fault in found), found


@pytest.mark.parametrize(
    ("provider", "parts", "faults"),
    [("notify", 6, 0), ("notify", 7, 1), ("twilio", 10, 0)],
)
def test_a_provider_takes_so_many_parts(provider: str, parts: int, faults: int) -> None:
    """Notify refuses what is longer than 918 letters."""
    text = DEFAULT.replace("segments_max = 6", f"segments_max = {parts}")
    found = check(text.replace('provider = "twilio"', f'provider = "{provider}"'))
    assert len(found) == faults
    assert all("messages.segments_max" in fault for fault in found)


def test_a_gift_that_could_never_be_spent_is_refused() -> None:
    """Too small, ending too soon, or for homes that the scheme does not cover."""
    scheme = Scheme.parse(DEFAULT)
    today = date(2026, 12, 7)
    found = scheme_check.gift_faults(
        scheme,
        Restrictions.read({"need_bands": [9]}),
        pence=100,
        starts_on=None,
        ends_on=date(2026, 12, 10),
        today=today,
    )
    assert [fault.split(":")[0] for fault in found] == [
        "validity.least_days",
        "need",
        "prices",
    ]
