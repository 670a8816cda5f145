"""What Excel did to a cell is undone where it can be."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vouchers.domain.intake.faults import Fault
from vouchers.domain.intake.repair import (
    clean,
    read_date,
    read_meter_number,
    read_postcode,
)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("\u00a0Ann\u00a0 Marie ", "Ann Marie"),
        ("'07700900123", "07700900123"),
        ('="07700900123"', "07700900123"),
        ('"Ann"', "Ann"),
        ("O’Brien", "O'Brien"),
        ("Ann–Marie", "Ann-Marie"),
        ("\ufeffT1\u200b", "T1"),
        ("Flat 1\nHigh St", "Flat 1 High St"),
        ("Zoe\u0308", "Zoë"),
        ("plain", "plain"),
    ],
)
def test_hidden_marks_are_taken_off(cell: str, text: str) -> None:
    """Blanks that cannot be seen, quotes Excel adds, dashes Word makes."""
    assert clean(cell) == text


@settings(deadline=None)
@given(st.text(max_size=60))
def test_cleaning_twice_finds_nothing_more_to_strip(text: str) -> None:
    """A cleaned cell has neither blanks at its ends nor doubled ones."""
    cleaned = clean(text)
    assert cleaned == " ".join(cleaned.split())


@settings(deadline=None)
@given(st.dates(min_value=date(1915, 1, 1), max_value=date(2030, 12, 31)))
def test_every_spelling_of_a_date_reads_the_same(day: date) -> None:
    """ISO, British, with a month's name, and as the number Excel keeps."""
    serial = (day - date(1899, 12, 30)) // timedelta(days=1)
    for text in (
        day.isoformat(),
        f"{day:%d/%m/%Y}",
        f"{day.day}.{day.month}.{day.year}",
        f"{day:%d %B %Y}",
        f"{day:%d-%b-%Y}",
        f"{day.isoformat()} 00:00:00",
        str(serial),
        f"{serial}.0",
    ):
        found = read_date(text)
        assert found == day, text


def test_a_bare_year_is_not_taken_for_excels_number() -> None:
    """1980 as a day count would be a day in 1905."""
    assert read_date("1980") is Fault.DATE_UNREADABLE


@settings(deadline=None)
@given(st.text(max_size=24))
def test_any_text_is_a_date_or_a_fault(text: str) -> None:
    """Nothing that is typed makes the reading fail."""
    assert isinstance(read_date(text), date | Fault)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sw1a1aa", "SW1A 1AA"),
        ("M1 1AE", "M1 1AE"),
        ("m1-1ae.", "M1 1AE"),
        ("CF10OAA", "CF10 0AA"),
        ("B33 8TH", "B33 8TH"),
        ("SW1A", Fault.POSTCODE_INCOMPLETE),
        ("12345", Fault.POSTCODE_INVALID),
        ("SW1A 1A", Fault.POSTCODE_INVALID),
    ],
)
def test_postcodes_in_their_normal_form(text: str, found: str | Fault) -> None:
    """Case, blanks and the letter O for a zero are mended."""
    assert read_postcode(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("12 3456 7890 123", "1234567890123"),
        ("S00 111 222 12 3456 7890 123", "1234567890123"),
        ("001112221234567890123", "1234567890123"),
        ("7654321", "7654321"),
        ("7654321.0", "7654321"),
        ("1.2E+12", Fault.ROUNDED_NUMBER),
        ("123", Fault.METER_NUMBER_INVALID),
    ],
)
def test_meter_numbers_are_mpans_or_mprns(text: str, found: str | Fault) -> None:
    """The core of a full supply number is its last 13 digits."""
    assert read_meter_number(text) == found
