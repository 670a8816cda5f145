"""The tree of RFC 6962 over the audit log: hashes, growth and proofs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


class Node(NamedTuple):
    """The root of a complete subtree: 2**level leaves, the position-th of its level."""

    level: int
    position: int
    hash: bytes


#: Answers with the hash of the complete subtree at (level, position).
NodeAt = Callable[[int, int], bytes]


def leaf_hash(entry: bytes) -> bytes:
    """Hash of one entry; the prefix keeps a leaf from posing as a node."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of a node from its two children."""
    return sha256(b"\x01" + left + right).digest()


@dataclass
class Range:
    """A tree that only remembers its peaks: enough to grow and to name its root."""

    size: int = 0
    #: Roots of the complete subtrees that make up the tree, widest first.
    peaks: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        if len(self.peaks) != self.size.bit_count():
            raise ValueError("a tree of this size has another number of peaks")

    def append(self, leaf: bytes) -> Iterator[Node]:
        """Add a leaf; yield every subtree that it completes, the leaf itself first.

        The range has grown only once the iterator is exhausted; `extend` does that.
        """
        position, level, current = self.size, 0, leaf
        yield Node(0, position, current)
        while position & 1:
            current = node_hash(self.peaks.pop(), current)
            position >>= 1
            level += 1
            yield Node(level, position, current)
        self.peaks.append(current)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> Iterator[Node]:
        """Add leaves in order; yield every subtree that they complete."""
        for leaf in leaves:
            yield from self.append(leaf)

    def add(self, leaf: bytes) -> None:
        """Add a leaf for a caller who only wants the root."""
        size, current, peaks = self.size, leaf, self.peaks
        while size & 1:
            current = node_hash(peaks.pop(), current)
            size >>= 1
        peaks.append(current)
        self.size += 1

    def root(self) -> bytes:
        """The hash that stands for all leaves so far."""
        if not self.peaks:
            return EMPTY_ROOT
        *others, current = self.peaks
        for peak in reversed(others):
            current = node_hash(peak, current)
        return current


def peaks_of(size: int) -> list[tuple[int, int]]:
    """Where the peaks of a tree are: (level, position), widest first."""
    places, start = [], 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            places.append((level, start >> level))
            start += 1 << level
    return places


def _split(count: int) -> int:
    """Leaves under the left child: the largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def subtree_hash(start: int, end: int, node: NodeAt) -> bytes:
    """Hash over the leaves from `start` up to, not including, `end`."""
    count = end - start
    if count == 0:
        return EMPTY_ROOT
    if count.bit_count() == 1:
        level = count.bit_length() - 1
        return node(level, start >> level)
    middle = start + _split(count)
    return node_hash(subtree_hash(start, middle, node), subtree_hash(middle, end, node))


def inclusion_proof(index: int, size: int, node: NodeAt) -> list[bytes]:
    """Hashes that lead from leaf `index` to the root of a tree of `size` leaves."""
    if not 0 <= index < size:
        raise ValueError("no such leaf in a tree of this size")
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(subtree_hash(middle, end, node))
            end = middle
        else:
            path.append(subtree_hash(start, middle, node))
            start = middle
    return path[::-1]


def consistency_proof(old: int, new: int, node: NodeAt) -> list[bytes]:
    """Hashes that show the old tree to be the beginning of the new one."""
    if not 0 <= old <= new:
        raise ValueError("the older tree cannot be the larger one")
    if old in (0, new):
        return []
    start, end, path = 0, new, []
    whole = True  # the part followed is still the old tree itself
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(subtree_hash(middle, end, node))
            end = middle
        else:
            path.append(subtree_hash(start, middle, node))
            start, whole = middle, False
    if not whole:
        path.append(subtree_hash(start, end, node))
    return path[::-1]


def root_from_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes]
) -> bytes | None:
    """The root that a proof claims for a leaf; None if its shape is wrong."""
    if not 0 <= index < size:
        return None
    position, last, current = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return None
        if position & 1 or position == last:
            current = node_hash(sibling, current)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            current = node_hash(current, sibling)
        position >>= 1
        last >>= 1
    return current if last == 0 else None


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], *, root: bytes
) -> bool:
    """Whether a leaf is number `index` in the tree that `root` stands for."""
    return root_from_inclusion(leaf, index, size, proof) == root


def verify_consistency(
    old: int, new: int, proof: Sequence[bytes], *, old_root: bytes, new_root: bytes
) -> bool:
    """Whether the tree of `new` leaves only adds to the tree of `old` leaves."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    steps = list(proof)
    if old.bit_count() == 1:
        steps.insert(0, old_root)  # the old tree is a subtree of the new one
    if not steps:
        return False
    position, last = old - 1, new - 1
    while position & 1:
        position >>= 1
        last >>= 1
    before = after = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            before = node_hash(sibling, before)
            after = node_hash(sibling, after)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            after = node_hash(after, sibling)
        position >>= 1
        last >>= 1
    return last == 0 and before == old_root and after == new_root
