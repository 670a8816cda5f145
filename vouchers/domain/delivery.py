"""How a message moves on: what a provider means, when to send, when to try again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from vouchers.domain.calendar import LONDON
from vouchers.domain.lifecycle import MessageState


class Failure(StrEnum):
    """Whose fault a refusal is, which decides what happens next."""

    CONFIGURATION = "configuration"  #: our account or sender is wrong: stop the queue
    NUMBER = "number"  #: this number takes no texts: back to the partner
    OPTED_OUT = "opted_out"  #: the person said stop: never again
    TEMPORARY = "temporary"  #: may work later
    FILTERED = "filtered"  #: a carrier dislikes our text: a person must look
    OURS = "ours"  #: too fast or too late: slow down, send again


class AttemptState(StrEnum):
    """What is known of one try at the provider."""

    CLAIMED = "claimed"  #: about to be called
    UNKNOWN = "unknown"  #: called, or perhaps not; the answer was lost
    ABSENT = "absent"  #: the provider never had it
    REFUSED = "refused"  #: the provider said no
    ACCEPTED = "accepted"  #: the provider has it


#: An attempt moves to a higher rank only: late evidence beats an earlier guess.
ATTEMPT_RANK: Mapping[AttemptState, int] = {
    AttemptState.CLAIMED: 0,
    AttemptState.UNKNOWN: 1,
    AttemptState.ABSENT: 2,
    AttemptState.REFUSED: 3,
    AttemptState.ACCEPTED: 4,
}

#: The provider's words in ours. A word not listed says no more than "accepted".
STATE_OF_STATUS: Mapping[str, MessageState] = {
    "sent": MessageState.SENT,
    "delivered": MessageState.DELIVERED,
    "read": MessageState.DELIVERED,
    "partially_delivered": MessageState.SENT,
    "undelivered": MessageState.UNDELIVERED,
    "failed": MessageState.FAILED,
    "canceled": MessageState.FAILED,
    # GOV.UK Notify's.
    "permanent-failure": MessageState.UNDELIVERED,
    "temporary-failure": MessageState.UNDELIVERED,
    "technical-failure": MessageState.FAILED,
    "validation-failed": MessageState.FAILED,
}

#: How far a state is along the way. What is heard in any order ends at the furthest:
#: a carrier's word beats the provider's, and "delivered", however late, beats all.
MESSAGE_RANK: Mapping[MessageState, int] = {
    MessageState.ACCEPTED: 1,
    MessageState.SENT: 2,
    MessageState.FAILED: 3,
    MessageState.UNDELIVERED: 4,
    MessageState.DELIVERED: 5,
}


def state_of(status: str) -> MessageState:
    """What a provider's status means to us."""
    return STATE_OF_STATUS.get(status, MessageState.ACCEPTED)


def furthest(current: MessageState, heard: Iterable[MessageState]) -> MessageState:
    """The state after all that was heard, in whatever order it came."""
    return max((current, *heard), key=lambda state: MESSAGE_RANK.get(state, 0))


@dataclass(frozen=True, slots=True)
class Hours:
    """Local times between which people may be written to."""

    opens: time
    closes: time


def not_before(
    now: datetime, hours: Hours, *, any_hour: bool, zone: ZoneInfo = LONDON
) -> datetime:
    """`now` if a text may go, else the next local opening, in UTC."""
    local = now.astimezone(zone)
    if any_hour or hours.opens <= local.time() < hours.closes:
        return now
    day = local.date() + timedelta(days=0 if local.time() < hours.opens else 1)
    return datetime.combine(day, hours.opens, zone).astimezone(UTC)


#: Waits between tries that the provider turned away unread, in seconds, at the most.
BACKOFF_MAX_S = 900.0


