"""Codes look as their network says, and a slip of the finger shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.scheme import Alphabet, CheckDigit, Network
from vouchers.domain import codes

CHANCE = st.binary(min_size=codes.CHANCE_BYTES, max_size=codes.CHANCE_BYTES)


def network_of(alphabet: Alphabet, check: CheckDigit, length: int = 16) -> Network:
    """A network with codes of this shape."""
    return Network.model_validate(
        {
            "name": "Shop",
            "supply": "mint",
            "alphabet": alphabet.value,
            "check": check.value,
            "code_length": length,
            "prefix": "67",
            "least_pence": 1,
            "most_pence": 9_999,
            "shop": "a shop",
            "bring": "a key",
        },
        strict=False,
    )


SHAPES = [
    network_of(Alphabet.DIGITS, CheckDigit.LUHN),
    network_of(Alphabet.DIGITS, CheckDigit.MOD97, 19),
    network_of(Alphabet.DIGITS, CheckDigit.NONE),
    network_of(Alphabet.SYMBOLS, CheckDigit.LUHN, 12),
]


@given(st.sampled_from(SHAPES), CHANCE)
def test_a_minted_code_is_a_good_code(network: Network, chance: bytes) -> None:
    """Length, symbols, prefix and check digits are as the network says."""
    code = codes.mint(network, chance)
    assert codes.fault(code, network) is None
    assert codes.plain(codes.grouped(code)) == code


@given(st.sampled_from([s for s in SHAPES if s.check != "none"]), CHANCE, st.data())
def test_one_wrong_symbol_is_always_found(
    network: Network, chance: bytes, data: st.DataObject
) -> None:
    """Any single symbol typed wrongly makes the code a wrong one."""
    code = codes.mint(network, chance)
    place = data.draw(st.integers(len(network.prefix), len(code) - 1))
    symbols = codes.symbols_of(network.alphabet)
    other = data.draw(st.sampled_from([s for s in symbols if s != code[place]]))
    assert codes.fault(code[:place] + other + code[place + 1 :], network)


@given(CHANCE, CHANCE)
def test_codes_differ_as_their_chance_does(one: bytes, two: bytes) -> None:
    """Equal codes come only from numbers that are equal in their free symbols."""
    shape = SHAPES[2]
    room = 10 ** codes.free_symbols(shape)
    same = int.from_bytes(one, "big") % room == int.from_bytes(two, "big") % room
    assert (codes.mint(shape, one) == codes.mint(shape, two)) is same


def test_known_check_digits() -> None:
    """The examples that everybody uses."""
    assert codes.check_symbols("7992739871", CheckDigit.LUHN, Alphabet.DIGITS) == "3"
    assert codes.check_symbols("794", CheckDigit.MOD97, Alphabet.DIGITS) == "44"


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("671", "code_length"),
        ("67A0000000000000", "code_symbols"),
        ("6600000000000000", "code_prefix"),
        ("6700000000000001", "code_check"),
    ],
)
def test_each_fault_has_its_own_word(code: str, fault: str) -> None:
    """So that an import can say what is wrong with a line."""
    assert codes.fault(code, SHAPES[0]) == fault


def test_too_little_chance_is_refused() -> None:
    """A short source of randomness would make codes that can be guessed."""
    with pytest.raises(ValueError, match="chance"):
        codes.mint(SHAPES[0], b"short")
