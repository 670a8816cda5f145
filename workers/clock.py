"""Looks after what no signal speaks of: on many hosts at once, each tick runs once."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from vouchers.pipeline import housekeeping, steps
from vouchers.pipeline.context import Context
from vouchers.pipeline.leases import quiet
from vouchers.pipeline.steps import SWEEPS, Sweep
from vouchers.store import queues

#: Seconds between two looks at the time.
LOOK_S = 0.5
#: Seconds between two searches for jobs whose worker fell silent.
TAKE_BACK_S = 5.0


class Clock:
    """Ticks by the database's clock; of all clocks, one takes each slot."""

    def __init__(self, ctx: Context, sweeps: Sequence[Sweep] = SWEEPS) -> None:
        self._ctx = ctx
        self._sweeps = sweeps
        self._done: dict[str, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clock", daemon=True)

    def start(self) -> None:
        """Begin to tick."""
        self._thread.start()

    def stop(self) -> None:
        """Tick no more."""
        self._stop.set()
        self._thread.join(timeout=10)

    def tick(self) -> None:
        """Run what the present slots ask for."""
        with self._ctx.reading() as conn:
            now_s = queues.epoch(conn)
        if self._new_slot("take_back", now_s, TAKE_BACK_S) is not None:
            # Every clock does this: it is what makes all else independent of luck.
            with quiet("take_back_failed"):
                housekeeping.take_back(self._ctx)
        for sweep in self._sweeps:
            slot = self._new_slot(sweep.name, now_s, sweep.every_s)
            if slot is not None:
                with quiet("tick_failed"):
                    self._sweep(sweep, slot)

    def _sweep(self, sweep: Sweep, slot: int) -> None:
        if sweep.when is not None:
            with self._ctx.reading() as conn:
                if not steps.load(sweep.when)(conn):
                    return
        with self._ctx.begin(name="tick") as uow:
            if not queues.take_slot(uow.conn, sweep.name, slot):
                return
            if sweep.inline:
                steps.load(sweep.call)(uow)
            else:
                uow.enqueue(steps.sweep_job(sweep))

    def _new_slot(self, name: str, now_s: float, every_s: float) -> int | None:
        """The present slot, unless this clock has seen to it already."""
        slot = int(now_s // every_s)
        if self._done.get(name) == slot:
            return None
        self._done[name] = slot
        return slot

    def _run(self) -> None:
        while not self._stop.is_set():
            with quiet("clock_failed"):
                self.tick()
            self._stop.wait(LOOK_S)


def sweep_now(ctx: Context, sweeps: Sequence[Sweep] = SWEEPS) -> None:
    """Run every sweep in this thread: the last round before a process goes home."""
    for sweep in sweeps:
        with quiet("sweep_failed"):
            if sweep.inline:
                with ctx.begin(name="tick") as uow:
                    steps.load(sweep.call)(uow)
            else:
                steps.load(sweep.call)(ctx)
