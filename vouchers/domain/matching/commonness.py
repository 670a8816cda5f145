"""Counts how common names and places are among given people; in memory only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from vouchers.domain.matching.features import Features
from vouchers.domain.matching.names import Lexicon


def counted(lexicon: Lexicon, people: Sequence[Features]) -> Lexicon:
    """The same tables of names, with shares as they are among these people."""
    return replace(
        lexicon,
        given_share=_shares(person.given for person in people),
        surname_share=_shares(person.surname for person in people),
        place_share=_shares(person.rest for person in people),
    )


def _shares(words: Iterable[str]) -> dict[str, float]:
    counts = Counter(word for word in words if word)
    total = counts.total()
    return {word: count / total for word, count in counts.items()}
