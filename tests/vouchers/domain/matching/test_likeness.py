"""Likeness of names: slips and forms of one name, and the names of twins."""

from __future__ import annotations

from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vouchers.domain.matching.features import Features, read_features
from vouchers.domain.matching.likeness import (
    given_level,
    is_reordered,
    surname_level,
    words_level,
)
from vouchers.domain.matching.names import parse_lexicon

LEXICON = parse_lexicon(
    (files("vouchers.domain.matching") / "names.toml").read_text(encoding="utf-8")
)
words = st.text("abcdehiklmnorstuy", min_size=1, max_size=9)


def named(given_name: str, family_name: str = "Fox") -> Features:
    """Somebody of this name."""
    return read_features({"given_name": given_name, "family_name": family_name})


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        ("Katarzyna", "Kasia", "equivalent"), ("Xiao Ming", "Xiaoming", "equivalent"),
        ("Abdul Rahman", "Abdurrehman", "equivalent"), ("Robert", "Bobert", "close"),
        ("Oluwaseun", "Seun", "equivalent"), ("Anna Maria", "Maria", "shared"),
        ("Anna Maria", "Anna Luisa", "middle"), ("Anna", "A", "initial"),
        ("Jayden", "Hayden", "rhyme"), ("Samir", "Samira", "rhyme"),
        ("Mohammed Bilal", "Bilal", "same"), ("Olivia", "Harry", "different"),
        ("Mohammed Bilal", "Mohammed Imran", "different"),
        ("Abdul Karim", "Abdul Malik", "different"),
    ],
)  # fmt: skip
def test_given_names_agree_as_far_as_they_do(a: str, b: str, level: str) -> None:
    """Forms, slips, middle names, initials, and what only sounds alike."""
    assert given_level(LEXICON, named(a), named(b)) == level
    assert given_level(LEXICON, named(b), named(a)) == level


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        ("Hussain", "Hussein", "variant"), ("Kowalska", "Kowalski", "variant"),
        ("Al-Masri", "El Masry", "variant"), ("Taylor-Reed", "Reed Taylor", "variant"),
        ("O'Brien", "Brien", "variant"), ("Barnes", "Harnes", "close"),
        ("Taylor-Reed", "Taylor", "part"), ("TaylorReed", "Reed", "part"),
        ("da Silva Santos", "Silva", "part"), ("Kaur", "Gill", ""),
        ("Walsh", "Brennan", "different"),
    ],
)  # fmt: skip
def test_surnames_agree_as_far_as_they_do(a: str, b: str, level: str) -> None:
    """Spellings, women's endings, articles, halves; Kaur says nothing of a family."""
    ours, theirs = named("Anna", a).surname, named("Anna", b).surname
    assert surname_level(LEXICON, ours, theirs) == level
    assert surname_level(LEXICON, theirs, ours) == level


def test_fathers_names_in_another_order_are_noticed() -> None:
    """Hassan Mohamed may be a cousin of Mohamed Hassan; a column moved is no order."""
    abdi = named("Abdi", "Mohamed Hassan")
    assert is_reordered(LEXICON, abdi, named("Abdi", "Hassan Mohamed"))
    assert not is_reordered(LEXICON, abdi, named("Abdi Mohamed", "Hassan"))
    assert not is_reordered(LEXICON, abdi, named("Mohamed Hassan", "Abdi"))
    assert not is_reordered(
        LEXICON, named("Anna", "Taylor-Reed"), named("Anna", "Reed-Taylor")
    )


@given(words, words)
def test_likeness_does_not_depend_on_the_order(a: str, b: str) -> None:
    """Any two words are as like as the same two the other way round."""
    if a != b:
        assert words_level(LEXICON, a, b) == words_level(LEXICON, b, a)
        assert surname_level(LEXICON, a, b) == surname_level(LEXICON, b, a)
