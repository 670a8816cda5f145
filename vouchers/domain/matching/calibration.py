"""Turns people's rulings into thresholds that keep a stated rate of mistakes.

Rulings exist only for pairs that were sent to a person: nothing is said about others.
So a threshold moves inside the band that people ruled on, only to where there are
rulings, and a bound is worth no more than the number of rulings behind it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

#: How sure a bound is, one-sided.
CONFIDENCE = 0.95
#: Thresholds are looked at in steps of this.
STEP = 0.01
#: Width of the band under the match threshold that tells whether it is too low.
_NEAR = 0.05
_EDGES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True, slots=True)
class Ruled:
    """One pair on which a person ruled: its score then, and what they said."""

    score: float
    same: bool
    #: A guard sent it to a person, whatever its score.
    guarded: bool = False
    #: The guard does so below every threshold, so that no threshold touches the pair.
    must_see: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """Rulings with scores from `low` up to but without `high`."""

    low: float
    high: float
    rulings: int
    same: int
    #: The share of same and of different is at most this, as surely as CONFIDENCE.
    same_most: float
    different_most: float


@dataclass(frozen=True, slots=True)
class Threshold:
    """What becomes of one threshold, and the reason in words."""

    name: str
    old: float
    new: float
    why: str
    rulings: int
    wrong: int

    @property
    def moved(self) -> bool:
        """Whether it is another than before."""
        return self.new != self.old


class TooFew(Exception):
    """Not enough rulings for the rates that were asked for."""

    def __init__(self, have: int, needed: int) -> None:
        self.have, self.needed = have, needed
        super().__init__(f"{have} rulings, {needed} needed")


def upper_bound(wrong: int, n: int, confidence: float = CONFIDENCE) -> float:
    """Clopper-Pearson: the share is at most this, as surely as `confidence`."""
    if wrong >= n:
        return 1.0
    low, high = wrong / n, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _at_most(wrong, n, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def lower_bound(wrong: int, n: int, confidence: float = CONFIDENCE) -> float:
    """Clopper-Pearson: the share is at least this, as surely as `confidence`."""
    return 1 - upper_bound(n - wrong, n, confidence) if n else 0.0


def _at_most(k: int, n: int, p: float) -> float:
    """Chance of k or fewer wrong among n, where each is wrong with chance p."""
    if p <= 0:
        return 1.0
    if p >= 1:
        return 1.0 if k >= n else 0.0
    logs = [
        math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1)
        + i * math.log(p) + (n - i) * math.log1p(-p)
        for i in range(k + 1)
    ]  # fmt: skip
    top = max(logs)
    return min(1.0, math.exp(top) * math.fsum(math.exp(one - top) for one in logs))


def needed(rate: float, confidence: float = CONFIDENCE) -> int:
    """Rulings, all of them right, that show the rate to be at most this."""
    return math.ceil(math.log(1 - confidence) / math.log1p(-rate))


def reliability(ruled: Sequence[Ruled], match: float, review: float) -> list[Band]:
    """The band between both thresholds in parts, each with what people said."""
    inner = [edge for edge in _EDGES if review < edge < match]
    edges = pairwise([review, *inner, match])
    return [_band(ruled, low, high) for low, high in edges]


def _band(ruled: Sequence[Ruled], low: float, high: float) -> Band:
    inside = [one for one in ruled if low <= one.score < high]
    n, same = len(inside), sum(one.same for one in inside)
    return Band(
        low,
        high,
        n,
        same,
        upper_bound(same, n) if n else 1.0,
        upper_bound(n - same, n) if n else 1.0,
    )


def calibrate(
    ruled: Sequence[Ruled],
    *,
    match: float,
    review: float,
    false_match_rate: float,
    missed_match_rate: float,
) -> tuple[Threshold, Threshold]:
    """Both thresholds, moved as far into the band as the rates allow.

    Raises TooFew when there are not even enough rulings for one of them to move.
    """
    open_ = [one for one in ruled if review <= one.score < match]
    lower = _down(
        [one for one in open_ if not one.guarded], match, review, false_match_rate
    )
    # What a guard stops is no match, but below `review` most guards do not stop it.
    upper = _up(
        [one for one in open_ if not one.must_see], review, lower.new, missed_match_rate
    )
    if not lower.rulings and not upper.rulings:
        wanted = min(needed(false_match_rate), needed(missed_match_rate))
        raise TooFew(len(open_), wanted)
    return lower, upper


def _down(
    ruled: Sequence[Ruled], match: float, review: float, rate: float
) -> Threshold:
    """Lower the match threshold while what it would join is surely right enough."""
    steps = [
        step
        for step in _grid(match, review, down=True)
        if any(step <= one.score < step + STEP for one in ruled)
    ]
    return _walk(
        "match", match, steps,
        lambda step: [not one.same for one in ruled if one.score >= step], rate,
    )  # fmt: skip


def _up(ruled: Sequence[Ruled], review: float, match: float, rate: float) -> Threshold:
    """Raise the review threshold while what it would let pass is surely new enough."""
    steps = [
        step
        for step in _grid(review, match, down=False)
        if any(step - STEP <= one.score < step for one in ruled)
    ]
    return _walk(
        "review", review, steps,
        lambda step: [one.same for one in ruled if one.score < step], rate,
    )  # fmt: skip


def _grid(start: float, end: float, *, down: bool) -> list[float]:
    count = round(abs(start - end) / STEP)
    sign = -1 if down else 1
    return [round(start + sign * STEP * n, 4) for n in range(1, count + 1)]


def _walk(
    name: str,
    old: float,
    steps: Sequence[float],
    wrongs: Callable[[float], list[bool]],
    rate: float,
) -> Threshold:
    """The farthest step up to which each was shown to keep the rate.

    Steps with too few rulings are not tests: where the walk begins hangs on numbers
    only, not on what was ruled, so stopping at the first failure keeps the confidence.
    """
    found: tuple[float, int, int] | None = None
    enough = needed(rate)
    most, stopped = 0, ""
    for step in steps:
        wrong = wrongs(step)
        most = max(most, len(wrong))
        if len(wrong) < enough:
            continue
        bound = upper_bound(sum(wrong), len(wrong))
        if bound > rate:
            stopped = (
                f"at {step:g} it could be {bound:.2%} "
                f"({sum(wrong):,} of {len(wrong):,} rulings)"
            )
            break
        found = (step, len(wrong), sum(wrong))
    if found is not None:
        step, n, bad = found
        why = f"{bad:,} of {n:,} rulings wrong: at most {upper_bound(bad, n):.2%}"
        return Threshold(name, old, step, why, n, bad)
    if stopped:
        return Threshold(name, old, old, stopped, most, 0)
    why = f"{most:,} rulings, {enough:,} needed for {rate:.2%}"
    return Threshold(name, old, old, why, 0, 0)


def too_low(ruled: Sequence[Ruled], match: float, rate: float) -> float | None:
    """The least share of different just below the match threshold, if it is too much.

    Nobody rules on pairs above it, so it cannot be raised by rulings; but pairs just
    below it that are often different say that some above it are too.
    """
    near = [o for o in ruled if match - _NEAR <= o.score < match and not o.guarded]
    least = lower_bound(sum(not one.same for one in near), len(near))
    return least if least > rate else None
