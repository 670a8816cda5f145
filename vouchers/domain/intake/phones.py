"""Decides whether a number is a UK mobile that may get a code, and why not."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vouchers.domain.intake.faults import Fault
from vouchers.domain.intake.repair import is_rounded, whole

#: Blanks, brackets and dashes that people put between digits.
_BETWEEN = re.compile(r"[\s().\-]")
#: The UK's mobile ranges in national form, without their first 0; others are
#: slow-path: 070 (personal), 076 (pagers), and blocks of the Crown dependencies.
_FAST = re.compile(
    r"7(?!00(?!900)|457|509|524|781|797|829|839|911|924|937)[1-57-9]\d{8}"
)
#: Numbers that Ofcom keeps for drama: phonenumbers calls them invalid; demos use them.
_DRAMA = re.compile(r"7700900\d{3}")
_PREFIXES = ("0044", "44", "0")


@dataclass(frozen=True, slots=True)
class Mobile:
    """A number that may be texted."""

    #: E.164.
    number: str
    #: Excel had dropped the leading zero.
    zero_restored: bool = False


def read_mobile(text: str) -> Mobile | Fault:
    """The UK mobile that a cell holds, or what is wrong with it."""
    if is_rounded(text):
        return Fault.ROUNDED_NUMBER
    if re.search(r"\d\s*(?:[/;,&]|\bor\b|\band\b)\s*[+(]?\d", text):
        return Fault.MOBILE_TWO_NUMBERS
    digits = _BETWEEN.sub("", whole(text))
    plus = digits.startswith("+")
    digits = digits.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        return Fault.MOBILE_NOT_DIGITS
    if plus and not digits.startswith(("44", "0")):
        return Fault.MOBILE_FOREIGN
    if digits.startswith("00") and not digits.startswith("0044"):
        return Fault.MOBILE_FOREIGN if len(digits) > 11 else Fault.MOBILE_INVALID
    national = _national(digits)
    restored = len(digits) == 10 and digits[0] == "7"
    if _FAST.fullmatch(national) or _DRAMA.fullmatch(national):
        return Mobile(f"+44{national}", zero_restored=restored)
    return _slow(national, restored=restored)


def _national(digits: str) -> str:
    """Digits after the country code and the trunk zero, however both were written."""
    for prefix in _PREFIXES:
        # "44" is a country code only before a whole number: 44xxxx may be local.
        if digits.startswith(prefix) and (prefix == "0" or len(digits) > 11):
            digits = digits.removeprefix(prefix)
            break
    return digits.removeprefix("0")


def _slow(national: str, *, restored: bool) -> Mobile | Fault:
    first = national[:1]
    if first in ("1", "2", "3"):
        return Fault.MOBILE_LANDLINE
    if first != "7":
        return Fault.MOBILE_FOREIGN if len(national) > 10 else Fault.MOBILE_INVALID
    if len(national) != 10:
        return Fault.MOBILE_TOO_SHORT if len(national) < 10 else Fault.MOBILE_TOO_LONG
    if national.startswith("70"):
        return Fault.MOBILE_PERSONAL
    return _by_the_book(national, restored=restored)


def _by_the_book(national: str, *, restored: bool) -> Mobile | Fault:
    # Imported here: its tables take a tenth of a second that most files never need.
    import phonenumbers

    number = phonenumbers.parse(f"+44{national}", "GB")
    region = phonenumbers.region_code_for_number(number)
    if region in ("JE", "GG", "IM"):
        return Fault.MOBILE_CROWN_DEPENDENCY
    if national.startswith("76"):
        return Fault.MOBILE_PAGER
    if phonenumbers.number_type(number) != phonenumbers.PhoneNumberType.MOBILE:
        return Fault.MOBILE_INVALID
    return Mobile(f"+44{national}", zero_restored=restored)
