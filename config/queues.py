"""The queues by name: what each is for and how long a lease it needs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Lane(IntEnum):
    """Which line of a queue a job stands in; the lower number goes first."""

    URGENT = 0  #: somebody is off supply now
    BULK = 1  #: everything else


@dataclass(frozen=True, slots=True)
class Queue:
    """How one queue is worked."""

    name: str
    #: What an operator reads beside the name.
    purpose: str
    #: Seconds before a job whose worker fell silent is taken over; a living worker
    #: renews its leases every five.
    lease_s: int
    #: Tries of a job that fails with an error of its own before it is split or held.
    attempts_max: int = 1
    #: How many of its jobs may run at once everywhere; None means no bound.
    limit: int | None = None


#: All queues, in the order in which a row meets them.
QUEUES: tuple[Queue, ...] = (
    Queue("accept", "rows of a file are understood", 60),
    Queue("deduplicate", "residents are matched across partners", 60),
    Queue("allocate", "awards are decided, money is moved", 60),
    Queue("send", "messages are handed to the provider", 60),
    Queue("deliver", "what the provider reports is applied", 60),
    Queue("redeem", "networks' files and expiries are booked", 60),
    Queue("clockwork", "sweeps, seals, result files", 60),
)

QUEUE_BY_NAME = {queue.name: queue for queue in QUEUES}

#: Rows that one job carries at most: about 300 ms of transaction.
CHUNK_ROWS = 500
#: Messages that one send job carries at most: what one lease can surely hand over.
CHUNK_MESSAGES = 250
