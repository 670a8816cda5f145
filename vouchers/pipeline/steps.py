"""Which function carries which kind of job, who holds its failed rows, what is swept.

Names, not imports: a worker loads a step when the first job of its kind arrives, and a
process that serves one queue never loads the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from config.queues import Lane
from vouchers.errors import VoucherError
from vouchers.pipeline.context import Context
from vouchers.store import claims
from vouchers.store.jobs import ClaimedJob, JobSpec
from vouchers.store.unit_of_work import UnitOfWork

Handler = Callable[[Context, ClaimedJob], None]
#: Puts the one row of a job into its state `held`, in the unit that holds the job.
Holder = Callable[[UnitOfWork, ClaimedJob, str], None]

#: First part of `once` of every job that a sweep makes.
SWEEPING = "sweep:"


class UnknownKind(VoucherError):
    """No step of this version carries such a job; a newer worker may."""


@dataclass(frozen=True, slots=True)
class Step:
    """How one kind of job is carried; functions are named "module:function"."""

    kind: str
    queue: str
    handle: str
    hold: str | None = None
    #: Table of the rows that `hold` holds, and the state in which `handle` takes them.
    row: str | None = None
    takes: str | None = None
    #: State of a row whose job a person discards.
    discarded: str | None = None


@dataclass(frozen=True, slots=True)
class Sweep:
    """What the clock looks after, so that nothing waits for a signal that was lost."""

    name: str
    every_s: float
    #: "module:function", given the context by a worker or, `inline`, a unit of work by
    #: the clock itself: for sweeps that only look and promise jobs.
    call: str
    inline: bool = False
    #: "module:function" that looks whether there is anything to sweep; None: always.
    when: str | None = None
    queue: str = "clockwork"


_PIPELINE = "vouchers.pipeline"
_HOUSE = f"{_PIPELINE}.housekeeping"

STEPS: tuple[Step, ...] = (
    Step(
        "accept.chunk",
        "accept",
        f"{_PIPELINE}.accept_chunk:handle",
        f"{_PIPELINE}.accept_chunk:hold",
    ),
    Step("batch.resume", "accept", f"{_PIPELINE}.breaker:resume"),
    Step("batch.reject", "accept", f"{_PIPELINE}.breaker:reject"),
    Step(
        "deduplicate.chunk",
        "deduplicate",
        f"{_PIPELINE}.deduplicate:handle",
        f"{_PIPELINE}.deduplicate:hold",
        row="referral",
        takes="received",
        discarded="declined",
    ),
    Step(
        "allocate.chunk",
        "allocate",
        f"{_PIPELINE}.allocate:handle",
        f"{_PIPELINE}.allocate:hold",
        row="referral",
        takes="matched",
        discarded="declined",
    ),
    Step("allocate.drain", "allocate", f"{_PIPELINE}.waitlist:handle"),
    Step(
        "send.chunk",
        "send",
        f"{_PIPELINE}.send:handle",
        f"{_PIPELINE}.send:hold",
        row="message",
        takes="queued",
        discarded="cancelled",
    ),
    Step("send.resolve", "send", f"{_PIPELINE}.resolve:handle"),
    Step("deliver.apply", "deliver", f"{_PIPELINE}.record_delivery:handle"),
    Step("redeem.apply", "redeem", f"{_PIPELINE}.redeem:handle"),
    Step("keys.reseal", "clockwork", f"{_PIPELINE}.reseal:handle"),
)

SWEEPS: tuple[Sweep, ...] = (
    Sweep("callbacks", 5, f"{_PIPELINE}.record_delivery:sweep", inline=True),
    Sweep("unknown", 15, f"{_PIPELINE}.resolve:sweep", inline=True),
    Sweep("seal", 1, f"{_PIPELINE}.integrate:seal", when=f"{_HOUSE}:events_wait"),
    Sweep("results", 5, f"{_PIPELINE}.results:sweep"),
    Sweep("waitlist", 30, f"{_PIPELINE}.waitlist:sweep"),
    Sweep("expire", 60, f"{_PIPELINE}.expire:sweep"),
    Sweep("reviews", 60, "vouchers.backoffice.reviews:escalate"),
    Sweep("strays", 300, f"{_PIPELINE}.strays:sweep", inline=True),
    Sweep("invariants", 3_600, f"{_HOUSE}:check_invariants"),
    Sweep("purge", 60, f"{_HOUSE}:purge"),
)

STEP_BY_KIND = {step.kind: step for step in STEPS}
SWEEP_BY_NAME = {sweep.name: sweep for sweep in SWEEPS}


@cache
def load(name: str) -> Callable[..., Any]:
    """The function called "module:function"."""
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found


def warm_up(queues: Sequence[str]) -> None:
    """Load the steps of these queues now, before threads load them side by side."""
    for step in STEPS:
        if step.queue in queues:
            load(step.handle)
    for sweep in SWEEPS:
        if sweep.queue in queues:
            load(sweep.call)


def handler_of(kind: str) -> Handler:
    """What carries a job of this kind; raise UnknownKind when nothing here does."""
    if kind.startswith(SWEEPING):
        return run_sweep
    step = STEP_BY_KIND.get(kind)
    if step is None:
        raise UnknownKind(kind=kind)
    return load(step.handle)


def holder_of(kind: str) -> Holder | None:
    """What holds the row of a failed job of this kind, if its rows can be held."""
    step = STEP_BY_KIND.get(kind)
    return load(step.hold) if step is not None and step.hold else None


def sweep_job(sweep: Sweep) -> JobSpec:
    """The job that runs a sweep; one of each waits at most."""
    word = f"{SWEEPING}{sweep.name}"
    return JobSpec(sweep.queue, word, lane=Lane.BULK, need=0, once=word)


def run_sweep(ctx: Context, job: ClaimedJob) -> None:
    """Carry a sweep: its function commits in bites of its own, then the job is done."""
    name = job.kind.removeprefix(SWEEPING)
    if name not in SWEEP_BY_NAME:
        raise UnknownKind(kind=job.kind)
    with ctx.reading() as conn:
        at_work = claims.twin_at_work(conn, job)
    # A slow sweep must not be joined by a second that does the same again.
    if not at_work:
        load(SWEEP_BY_NAME[name].call)(ctx)
    with ctx.begin(name="sweep") as uow:
        uow.complete(job)
