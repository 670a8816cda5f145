"""A worker process whose steps are made for faults: two in a row, one event an item.

Started by tests as `python -m tests.faults.synthetic`. The first step takes chunks and
promises the second; each writes exactly one audit event per item, so that the log says
afterwards how often every item was really carried.
"""

from __future__ import annotations

import sys

from config import settings
from config.logging import configure
from vouchers import bootstrap
from vouchers.bootstrap import App
from vouchers.pipeline import steps
from vouchers.pipeline.context import Context
from vouchers.store.jobs import ClaimedJob, JobSpec
from workers import run

#: An item that the second step cannot carry.
POISON = 13


def first(ctx: Context, job: ClaimedJob) -> None:
    """Carry a chunk and promise what follows."""
    with ctx.begin(name="synthetic.first") as uow:
        for item in job.items:
            uow.record("first.done", item)
        uow.enqueue(JobSpec("send", "second", items=job.items, lane=job.lane))
        uow.complete(job)


def second(ctx: Context, job: ClaimedJob) -> None:
    """End a chunk, unless there is poison in it."""
    with ctx.begin(name="synthetic.second") as uow:
        for item in job.items:
            if item == POISON:
                raise ValueError("Mary Smith")
            uow.record("second.done", item)
        uow.complete(job)


def hold(uow: object, job: ClaimedJob, error_class: str) -> None:
    """Let the job alone be held: there is no row."""


def install() -> None:
    """Replace the steps of the house by these."""
    made = {"first": first, "second": second}
    steps.handler_of = lambda kind: made[kind]  # type: ignore[assignment]
    steps.holder_of = lambda _kind: hold  # type: ignore[assignment]
    for name in run.LAST_SWEEPS:
        steps.SWEEP_BY_NAME.pop(name, None)
    run.LAST_SWEEPS = ()
    run.IDLE_S = 60.0


def main() -> int:
    """Carry until idle, or for ever with the word `stay`."""
    configure("json")
    app: App = bootstrap.build(settings.read(), migrate=False)
    install()
    from workers import clock

    clock.Clock.__init__.__defaults__ = ((),)  # type: ignore[attr-defined]
    return run.work(app, threads=2, until_idle="stay" not in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
