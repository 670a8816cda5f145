"""Homes: one door however it is written, and how near two others are."""

from __future__ import annotations

import pytest

from vouchers.domain.matching.features import read_features
from vouchers.domain.matching.homes import home_level


def level(here: tuple[str, str], there: tuple[str, str]) -> str:
    """The level of two homes, each an address and a postcode; the same both ways."""
    a, b = (
        read_features({"address_line_1": line, "postcode": postcode})
        for line, postcode in (here, there)
    )
    assert home_level(a, b) == home_level(b, a)
    return home_level(a, b)


@pytest.mark.parametrize(
    ("here", "there", "expected"),
    [
        (("14 Mill Lane", "LS6 2AB"), ("14 Mill Ln", "ls62ab"), "same"),
        (("14 Mill Lane", "LS6 2AB"), ("41 Mill Lane", "LS6 2AB"), "number_close"),
        (("14 Mill Lane", "LS6 2AB"), ("98 Mill Lane", "LS6 2AB"), "postcode"),
        (("Flat 2, 14 Mill Lane", "LS6 2AB"), ("14 Mill Lane", "LS6 2AB"), "flat_lost"),
        (("14 Mill Lane", "LS6 2AB"), ("14 Mill Lane", "LS6 2AD"), "street"),
        (("14 Mill Lane", "LS6 2AB"), ("14 Mill Lane", ""), "street"),
        (("14 Mill Lane", "LS6 2AB"), ("14 Mill Lane", "TA1 1AA"), "different"),
        (("14 Mill Lane", "LS6 2AB"), ("14 High Road", "LS6 2AD"), "outcode"),
        (("Rose Cottage", "LS6 2AB"), ("Rose Cotage", "TA1 1AA"), "area"),
        (("London", ""), ("Lonon", ""), "area"),
        (("London", ""), ("Hull", ""), "different"),
        (("", ""), ("Hull", "HU1 1AA"), ""),
    ],
)
def test_how_far_two_homes_agree(
    here: tuple[str, str], there: tuple[str, str], expected: str
) -> None:
    """A slip of the pen keeps a home near; the same street elsewhere is another."""
    assert level(here, there) == expected
