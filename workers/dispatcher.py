"""Rings the doorbell: after commits and twice a second, a few signals a queue."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import structlog
from dramatiq import Broker

from vouchers.crashpoints import crashpoint
from vouchers.pipeline.carry import ALL_QUEUES
from vouchers.pipeline.context import Context
from vouchers.pipeline.leases import quiet
from vouchers.store import queues as store
from vouchers.store import unit_of_work
from workers.broker import signal

log = structlog.get_logger()

#: Seconds between two sweeps when nobody wakes the dispatcher.
SWEEP_S = 0.5
#: Seconds after which a signal that moved nothing is taken for lost.
AGAIN_S = 5.0
#: Commits in quick succession share one look at the table.
BREATH_S = 0.02
#: Signals on the way in one queue.
SIGNALS_MAX = 8


class Dispatcher:
    """Keeps few signals on the way; correctness never depends on one arriving."""

    def __init__(
        self,
        ctx: Context,
        broker: Broker,
        *,
        queues: Sequence[str] = ALL_QUEUES,
        signals_max: int = SIGNALS_MAX,
    ) -> None:
        self._ctx = ctx
        self._broker = broker
        self._queues = queues
        self._signals_max = signals_max
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dispatch", daemon=True)

    def start(self) -> None:
        """Begin to ring; every commit of this process that promises jobs wakes it."""
        unit_of_work.wake_with(self.wake)
        self._thread.start()

    def stop(self) -> None:
        """Ring no more."""
        unit_of_work.stop_waking(self.wake)
        self._stop.set()
        self._wake.set()
        self._thread.join(timeout=10)

    def wake(self) -> None:
        """Have it look now rather than at the next sweep."""
        self._wake.set()

    def ring(self) -> int:
        """Publish what is due and not yet on its way; count the signals."""
        with self._ctx.reading() as conn:
            if not store.anything_due(conn, self._queues):
                return 0
        with self._ctx.begin(urgent=True, name="ring") as uow:
            signals = store.to_ring(
                uow.conn,
                queues=self._queues,
                per_queue=self._signals_max,
                again_s=AGAIN_S,
            )
        for sent, (queue, job_id) in enumerate(signals):
            try:
                self._broker.enqueue(signal(queue, job_id))
            except Exception as error:
                # Perhaps it arrived. Either way it is given again after a while.
                log.warning("signal_maybe_lost", error_class=type(error).__name__)
                return sent
            crashpoint("ring.handed_over")
        return len(signals)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(SWEEP_S)
            self._wake.clear()
            with quiet("dispatch_failed"):
                self.ring()
            self._stop.wait(BREATH_S)
