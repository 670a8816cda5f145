"""Precision, recall and F1 of pairs and of clusters, against the known truth."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figures:
    """How many pairs were said to be one person, and how many of them are."""

    said: int
    right: int
    true: int

    @property
    def precision(self) -> float:
        """Share of the pairs said to be one person that are."""
        return self.right / self.said if self.said else 1.0

    @property
    def recall(self) -> float:
        """Share of the true pairs that were found."""
        return self.right / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""
        whole = self.said + self.true
        return 2 * self.right / whole if whole else 1.0

    def as_json(self) -> dict[str, Any]:
        """All six numbers."""
        shares = {
            "precision": round(self.precision, 5),
            "recall": round(self.recall, 5),
            "f1": round(self.f1, 5),
        }
        return {**shares, **asdict(self)}


@dataclass(slots=True)
class Result:
    """What one matcher made of a file."""

    matcher: str
    pairs: int
    seconds: float
    peak_mb: float = 0.0
    figures: dict[str, Figures] = field(default_factory=dict)
    #: Beside the figures: thresholds that would have been best, shares, notes.
    more: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """One object of plain values."""
        figures = {name: one.as_json() for name, one in self.figures.items()}
        head = {
            "matcher": self.matcher,
            "compared_pairs": self.pairs,
            "seconds": round(self.seconds, 2),
            "peak_mb": round(self.peak_mb),
        }
        return {**head, **figures, **self.more}


class Truth:
    """Which records are one person; of a link only pairs across the two files count."""

    def __init__(self, clusters: Indices, first: int = 0) -> None:
        self.clusters, self.first = clusters, first
        self.true = self.pairs_within(clusters)

    def pairs_within(self, groups: Indices) -> int:
        """How many pairs the groups have."""
        _, at = np.unique(groups, return_inverse=True)
        if self.first:
            size = int(at.max()) + 1
            here = np.bincount(at[: self.first], minlength=size)
            there = np.bincount(at[self.first :], minlength=size)
            return int((here * there).sum())
        counts = np.bincount(at)
        return int((counts * (counts - 1) // 2).sum())

    def of_pairs(self, left: Indices, right: Indices) -> Figures:
        """Figures of a list of pairs."""
        right_ones = int((self.clusters[left] == self.clusters[right]).sum())
        return Figures(len(left), right_ones, self.true)

    def of_clusters(self, found: Indices) -> Figures:
        """Figures of all pairs within clusters."""
        both = found.astype(np.int64) * (int(self.clusters.max()) + 1) + self.clusters
        return Figures(self.pairs_within(found), self.pairs_within(both), self.true)

    def best_pairs(
        self, left: Indices, right: Indices, chances: Floats
    ) -> tuple[Figures, float]:
        """Figures at the threshold that gives the best F1 of pairs, and that one."""
        order = np.argsort(-chances, kind="stable")
        hits = np.cumsum(self.clusters[left[order]] == self.clusters[right[order]])
        sorted_chances = chances[order]
        ends = np.append(sorted_chances[1:] != sorted_chances[:-1], True)
        said = np.arange(1, len(order) + 1)
        f1 = np.where(ends[: len(order)], 2 * hits / (said + self.true), -1.0)
        if not len(f1):
            return Figures(0, 0, self.true), 1.0
        at = int(f1.argmax())
        found = Figures(int(said[at]), int(hits[at]), self.true)
        return found, float(sorted_chances[at])

    def best_clusters(
        self, left: Indices, right: Indices, chances: Floats, *, least: float = 0.05
    ) -> tuple[Figures, float]:
        """The same of clusters, joining pair after pair; thresholds from `least` up."""
        order = np.argsort(-chances, kind="stable")
        order = order[chances[order] >= least]
        parent = list(range(len(self.clusters)))
        members = [Counter({c: 1}) for c in self._sides()]
        best, threshold = Figures(0, 0, self.true), 1.0
        said = hits = 0
        edges = zip(
            left[order].tolist(), right[order].tolist(), chances[order].tolist(),
            strict=True,
        )  # fmt: skip
        last = 2.0
        for a, b, chance in edges:
            if chance < last and (now := Figures(said, hits, self.true)).f1 > best.f1:
                best, threshold = now, last
            last = chance
            a, b = _root(parent, a), _root(parent, b)
            if a == b:
                continue
            if len(members[a]) < len(members[b]):
                a, b = b, a
            parent[b] = a
            more_said, more_hits = self._crossing(members[a], members[b])
            said, hits = said + more_said, hits + more_hits
            members[a].update(members[b])
            members[b] = Counter()
        if (now := Figures(said, hits, self.true)).f1 > best.f1:
            best, threshold = now, last
        return best, threshold

    def _sides(self) -> list[tuple[int, bool]]:
        return [(c, n < self.first) for n, c in enumerate(self.clusters.tolist())]

    def _crossing(
        self, ours: Counter[tuple[int, bool]], theirs: Counter[tuple[int, bool]]
    ) -> tuple[int, int]:
        """Pairs that joining two clusters adds, and true ones among them."""
        if self.first:
            near = [
                sum(n for (_, side), n in group.items() if side)
                for group in (ours, theirs)
            ]
            far = [
                group.total() - n for group, n in zip((ours, theirs), near, strict=True)
            ]
            hits = sum(n * ours[c, not side] for (c, side), n in theirs.items())
            return near[0] * far[1] + near[1] * far[0], hits
        hits = sum(n * ours[key] for key, n in theirs.items())
        return ours.total() * theirs.total(), hits


def _root(parent: list[int], n: int) -> int:
    while parent[n] != n:
        parent[n] = parent[parent[n]]
        n = parent[n]
    return n
