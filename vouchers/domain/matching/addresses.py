"""Reads addresses: flat, number, street; repairs a postcode's O and I."""

from __future__ import annotations

import re
from typing import NamedTuple

from vouchers.domain.matching.names import fold

_UNIT = re.compile(
    r"\b(?:flat|flt|apartment|apt|appt|unit|room|rm|studio|bedsit|plot)\s*"
    r"(?:no\s*|number\s*)?(\d+\s*/\s*\d+|\d+[a-z]?|[a-z]\d{0,3})\b"
)
_STOREY = r"(ground|basement|garden|first|second|third|top|1st|2nd|3rd|upper|lower)"
_FLOOR_FLAT = re.compile(rf"\b{_STOREY}(?:\s+floor)?\s+(?:flat|apartment)\b")
_FLOOR = re.compile(rf"\b{_STOREY}\s+floor\b")
_FLOORS = {"1st": "first", "2nd": "second", "3rd": "third"}
_SCOTTISH = re.compile(r"^(\d+\s*/\s*\d+)\s*,?\s+(\d+)\b")
_SLASH = re.compile(r"\b(\d+)\s*/\s*(\d+[a-z]?|[a-z])\b")
_RANGE = re.compile(r"\b(\d+)\s*-\s*(\d+)\b")
_LETTERED = re.compile(r"\b(\d+)\s?([a-z])\b")
_NUMBER = re.compile(r"\b(\d+)\b")
_STREETS = {
    "st": "street", "str": "street", "rd": "road", "ave": "avenue", "av": "avenue",
    "ln": "lane", "cl": "close", "clo": "close", "dr": "drive", "drv": "drive",
    "ct": "court", "crt": "court", "gdns": "gardens", "gdn": "gardens", "pl": "place",
    "sq": "square", "ter": "terrace", "terr": "terrace", "cres": "crescent",
    "cr": "crescent", "pk": "park", "gr": "grove", "gro": "grove", "hse": "house",
    "wlk": "walk", "wy": "way", "bldg": "building",
    "bldgs": "building", "est": "estate",
}  # fmt: skip
_OUTWARD = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?")


class Dwelling(NamedTuple):
    """An address taken apart: flat within a number within a street."""

    flat: str
    number: str
    rest: str


def read_address(*lines: str) -> Dwelling:
    """Find flat and house number in the lines of an address, whatever the order."""
    text = " ".join(_words(line) for line in lines if line).strip()
    flat, text = _take_flat(text)
    if not flat and (found := _SCOTTISH.match(text)):
        flat, text = found[1].replace(" ", ""), text[found.end(1) :].strip(" ,")
    number = ""
    if found := _SLASH.search(text):
        number, flat = found[1], flat or found[2]
    elif found := _RANGE.search(text):
        number = f"{int(found[1])}-{int(found[2])}"
    elif found := _LETTERED.search(text):
        number, flat = found[1], flat or found[2]
    elif found := _NUMBER.search(text):
        number = found[1]
    if found:
        text = f"{text[: found.start()]} {text[found.end() :]}"
    words = [_STREETS.get(word, word) for word in fold(text).split()]
    return Dwelling(_plain(flat), _plain(number), " ".join(words))


def _words(line: str) -> str:
    """Lower case with only what an address is made of."""
    cleaned = re.sub(r"[^\w/\- ]|_", " ", line.casefold())
    return re.sub(r"\s+", " ", cleaned).strip()


def _take_flat(text: str) -> tuple[str, str]:
    """Cut `flat 2b` or `top floor flat` out of the text."""
    # `Top floor flat, 9 Hill Court` has no flat 9.
    found = _FLOOR_FLAT.search(text) or _UNIT.search(text) or _FLOOR.search(text)
    if found is None:
        return "", text
    unit = found[1].replace(" ", "")
    flat = _FLOORS.get(unit, unit)
    return flat, f"{text[: found.start()]} {text[found.end() :]}".strip()


def _plain(part: str) -> str:
    """`007` and `7` are one door; so are `2 b` and `2b`."""
    return re.sub(r"\b0+(?=\d)", "", part.replace(" ", ""))


def read_postcode(text: str) -> str:
    """Give a postcode in its standard form, O and 0, I and 1 repaired; '' if none."""
    packed = re.sub(r"[^A-Z0-9]", "", text.upper())
    if not 5 <= len(packed) <= 7:
        return ""
    inward = _digit(packed[-3]) + _letter(packed[-2]) + _letter(packed[-1])
    outward = _repair_outward(packed[:-3])
    if not _OUTWARD.fullmatch(outward):
        return ""
    if not (inward[0].isdigit() and inward[1:].isalpha()):
        return ""
    return f"{outward} {inward}"


def _repair_outward(outward: str) -> str:
    """No district begins with 0, and none ends in O or I: so we know what was meant."""
    chars = list(outward)
    chars[0] = _letter(chars[0])
    if len(chars) >= 3 and chars[1] == "0":
        chars[1] = "O"
    if not any(c.isdigit() for c in chars[1:]):
        meant = [i for i in range(1, len(chars)) if chars[i] in "IO"]
        for i in meant[-1:]:
            chars[i] = _digit(chars[i])
    for i in range(1, len(chars)):
        if chars[i - 1].isdigit():
            chars[i] = _digit(chars[i])
    return "".join(chars)


def _digit(char: str) -> str:
    return {"O": "0", "I": "1"}.get(char, char)


def _letter(char: str) -> str:
    return {"0": "O", "1": "I"}.get(char, char)
