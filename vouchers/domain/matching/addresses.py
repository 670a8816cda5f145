"""Reads addresses: flat, number, street; repairs a postcode's O and I."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from vouchers.domain.matching.names import fold

_UNIT_WORDS = (
    "flat flt apartment apt appt unit room rm studio bedsit bed plot suite maisonette "
    "mais"
)
_UNIT = re.compile(
    rf"\b(?:{_UNIT_WORDS.replace(' ', '|')})\s*(?:no\s*|number\s*)?"
    r"(\d\s?f\s?\d|[pgb]f\s?\d|[gtb\d]f[lr]|\d+\s*/\s*\d+|g\s*/\s*\d+|\d+[a-z]?|[a-z]\d{0,3})\b"
)
_STOREY = r"(ground|basement|garden|first|second|third|top|1st|2nd|3rd|upper|lower)"
_FLOOR_FLAT = re.compile(
    rf"\b{_STOREY}(?:\s+(?:floor|flr|fl))?\s+(?:flat|apartment|flt|apt)\b"
    rf"|\b(?:flat|flt)\s+{_STOREY}(?:\s+floor)?\b|\b(gff|fff|tff)\b"
)
_ROOM = re.compile(r"\b(?:room|rm|bed|bedsit|studio)\b")
_FLOOR = re.compile(rf"\b{_STOREY}\s+floor\b")
_FLOORS = {
    "1st": "first", "2nd": "second", "3rd": "third", "gff": "ground", "fff": "first",
    "tff": "top",
}  # fmt: skip
#: Edinburgh's flats without a word in front: first floor, second door.
_EDINBURGH = re.compile(r"\b(\df\d|[pgb]f\d|[gtb\d]f[lr])\b")
_SLASH = re.compile(r"\b(\d+|g)\s*/\s*(\d+[a-z]?|[a-z])\b")
_ALONE = re.compile(r"(?<![\d/])\b\d+[a-z]?\b(?!/)")
_NO_ADDRESS = re.compile(r"[^\w/\- ]|_")
_AROUND_SLASH = re.compile(r"\s*/\s*")
_NUMBER_WORD = re.compile(r"\b(?:no|number|nr)\s+(?=\d)")
_RANGE = re.compile(r"\b(\d+)\s*-\s*(\d+)\b")
_LETTERED = re.compile(r"\b(\d+)\s?([a-z])\b")
_ZEROS = re.compile(r"\b0+(?=\d)")
_NUMBER = re.compile(r"\b(\d+)\b")
#: A unit of a named building, then the building's own number in its street.
_TWO_NUMBERS = re.compile(r"^(\d+[a-z]?) [a-z][a-z ]{2,} (?=\d+[a-z]? [a-z]{3})")
#: Most addresses: a number, a street, nothing else.
_PLAIN = re.compile(r"(\d{1,4}),? ([a-z]{3,}(?: [a-z]+)*),?")
_NOT_PLAIN = frozenset(
    f"{_UNIT_WORDS} ground basement garden first second third top upper lower floor "
    "gff fff tff".split()
)
#: A last word that makes a street of it; a house or court has flats instead.
_KINDS = frozenset(
    {
        "street", "road", "lane", "avenue", "close", "drive", "way", "crescent",
        "terrace", "grove", "hill", "approach", "row", "walk", "parade", "place",
        "square", "view", "rise", "green", "mews", "gate", "wynd", "brae", "heol",
        "stryd",
    }
)  # fmt: skip
_STREETS = {
    "st": "street", "str": "street", "rd": "road", "ave": "avenue", "av": "avenue",
    "ln": "lane", "cl": "close", "clo": "close", "dr": "drive", "drv": "drive",
    "ct": "court", "crt": "court", "gdns": "gardens", "gdn": "gardens", "pl": "place",
    "sq": "square", "ter": "terrace", "terr": "terrace", "cres": "crescent",
    "cr": "crescent", "pk": "park", "gr": "grove", "gro": "grove", "hse": "house",
    "wlk": "walk", "wy": "way", "bldg": "building",
    "bldgs": "building", "est": "estate",
}  # fmt: skip
_NOT_POSTCODE = re.compile("[^A-Z0-9]")
_OUTWARD = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?")
#: Only here a district may end in a letter (SW1A).
_LONDON = frozenset({"E", "EC", "N", "NW", "SE", "SW", "W", "WC"})
_POSTCODE = re.compile(r"[A-Z]{1,2}\d\d? \d[A-Z]{2}")


class Dwelling(NamedTuple):
    """An address taken apart: flat within a number within a street."""

    flat: str
    number: str
    rest: str


def is_street(words: str) -> bool:
    """Do the words name a street, and not a building of many doors (York Court)?"""
    return words.rpartition(" ")[2] in _KINDS


def read_address(*lines: str) -> Dwelling:
    """Find flat and house number in the lines of an address, whatever the order."""
    text = " ".join(line for line in lines if line).strip().lower()
    if (plain := _PLAIN.fullmatch(text)) and _NOT_PLAIN.isdisjoint(plain[2].split()):
        return Dwelling("", plain[1].lstrip("0"), _street(plain[2]))
    room = bool(_ROOM.search(text))
    flat, text = _take_flat(_words(text))
    if not flat and (found := _SLASH.search(text)) and _ALONE.search(text):
        # `12 Byres Road 2/1`: the stair's flat, for there is a number beside it.
        flat, text = found[0], f"{text[: found.start()]} {text[found.end() :]}".strip()
    if not flat and (found := _TWO_NUMBERS.match(text)):
        flat, text = found[1], text[found.end(1) :].strip()
    number, letter, text = _take_number(text)
    flat = flat or letter
    if flat[:1].isdigit() and not (number or room or "/" in flat):
        # `Flat 12, York Court` and `12 York Court` are one door; a room is no house.
        number, flat = (
            flat.rstrip("abcdefghijklmnopqrstuvwxyz"),
            flat.lstrip("0123456789"),
        )
        if not number.isdigit():
            number, flat = f"{number}{flat}", ""
    return Dwelling(_plain(flat), _plain(number), _street(text))


def _take_number(text: str) -> tuple[str, str, str]:
    """Cut the house number out of the text, with the letter or unit behind it."""
    unit = ""
    if found := _SLASH.search(text):
        number, unit = found[1], found[2]
    elif found := _RANGE.search(text):
        number = f"{int(found[1])}-{int(found[2])}"
    elif found := _LETTERED.search(text):
        number, unit = found[1], found[2]
    elif found := _NUMBER.search(text):
        number = found[1]
    else:
        return "", "", text
    return number, unit, f"{text[: found.start()]} {text[found.end() :]}"


@lru_cache(maxsize=16_384)
def _street(text: str) -> str:
    """The words of a street, the usual short forms written out."""
    return " ".join(_STREETS.get(word, word) for word in fold(text).split())


def _words(text: str) -> str:
    """Only what an address is made of; `#3` is flat 3."""
    if "#" in text or "'" in text:
        text = text.replace("#", " flat ").replace("'", "")
    cleaned = _NO_ADDRESS.sub(" ", text)
    if "/" in cleaned:
        cleaned = _AROUND_SLASH.sub("/", cleaned)
    return " ".join(_NUMBER_WORD.sub(" ", cleaned).split())


def _take_flat(text: str) -> tuple[str, str]:
    """Cut `flat 2b` or `top floor flat` out of the text."""
    # `Top floor flat, 9 Hill Court` has no flat 9.
    found = (
        _FLOOR_FLAT.search(text)
        or _UNIT.search(text)
        or _FLOOR.search(text)
        or _EDINBURGH.search(text)
    )
    if found is None:
        return "", text
    unit = next(group for group in found.groups() if group).replace(" ", "")
    rest = f"{text[: found.start()]} {text[found.end() :]}".strip()
    return _FLOORS.get(unit, unit), " ".join(rest.split())


def _plain(part: str) -> str:
    """`007` and `7` are one door; so are `2 b` and `2b`, `g/1` and `0/1`."""
    packed = part.replace(" ", "")
    if packed.startswith("g/"):
        packed = f"0{packed[1:]}"
    return _ZEROS.sub("", packed) if "0" in packed else packed


def read_postcode(text: str) -> str:
    """Give a postcode in its standard form, O and 0, I and 1 repaired; '' if none."""
    if _POSTCODE.fullmatch(text):
        return text
    packed = _NOT_POSTCODE.sub("", text.upper())
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
        meant = [i for i in range(1, len(chars)) if chars[i] in _DIGITS]
        for i in meant[-1:]:
            chars[i] = _digit(chars[i])
    area = "".join(c for c in chars[:2] if c.isalpha())
    for i in range(1, len(chars)):
        if chars[i - 1].isdigit() and (chars[i] in "OI" or area not in _LONDON):
            chars[i] = _digit(chars[i])
    return "".join(chars)


#: Letters and digits that scanners and hurried hands take for each other.
_DIGITS = {"O": "0", "I": "1", "S": "5", "B": "8", "Z": "2", "G": "6"}
_LETTERS = {digit: letter for letter, digit in _DIGITS.items()}


def _digit(char: str) -> str:
    return _DIGITS.get(char, char)


def _letter(char: str) -> str:
    return _LETTERS.get(char, char)
