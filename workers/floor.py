"""One process at work: everything that runs beside the jobs, and how it stops."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import dramatiq
import structlog

from config.queues import Lane
from vouchers.bootstrap import App
from vouchers.messages import twilio
from vouchers.pipeline import housekeeping, steps
from vouchers.pipeline.carry import ALL_QUEUES, Carrier
from vouchers.pipeline.leases import Leases, process_name, quiet
from vouchers.store import unit_of_work
from workers.actors import build
from workers.broker import open_broker
from workers.clock import Clock
from workers.dispatcher import SIGNALS_MAX, Dispatcher
from workers.middleware import quieten_dramatiq

log = structlog.get_logger()

#: Seconds between two looks of the urgent thread when nobody wakes it.
URGENT_LOOK_S = 0.25
#: Milliseconds after which an idle consumer looks again: latency against idle load.
CONSUMER_WAIT_MS = 500
#: Milliseconds that a stopping process gives its jobs; the rest is for the leases.
DRAIN_MS = 60_000


class Floor:
    """Threads that answer signals, one for urgent work only, and their clockwork.

    Without `carries` it rings and ticks but takes no job: that is `vouchers dispatch`.
    """

    def __init__(
        self,
        app: App,
        *,
        queues: Sequence[str] = ALL_QUEUES,
        threads: int | None = None,
        carries: bool = True,
    ) -> None:
        quieten_dramatiq()
        ctx = app.context
        in_process = app.settings.broker_url == "memory"
        threads = threads or app.settings.threads
        self._ctx = ctx
        self._queues = queues
        self._closing = threading.Event()
        self._urgent_wake = threading.Event()
        self.broker = open_broker(app.settings.broker_url)
        self.dispatcher = Dispatcher(
            ctx,
            self.broker,
            # Nobody else hears an in-process bell: do not ring where nobody answers.
            queues=queues if in_process else ALL_QUEUES,
            signals_max=threads if in_process else SIGNALS_MAX,
        )
        self.clock = Clock(ctx)
        self.carrier = Carrier(ctx, queues=queues) if carries else None
        # A process that only rings gives signs of life, too.
        self.leases = (
            self.carrier.leases if self.carrier else Leases(ctx, process_name(), ())
        )
        self._worker: dramatiq.Worker | None = None
        self._urgent: threading.Thread | None = None
        if self.carrier is not None:
            build(
                self.broker,
                app,
                queues=queues,
                carrier=self.carrier,
                more=self.dispatcher.wake,
                open_=lambda: not self._closing.is_set(),
            )
            self._worker = dramatiq.Worker(
                self.broker,
                queues=set(queues),
                worker_timeout=CONSUMER_WAIT_MS,
                worker_threads=threads,
            )
            self._urgent = threading.Thread(
                target=self._serve_urgent, name="urgent", daemon=True
            )

    def start(self) -> None:
        """Open: free what died before us, then take signals."""
        if self.carrier is not None:
            steps.warm_up(self._queues)
            if "send" in self._queues:
                twilio.warm_up()
        with quiet("take_back_failed"):
            housekeeping.take_back(self._ctx)
        self.leases.start()
        if self._worker is not None:
            self._worker.start()
        if self._urgent is not None:
            unit_of_work.wake_with(self._urgent_wake.set)
            self._urgent.start()
        self.dispatcher.start()
        self.clock.start()
        log.info("floor_opened", queues=list(self._queues))

    def stop(self) -> None:
        """Close: take no more jobs, finish those begun, say goodbye."""
        self._closing.set()
        self._urgent_wake.set()
        self.clock.stop()
        self.dispatcher.stop()
        if self._worker is not None:
            self._worker.stop(timeout=DRAIN_MS)
        if self._urgent is not None:
            unit_of_work.stop_waking(self._urgent_wake.set)
            self._urgent.join(timeout=DRAIN_MS / 1000)
        self.leases.stop()
        self.broker.close()
        log.info("floor_closed")

    def _serve_urgent(self) -> None:
        """Urgent jobs only, straight from the table: no bulk can stand before them."""
        assert self.carrier is not None
        while not self._closing.is_set():
            carried = False
            with quiet("urgent_failed"):
                carried = self.carrier.carry_one(self._queues, (Lane.URGENT,))
            if not carried:
                self._urgent_wake.wait(URGENT_LOOK_S)
                self._urgent_wake.clear()
