"""Says which of many people are worth comparing: those who share a match key."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vouchers.domain.matching.features import Features
from vouchers.domain.matching.keys import STOP_WORD, wide_keys
from vouchers.domain.matching.names import Lexicon

Indices = npt.NDArray[np.int64]


def candidate_pairs(
    people: Sequence[Features],
    lexicon: Lexicon,
    *,
    first: int = 0,
    each_max: int = 20,
) -> tuple[Indices, Indices]:
    """All pairs of people that share a key, as two columns of positions, each once.

    Of a link of two lists `first` is the length of the first one: only pairs across
    are given. A kind of key may give `each_max` pairs a person: where it would give
    more, its most common keys are left out like stop-words, and memory stays bounded.
    """
    found = np.zeros(0, dtype=np.int64)
    columns = _columns(people, lexicon)
    for codes in columns.values():
        left, right = _within_groups(*codes, each_max * len(people))
        if first:
            across = (left < first) != (right < first)
            left, right = left[across], right[across]
        packed = np.minimum(left, right) * len(people) + np.maximum(left, right)
        found = _distinct(np.concatenate([found, packed]))
    return found // max(len(people), 1), found % max(len(people), 1)


def _distinct(numbers: Indices) -> Indices:
    """Each number once, in order; numpy's own way is slow for numbers so far apart."""
    numbers.sort()
    return (
        numbers[np.append(numbers[1:] != numbers[:-1], True)]
        if len(numbers)
        else numbers
    )


def _columns(
    people: Sequence[Features], lexicon: Lexicon
) -> dict[str, tuple[Indices, Indices]]:
    """Per kind of key: who has one, and its number."""
    holders: dict[str, array[int]] = defaultdict(lambda: array("q"))
    numbers: dict[str, array[int]] = defaultdict(lambda: array("q"))
    known: dict[tuple[str, str], int] = {}
    for at, person in enumerate(people):
        for key in wide_keys(person, lexicon):
            holders[key[0]].append(at)
            numbers[key[0]].append(known.setdefault(key, len(known)))
    return {
        kind: (
            np.frombuffer(who, dtype=np.int64),
            np.frombuffer(numbers[kind], dtype=np.int64),
        )
        for kind, who in holders.items()
    }


def _within_groups(
    holders: Indices, keys: Indices, room: int
) -> tuple[Indices, Indices]:
    """All pairs of holders of one key; the largest groups go if there is no room."""
    _, inverse, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    pairs_up_to = np.cumsum(np.bincount(sizes, minlength=2) * _choose(sizes.max() + 1))
    fitting = int(np.searchsorted(pairs_up_to, room, side="right")) - 1
    largest = max(1, min(fitting, STOP_WORD))
    kept = sizes[inverse] <= largest
    order = np.argsort(inverse[kept], kind="stable")
    who, group = holders[kept][order], inverse[kept][order]
    lefts, rights = [who[:0]], [who[:0]]
    for apart in range(1, largest):
        same = group[apart:] == group[:-apart]
        if not same.any():
            break
        lefts.append(who[:-apart][same])
        rights.append(who[apart:][same])
    return np.concatenate(lefts), np.concatenate(rights)


def _choose(upto: int) -> Indices:
    """How many pairs a group of 0, 1, 2 … has."""
    size = np.arange(upto, dtype=np.int64)
    return size * (size - 1) // 2


def random_pairs(
    people: int, wanted: int, rng: np.random.Generator, *, first: int = 0
) -> tuple[Indices, Indices]:
    """Pairs of two people picked at random; across two lists if `first` is set."""
    if first:
        return rng.integers(0, first, wanted), rng.integers(first, people, wanted)
    left = rng.integers(0, people, wanted)
    # Never the same one: the other lies 1 to people - 1 places on.
    return left, (left + rng.integers(1, people, wanted)) % people
