"""Thresholds follow rulings only as far as they prove, and never out of their band."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vouchers.domain.matching.calibration import (
    Ruled,
    TooFew,
    calibrate,
    lower_bound,
    needed,
    reliability,
    too_low,
    upper_bound,
)

BAND = {"match": 0.95, "review": 0.05}
RATES = {"false_match_rate": 0.05, "missed_match_rate": 0.05}
rulings = st.lists(
    st.builds(
        Ruled, st.floats(0, 1), st.booleans(), st.booleans(), st.booleans()
    ),
    max_size=120,
)  # fmt: skip


def spread(n: int, low: float, high: float, same: bool) -> list[Ruled]:
    """Rulings with scores spread evenly over a part of the band."""
    return [Ruled(low + (high - low) * i / n, same) for i in range(n)]


def test_bounds_are_those_of_the_books() -> None:
    """The rule of three; and 1 of 100, 5 of 100 from tables of Clopper and Pearson."""
    assert upper_bound(0, 100) == pytest.approx(1 - 0.05 ** (1 / 100))
    assert upper_bound(1, 100) == pytest.approx(0.04656, abs=1e-5)
    assert upper_bound(5, 100) == pytest.approx(0.10225, abs=1e-4)
    assert lower_bound(5, 100) == pytest.approx(0.01991, abs=1e-4)
    assert upper_bound(10, 10) == 1
    assert (needed(0.002), needed(0.005), needed(0.01)) == (1497, 598, 299)


@given(st.integers(1, 80), st.data())
def test_a_bound_covers_the_share_and_shrinks_with_rulings(
    n: int, data: st.DataObject
) -> None:
    """It lies above the share seen, and below that of half as many rulings."""
    wrong = data.draw(st.integers(0, n))
    bound = upper_bound(wrong, n)
    assert wrong / n <= bound <= 1
    assert lower_bound(wrong, n) <= wrong / n + 1e-9
    assert upper_bound(2 * wrong, 2 * n) <= bound + 1e-9


def test_clear_rulings_move_both_thresholds_into_the_band() -> None:
    """Everything above .6 the same, everything below .3 different, .05 allowed."""
    ruled = spread(300, 0.6, 0.95, True) + spread(300, 0.05, 0.3, False)
    match, review = calibrate(ruled, **BAND, **RATES)
    assert match.moved and review.moved
    assert (match.new, review.new) == (0.6, 0.3)


def test_a_gap_without_rulings_is_not_crossed_by_much() -> None:
    """A wrong ruling or two ends the walk where the bound passes the rate."""
    ruled = spread(200, 0.8, 0.95, True) + spread(50, 0.7, 0.8, False)
    match, _ = calibrate(ruled, **BAND, **RATES)
    assert 0.77 <= match.new <= 0.81
    assert match.rulings - match.wrong == 200


def test_too_few_rulings_are_refused_with_the_number_that_is_needed() -> None:
    """59 right ones show 5%; with 20 nothing moves."""
    with pytest.raises(TooFew) as few:
        calibrate(spread(20, 0.1, 0.9, True), **BAND, **RATES)
    assert (few.value.have, few.value.needed) == (20, 59)


def test_rulings_that_disagree_leave_a_threshold_where_it_is() -> None:
    """Half of the pairs under the match threshold are strangers."""
    ruled = spread(100, 0.8, 0.95, True) + spread(100, 0.8, 0.95, False)
    match, _ = calibrate(ruled, **BAND, **RATES)
    assert not match.moved
    assert "it could be" in match.why
    least = too_low(ruled, 0.95, 0.05)
    assert least is not None and least > 0.3


def test_what_a_guard_stops_says_nothing_about_matches() -> None:
    """Twins score high and are different; no threshold ever joins them."""
    twins = [Ruled(0.9, False, guarded=True, must_see=True) for _ in range(500)]
    clear = spread(100, 0.8, 0.95, True)
    match, review = calibrate(twins + clear, **BAND, **RATES)
    assert match.new <= 0.81
    assert not review.moved


@given(rulings)
def test_thresholds_stay_in_the_band_and_in_order(ruled: list[Ruled]) -> None:
    """Whatever was ruled: review <= match, and no farther than rulings reach."""
    try:
        match, review = calibrate(ruled, **BAND, **RATES)
    except TooFew:
        return
    assert 0.05 <= review.new <= match.new <= 0.95
    inside = [one.score for one in ruled if 0.05 <= one.score < 0.95]
    if match.moved:
        assert match.new > min(inside) - 0.01
        joined = [o for o in ruled if match.new <= o.score < 0.95 and not o.guarded]
        assert upper_bound(sum(not o.same for o in joined), len(joined)) <= 0.05
    if review.moved:
        assert review.new < max(inside) + 0.01
        passed = [o for o in ruled if 0.05 <= o.score < review.new and not o.must_see]
        assert upper_bound(sum(o.same for o in passed), len(passed)) <= 0.05


@given(rulings)
def test_the_table_counts_each_ruling_of_the_band_once(ruled: list[Ruled]) -> None:
    """Bands touch, and hold neither more nor less than the band."""
    bands = reliability(ruled, 0.95, 0.05)
    assert bands[0].low == 0.05 and bands[-1].high == 0.95
    assert all(a.high == b.low for a, b in pairwise(bands))
    inside = [one for one in ruled if 0.05 <= one.score < 0.95]
    assert sum(band.rulings for band in bands) == len(inside)
    assert sum(band.same for band in bands) == sum(one.same for one in inside)
    assert not any(math.isnan(band.same_most) for band in bands)


def test_a_moved_threshold_keeps_its_rate_as_surely_as_it_says() -> None:
    """Of 200 invented years in which pairs just fail the rate, few move a threshold."""
    moved = 0
    for year in range(200):
        dice = random.Random(year)
        ruled = [
            Ruled(dice.uniform(0.05, 0.95), dice.random() >= 0.0505) for _ in range(800)
        ]
        match, _ = calibrate(ruled, **BAND, **RATES)
        moved += match.moved
    assert moved <= 200 * 0.05 + 9
