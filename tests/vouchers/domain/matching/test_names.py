"""Names: what people write in many ways is read as one."""

from __future__ import annotations

from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vouchers.domain.matching.names import (
    Name,
    fold,
    parse_lexicon,
    read_name,
    soundex,
)

LEXICON = parse_lexicon(
    (files("vouchers.domain.matching") / "names.toml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(
    ("given_name", "family_name", "read"),
    [
        ("Siân", "Rees", Name("sian", "", "rees", "")),
        ("Mrs. Anne-Marie", "O’Brien", Name("anne", "marie", "obrien", "")),
        ("ŁUKASZ", "Wiśniewski", Name("lukasz", "", "wisniewski", "")),
        ("Simran Kaur", "Gill", Name("simran", "", "gill", "")),
        ("Harpreet", "Kaur", Name("harpreet", "", "kaur", "")),
        ("Huda", "Al-Masri", Name("huda", "", "masri", "")),
        ("Rhys", "ap Rhys", Name("rhys", "", "rhys", "")),
        ("Flora", "Mac Donald", Name("flora", "", "macdonald", "")),
        ("John", "Murray Jnr.", Name("john", "", "murray", "j")),
        ("John Snr", "Murray", Name("john", "", "murray", "s")),
        ("Dr", "Singh", Name("dr", "", "singh", "")),
        ("Jürgen", "Groß", Name("jurgen", "", "gross", "")),
        ("N/A", "Marsh", Name("", "", "marsh", "")),
        ("Baby Girl", "Marsh", Name("", "", "marsh", "")),
        ("The", "Occupier", Name("", "", "", "")),
        ("Mr & Mrs", "Stone", Name("", "", "stone", "")),
        ("Sarah Patterson", "", Name("sarah", "", "patterson", "")),
        ("", "Patterson, Sarah", Name("sarah", "", "patterson", "")),
        ("Sarah Patterson", "Patterson", Name("sarah", "", "patterson", "")),
        ("Mohammed Bilal", "Khan", Name("bilal", "mohammed", "khan", "")),
        ("Abd al-Rahman", "Haddad", Name("abdulrahman", "", "haddad", "")),
        ("Олена", "Шевченко", Name("olena", "", "shevchenko", "")),
        ("SiÃ¢n", "0'Brien", Name("sian", "", "obrien", "")),
        ("J.R.", "Ewing (Mr)", Name("j", "r", "ewing", "")),
        ("Rameshbhai", "Patel", Name("ramesh", "", "patel", "")),
        ("Thi Mai", "Tran", Name("mai", "", "tran", "")),
        ("", "", Name("", "", "", "")),
    ],
)
def test_a_name_is_read(given_name: str, family_name: str, read: Name) -> None:
    """Accents, titles, articles, non-surnames and Snr or Jnr are understood."""
    assert read_name(given_name, family_name) == read


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("mohammed", "md"), ("kasia", "katarzyna"), ("peggy", "margaret"),
        ("bill", "william"), ("gosia", "malgorzata"), ("yusuf", "yousef"),
        ("hussein", "husain"), ("gurpreet", "gary"),
    ],
)  # fmt: skip
def test_forms_of_one_name_are_equivalent(a: str, b: str) -> None:
    """Short forms and spellings in English, Polish, South Asian and Arabic use."""
    assert LEXICON.equivalent(a, b)
    assert LEXICON.equivalent(b, a)


@pytest.mark.parametrize(("a", "b"), [("jayden", "hayden"), ("ellie", "millie")])
def test_names_that_only_sound_alike_are_two(a: str, b: str) -> None:
    """Twins are often named alike; both names are known and not equivalent."""
    assert not LEXICON.equivalent(a, b)
    assert {a, b} <= LEXICON.known


@given(st.text(max_size=60))
def test_folding_never_fails_and_settles(text: str) -> None:
    """Any text folds to a to z and blanks, and folding again changes nothing."""
    folded = fold(text)
    assert set(folded) <= set("abcdefghijklmnopqrstuvwxyz ")
    assert fold(folded) == folded


@given(st.text(max_size=40), st.text(max_size=40))
def test_reading_a_name_never_fails(given_name: str, family_name: str) -> None:
    """Whatever is typed, the parts are folded words."""
    read = read_name(given_name, family_name)
    assert all(fold(part) == part for part in read)


@pytest.mark.parametrize(
    ("word", "code"),
    [("robert", "r163"), ("rupert", "r163"), ("ashcraft", "a261"), ("tymczak", "t522"),
     ("pfister", "p236"), ("lee", "l000"), ("", "")],
)  # fmt: skip
def test_soundex_is_the_american_one(word: str, code: str) -> None:
    """The published examples hold."""
    assert soundex(word) == code
