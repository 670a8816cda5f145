"""What the bounds of matching leave out is said in words."""

from __future__ import annotations

import pytest

from vouchers.domain.matching.bounds import (
    KIND_WORDS,
    bound_details,
    kind_of,
    kind_words,
)
from vouchers.domain.matching.keys import PROTECTED, KeyKind


@pytest.mark.parametrize("kind", list(KeyKind))
def test_every_kind_of_key_has_words(kind: KeyKind) -> None:
    """A kind that is added later must be named, protected or not."""
    assert KIND_WORDS[kind] == kind_words(kind) == kind_words(kind + PROTECTED)


def test_a_kind_of_another_version_is_only_another_key() -> None:
    """A number that this version does not know is no fault of the reader's."""
    assert kind_of(31) is None
    assert kind_words(31) == "another key"


def test_a_row_that_was_bounded_says_so() -> None:
    """Which key said nothing, and how many residents were not compared."""
    assert bound_details({"crowded": [5], "cut": 7}) == [
        "Not looked up by mobile: more than 400 residents share it.",
        "7 more residents share a key; only the 60 that share most were compared.",
    ]


def test_a_row_within_the_bounds_says_nothing() -> None:
    """Most rows meet no bound."""
    assert bound_details({"model": "1"}) == []
