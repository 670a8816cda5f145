"""Addresses: flat, number, street in any order; postcodes as they were meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vouchers.domain.matching.addresses import (
    Dwelling,
    read_address,
    read_postcode,
)


@pytest.mark.parametrize(
    ("lines", "read"),
    [
        (("14 Mill Lane",), Dwelling("", "14", "mill lane")),
        (("21a York Rd",), Dwelling("a", "21", "york road")),
        (("21 A York Road",), Dwelling("a", "21", "york road")),
        (("Flat A, 21 York Road",), Dwelling("a", "21", "york road")),
        (("21 York Road", "Flat A"), Dwelling("a", "21", "york road")),
        (("12/3 Leith Walk",), Dwelling("3", "12", "leith walk")),
        (("Flat 2/1", "12 High St"), Dwelling("2/1", "12", "high street")),
        (("2/1, 12 High St",), Dwelling("2/1", "12", "high street")),
        (("Flat 02, 007 Bond Street",), Dwelling("2", "7", "bond street")),
        (("12-14 Kirk Close",), Dwelling("", "12-14", "kirk close")),
        (("Top Floor Flat, 9 Hill Ct",), Dwelling("top", "9", "hill court")),
        (("1st floor flat 9 Hill Court",), Dwelling("first", "9", "hill court")),
        (("Rose Cottage", "Mill Lane"), Dwelling("", "", "rose cottage mill lane")),
        (("12 High St 2/1",), Dwelling("2/1", "12", "high street")),
        (("12 (1F2) Leith Walk",), Dwelling("1f2", "12", "leith walk")),
        (("Flat G/1, 12 High St",), Dwelling("0/1", "12", "high street")),
        (("Flat 12, York Court",), Dwelling("", "12", "york court")),
        (("#12 York Court",), Dwelling("", "12", "york court")),
        (("Room 4, Elm Lodge",), Dwelling("4", "", "elm lodge")),
        (
            ("3 The Maltings, 14 Mill Lane",),
            Dwelling("3", "14", "the maltings mill lane"),
        ),
        (("9 Hill Court, top flat",), Dwelling("top", "9", "hill court")),
        (("No. 14 Mill Lane",), Dwelling("", "14", "mill lane")),
        (("14 Mill Lane", "Otley"), Dwelling("", "14", "mill lane otley")),
        (("", ""), Dwelling("", "", "")),
    ],
)
def test_an_address_is_read(lines: tuple[str, ...], read: Dwelling) -> None:
    """Units are found in front, behind, with a letter or a slash."""
    assert read_address(*lines) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("ls6 2ab", "LS6 2AB"), ("BN1O 7AA", "BN10 7AA"), ("S015 2AB", "SO15 2AB"),
        ("SWIA 1AA", "SW1A 1AA"), ("M1 IAA", "M1 1AA"), ("M1 1A0", "M1 1AO"),
        ("0X1 1AA", "OX1 1AA"), ("EC1A1BB", "EC1A 1BB"), ("nonsense", ""),
        ("12345", ""), ("BN1S 7AA", "BN15 7AA"), ("88 3AA", "B8 3AA"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_postcode_is_repaired(text: str, read: str) -> None:
    """O and 0, I and 1 are put where a postcode has letters and digits."""
    assert read_postcode(text) == read


@given(st.text(max_size=80), st.text(max_size=40))
def test_reading_an_address_never_fails(line: str, more: str) -> None:
    """Whatever is typed, three texts come out."""
    assert all(isinstance(part, str) for part in read_address(line, more))


@given(st.text(max_size=12))
def test_reading_a_postcode_settles(text: str) -> None:
    """A postcode that was read is read as itself."""
    read = read_postcode(text)
    assert read_postcode(read) == read
