"""Joins pairs found to be one person into people, the surest first."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]


def clusters(
    people: int, left: Indices, right: Indices, chances: npt.NDArray[np.float64]
) -> Indices:
    """For each of `people` positions the lowest position of its cluster."""
    parent = list(range(people))
    order = np.argsort(-chances, kind="stable")
    for a, b in zip(left[order].tolist(), right[order].tolist(), strict=True):
        a, b = _root(parent, a), _root(parent, b)
        if a != b:
            parent[max(a, b)] = min(a, b)
    return np.array([_root(parent, n) for n in range(people)], dtype=np.int64)


def _root(parent: list[int], n: int) -> int:
    while parent[n] != n:
        parent[n] = parent[parent[n]]
        n = parent[n]
    return n
