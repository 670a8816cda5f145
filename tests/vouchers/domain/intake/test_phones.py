"""Only UK mobiles get codes; every other number comes back with the reason."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vouchers.domain.intake.faults import Fault
from vouchers.domain.intake.phones import Mobile, read_mobile


@pytest.mark.parametrize(
    "text",
    [
        "07700900123",
        "07700 900 123",
        "+447700900123",
        "+44 (0)7700 900123",
        "00447700900123",
        "447700900123",
        "7700900123",
        "7700900123.0",
        "(0)7700-900-123",
        "0+447700900123".replace("0+", "+"),
    ],
)
def test_one_mobile_in_all_its_spellings(text: str) -> None:
    """The fictional range is accepted as the mobile it stands for."""
    found = read_mobile(text)
    assert isinstance(found, Mobile)
    assert found.number == "+447700900123"


def test_the_zero_that_excel_dropped_is_put_back_and_said() -> None:
    """Ten digits that start with 7 are a mobile that went through a spreadsheet."""
    assert read_mobile("7700900123") == Mobile("+447700900123", zero_restored=True)
    assert read_mobile("07700900123") == Mobile("+447700900123")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("020 7946 0000", Fault.MOBILE_LANDLINE),
        ("0117 496 0000", Fault.MOBILE_LANDLINE),
        ("0300 123 4567", Fault.MOBILE_LANDLINE),
        ("070 1234 5678", Fault.MOBILE_PERSONAL),
        ("+447012345678", Fault.MOBILE_PERSONAL),
        ("07612345678", Fault.MOBILE_PAGER),
        ("+33612345678", Fault.MOBILE_FOREIGN),
        ("0033612345678", Fault.MOBILE_FOREIGN),
        ("+353871234567", Fault.MOBILE_FOREIGN),
        ("07624 123456", Fault.MOBILE_CROWN_DEPENDENCY),
        ("07781 123456", Fault.MOBILE_CROWN_DEPENDENCY),
        ("07797 123456", Fault.MOBILE_CROWN_DEPENDENCY),
        ("077009001", Fault.MOBILE_TOO_SHORT),
        ("0770090012", Fault.MOBILE_TOO_SHORT),
        ("077009001234", Fault.MOBILE_TOO_LONG),
        ("O7700900123", Fault.MOBILE_NOT_DIGITS),
        ("ask her", Fault.MOBILE_NOT_DIGITS),
        ("07700900123 / 07700900124", Fault.MOBILE_TWO_NUMBERS),
        ("7.7E+09", Fault.ROUNDED_NUMBER),
        ("0800 123 4567", Fault.MOBILE_INVALID),
    ],
)
def test_what_is_no_uk_mobile_is_named(text: str, fault: Fault) -> None:
    """Some carriers read texts aloud to landlines: such numbers never get a code."""
    assert read_mobile(text) is fault


@settings(deadline=None)
@given(st.integers(min_value=7_000_000_000, max_value=7_999_999_999))
def test_the_fast_path_agrees_with_the_numbering_plan(number: int) -> None:
    """A number passed without look-up is one that the full plan calls a UK mobile."""
    text = f"0{number}"
    found = read_mobile(text)
    parsed = phonenumbers.parse(text, "GB")
    kind = phonenumbers.number_type(parsed)
    region = phonenumbers.region_code_for_number(parsed)
    if text.startswith("07700900"):
        assert isinstance(found, Mobile)
    elif isinstance(found, Mobile):
        assert region in ("GB", None)
        assert kind != phonenumbers.PhoneNumberType.PERSONAL_NUMBER
    else:
        assert (kind, region) != (phonenumbers.PhoneNumberType.MOBILE, "GB")


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_a_mobile_or_a_fault(text: str) -> None:
    """Nothing that is typed makes the reading fail."""
    found = read_mobile(text)
    assert isinstance(found, Fault) or found.number.startswith("+447")
