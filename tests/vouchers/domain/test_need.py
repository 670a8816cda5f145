"""Need: eight bands, one step up for waiting, never into off supply."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.scheme import Need as NeedRules
from vouchers.domain.need import (
    BANDS,
    OFF_SUPPLY_BANDS,
    Need,
    after_waiting,
    assess,
    band_of,
    rank_in,
)


def home(days_left: int | None = None, **more: bool) -> Need:
    """A home as its partner described it; without days left it is off supply."""
    facts = {
        "medical_device": False,
        "medical": False,
        "child_under_5": False,
        "over_65": False,
        **more,
    }
    return assess(
        off_supply=days_left is None, days_left=days_left, rules=NeedRules(), **facts
    )


@pytest.mark.parametrize(
    ("days_left", "alone", "vulnerable"),
    [(None, 2, 1), (0, 4, 3), (1, 4, 3), (2, 6, 5), (3, 6, 5), (4, 8, 7), (5, 8, 7)],
)
def test_bands_go_by_days_left_and_who_lives_there(
    days_left: int | None, alone: int, vulnerable: int
) -> None:
    """Somebody vulnerable lifts a home over others with as many days left."""
    assert home(days_left).band == alone
    for word in ("medical_device", "medical", "child_under_5", "over_65"):
        assert home(days_left, **{word: True}).band == vulnerable


def test_a_medical_device_stands_first_in_its_band() -> None:
    """Without power it stops."""
    assert home(None, medical_device=True).rank < home(None, medical=True).rank


def test_the_parts_say_how_a_need_came_about() -> None:
    """They are stored, so that a decision can be explained."""
    assert home(1, over_65=True).parts == ("days_soon", "over_65")


@given(st.sampled_from(list(BANDS)), st.booleans())
def test_waiting_never_leads_into_off_supply(band: int, first: bool) -> None:
    """One band up, but nobody overtakes a home that is dark."""
    rank = rank_in(band, first=first)
    moved = after_waiting(rank)
    assert band_of(moved) in (band, band - 1)
    assert (band_of(moved) in OFF_SUPPLY_BANDS) == (band in OFF_SUPPLY_BANDS)
