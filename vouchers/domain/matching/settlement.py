"""Settles a chunk row by row: which resident, which household, or which question.

Pure: it is given what the register says and keeps its own account of what earlier rows
of the chunk have changed, so that two rows of one file meet each other as two files do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from vouchers.domain.matching.comparison import Answer
from vouchers.domain.matching.model import Model
from vouchers.domain.matching.verdicts import (
    Candidate,
    Decision,
    HomeVerdict,
    Verdict,
    at_home,
    decide,
    same_door,
    words,
)

#: Levels of `home` that mean: she lives somewhere else now.
_MOVED = frozenset({"different", "outcode", "postcode", "flat_differs", "area"})


class ReviewKind(StrEnum):
    """What a reviewer is asked."""

    PERSON = "person"  #: is this somebody we know?
    SEVERAL = "several"  #: it looks like two people of the register at once
    HOUSEHOLD = "household"  #: does this person share a household with that one?
    JOINED = "joined"  #: the same person as in a review that is open


class Edge(StrEnum):
    """What is remembered of two residents; the last word of a pair counts."""

    SAME = "same"  #: one person
    DIFFERENT = "different"  #: two people, whatever the numbers say
    SAME_HOUSEHOLD = "same_household"  #: two people, one household
    SEPARATE = "separate"  #: two people, one door, two households
    UNDONE = "undone"  #: the last ruling was taken back


#: Rulings after which two people are never taken for one again.
DISTINCT = frozenset({Edge.DIFFERENT, Edge.SAME_HOUSEHOLD, Edge.SEPARATE})
#: Rulings after which nobody asks about their household again.
APART = frozenset({Edge.DIFFERENT, Edge.SEPARATE})


@dataclass(frozen=True, slots=True)
class Arrival:
    """What settlement needs to know of a row beside its answer."""

    id: int
    protected: bool
    separate: bool


@dataclass(slots=True)
class Register:
    """What the register says of the people and homes in question; kept up to date."""

    provisional: set[int] = field(default_factory=set)
    home: dict[int, int] = field(default_factory=dict)
    members: dict[int, set[int]] = field(default_factory=dict)
    #: Households with an award in the window or a request under way.
    supported: set[int] = field(default_factory=set)
    rulings: Mapping[tuple[int, int], str] = field(default_factory=dict)

    def ruling(self, a: int, b: int) -> str | None:
        """The last ruling on two residents."""
        return self.rulings.get((min(a, b), max(a, b)))

    def distinct(self, a: int, b: int) -> bool:
        """Were these two ruled to be two people?"""
        return self.ruling(a, b) in DISTINCT

    def move(self, resident_id: int, household_id: int) -> None:
        """A resident belongs to that household from now on."""
        if old := self.home.get(resident_id):
            self.members.get(old, set()).discard(resident_id)
        self.home[resident_id] = household_id
        self.members.setdefault(household_id, set()).add(resident_id)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is to be written for one row."""

    arrival: Arrival
    verdict: Verdict
    resident_id: int
    household_id: int
    candidates: Sequence[Candidate]
    reasons: Sequence[str]
    review: ReviewKind | None = None
    provisional: bool = False
    communal: bool = False
    #: The household that the resident left with this row.
    left: int | None = None
    #: Residents from whom the partner says this one lives apart.
    apart_from: Sequence[int] = ()
    #: Its match keys (kind, hash) that too many share, by which nobody was looked up.
    crowded: Sequence[tuple[int, int]] = ()
    #: Candidates beyond the most that one row is compared with.
    cut: int = 0

    @property
    def new_resident(self) -> bool:
        """Did this row bring the resident?"""
        return self.resident_id == self.arrival.id

    @property
    def new_household(self) -> bool:
        """Did this row bring the household?"""
        return self.household_id == self.arrival.id


def settle(
    model: Model,
    arrivals: Sequence[Arrival],
    answers: Sequence[Answer],
    register: Register,
) -> list[Outcome]:
    """Settle every row in order; each sees what the ones before it have become."""
    outcomes: list[Outcome] = []
    for arrival, answer in zip(arrivals, answers, strict=True):
        candidates = _merged(answer, outcomes)
        decision = decide(model, candidates, distinct=register.distinct)
        outcome = _settle_one(model, arrival, answer, candidates, decision, register)
        outcomes.append(outcome)
        register.move(outcome.resident_id, outcome.household_id)
        register.supported.add(outcome.household_id)
        if outcome.provisional:
            register.provisional.add(outcome.resident_id)
    return outcomes


