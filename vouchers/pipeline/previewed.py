"""What a dry run answers: every row of the file, counted once."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Preview:
    """What a live file would do today; nothing of it was kept."""

    rows: int
    granted: int
    checked: int
    waiting: int
    declined: int
    to_correct: int
    #: Code of a fault -> rows that have it.
    faults: dict[str, int] = field(default_factory=dict)
    #: First faults with their row numbers, as (row, cell, sentence).
    examples: tuple[tuple[int, str, str], ...] = ()
    #: Rows that were decided on by the real rules; all rows are read and checked.
    decided: int = 0
    #: Rows that take an earlier request back.
    withdrawn: int = 0
    #: Readable rows beyond those that were decided on.
    undecided: int = 0
    #: What a partner would read as the reason -> rows not granted for it.
    reasons: dict[str, int] = field(default_factory=dict)
    #: What was repaired or taken for granted -> rows that show it.
    assumed: dict[str, int] = field(default_factory=dict)

    #: Why the file would wait for a person of ours, in sentences.
    stops: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The preview as one line, in which every row is counted once."""
        text = (
            f"{self.granted:,} would be granted today, {self.checked:,} checked by a"
            f" person, {self.waiting:,} wait for money or stock, {self.declined:,} not"
            f" be granted, {self.to_correct:,} must be corrected"
        )
        if self.withdrawn:
            text += f", {self.withdrawn:,} take a request back"
        if self.undecided:
            text += f", {self.undecided:,} were read but not decided on"
        if self.stops:
            text += ". But the file would wait for a person of ours first, because "
            text += "; ".join(self.stops)
        return f"{text}."
