"""Pairs worth comparing: who shares a key, each pair once, within bounds."""

from __future__ import annotations

import numpy as np

from vouchers.domain.matching.features import Features, read_features
from vouchers.domain.matching.pairing import candidate_pairs, random_pairs
from vouchers.store.residents import shipped_lexicon


def someone(given: str, family: str, born: str = "", postcode: str = "") -> Features:
    """A person of few fields."""
    return read_features(
        {
            "given_name": given,
            "family_name": family,
            "date_of_birth": born,
            "postcode": postcode,
        }
    )


PEOPLE = [
    someone("Sarah", "Patterson", "1985-03-17", "LS6 2AB"),
    someone("Sara", "Paterson", "1985-03-17"),
    someone("Idris", "Okafor", "1950-11-02", "BD1 1AA"),
    someone("Patterson", "Sarah", "1985-03-17", "LS6 2AB"),
]


def pairs(first: int = 0) -> list[tuple[int, int]]:
    """The pairs found among PEOPLE."""
    left, right = candidate_pairs(PEOPLE, shipped_lexicon(), first=first)
    return list(zip(left.tolist(), right.tolist(), strict=True))


def test_people_who_share_a_key_are_paired_once() -> None:
    """However many keys two share, they are one pair; a stranger is in none."""
    assert pairs() == [(0, 1), (0, 3), (1, 3)]


def test_of_a_link_only_pairs_across_the_lists_are_given() -> None:
    """Two records of one list are not compared."""
    assert pairs(first=1) == [(0, 1), (0, 3)]


def test_nobody_and_one_person_have_no_pairs() -> None:
    """Too little to compare is no error."""
    lexicon = shipped_lexicon()
    assert len(candidate_pairs([], lexicon)[0]) == 0
    assert len(candidate_pairs(PEOPLE[:1], lexicon)[0]) == 0


def test_what_all_share_pairs_nobody() -> None:
    """A value that hundreds share says nothing and costs nothing."""
    crowd = [someone("", "", "1985-03-17") for _ in range(500)]
    assert len(candidate_pairs(crowd, shipped_lexicon())[0]) == 0


def test_random_pairs_are_two_people() -> None:
    """Nobody is paired with themselves; of a link each side gives one."""
    rng = np.random.default_rng(1)
    left, right = random_pairs(5, 1_000, rng)
    assert (left != right).all()
    assert set(left.tolist()) | set(right.tolist()) == set(range(5))
    left, right = random_pairs(5, 1_000, rng, first=2)
    assert (left < 2).all()
    assert (right >= 2).all()
