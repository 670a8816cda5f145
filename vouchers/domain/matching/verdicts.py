"""Decides for one row: a resident we know, a new one, or a question for a person."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from vouchers.domain.matching.model import Model
from vouchers.domain.matching.scoring import guard_words

#: Levels of `home` where it may be one home: flat, number or postcode is missing.
_MAYBE_HOME = frozenset({"flat_lost", "street", "area"})


class Verdict(StrEnum):
    """What becomes of a row."""

    MATCH = "match"  #: the same person as one we know
    REVIEW = "review"  #: a person must say
    NEW = "new"  #: nobody we know


class HomeVerdict(StrEnum):
    """What becomes of a row's household."""

    SHARED = "shared"  #: it lives with someone we know
    OWN = "own"  #: a household of its own


@dataclass(frozen=True, slots=True)
class Candidate:
    """One person whom a row may be, with the best of that person's known faces."""

    resident_id: int
    person: float
    household: float
    parts: Sequence[Sequence[str | float]]
    guards: int = 0
    must_see: bool = False
    #: Somebody ruled before that the two live apart, or asked for it.
    apart: bool = False

    def level(self, name: str) -> str:
        """The level at which one field agrees; '' where it is unknown."""
        return next((str(part[1]) for part in self.parts if part[0] == name), "")

    def as_json(self) -> dict[str, object]:
        """The form in which reviews and decisions keep a candidate."""
        return {
            "resident_id": str(self.resident_id),
            "person": round(self.person, 4),
            "household": round(self.household, 4),
            "guards": self.guards,
            "parts": [list(part) for part in self.parts],
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """A row's verdict with everything that led to it."""

    verdict: Verdict
    #: The resident it is; None for a new one or an open question.
    resident_id: int | None
    #: Whom a reviewer compares with, best first.
    candidates: Sequence[Candidate]
    home: HomeVerdict = HomeVerdict.OWN
    #: A resident whose household it shares, or may share.
    lives_with: Candidate | None = None
    reasons: list[str] = field(default_factory=list)


def decide(
    model: Model,
    candidates: Sequence[Candidate],
    *,
    distinct: Callable[[int, int], bool],
) -> Decision:
    """Judge one row by its candidates; `distinct(a, b)` says who was ruled apart."""
    ranked = sorted(candidates, key=lambda c: (-c.person, c.resident_id))
    certain = [c for c in ranked if c.person >= model.match and not c.guards]
    if certain:
        top = certain[0]
        others = [
            c
            for c in ranked
            if c.resident_id != top.resident_id
            and c.person >= model.match
            and not distinct(c.resident_id, top.resident_id)
        ]
        if not others:
            return Decision(
                Verdict.MATCH, top.resident_id, [top], reasons=words(model, top)
            )
        # Two people of the register look like one: joining them is not ours to do.
        return Decision(Verdict.REVIEW, None, [top, *others], reasons=["several match"])
    doubtful = [c for c in ranked if c.person >= model.review or c.must_see]
    if doubtful:
        return Decision(
            Verdict.REVIEW, None, doubtful, reasons=words(model, doubtful[0])
        )
    shared = [c for c in ranked if not c.apart and at_home(model, c)]
    shared.sort(key=lambda c: (-c.household, c.resident_id))
    if shared:
        # One room of a shared house has several neighbours; the likeliest counts.
        return Decision(
            Verdict.NEW, None, [shared[0]], HomeVerdict.SHARED, shared[0],
            words(model, shared[0]),
        )  # fmt: skip
    return Decision(Verdict.NEW, None, [])


def at_home(model: Model, candidate: Candidate) -> bool:
    """Do the two live together, by more than the door alone?

    Two who name different homes do not, though they share a phone or a surname.
    """
    if candidate.level("home") != "same":
        return False
    if candidate.household + candidate.person < model.household:
        return False
    return bool(_household_evidence(candidate))


def _household_evidence(candidate: Candidate) -> Collection[str]:
    """What two people share beyond a door, a meter or a building."""
    evidence = []
    if candidate.level("surname") in ("same", "variant", "close", "part"):
        evidence.append("surname")
    if candidate.level("mobile") == "same":
        evidence.append("mobile")
    if candidate.level("email") == "same":
        evidence.append("email")
    return evidence


def same_door(model: Model, candidate: Candidate) -> bool:
    """The same home, or a home that may be the same, whoever lives there."""
    home = candidate.level("home")
    if home == "same":
        return True
    if home in _MAYBE_HOME and candidate.household >= model.review:
        return True
    return candidate.level("meter") == "same"


def words(model: Model, candidate: Candidate) -> list[str]:
    """A candidate's evidence in words, the strongest first, then the warnings."""
    ranked = sorted(candidate.parts, key=lambda part: -abs(float(part[2])))
    sentences = [
        next(lv.words for lv in model.levels[str(name)] if lv.name == level)
        for name, level, _ in ranked
    ]
    return [*sentences, *guard_words(candidate.guards)]
