"""Clusters: pairs become people."""

from __future__ import annotations

import numpy as np

from vouchers.domain.matching.clusters import clusters


def test_pairs_that_touch_are_one_cluster() -> None:
    """Each record gets the first number of its cluster; one alone its own."""
    left, right = np.array([3, 1]), np.array([4, 3])
    assert clusters(6, left, right, np.array([0.99, 0.96])).tolist() == [
        0,
        1,
        2,
        1,
        1,
        5,
    ]


def test_without_pairs_everybody_stands_alone() -> None:
    """No pair, no cluster."""
    none = np.zeros(0, dtype=np.int64)
    assert clusters(3, none, none, np.zeros(0)).tolist() == [0, 1, 2]
