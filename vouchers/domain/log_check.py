"""Reads a log from its first entry on and says where it is not what was signed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from vouchers.domain.checkpoint import Checkpoint
from vouchers.domain.merkle import Node, Range, leaf_hash


class Fault(StrEnum):
    """What can be wrong with a log, the books or the states it tells of."""

    CHANGED = "event_changed"  #: its text is not the one that was numbered
    REMOVED = "event_removed"  #: its number is there, the event is not
    INSERTED = "event_inserted"  #: it never got a number and waits for none
    MISLABELLED = "event_mislabelled"  #: its row says another kind or entity
    NUMBER_MISSING = "number_missing"  #: the numbers have a gap
    REWRITTEN = "log_rewritten"  #: numbers and tree do not belong together
    DISAGREES = "checkpoint_disagrees"  #: a signed root is not the log's
    FORGED = "checkpoint_forged"  #: not signed with the log's key
    SHORTENED = "log_shortened"  #: a checkpoint speaks of more entries than there are
    TRANSFER_CHANGED = "transfer_changed"  #: the books say otherwise than the event
    TRANSFER_REMOVED = "transfer_removed"  #: the event's transfer is not in the books
    TRANSFER_TWICE = "transfer_twice"  #: two events tell of the same transfer
    TRANSFER_INSERTED = "transfer_inserted"  #: no event tells of it
    BALANCE_CHANGED = "balance_changed"  #: not the sum of what the events tell
    STATE_CHANGED = "state_changed"  #: not the state that its last event left
    UNTOLD = "state_untold"  #: no event tells of its state


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that does not hold, with the number of the entry where it shows."""

    fault: Fault
    #: Number of the entry, or None when it has none.
    number: int | None
    sentence: str

    def __str__(self) -> str:
        where = "" if self.number is None else f" at {self.number}"
        return f"{self.fault}{where}: {self.sentence}"


class LogCheck:
    """Grows the tree entry by entry and compares it with what was signed."""

    def __init__(self, checkpoints: Iterable[tuple[str, Checkpoint]]) -> None:
        """`checkpoints` come with a word for where each was kept."""
        self.tree = Range()
        self.problems: list[Problem] = []
        #: Size of the last checkpoint that agreed.
        self.agreed = 0
        self.compared = 0
        self._awaited: dict[int, list[tuple[str, Checkpoint]]] = {}
        for kept, checkpoint in checkpoints:
            self._awaited.setdefault(checkpoint.size, []).append((kept, checkpoint))
        self._compare()

    def entry(self, body: bytes | None, stored: bytes | None = None) -> list[Node]:
        """Take the next entry: its text, and its hash as it was stored, if it was.

        The tree grows by the stored hash, so that one changed text is named by itself
        and does not hide its neighbours. Gives the subtrees that it completes.
        """
        number = self.tree.size
        hashed = None if body is None else leaf_hash(body)
        if hashed is None:
            self.report(Fault.REMOVED, number, "the event of this number is gone")
        elif stored is not None and hashed != stored:
            self.report(
                Fault.CHANGED, number, "the event is not the one that was numbered"
            )
        leaf = stored if stored is not None else hashed
        nodes = list(self.tree.append(leaf or b""))
        self._compare()
        return nodes

    def end(self) -> None:
        """Say which checkpoints speak of entries that are not there."""
        for size, kept in sorted(self._awaited.items()):
            for where, _ in kept:
                self.report(
                    Fault.SHORTENED,
                    self.tree.size,
                    f"the checkpoint {where} counts {size} entries, "
                    f"the log has {self.tree.size}",
                )

    def report(self, fault: Fault, number: int | None, sentence: str) -> None:
        """Add a problem."""
        self.problems.append(Problem(fault, number, sentence))

    def _compare(self) -> None:
        for where, checkpoint in self._awaited.pop(self.tree.size, ()):
            self.compared += 1
            if checkpoint.root == self.tree.root():
                self.agreed = max(self.agreed, checkpoint.size)
                continue
            self.report(
                Fault.DISAGREES,
                self.agreed,
                f"an entry from {self.agreed} up to {checkpoint.size - 1} is not the "
                f"one that was signed (checkpoint {where})",
            )
