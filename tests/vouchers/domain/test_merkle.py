"""The tree agrees with the RFC's figures and with a model too simple to err."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vouchers.domain.merkle import (
    EMPTY_ROOT,
    Range,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    peaks_of,
    verify_consistency,
    verify_inclusion,
)

#: The entries and roots that certificate-transparency implementations test against.
ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

sizes = st.integers(min_value=1, max_value=300)


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(naive_root(leaves[:k]), naive_root(leaves[k:]))


def leaves_of(count: int) -> list[bytes]:
    """Hashes of `count` different entries."""
    return [leaf_hash(str(n).encode()) for n in range(count)]


def nodes_of(leaves: list[bytes]):
    """Looks up any complete subtree over these leaves."""
    tree = Range()
    stored = {(level, position): h for level, position, h in tree.extend(leaves)}
    return lambda level, position: stored[level, position]


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_reference(size):
    """Eight well-known entries give the well-known roots."""
    tree = Range()
    for entry in ENTRIES[:size]:
        tree.add(leaf_hash(entry))

    assert tree.root().hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_hash_of_nothing():
    """No leaves: the root is SHA-256 of the empty string."""
    assert Range().root() == EMPTY_ROOT == sha256(b"").digest()


@given(sizes)
def test_growing_by_peaks_is_the_same_as_hashing_everything(size):
    """The compact range never differs from the recursive definition."""
    leaves = leaves_of(size)
    one, other = Range(), Range()
    for leaf in leaves:
        one.add(leaf)
    completed = list(other.extend(leaves))

    assert one.root() == other.root() == naive_root(leaves)
    assert one.peaks == other.peaks
    for level, position, value in completed:
        assert value == naive_root(leaves[position << level : position + 1 << level])


@given(sizes, st.integers(min_value=0, max_value=300))
def test_a_tree_goes_on_from_its_peaks(size, more):
    """Stopping and going on later from the stored peaks changes nothing."""
    leaves = leaves_of(size + more)
    node = nodes_of(leaves)
    resumed = Range(size, [node(*place) for place in peaks_of(size)])
    for leaf in leaves[size:]:
        resumed.add(leaf)

    assert resumed.root() == naive_root(leaves)


@given(sizes, st.data())
def test_every_entry_can_be_proved(size, data):
    """An inclusion proof convinces for its own leaf, index and root alone."""
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    root = naive_root(leaves)
    proof = inclusion_proof(index, size, nodes_of(leaves))

    assert verify_inclusion(leaves[index], index, size, proof, root=root)
    assert not verify_inclusion(leaf_hash(b"other"), index, size, proof, root=root)
    assert not verify_inclusion(leaves[index], index, size, [*proof, root], root=root)
    assert size == 1 or not verify_inclusion(
        leaves[index], index, size, proof[:-1], root=root
    )
    other = data.draw(st.integers(0, size - 1))
    assert other == index or not verify_inclusion(
        leaves[index], other, size, proof, root=root
    )


@given(sizes, st.data())
def test_every_earlier_tree_can_be_shown_to_be_a_beginning(size, data):
    """A consistency proof convinces for the true earlier root only."""
    old = data.draw(st.integers(0, size))
    leaves = leaves_of(size)
    old_root, new_root = naive_root(leaves[:old]), naive_root(leaves)
    proof = consistency_proof(old, size, nodes_of(leaves))

    def holds(steps, before, after):
        return verify_consistency(old, size, steps, old_root=before, new_root=after)

    assert holds(proof, old_root, new_root)
    assert not holds(proof, leaf_hash(b"rewritten"), new_root)
    assert old in (0,) or not holds(proof, old_root, leaf_hash(b"rewritten"))
    assert not holds([*proof, old_root], old_root, new_root)
    for n in range(len(proof)):
        bent = [*proof]
        bent[n] = leaf_hash(bent[n])
        assert not holds(bent, old_root, new_root)


def test_a_size_that_does_not_fit_its_peaks_is_refused():
    """A range cannot be resumed from the wrong number of peaks."""
    with pytest.raises(ValueError, match="peaks"):
        Range(3, [EMPTY_ROOT])
