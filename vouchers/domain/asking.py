"""What a partner may be told before it hands a resident in, and how often it may ask.

A question is answered from the register and forgotten. Of another's resident a partner
learns no more than "already supported" and a date (P9), of a protected one nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

#: Questions are counted in slots of so many seconds.
SLOT_S = 300
HOUR_SLOTS = 3600 // SLOT_S
DAY_SLOTS = 24 * HOUR_SLOTS
#: Answers leave on a beat of so many seconds: how long we looked tells nothing.
BEAT_S = 0.25


class Answer(StrEnum):
    """What a partner is told of one resident."""

    WOULD_BE_SUPPORTED = "would_be_supported"  #: as things stand today
    ALREADY_SUPPORTED = "already_supported"  #: and from when on they may ask again
    NEEDS_A_PERSON = "needs_a_person"  #: somebody of ours would have to look first
    CANNOT_BE_SAID = "cannot_be_said"  #: hand the row in to find out
    NOT_COVERED = "not_covered"  #: a rule of the scheme, whoever the resident is


SENTENCES: dict[Answer, str] = {
    Answer.WOULD_BE_SUPPORTED: "Would be supported now, if the fund lasts.",
    Answer.ALREADY_SUPPORTED: "Already supported.",
    Answer.NEEDS_A_PERSON: "Needs a check by a person: hand the row in, we will look.",
    Answer.CANNOT_BE_SAID: "Cannot be said beforehand: hand the row in.",
    Answer.NOT_COVERED: "Not covered by the scheme's rules.",
}


@dataclass(frozen=True, slots=True)
class Own:
    """An earlier request of the asking partner's own for the same resident."""

    reference: str
    received_on: date
    #: The word that stands beside it in the partner's result file.
    word: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The whole answer to one question."""

    answer: Answer
    #: First day on which the household may be supported again; None if it is not known.
    next_on: date | None = None
    #: What else the partner should know: a rule's sentence.
    why: str = ""
    own: Own | None = None

    @property
    def sentence(self) -> str:
        """What the partner reads."""
        parts = [SENTENCES[self.answer]]
        if self.answer is Answer.ALREADY_SUPPORTED:
            parts.append(
                f"Next eligible on {self.next_on:%d/%m/%Y}."
                if self.next_on
                else "No next date is known."
            )
        if self.why:
            parts.append(self.why)
        if self.own is not None:
            parts.append(
                f"You handed this resident in on {self.own.received_on:%d/%m/%Y} as "
                f"{self.own.reference}: {self.own.word.replace('_', ' ')}."
            )
        return " ".join(parts)


# ------------------------------------------------------------------- how often


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many questions in so many slots of time."""

    most: int
    slots: int

    @property
    def words(self) -> str:
        """As a person reads it: "60 in an hour"."""
        span = {HOUR_SLOTS: "an hour", DAY_SLOTS: "a day"}
        return f"{self.most:,} in {span[self.slots]}"


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """A limit that is used up, and when it lets the next question through."""

    limit: Limit
    again_at: datetime


def slot_of(moment: datetime) -> int:
    """The slot that a moment falls into, counted from 1970 in UTC."""
    return int(moment.timestamp()) // SLOT_S


def turned_away(
    counts: Mapping[int, int], limits: Sequence[Limit], now: datetime
) -> TurnedAway | None:
    """The limit that one more question would pass, or None; `counts` is by slot.

    Of several limits the one that lets go last is named.
    """
    waits = [
        TurnedAway(limit, datetime.fromtimestamp(free * SLOT_S, UTC))
        for limit in limits
        if (free := _free_from(counts, limit, slot_of(now))) is not None
    ]
    return max(waits, key=lambda wait: wait.again_at, default=None)


def _free_from(counts: Mapping[int, int], limit: Limit, now: int) -> int | None:
    """The first slot in which the limit has room; None when it has room now."""
    inside = {slot: n for slot, n in counts.items() if now - limit.slots < slot <= now}
    used = sum(inside.values())
    if used < limit.most:
        return None
    for slot in sorted(inside):
        used -= inside[slot]
        if used < limit.most:
            return slot + limit.slots
    return now + limit.slots


def wait_s(elapsed_s: float) -> float:
    """Seconds until the next beat, for an answer that took `elapsed_s` to find."""
    beats = max(1, math.ceil(elapsed_s / BEAT_S))
    return beats * BEAT_S - elapsed_s