def _merged(answer: Answer, outcomes: Sequence[Outcome]) -> list[Candidate]:
    """Candidates by resident: an earlier row stands for the resident it became."""
    best: dict[int, Candidate] = {}
    earlier = (
        replace(c, resident_id=outcomes[c.resident_id].resident_id)
        for c in answer.earlier
    )
    for candidate in (*answer.known, *earlier):
        other = best.get(candidate.resident_id)
        if other is None or _rank(candidate) > _rank(other):
            best[candidate.resident_id] = candidate
    return list(best.values())


def _rank(candidate: Candidate) -> tuple[bool, float, float]:
    """A face without a warning is a better likeness than one with."""
    return not candidate.guards, candidate.person, candidate.household


def _settle_one(
    model: Model,
    arrival: Arrival,
    answer: Answer,
    candidates: Sequence[Candidate],
    decision: Decision,
    register: Register,
) -> Outcome:
    if decision.verdict is Verdict.REVIEW:
        several = decision.reasons == ["several match"]
        kind = ReviewKind.SEVERAL if several else ReviewKind.PERSON
        return _asked(arrival, decision.candidates, decision.reasons, kind, answer)
    if decision.verdict is Verdict.MATCH:
        return _matched(model, arrival, answer, candidates, decision, register)
    own = Outcome(
        arrival, Verdict.NEW, arrival.id, arrival.id, decision.candidates,
        decision.reasons, communal=answer.communal,
    )  # fmt: skip
    if arrival.protected:
        return own
    door = _at_the_door(model, candidates)
    if arrival.separate:
        return replace(own, apart_from=[c.resident_id for c in door])
    if decision.home is HomeVerdict.SHARED and decision.lives_with is not None:
        shared = register.home[decision.lives_with.resident_id]
        return replace(own, household_id=shared)
    if open_question := _supported_elsewhere(door, own.household_id, register):
        return _asked(
            arrival, open_question, words(model, open_question[0]),
            ReviewKind.HOUSEHOLD, answer,
        )  # fmt: skip
    return own


def _asked(
    arrival: Arrival,
    candidates: Sequence[Candidate],
    reasons: Sequence[str],
    kind: ReviewKind,
    answer: Answer,
) -> Outcome:
    """A person must say: until then the row stands for itself, findable by others."""
    return Outcome(
        arrival, Verdict.REVIEW, arrival.id, arrival.id, candidates, reasons,
        review=kind, provisional=True, communal=answer.communal,
    )  # fmt: skip


def _matched(
    model: Model,
    arrival: Arrival,
    answer: Answer,
    candidates: Sequence[Candidate],
    decision: Decision,
    register: Register,
) -> Outcome:
    """The row is somebody we know; the household may still have changed."""
    top = decision.candidates[0]
    resident = top.resident_id
    home = register.home.get(resident, resident)
    found = Outcome(
        arrival, Verdict.MATCH, resident, home, [top], decision.reasons,
        communal=answer.communal,
    )  # fmt: skip
    if resident in register.provisional:
        return replace(found, verdict=Verdict.REVIEW, review=ReviewKind.JOINED)
    if arrival.protected:
        return found
    others = [
        replace(c, apart=register.ruling(resident, c.resident_id) in APART)
        for c in candidates
        if c.resident_id != resident and c.person < model.review
    ]
    housemates = register.members.get(home, set()) - {resident}
    if arrival.separate and housemates and home in register.supported:
        asked = [c for c in others if c.resident_id in housemates and not c.apart]
        if asked:
            return replace(
                found, verdict=Verdict.REVIEW, review=ReviewKind.HOUSEHOLD,
                candidates=asked,
            )  # fmt: skip
    if top.level("home") in _MOVED:
        with_others = [
            c for c in others if at_home(model, c) and not c.apart
            and c.level("home") == "same"
        ]  # fmt: skip
        if with_others:
            joined = register.home[with_others[0].resident_id]
            if joined != home:
                return replace(found, household_id=joined, left=home)
        elif housemates:
            # She moved out: what the others receive from now on is theirs.
            return replace(found, household_id=arrival.id, left=home)
    if arrival.separate:
        return found
    door = _at_the_door(model, others)
    if open_question := _supported_elsewhere(door, found.household_id, register):
        return replace(
            found, verdict=Verdict.REVIEW, review=ReviewKind.HOUSEHOLD,
            candidates=open_question, reasons=words(model, open_question[0]),
        )  # fmt: skip
    return found


def _at_the_door(model: Model, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Other people at the same door, or at a door that may be the same."""
    return [
        c
        for c in candidates
        if not c.apart and c.person < model.review and same_door(model, c)
    ]


def _supported_elsewhere(
    door: Sequence[Candidate], household_id: int, register: Register
) -> list[Candidate]:
    """Those at the door whose own household has help: money hangs on the answer."""
    found = [
        c
        for c in door
        if (home := register.home.get(c.resident_id)) is not None
        and home != household_id
        and home in register.supported
    ]
    return sorted(found, key=lambda c: (-c.household, c.resident_id))
