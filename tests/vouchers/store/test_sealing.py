"""Seals open only in their place and only with their key file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vouchers.bootstrap import App
from vouchers.errors import KeysMismatch, SealBroken
from vouchers.store.sealing import Keyring, check_fingerprints


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    """A fresh key file."""
    return Keyring.create(tmp_path_factory.mktemp("keys") / "keys.json")


@given(st.binary(max_size=300), st.integers(-(2**63), 2**63 - 1))
def test_what_is_sealed_opens_in_its_place(
    keys: Keyring, plain: bytes, row: int
) -> None:
    """Sealing and opening gives the same bytes back."""
    assert keys.open("a.b", row, keys.seal("a.b", row, plain)) == plain


@pytest.mark.parametrize("place,row", [("a.c", 1), ("a.b", 2)])
def test_a_seal_moved_to_another_row_stays_shut(
    keys: Keyring, place: str, row: int
) -> None:
    """Swapping two people's blobs in the database is noticed."""
    with pytest.raises(SealBroken):
        keys.open(place, row, keys.seal("a.b", 1, b"x"))


def test_an_altered_seal_stays_shut(keys: Keyring) -> None:
    """One changed bit is enough."""
    sealed = bytearray(keys.seal("a.b", 1, b"x"))
    sealed[-1] ^= 1
    with pytest.raises(SealBroken):
        keys.open("a.b", 1, bytes(sealed))


def test_the_same_text_has_the_same_match_key_within_its_kind(keys: Keyring) -> None:
    """A phone number and a meter number of equal digits do not meet."""
    assert keys.match_key(1, "123") == keys.match_key(1, "123")
    assert keys.match_key(1, "123") != keys.match_key(2, "123")


def test_keys_survive_being_read_back(tmp_path: Path) -> None:
    """A second process with the same file opens what the first sealed."""
    made = Keyring.create(tmp_path / "keys.json")
    read = Keyring.load(tmp_path / "keys.json")
    assert read.open("a.b", 1, made.seal("a.b", 1, b"x")) == b"x"
    assert read.code_digest("1234") == made.code_digest("1234")


def test_creating_keys_twice_keeps_the_first(tmp_path: Path) -> None:
    """Two processes that start at once end with the same keys."""
    first = Keyring.create(tmp_path / "keys.json")
    second = Keyring.create(tmp_path / "keys.json")
    assert first.public_key == second.public_key


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """Mode 644 on the key file stops the start, with what to do."""
    Keyring.create(tmp_path / "keys.json")
    (tmp_path / "keys.json").chmod(0o644)
    with pytest.raises(KeysMismatch, match="chmod 600"):
        Keyring.load(tmp_path / "keys.json")


def test_another_key_file_is_refused_by_the_database(app: App, tmp_path: Path) -> None:
    """A database remembers whose it is."""
    other = Keyring.create(tmp_path / "other.json")
    with pytest.raises(KeysMismatch), app.context.begin() as uow:
        check_fingerprints(uow.conn, other)
