"""Named places where a test may kill this process: nothing may depend on luck.

Every unit of work has a place before its commit and one after it; the others stand
around calls to the provider and to Redis, and around files. The fault suite dies at
each of `POINTS` and sees that the house finishes by itself.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

#: Units (`begin(name=...)`) of what runs by itself, and of what is handed in.
UNITS = frozenset(
    {
        # the door
        "accept.received",
        "accept.stage",
        "accept.opened",
        "accept.refuse",
        "accept.dry_run",
        # the way of a row
        "accept.chunk",
        "batch.resume",
        "batch.reject",
        "deduplicate.chunk",
        "allocate.chunk",
        "allocate.aside",
        "allocate.drain.first",
        "allocate.drain",
        "waitlist.sweep",
        "send.chunk.claim",
        "send.chunk.evidence",
        "send.chunk",
        "send.resolve.evidence",
        "send.resolve",
        "callbacks",
        "deliver.apply",
        # money after a code was sent
        "redeem.open",
        "redeem.stage",
        "redeem.close",
        "redeem.apply",
        "expire.end",
        "expire.release",
        "expire.gaps",
        # what is shown and kept
        "integrate",
        "integrate.sign",
        "results.finish",
        "results.changed",
        "results.written",
        "results.outcomes",
        "reviews.escalate",
        "keys.reseal",
        # the carrying itself
        "start",
        "claim",
        "give_back",
        "settle",
        "sweep",
        "ring",
        "tick",
        "beat",
        "goodbye",
        "take_back",
        "release",
        "purge",
    }
)

#: Acts of a person: one unit each, done or not done; the person sees which.
BY_HAND = frozenset(
    {
        "activations.export",
        "audit.accept_loss",
        "batches.reject",
        "batches.release",
        "check.ask",
        "check.count",
        "discrepancy.settle",
        "explain.open",
        "fund.add",
        "fund.close",
        "fund.confirm",
        "fund.give",
        "fund.lapse",
        "fund.receive",
        "fund.take_out",
        "job.discard",
        "job.requeue",
        "keys.rotate",
        "matching.audit",
        "matching.calibrate",
        "matching.train",
        "partners.add",
        "partners.amend",
        "partners.list",
        "partners.state",
        "people.add",
        "people.amend",
        "people.first",
        "people.renew",
        "people.suspend",
        "queue.limit",
        "queue.pause",
        "queue.resume",
        "reviews.decide",
        "reviews.dispute",
        "reviews.show",
        "reviews.undo",
        "reviews.unmerge",
        "scheme.approve",
        "scheme.load",
        "scheme.seed",
        "scheme.state",
        "search",
        "stock.import",
    }
)

#: Units that are rolled back on purpose: there is no commit to die around.
NEVER_COMMITTED = frozenset({"accept.rehearse"})

#: Places between commits: around calls to others, and around files.
PLACES = frozenset(
    {
        "accept.registered",
        "accept.rehearsed",
        "carry.claimed",
        "carry.before_step",
        "carry.after_step",
        "inbox.claimed",
        "inbox.submitted",
        "inbox.filed",
        "integrate.remembered",
        "redeem.applied",
        "resolve.before_call",
        "resolve.after_call",
        "results.drafted",
        "results.replaced",
        "ring.handed_over",
        "send.before_call",
        "send.after_call",
    }
)

#: Where the fault suite kills, each and every one.
POINTS = PLACES | {
    f"{unit}.{moment}" for unit in UNITS for moment in ("before_commit", "committed")
}

_seen: dict[str, int] = {}


def crashpoint(name: str) -> None:
    """Die by SIGKILL here if VOUCHERS_CRASH_AT says `name` or `name:n` (the nth pass).

    Without that variable this is one dictionary look-up. VOUCHERS_CRASH_LOG names a
    file to which each passed point is appended, so that a suite can prove coverage.
    """
    wanted = os.environ.get("VOUCHERS_CRASH_AT")
    log = os.environ.get("VOUCHERS_CRASH_LOG")
    if wanted is None and log is None:
        return
    _seen[name] = _seen.get(name, 0) + 1
    if log is not None and _seen[name] == 1:
        with Path(log).open("a", encoding="utf-8") as stream:
            stream.write(f"{name}\n")
    if wanted is None:
        return
    point, _, nth = wanted.partition(":")
    if point == name and _seen[name] == int(nth or 1):
        os.kill(os.getpid(), signal.SIGKILL)
