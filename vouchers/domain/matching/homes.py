"""Compares two homes: the same door, the same building, or no more than the street."""

from __future__ import annotations

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from vouchers.domain.matching.addresses import is_street
from vouchers.domain.matching.features import Features

#: Out of 100: from here on two streets are one street, written differently.
_STREET = 80
#: From here on they may be, if the number is one.
_MAYBE = 60


def home_level(a: Features, b: Features) -> str:
    """How far two homes agree; '' where one is unknown."""
    if a.uprn and b.uprn and a.uprn == b.uprn:
        # Some give the number of the whole block to every flat of it.
        block = a.flat and b.flat and a.flat != b.flat
        return "flat_lost" if block else "same"
    if not a.postcode or not b.postcode or a.postcode != b.postcode:
        return _other_postcode(a, b)
    if not (a.number or a.rest) or not (b.number or b.rest):
        # One side has only a postcode: nothing more can be said.
        return "postcode"
    # A British postcode holds one street or two; elsewhere it may be a whole town.
    if " " not in a.postcode and a.rest and b.rest and not _one_street(a, b):
        return "postcode"
    if a.number != b.number:
        return _other_number(a, b)
    if not a.number and not _one_street(a, b):
        return "postcode"
    if a.rest != b.rest and a.rest and b.rest and not _one_street(a, b):
        return _other_street(a, b)
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


def _other_street(a: Features, b: Features) -> str:
    """One number, other words: two streets, or one home by building and by street."""
    if max(fuzz.token_set_ratio(a.rest, b.rest), fuzz.ratio(a.rest, b.rest)) >= _MAYBE:
        return "same" if a.flat == b.flat else "flat_differs"
    streets = is_street(a.rest) and is_street(b.rest)
    return "postcode" if streets else "number_close"


def _other_number(a: Features, b: Features) -> str:
    """14 and 41 in one street are often one house; 14 and 98 are not."""
    if not a.number or not b.number:
        return "flat_lost" if _one_street(a, b) else "postcode"
    if a.flat != b.flat:
        return "postcode"
    digits = sorted(a.number) == sorted(b.number) and len(a.number) > 1
    terrace = a.number.partition("-")[0] == b.number.partition("-")[0]
    return "number_close" if digits or terrace or _slip(a, b) else "postcode"


def _slip(a: Features, b: Features) -> bool:
    """A digit lost or doubled, at least two of them kept."""
    close = OSA.distance(a.number, b.number, score_cutoff=1) <= 1
    return close and len(a.number) != len(b.number) and len(a.number + b.number) >= 5
