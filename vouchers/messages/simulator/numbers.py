"""Numbers with a will of their own, all from Ofcom's range for drama and tests.

Any other number: accepted, sent, delivered.
"""

from __future__ import annotations

from dataclasses import dataclass

from vouchers.messages.simulator.faults import Fault


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a number does to a message."""

    says: str
    #: The API refuses it with this code.
    refused: int | None = None
    #: Its callbacks, in order, and the error code of the last.
    statuses: tuple[str, ...] = ("sent", "delivered")
    error_code: int | None = None
    #: Only the first message to it meets this fault.
    first: Fault | None = None


USUAL = Behaviour("sent, then delivered")
_LOST = ("sent", "undelivered")

#: The last three digits of +447700900xxx.
MAGIC: dict[str, Behaviour] = {
    "+447700900900": Behaviour("refused: not a valid number", refused=21211),
    "+447700900901": Behaviour("refused: not a mobile", refused=21614),
    "+447700900902": Behaviour("refused: opted out", refused=21610),
    "+447700900903": Behaviour("phone off", statuses=_LOST, error_code=30003),
    "+447700900904": Behaviour("unknown number", statuses=_LOST, error_code=30005),
    "+447700900905": Behaviour("filtered", statuses=_LOST, error_code=30007),
    "+447700900906": Behaviour("landline", statuses=_LOST, error_code=30006),
    "+447700900907": Behaviour("the carrier never reports back", statuses=("sent",)),
    "+447700900908": Behaviour("no callback at all", statuses=()),
    "+447700900909": Behaviour("refused: sender's queue is full", refused=21611),
    "+447700900910": Behaviour("answer lost once, accepted", first=Fault.DROP_AFTER),
    "+447700900911": Behaviour("turned away once: 429", first=Fault.THROTTLE),
    "+447700900912": Behaviour("500 once, but accepted", first=Fault.ERROR_AFTER),
    "+447700900913": Behaviour("500 once, not accepted", first=Fault.ERROR_BEFORE),
    "+447700900914": Behaviour("refused: country not enabled", refused=21408),
    "+447700900915": Behaviour(
        "undelivered, then delivered after all",
        statuses=("sent", "undelivered", "delivered"),
    ),
    "+447700900916": Behaviour(
        "failed: validity ran out", statuses=("failed",), error_code=30036
    ),
}


def behaviour_of(to: str) -> Behaviour:
    """What this number does."""
    return MAGIC.get(to, USUAL)
