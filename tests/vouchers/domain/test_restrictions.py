"""Restrictions of gifts: what they cover, how long a voucher drawn on them lives."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from vouchers.domain.reasons import Reason
from vouchers.domain.restrictions import (
    Request,
    Restrictions,
    expires_on,
    time_fault,
)

TODAY = date(2026, 12, 7)
HOME = Request("north", "LS1", 4, "prepay_key", 5)


@pytest.mark.parametrize(
    ("stored", "covered"),
    [
        ({}, True),
        ({"regions": ["north", "south"]}, True),
        ({"regions": ["south"]}, False),
        ({"outcodes": ["LS1"], "partners": [4]}, True),
        ({"outcodes": ["LS1"], "partners": [5]}, False),
        ({"meter_types": ["credit"]}, False),
        ({"need_bands": [1, 2]}, False),
    ],
)
def test_every_list_that_asks_must_be_answered(
    stored: dict[str, list[object]], covered: bool
) -> None:
    """An empty list asks nothing; the stored form is the same again."""
    rules = Restrictions.read(stored)
    assert rules.covers(HOME) is covered
    assert Restrictions.read(rules.stored()) == rules


def test_a_restriction_nobody_knows_is_refused() -> None:
    """A misspelt list must not silently open a gift to all."""
    with pytest.raises(ValueError, match="region"):
        Restrictions.read({"region": ["north"]})


def test_a_gift_must_last_long_enough_for_a_useful_voucher() -> None:
    """14 days normally, 7 for a home off supply."""
    ends = TODAY + timedelta(days=10)
    soon = time_fault(starts_on=None, ends_on=ends, today=TODAY, least_days=14)
    dark = time_fault(starts_on=None, ends_on=ends, today=TODAY, least_days=7)
    assert (soon, dark) == (Reason.ENDS_TOO_SOON, None)


def test_a_voucher_ends_with_whatever_ends_first() -> None:
    """Its own life, its money, or its stock unit."""
    day = TODAY + timedelta(days=12)
    assert expires_on(today=TODAY, valid_days=30, ends_on=None) == date(2027, 1, 6)
    assert expires_on(today=TODAY, valid_days=30, ends_on=day) == day
    assert (
        expires_on(today=TODAY, valid_days=30, ends_on=None, unit_expires_on=day) == day
    )