def backoff_s(tries: int, message_id: int) -> float:
    """Seconds to wait after the nth try (1 is the first) that was turned away.

    Doubles from 5 s and is spread by half, by the message's own number: the same
    message waits the same time in a test as in life, its neighbours another.
    """
    spread = (message_id * 0x9E3779B97F4A7C15 >> 32 & 0xFFFF) / 0x10000
    ceiling = min(BACKOFF_MAX_S, 5.0 * float(2 ** min(tries - 1, 16)))
    return ceiling * (0.5 + spread / 2)


class Next(StrEnum):
    """What follows a refusal or a failed delivery."""

    AGAIN = "again"  #: the same message, after a wait
    PAUSE = "pause"  #: stop the queue, call a person, keep the message queued
    GIVE_BACK = "give_back"  #: failed for good; the partner is told
    HOLD = "hold"  #: a person must look at this one


_AFTER_REFUSAL: Mapping[Failure, Next] = {
    Failure.CONFIGURATION: Next.PAUSE,
    Failure.NUMBER: Next.GIVE_BACK,
    Failure.OPTED_OUT: Next.GIVE_BACK,
    Failure.TEMPORARY: Next.AGAIN,
    Failure.FILTERED: Next.HOLD,
    Failure.OURS: Next.AGAIN,
}

#: Tries per message; an attempt's number has four bits.
TRIES_MAX = 16


def after_refusal(failure: Failure, *, tries: int) -> Next:
    """What follows when the provider refused a message that it never took."""
    step = _AFTER_REFUSAL[failure]
    return Next.HOLD if step is not Next.GIVE_BACK and tries >= TRIES_MAX else step


def resend_wait_s(
    failure: Failure, *, generation: int, waits_s: tuple[float, ...]
) -> float | None:
    """Seconds until the same code goes out once more; None when it does not.

    Only for a message that the provider took and could not deliver. Each resend is a
    generation of its own, so that "at most one accepted per generation" stays true.
    """
    passing = failure in (Failure.TEMPORARY, Failure.OURS)
    if not passing or generation >= len(waits_s):
        return None
    return waits_s[generation]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What became known of one attempt, and from whom."""

    attempt_id: int
    state: AttemptState
    #: answer, callback, look_up, or none: we never called.
    source: str
    sid: str | None = None
    error_code: int | None = None
    #: Why the provider refused it, or could not deliver it.
    failure: Failure | None = None
    #: How far an accepted one has got.
    heard: MessageState = MessageState.ACCEPTED


@dataclass(frozen=True, slots=True)
class Move:
    """Where evidence takes a message."""

    state: MessageState
    reason: str | None = None
    #: Seconds before it may be tried again.
    wait_s: float = 0.0


_IN_THE_AIR = (MessageState.SENDING, MessageState.UNKNOWN)
_MOVE_AFTER: Mapping[Next, MessageState] = {
    Next.AGAIN: MessageState.QUEUED,
    Next.PAUSE: MessageState.QUEUED,
    Next.GIVE_BACK: MessageState.FAILED,
    Next.HOLD: MessageState.HELD,
}


def message_after(
    current: MessageState, evidence: Evidence, *, tries: int, message_id: int
) -> Move:
    """Where a message goes once `evidence` of its newest attempt is in.

    "The provider has it" counts in every state. All else counts only while the
    message is in the air: news that comes later was settled by something stronger.
    """
    if evidence.state is AttemptState.ACCEPTED:
        lost = evidence.failure.value if evidence.failure is not None else None
        return Move(furthest(current, [evidence.heard]), lost)
    if current not in _IN_THE_AIR:
        return Move(current)
    if evidence.state is AttemptState.UNKNOWN:
        return Move(MessageState.UNKNOWN)
    if evidence.state is AttemptState.ABSENT:
        used_up = tries >= TRIES_MAX
        return Move(MessageState.HELD if used_up else MessageState.QUEUED)
    if evidence.failure is None:
        return Move(current)
    step = after_refusal(evidence.failure, tries=tries)
    wait_s = backoff_s(tries, message_id) if step is Next.AGAIN else 0.0
    return Move(_MOVE_AFTER[step], evidence.failure.value, wait_s)
