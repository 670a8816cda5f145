"""Prices by household, network and season, as the scheme file lists them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from schemas.scheme import Scheme
from vouchers.domain import prices

SCHEME = Scheme.parse(Path("config/scheme.toml").read_text(encoding="utf-8"))
WINTER, SUMMER = date(2026, 12, 7), date(2027, 6, 1)


@pytest.mark.parametrize(
    ("network", "people", "day", "plan"),
    [
        ("paypoint", 1, WINTER, (2_800, 2_800)),
        ("paypoint", 2, WINTER, (4_900, 4_900)),
        ("paypoint", 9, WINTER, (4_900, 4_900)),
        ("post_office", 1, WINTER, (5_600,)),
        ("post_office", 4, WINTER, (9_800,)),
        ("cash_out", 1, SUMMER, (2_800,)),
        ("paypoint", 2, SUMMER, (4_900,)),
        ("nowhere", 2, SUMMER, ()),
        ("paypoint", 2, date(2024, 1, 1), ()),
    ],
)
def test_an_award_is_worth_what_the_list_says(
    network: str, people: int, day: date, plan: tuple[int, ...]
) -> None:
    """Fewest vouchers, equal parts; nothing where the list has no price."""
    assert prices.plan(SCHEME, network=network, household_size=people, day=day) == plan


def test_the_season_turns_on_the_first_of_a_month() -> None:
    """31 March is winter, 1 April is summer."""
    for day, name in ((date(2027, 3, 31), "winter"), (date(2027, 4, 1), "summer")):
        found = prices.in_effect(SCHEME, day)
        assert found is not None and found.name == name


def test_a_later_list_replaces_an_earlier_one_from_its_date_on() -> None:
    """Effective dates decide, not the order in the file."""
    winter = SCHEME.prices[0]
    dearer = winter.model_copy(
        update={
            "name": "dearer",
            "effective_from": date(2027, 1, 1),
            "pence": {"paypoint": {"one_person": (3_000,), "two_or_more": (4_000,)}},
        }
    )
    scheme = SCHEME.model_copy(update={"prices": (dearer, *SCHEME.prices)})
    before = prices.in_effect(scheme, date(2026, 12, 31))
    after = prices.in_effect(scheme, date(2027, 1, 1))
    assert before is winter and after is dearer


def test_the_largest_award_bounds_every_other() -> None:
    """It is what a year's money is counted in."""
    assert prices.largest_award(SCHEME) == 9_800
    assert prices.largest_award(SCHEME, 1) == 5_600
    assert prices.listed_values(SCHEME, "paypoint") == (4_900, 2_800)
    assert prices.most_vouchers(SCHEME) == 2
