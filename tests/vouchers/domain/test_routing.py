"""Routing by supplier: aliases are understood, slips are suggested, never guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.scheme import Scheme
from vouchers.domain import routing

SCHEME = Scheme.parse(Path("config/scheme.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("British Gas", "british_gas"),
        ("scottish gas", "british_gas"),
        ("E.ON Next", "e_on_next"),
        ("eon-next", "e_on_next"),
        ("Don't know", "unknown"),
        ("UNKNOWN", "unknown"),
    ],
)
def test_a_supplier_is_known_by_all_its_names(text: str, slug: str) -> None:
    """Capitals, blanks and signs do not matter."""
    assert routing.supplier(text, SCHEME).slug == slug


def test_an_unknown_name_is_an_error_with_a_suggestion() -> None:
    """A default route would send a code that no shop accepts."""
    found = routing.supplier("Brittish Gass", SCHEME)
    assert (found.slug, found.suggestion) == (None, "British Gas")
    assert routing.supplier("Xyzzy", SCHEME).suggestion is None


@pytest.mark.parametrize(
    ("meter", "supplier", "gas", "network"),
    [
        ("prepay_key", "british_gas", None, "post_office"),
        ("prepay_smart", "edf", None, "paypoint"),
        ("prepay_key", "edf", "british_gas", "paypoint"),
        ("prepay_key", "unknown", "edf", "paypoint"),
        ("prepay_key", "unknown", None, "post_office"),
        ("credit", "edf", None, "cash_out"),
        ("off_grid", "unknown", None, "cash_out"),
        ("prepay_key", "nobody", None, None),
    ],
)
def test_a_home_gets_a_voucher_that_it_can_use(
    meter: str, supplier: str, gas: str | None, network: str | None
) -> None:
    """The electricity supplier routes; without a prepay meter cash is paid out."""
    found = routing.network(
        meter_type=meter, supplier=supplier, gas_supplier=gas, scheme=SCHEME
    )
    assert found == network
