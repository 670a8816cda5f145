"""Columns are found by any usual name in any order; what is wrong is named."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.partner_files import HEADER
from vouchers.domain.intake.columns import (
    RESULT_COLUMNS,
    Field,
    letters,
    match_header,
    recognise,
)
from vouchers.errors import BadFile


def refused(header: list[str]) -> BadFile:
    """The refusal of a header."""
    with pytest.raises(BadFile) as caught:
        match_header(header)
    return caught.value


@pytest.mark.parametrize(
    ("heading", "known"),
    [
        ("Tenancy Ref", Field.REFERENCE),
        ("FIRST_NAME", Field.GIVEN_NAME),
        ("\ufeffsurname", Field.FAMILY_NAME),
        ("D.O.B.", Field.DATE_OF_BIRTH),
        ("Post-Code", Field.POSTCODE),
        (" Mobile  Number ", Field.MOBILE),
        ("Children under 5", Field.CHILDREN_UNDER_5),
        ("MPAN", Field.METER_NUMBER),
        ("Favourite colour", None),
    ],
)
def test_headings_are_known_by_many_names(heading: str, known: Field | None) -> None:
    """Case, blanks, dashes and underscores play no part."""
    assert recognise(heading) is known


@settings(deadline=None)
@given(st.randoms())
def test_order_plays_no_part(shuffler: random.Random) -> None:
    """Any order of the columns gives each field its place."""
    header = list(HEADER)
    shuffler.shuffle(header)
    layout = match_header(header)
    assert all(header[place] == known for known, place in layout.index.items())


def test_missing_columns_are_all_named() -> None:
    """The refusal lists what is missing and what could not be placed."""
    bad = refused(["reference", "name", "dob", "colour"])
    assert bad.code == "missing_column"
    assert "given_name, family_name, address_line_1" in str(bad)
    assert "off_supply (or days_left)" in str(bad)
    assert "Split the name" in str(bad)


def test_one_of_off_supply_and_days_left_is_enough() -> None:
    """Either tells how urgent it is."""
    for absent in ("off_supply", "days_left"):
        assert match_header([name for name in HEADER if name != absent])


def test_a_column_twice_is_refused_by_both_its_names() -> None:
    """Two columns that mean one field: the partner says which counts."""
    bad = refused([*HEADER, "Phone"])
    assert bad.code == "repeated_column"
    assert "'mobile' (column M) and 'Phone' (column Q)" in str(bad)


def test_a_slip_in_an_optional_heading_is_not_ignored() -> None:
    """A misspelt safe_contact read as nothing could put somebody in danger."""
    header = [name for name in HEADER if name != "safe_contact"]
    bad = refused([*header, "safe_contct"])
    assert bad.code == "unknown_column"
    assert "Did you mean safe_contact?" in str(bad)


def test_a_foreign_column_is_kept_and_not_read() -> None:
    """Partners' own columns come back to them; we only note them."""
    layout = match_header(["Ward", *HEADER])
    assert layout.unknown == (0,)
    assert layout.index[Field.REFERENCE] == 1


def test_no_header_at_all_is_told_so() -> None:
    """A file that begins with a person's row is refused without repeating it."""
    bad = refused(["T1", "Ann", "Example", "1980-01-01"])
    assert bad.code == "no_header"
    assert "Ann" not in str(bad)


def test_our_own_columns_are_known_when_they_come_back() -> None:
    """A result file can be corrected and handed in."""
    layout = match_header([*HEADER, *RESULT_COLUMNS])
    assert layout.own == tuple(HEADER)
    assert layout.unknown == ()


def test_columns_are_lettered_as_excel_does() -> None:
    """A, Z, AA, AZ, BA."""
    assert [letters(n) for n in (0, 25, 26, 51, 52)] == ["A", "Z", "AA", "AZ", "BA"]


@settings(deadline=None)
@given(st.lists(st.text(max_size=30), max_size=60))
def test_any_header_is_a_layout_or_a_named_refusal(header: list[str]) -> None:
    """Nothing a first row can hold makes the matching fail."""
    try:
        match_header(header)
    except BadFile as bad:
        assert bad.code
