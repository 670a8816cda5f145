"""A register in memory that meets rows by the product's own keys, scores and rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.benchmarks.registry import Row
from vouchers.domain.matching.comparison import (
    Question,
    compare_chunk,
    rows_sharing_keys,
)
from vouchers.domain.matching.features import Features, read_features
from vouchers.domain.matching.keys import STOP_WORD, match_keys
from vouchers.domain.matching.settlement import (
    Arrival,
    Edge,
    Outcome,
    Register,
    ReviewKind,
    settle,
)
from vouchers.domain.matching.verdicts import Verdict
from vouchers.pipeline.deduplicate import CANDIDATES_MAX
from vouchers.store.residents import FACES_MAX, shipped_lexicon, shipped_model

Marks = list[tuple[int, int]]
Settled = tuple[Row, Outcome]


@dataclass
class InMemory:
    """Who is known, under which keys, with the truth about each beside it."""

    size: int = 0
    keys: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    faces: dict[int, list[Features]] = field(default_factory=dict)
    #: Resident -> the row that brought her, for the truth.
    brought: dict[int, Row] = field(default_factory=dict)
    #: True person -> resident.
    resident: dict[str, int] = field(default_factory=dict)
    #: True household -> household of the register; and back.
    household: dict[str, int] = field(default_factory=dict)
    register: Register = field(default_factory=Register)
    rulings: dict[tuple[int, int], str] = field(default_factory=dict)
    compared: int = 0

    def __post_init__(self) -> None:
        self.register.rulings = self.rulings

    def fill(self, rows: Iterable[Row]) -> None:
        """Take in the residents known so far; all of their homes have had help.

        Who lives behind one door but not together was asked about when they came.
        """
        door: list[int] = []
        for number, row in enumerate(rows, start=1):
            features = read_features(row.fields)
            household = self.household.setdefault(row.household_id, number)
            self._add(number, row, features, marks_of(features))
            self.register.move(number, household)
            self.register.supported.add(household)
            if door and _door(self.brought[door[0]]) != _door(row):
                door.clear()
            self._rule(number, door)
            door.append(number)

    def meet(self, rows: Sequence[Row], first_id: int) -> Iterator[Settled]:
        """Settle a chunk numbered from `first_id`; what is known grows meanwhile."""
        features = [read_features(row.fields) for row in rows]
        marks = [marks_of(one) for one in features]
        earlier = rows_sharing_keys(marks, at_most=STOP_WORD)
        questions = [
            Question(
                one,
                self._candidates(row_marks),
                before,
                communal=row.listed,
                worker_phone=row.worker_phone,
            )
            for row, one, row_marks, before in zip(
                rows, features, marks, earlier, strict=True
            )
        ]
        self.compared += sum(len(q.known) + len(q.earlier) for q in questions)
        answers = compare_chunk(
            shipped_model(),
            shipped_lexicon(),
            questions,
            self.faces,
            registry_size=self.size,
        )
        arrivals = [
            Arrival(first_id + n, protected=False, separate=False)
            for n, _ in enumerate(rows)
        ]
        outcomes = settle(shipped_model(), arrivals, answers, self.register)
        for row, outcome, one, row_marks in zip(
            rows, outcomes, features, marks, strict=True
        ):
            yield row, outcome
            self._remember(row, outcome, one, row_marks)

    def _candidates(self, marks: Marks) -> list[int]:
        """As the product finds them: no stop-words, most shared keys first."""
        shared: dict[int, int] = {}
        for mark in marks:
            holders = self.keys.get(mark, ())
            if len(holders) <= STOP_WORD:
                for rid in holders:
                    shared[rid] = shared.get(rid, 0) + 1
        return sorted(shared, key=lambda rid: (-shared[rid], rid))[:CANDIDATES_MAX]

    def _remember(
        self, row: Row, outcome: Outcome, features: Features, marks: Marks
    ) -> None:
        """Write a row down; a reviewer who knows the truth has ruled at once."""
        rid = outcome.resident_id
        if outcome.review is not None and outcome.review is not ReviewKind.HOUSEHOLD:
            rid = self.resident.get(row.person_id, outcome.arrival.id)
            self.register.provisional.discard(outcome.arrival.id)
        if outcome.verdict is not Verdict.MATCH:
            self.register.provisional.discard(rid)
            own = self.household.get(row.household_id)
            self.register.move(rid, outcome.household_id if own is None else own)
        self.household.setdefault(row.household_id, self.register.home[rid])
        if rid in self.brought:
            if features not in self.faces[rid] and len(self.faces[rid]) < FACES_MAX:
                self.faces[rid].append(features)
                for mark in marks:
                    if rid not in self.keys.setdefault(mark, []):
                        self.keys[mark].append(rid)
        else:
            self._add(rid, row, features, marks)
        if outcome.review is ReviewKind.HOUSEHOLD:
            self._rule(rid, [c.resident_id for c in outcome.candidates])

    def _rule(self, rid: int, others: Sequence[int]) -> None:
        """Remember of which of these she lives apart, as a reviewer would."""
        mine = self.brought[rid].household_id
        for other in others:
            # A row that was found to be somebody known stands for her no longer.
            if other in self.brought and self.brought[other].household_id != mine:
                pair = min(rid, other), max(rid, other)
                self.rulings[pair] = Edge.SEPARATE

    def _add(self, rid: int, row: Row, features: Features, marks: Marks) -> None:
        self.size += 1
        self.faces[rid] = [features]
        self.brought[rid] = row
        self.resident.setdefault(row.person_id, rid)
        for mark in marks:
            self.keys.setdefault(mark, []).append(rid)


def _door(row: Row) -> str:
    """The home of the invented registry that a row's person belongs to."""
    return row.person_id.partition("-")[0]


def marks_of(features: Features) -> Marks:
    """Match keys as numbers; hashed without a secret, for nothing leaves this run."""
    return [
        (int(kind), hash(words))
        for kind, words in match_keys(features, shipped_lexicon())
    ]
