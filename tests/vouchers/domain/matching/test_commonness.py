"""Shares of names as they are among given people."""

from __future__ import annotations

from vouchers.domain.matching.commonness import counted
from vouchers.domain.matching.features import read_features
from vouchers.store.residents import shipped_lexicon


def test_shares_are_those_of_the_people_given() -> None:
    """Unknown names do not count; equivalents of the tables stay."""
    people = [
        read_features({"given_name": given, "family_name": family})
        for given, family in (("Ana", "Fox"), ("Ana", ""), ("Bo", "Fox"), ("", "Ash"))
    ]
    found = counted(shipped_lexicon(), people)
    assert found.given_share == {"ana": 2 / 3, "bo": 1 / 3}
    assert found.surname_share == {"fox": 2 / 3, "ash": 1 / 3}
    assert found.place_share == {}
    assert found.groups == shipped_lexicon().groups
