"""Finds given names and surnames that stand in each other's column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler

#: Two words at least this alike may be one, mistyped.
_NEAR = 0.90

Mask = npt.NDArray[np.bool_]


def crosswise(
    given: tuple[Sequence[str], Sequence[str]],
    surname: tuple[Sequence[str], Sequence[str]],
    open_pairs: npt.NDArray[np.int64],
) -> tuple[Mask, Mask, Mask]:
    """Of the pairs at `open_pairs`: names swapped letter for letter, nearly, or half.

    Half means that one name stands in the other's column and nothing is known, or
    nothing alike, of the other one.
    """
    at = open_pairs.tolist()
    here = [given[0][i] for i in at], [surname[1][i] for i in at]
    there = [surname[0][i] for i in at], [given[1][i] for i in at]
    same_here, near_here = _alike(*here)
    same_there, near_there = _alike(*there)
    exact = same_here & same_there
    rough = near_here & near_there & ~exact
    half = (near_here ^ near_there) & ~exact
    return exact, rough, half


def _alike(left: list[str], right: list[str]) -> tuple[Mask, Mask]:
    """Where two columns agree to the letter, and where they nearly do."""
    if not left:
        none = np.zeros(0, dtype=np.bool_)
        return none, none
    same = np.array([a == b != "" for a, b in zip(left, right, strict=True)])
    scores = process.cpdist(left, right, scorer=JaroWinkler.normalized_similarity)
    near = same.copy()
    for i in np.flatnonzero(~same & (scores >= 0.7)).tolist():
        a, b = left[i], right[i]
        # Names of three letters are one letter apart by chance.
        if min(len(a), len(b)) >= 4:
            near[i] = scores[i] >= _NEAR or OSA.distance(a, b, score_cutoff=1) <= 1
    return same, near
