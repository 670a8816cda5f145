"""Compares two homes: the same door, the same building, or no more than the street."""

from __future__ import annotations

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from vouchers.domain.matching.features import Features

#: Out of 100: from here on two streets are one street, written differently.
_STREET = 80


def home_level(a: Features, b: Features) -> str:
    """How far two homes agree; '' where one is unknown."""
    if a.uprn and b.uprn and a.uprn == b.uprn:
        return "same"
    if not a.postcode or not b.postcode or a.postcode != b.postcode:
        return _other_postcode(a, b)
    if not (a.number or a.rest) or not (b.number or b.rest):
        # One side has only a postcode: nothing more can be said.
        return "postcode"
    if a.number != b.number:
        return _other_number(a, b)
    if not a.number and not _one_street(a, b):
        return "postcode"
    if a.flat == b.flat:
        # Two UPRNs for one door are two homes whose unit was left out.
        return "flat_lost" if a.uprn and b.uprn else "same"
    return "flat_lost" if not a.flat or not b.flat else "flat_differs"


def _other_postcode(a: Features, b: Features) -> str:
    """A postcode missing or mistyped: number and street may still tell the home."""
    known = bool(a.postcode and b.postcode)
    outcode = known and a.outcode == b.outcode
    words = bool(a.rest and b.rest)
    if words and a.number == b.number and _one_street(a, b):
        near = not known or outcode or OSA.distance(a.postcode, b.postcode) <= 1
        if a.number and near and (a.flat == b.flat or not a.flat or not b.flat):
            return "street"
        if not a.number and not outcode:
            return "area"
    if known:
        return "outcode" if outcode else "different"
    return "different" if words else ""


def _one_street(a: Features, b: Features) -> bool:
    """The same words in any order, some left out, or mistyped."""
    if a.rest == b.rest:
        return True
    alike = fuzz.token_set_ratio(a.rest, b.rest) >= _STREET
    return alike or fuzz.ratio(a.rest, b.rest) >= _STREET


def _other_number(a: Features, b: Features) -> str:
    """14 and 41 in one street are often one house; 14 and 98 are not."""
    close = OSA.distance(a.number, b.number, score_cutoff=1) <= 1
    digits = sorted(a.number) == sorted(b.number) and len(a.number) > 1
    if a.number and b.number and a.flat == b.flat and (digits or _slip(a, b, close)):
        return "number_close"
    return "postcode"


def _slip(a: Features, b: Features, close: bool) -> bool:
    """A digit lost or doubled, at least two of them kept."""
    return close and len(a.number) != len(b.number) and len(a.number + b.number) >= 5
