"""Gathers what can be compared of one person's row, as it is kept of residents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from operator import mul
from typing import NamedTuple

from vouchers.domain.matching.addresses import (
    is_street,
    read_address,
    read_postcode,
)
from vouchers.domain.matching.names import read_name

#: Version of the reading rules; kept features of another version are read anew.
VERSION = 2

#: Dates that forms and spreadsheets put in where nobody knew (MATCHING: 'and kin').
PLACEHOLDER_BIRTHS = frozenset(
    {
        date(1900, 1, 1), date(1901, 1, 1), date(1899, 12, 30), date(1899, 12, 31),
        date(1904, 1, 1), date(1970, 1, 1), date(2000, 1, 1), date(1111, 11, 11),
        date(1911, 11, 11),
    }
)  # fmt: skip
_EARLIEST_BIRTH = date(1902, 1, 1)
#: Boxes that nobody, or a whole office, reads.
_NOBODYS_BOX = frozenset(
    {
        "", "none", "na", "noemail", "no", "test", "unknown", "noreply", "no-reply",
        "info", "admin", "office", "enquiries", "contact", "hello", "support",
        "reception", "mail",
    }
)  # fmt: skip
_INTERNATIONAL = re.compile(r"\+44[1-9][0-9]{9}")
_NO_METER = re.compile(r"[^a-z0-9]")
_NO_DIGIT = re.compile(r"[^0-9]")
_MPAN_WEIGHTS = (3, 5, 7, 13, 17, 19, 23, 29, 31, 37, 41, 43)


class Features(NamedTuple):
    """One person's comparable fields; an empty text (or 0) means 'not known'."""

    given: str
    others: str
    surname: str
    suffix: str
    born: int
    flat: str
    number: str
    rest: str
    postcode: str
    uprn: str
    mobile: str
    email: str
    meter: str

    @property
    def outcode(self) -> str:
        """First half of the postcode."""
        return self.postcode.partition(" ")[0]

    @property
    def dwelling(self) -> str:
        """The home as one text: UPRN, else postcode, flat and number; '' if unknown."""
        if self.uprn:
            return f"u{self.uprn}"
        if not self.postcode or not (self.number or self.rest):
            return ""
        return f"{self.postcode}|{self.flat}|{self.number or self.rest}"

    @property
    def building(self) -> str:
        """The building of a home that is one of many in it, as one text; or ''.

        Who lists a hostel as communal does not list each of its rooms.
        """
        if not self.postcode:
            return ""
        if self.flat:
            return f"{self.postcode}||{self.number or self.rest}"
        if self.number and self.rest and not is_street(self.rest):
            return f"{self.postcode}||{self.rest}"
        return ""


#: Fields of a row that describe a person, as a row and a sealed identity name them.
FIELDS = (
    "given_name", "family_name", "date_of_birth", "address_line_1", "address_line_2",
    "postcode", "uprn", "mobile", "email", "meter_number",
)  # fmt: skip


def read_features(row: Mapping[str, str]) -> Features:
    """Read one person's fields (texts, '' where blank) into comparable form."""
    name = read_name(row.get("given_name", ""), row.get("family_name", ""))
    home = read_address(row.get("address_line_1", ""), row.get("address_line_2", ""))
    return Features(
        *name,
        read_birth(row.get("date_of_birth", "")),
        *home,
        read_postcode(row.get("postcode", "")),
        _read_uprn(row.get("uprn", "")),
        read_phone(row.get("mobile", "")),
        read_email(row.get("email", "")),
        read_meter(row.get("meter_number", "")),
    )


def read_birth(text: str) -> int:
    """A date (ISO) as the number yyyymmdd; 0 if missing or a placeholder."""
    try:
        born = date.fromisoformat(text.strip())
    except ValueError:
        return 0
    if born < _EARLIEST_BIRTH or born in PLACEHOLDER_BIRTHS:
        return 0
    return born.year * 10000 + born.month * 100 + born.day


def _read_uprn(text: str) -> str:
    """A property's number without spaces and leading zeros."""
    return re.sub(r"[^0-9]", "", text).lstrip("0") if text else ""


def read_phone(text: str) -> str:
    """A phone number in international digits; '' if it is no number at all."""
    if _INTERNATIONAL.fullmatch(text):
        digits = text[1:]
    else:
        digits = _NO_DIGIT.sub("", text)
        if digits.startswith("00"):
            digits = digits[2:]
        elif digits.startswith("0"):
            digits = f"44{digits[1:]}"
        elif digits.startswith("7") and len(digits) == 10:
            # A spreadsheet took it for a number and dropped the 0.
            digits = f"44{digits}"
        if digits.startswith("440"):
            # +44 (0) 7700 ...
            digits = f"44{digits[3:]}"
    return digits if len(digits) >= 9 and len(set(digits[2:])) > 1 else ""


def read_email(text: str) -> str:
    """An address in lower case, without the part after + that reaches the same box."""
    if "@" not in text:
        return ""
    box, _, host = text.strip().casefold().partition("@")
    box = box.partition("+")[0]
    if host in ("gmail.com", "googlemail.com"):
        # One box, whatever dots are in its name.
        box, host = box.replace(".", ""), "gmail.com"
    return "" if box in _NOBODYS_BOX or not host else f"{box}@{host}"


def read_meter(text: str) -> str:
    """A meter's number; '' if its check digit fails, for then it may be anyone's."""
    if not text:
        return ""
    packed = text if text.isdigit() else _NO_METER.sub("", text.casefold())
    if not packed.isascii() or len(packed) < 6 or len(set(packed)) < 3:
        return ""
    if packed.isdigit() and len(packed) == 21:
        packed = packed[-13:]
    if packed.isdigit() and len(packed) == 13:
        return packed if _mpan_holds(packed) else ""
    return packed


def _mpan_holds(core: str) -> bool:
    """Check digit of an electricity meter point's 13 digits."""
    total: int = sum(map(mul, map(int, core[:12]), _MPAN_WEIGHTS))
    return total % 11 % 10 == int(core[12])
