"""Undoes what Excel and people do to cells, and refuses what cannot be undone."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta

from vouchers.domain.intake.faults import Fault

#: Longest text of one cell that we take.
CELL_MAX = 254

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f"))
_ALIKE = {
    **_INVISIBLE,
    **dict.fromkeys(map(ord, "‘’‚′`´"), "'"),
    **dict.fromkeys(map(ord, "“”„″"), '"'),
    **dict.fromkeys(map(ord, "‐‑‒–—−"), "-"),
}
_AS_TEXT = re.compile(r'="([^"=]*)"')
_ERRORS = re.compile(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!|#+)", re.I)
_ROUNDED = re.compile(r"\d+(?:[.,]\d+)?E\+\d+", re.I)
_WHOLE = re.compile(r"(\d+)\.0+")
_PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ./@+,:_-]*[A-Za-z0-9.])?")


def clean(text: str) -> str:
    """The cell as a person meant it: no hidden quotes, odd blanks or smart dashes."""
    if _PLAIN.fullmatch(text) and "  " not in text:
        return text
    text = unicodedata.normalize("NFC", text).translate(_ALIKE).strip()
    told = _AS_TEXT.fullmatch(text)
    if told:
        text = told[1]
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    # Excel's own mark for "this is text" sometimes survives an export.
    text = text.removeprefix("'")
    return " ".join(text.split())


def cell_fault(text: str) -> Fault | None:
    """What makes a cleaned cell unusable whatever its column, or None."""
    if not text:
        return None
    if len(text) > CELL_MAX:
        return Fault.CELL_TOO_LONG
    if text[0] == "=":
        return Fault.FORMULA_CELL
    if text[0] == "#" and _ERRORS.fullmatch(text):
        return Fault.EXCEL_ERROR
    if not text.isprintable() or "\ufffd" in text:
        return Fault.BAD_CHARACTER
    return None


def is_rounded(text: str) -> bool:
    """Whether Excel has written a long number as 7.7E+09, losing its last digits."""
    return _ROUNDED.fullmatch(text) is not None


def whole(text: str) -> str:
    """A number that came through a spreadsheet, without its ".0"."""
    found = _WHOLE.fullmatch(text)
    return found[1] if found else text


# ---------------------------------------------------------------- dates

_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ][0:.Z+]*)?")
_DAY_FIRST = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})(?: [0:]+)?")
_NAMED = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th)?[-/. ]*([A-Za-z]{3,9})\.?[-/., ]*(\d{4})"
)
_SHORT_YEAR = re.compile(r"\d{1,2}[-/. ](?:\d{1,2}|[A-Za-z]{3,9})[-/. ]\d{2}")
_MONTH_NAMES = "janfebmaraprmayjunjulaugsepoctnovdec"
_MONTHS = {_MONTH_NAMES[at : at + 3]: at // 3 + 1 for at in range(0, 36, 3)}
#: Excel counts days from here (its 1900 was taken for a leap year).
_EXCEL_ZERO = date(1899, 12, 30)


def is_month_first(text: str) -> bool:
    """Whether a date can only be meant with its month first, as 12/31/1980."""
    found = _DAY_FIRST.fullmatch(text)
    return bool(found and int(found[1]) <= 12 < int(found[2]) <= 31)


def is_date_number(text: str) -> bool:
    """Whether a date has become the number that Excel keeps it as."""
    if len(text) not in (4, 5) or not (text.isascii() and text.isdigit()):
        return False
    # A bare year would be a day in 1905.
    return int(text) > 2_100


def read_date(text: str, *, month_first: bool = False) -> date | Fault:
    """A date as written in the UK, or why it cannot be read without guessing.

    `month_first` says that the file has American dates, so 03/04/1980 could be either.
    """
    text = whole(text)
    if is_date_number(text):
        return _EXCEL_ZERO + timedelta(days=int(text))
    iso = _ISO.fullmatch(text)
    if iso:
        return _date(int(iso[1]), int(iso[2]), int(iso[3]))
    named = _NAMED.fullmatch(text)
    if named:
        month = _MONTHS.get(named[2][:3].lower(), 0)
        return _date(int(named[3]), month, int(named[1]))
    if is_month_first(text):
        return Fault.DATE_MONTH_FIRST
    uk = _DAY_FIRST.fullmatch(text)
    if uk:
        day, month = int(uk[1]), int(uk[2])
        if month_first and day <= 12 and day != month:
            return Fault.DATE_AMBIGUOUS
        return _date(int(uk[3]), month, day)
    return (
        Fault.DATE_SHORT_YEAR if _SHORT_YEAR.fullmatch(text) else Fault.DATE_UNREADABLE
    )


def _date(year: int, month: int, day: int) -> date | Fault:
    try:
        return date(year, month, day)
    except ValueError:
        return Fault.DATE_UNREADABLE


# ---------------------------------------------------------------- postcodes, numbers

_POSTCODE = re.compile(
    r"(GIR|[A-PR-UWYZ][A-HK-Y]?[0-9][0-9A-HJKMNP-Y]?)([0-9][A-Z]{2})"
)
_OUTCODE = re.compile(r"[A-PR-UWYZ][A-HK-Y]?[0-9][0-9A-Y]?")


def read_postcode(text: str) -> str | Fault:
    """A full postcode in its normal form, "SW1A 1AA"."""
    folded = "".join(text.upper().replace(".", "").replace("-", "").split())
    # The letter O is often typed for the zero that starts the second half.
    if len(folded) > 4 and folded[-3] == "O":
        folded = f"{folded[:-3]}0{folded[-2:]}"
    found = _POSTCODE.fullmatch(folded)
    if found:
        return f"{found[1]} {found[2]}"
    if _OUTCODE.fullmatch(folded):
        return Fault.POSTCODE_INCOMPLETE
    return Fault.POSTCODE_INVALID


def read_meter_number(text: str) -> str | Fault:
    """Digits of an MPAN (the core of 13) or an MPRN."""
    if is_rounded(text):
        return Fault.ROUNDED_NUMBER
    digits = re.sub(r"[ /-]", "", whole(text)).upper().removeprefix("S")
    if not (digits.isascii() and digits.isdigit()):
        return Fault.METER_NUMBER_INVALID
    if len(digits) == 21:
        # The whole supply number of a bill: its last 13 digits are the core.
        return digits[-13:]
    # 11 digits: MPRNs of Northern Ireland.
    if len(digits) == 13 or 6 <= len(digits) <= 11:
        return digits
    return Fault.METER_NUMBER_INVALID


def read_uprn(text: str) -> str | Fault:
    """Digits of a unique property reference number."""
    if is_rounded(text):
        return Fault.ROUNDED_NUMBER
    digits = whole(text).replace(" ", "").lstrip("0")
    if digits.isascii() and digits.isdigit() and len(digits) <= 12:
        return digits
    return Fault.UPRN_INVALID
