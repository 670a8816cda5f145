"""One actor a queue: a signal says "there is work", the job table says which."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import dramatiq
from dramatiq import Actor, Broker

from config.queues import QUEUES
from vouchers.bootstrap import App
from vouchers.pipeline.carry import Carrier
from vouchers.pipeline.leases import quiet
from workers.broker import actor_name

#: A signal is worth so many seconds of work in its queue; then others have their turn.
SIGNAL_S = 1.0


def build(
    broker: Broker,
    app: App,
    *,
    queues: Sequence[str] = (),
    carrier: Carrier | None = None,
    more: Callable[[], None] = lambda: None,
    open_: Callable[[], bool] = lambda: True,
) -> dict[str, Actor[Any, Any]]:
    """Make the actors of `queues` (all by default) on `broker`.

    `more` is called when a signal is used up and work may be left; `open_` says
    whether this process still takes jobs.
    """
    carrier = carrier or Carrier(app.context)
    return {
        queue.name: _actor(broker, rank, queue.name, carrier, more, open_)
        for rank, queue in enumerate(QUEUES)
        if not queues or queue.name in queues
    }


def _actor(
    broker: Broker,
    rank: int,
    queue: str,
    carrier: Carrier,
    more: Callable[[], None],
    open_: Callable[[], bool],
) -> Actor[Any, Any]:
    # What was begun is finished first: later queues pass earlier ones.
    @dramatiq.actor(
        broker=broker,
        actor_name=actor_name(queue),
        queue_name=queue,
        priority=len(QUEUES) - rank,
    )
    def carry(_hint: int) -> None:
        until = time.monotonic() + SIGNAL_S
        # Nothing raised here may reach the broker: its text could hold anything.
        with quiet("signal_failed"):
            while open_() and carrier.carry_one([queue]):
                if time.monotonic() > until:
                    more()
                    return

    return carry
