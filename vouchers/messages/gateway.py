"""What any provider of text messages must do for us, and what it can answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vouchers.domain.delivery import Failure


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One text, ready to be handed over; `repr` shows nothing of a person."""

    attempt_id: int
    to: str
    body: str
    sender: str
    callback_url: str

    def __repr__(self) -> str:
        return f"OutgoingMessage(attempt_id={self.attempt_id})"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has it and gave it a number."""

    sid: str
    status: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider read it and said no."""

    code: int
    kind: Failure


@dataclass(frozen=True, slots=True)
class Unknown:
    """The answer was lost: perhaps taken, perhaps not. `reason` is an error class."""

    reason: str


#: In place of a provider's code: no connection could be made.
NEVER_REACHED = 0


@dataclass(frozen=True, slots=True)
class Throttled:
    """Turned away unread, as too many at once, or the provider was never reached."""

    code: int


@dataclass(frozen=True, slots=True)
class NotCalled:
    """We never called: the lease would not have outlived the call."""


Outcome = Accepted | Refused | Unknown | Throttled | NotCalled


@dataclass(frozen=True, slots=True)
class Found:
    """A message that the provider shows when asked."""

    sid: str
    status: str
    error_code: int | None


def always() -> bool:
    """A call may always start."""
    return True


class Gateway(Protocol):
    """A provider of text messages."""

    #: No call lasts longer than this, whatever the network does.
    call_limit_s: float

    def send(self, message: OutgoingMessage) -> Outcome:
        """Hand over one message; never raises for what a provider can do."""
        ...

    def send_many(
        self,
        messages: Sequence[OutgoingMessage],
        *,
        may_start: Callable[[], bool] = always,
    ) -> list[Outcome]:
        """Hand over many at once, answers in the same order.

        `may_start` is asked right before each call; NotCalled where it says no.
        """
        ...

    def find(
        self, *, attempt_id: int, to: str, since: datetime, body_contains: str
    ) -> list[Found]:
        """What the provider took for `to` since then with these words in it.

        Only that of this attempt, where the provider keeps a reference of ours.
        Raises GatewayUnavailable when the provider cannot be asked just now.
        """
        ...

    def verify_callback(
        self, *, url: str, params: Sequence[tuple[str, str]], signature: str | None
    ) -> bool:
        """Whether a callback is the provider's: signed for this very URL, or with the
        token that only the provider was given.
        """
        ...

    def close(self) -> None:
        """Give back connections and threads."""
        ...
