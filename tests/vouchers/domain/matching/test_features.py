"""Features and keys: any row can be read, and the same person gets the same keys."""

from __future__ import annotations

import string
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vouchers.domain.matching.features import (
    FIELDS,
    read_birth,
    read_email,
    read_features,
    read_meter,
    read_phone,
)
from vouchers.domain.matching.keys import KeyKind, dwelling_key, match_keys
from vouchers.domain.matching.names import parse_lexicon

LEXICON = parse_lexicon(
    (files("vouchers.domain.matching") / "names.toml").read_text(encoding="utf-8")
)
ROW = {
    "given_name": "Sarah", "family_name": "Patterson", "date_of_birth": "1985-03-17",
    "address_line_1": "14 Mill Lane", "postcode": "LS6 2AB", "mobile": "07700 900001",
}  # fmt: skip
rows = st.fixed_dictionaries({name: st.text(max_size=30) for name in FIELDS})


@given(rows)
def test_any_row_is_read_and_keyed(row: dict[str, str]) -> None:
    """Nothing that a partner can type makes reading or keying fail."""
    features = read_features(row)
    keys = match_keys(features, LEXICON)
    assert len(keys) == len({kind for kind, _ in keys})
    assert all(text for _, text in keys)
    assert match_keys(read_features(row), LEXICON) == keys


@given(st.sampled_from(string.punctuation + "  "), st.booleans())
def test_case_and_punctuation_do_not_change_the_keys(mark: str, upper: bool) -> None:
    """A row in capitals, or with stray marks around its names, has the same keys."""
    other = dict(ROW, family_name=f"{ROW['family_name']}{mark}")
    if upper:
        other = {name: value.upper() for name, value in other.items()}
    assert match_keys(read_features(other), LEXICON) == match_keys(
        read_features(ROW), LEXICON
    )


def test_every_kind_of_key_comes_from_a_full_row() -> None:
    """A row with everything is found under each kind."""
    row = ROW | {"email": "Sarah+fuel@example.org", "meter_number": "1200023305967"}
    kinds = {kind for kind, _ in match_keys(read_features(row), LEXICON)}
    assert kinds == set(KeyKind)


def test_swapped_day_and_month_share_a_key() -> None:
    """7 March and 3 July meet under the birth keys."""
    a = dict(match_keys(read_features(ROW | {"date_of_birth": "1985-03-07"}), LEXICON))
    b = dict(match_keys(read_features(ROW | {"date_of_birth": "1985-07-03"}), LEXICON))
    assert a[KeyKind.BIRTH_SURNAME] == b[KeyKind.BIRTH_SURNAME]


def test_a_uprn_replaces_the_address() -> None:
    """Two ways to write one home meet under its UPRN."""
    a = read_features(ROW | {"uprn": "010000000123"})
    b = read_features(ROW | {"uprn": "10000000123", "address_line_1": "The Old Mill"})
    assert dwelling_key(a) == dwelling_key(b) == (KeyKind.DWELLING, "u10000000123")


@pytest.mark.parametrize(
    ("address", "building"),
    [("Room 2, 14 Mill Lane", "LS6 2AB||14"), ("14 Mill Lane", ""),
     ("Flat 3, Elm Lodge", "LS6 2AB||elm lodge"),
     ("Room 3, Elm Lodge", "LS6 2AB||elm lodge")],
)  # fmt: skip
def test_a_unit_has_a_building(address: str, building: str) -> None:
    """Rooms and flats belong to a building that may be listed; a house is its own."""
    assert read_features(ROW | {"address_line_1": address}).building == building


@pytest.mark.parametrize(
    ("text", "read"),
    [(" Sarah.P+fuel@Example.org", "sarah.p@example.org"), ("info@example.org", ""),
     ("a.b@googlemail.com", "ab@gmail.com"), ("sarah", ""), ("@example.org", "")],
)  # fmt: skip
def test_an_e_mail_is_a_box(text: str, read: str) -> None:
    """One box is one text; nobody's box, and an office's, is none."""
    assert read_email(text) == read


@pytest.mark.parametrize(
    "text", ["1900-01-01", "1970-01-01", "1899-12-30", "", "1985-02-30", "soon"]
)
def test_placeholders_are_no_birth_dates(text: str) -> None:
    """Dates that stand for 'nobody knew' are missing."""
    assert read_birth(text) == 0


@pytest.mark.parametrize(
    ("text", "read"),
    [("1200023305967", "1200023305967"), ("1200023305968", ""),
     ("00 111 222 1200023305967", "1200023305967"), ("E10BG12345", "e10bg12345"),
     ("0000000", ""), ("12", "")],
)  # fmt: skip
def test_a_meter_with_a_wrong_check_digit_is_no_key(text: str, read: str) -> None:
    """Thirteen digits are a meter point only if their check digit holds."""
    assert read_meter(text) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [("+44 7700 900001", "447700900001"), ("07700900001", "447700900001"),
     ("0044 7700 900001", "447700900001"), ("7700900001", "447700900001"),
     ("+44 (0)7700 900001", "447700900001"), ("00000000000", ""), ("n/a", "")],
)  # fmt: skip
def test_phones_are_read_internationally(text: str, read: str) -> None:
    """The same phone is the same digits however it is written."""
    assert read_phone(text) == read
