"""Hands texts to the provider: claimed first, called with no transaction open, settled.

A process that dies between claim and evidence leaves its tries `claimed`. Whoever comes
next never calls for them: it marks them unknown, and the resolver asks the provider.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, select

from config.queues import Lane
from vouchers.crashpoints import crashpoint
from vouchers.domain.delivery import AttemptState, Evidence, Failure, state_of
from vouchers.domain.ids import attempt_id
from vouchers.domain.lifecycle import MessageState
from vouchers.messages.gateway import (
    Accepted,
    Gateway,
    NotCalled,
    Outcome,
    Refused,
    Throttled,
    Unknown,
)
from vouchers.pipeline import preparing
from vouchers.pipeline.after_failure import follow_up
from vouchers.pipeline.context import Context
from vouchers.pipeline.preparing import Ready
from vouchers.store import claims, evidence, messages, pace, schemes
from vouchers.store.bulk import chunks
from vouchers.store.jobs import ClaimedJob, JobSpec
from vouchers.store.listed import among
from vouchers.store.tables.messages import message
from vouchers.store.unit_of_work import UnitOfWork

#: A call starts only if the lease outlives its time limit by so many seconds.
LEASE_MARGIN_S = 10.0
#: Messages between two looks at the lease.
SUB_BATCH = 125
#: In the payload of a job that looks for texts without one. They may have one after
#: all, so what that one holds or puts off is left to it.
STRAY = "stray"
#: Shortest wait before a postponed text is looked at again.
WAIT_MIN_S = 1.0


def handle(ctx: Context, job: ClaimedJob) -> None:
    """Send what may be sent of one chunk."""
    urgent = job.lane is Lane.URGENT
    with ctx.begin(urgent=urgent, name="send.chunk.claim") as uow:
        ready, later = _claim(ctx, uow, job)
    for provider, same in groupby(ready, key=_provider):
        gateway: Gateway = ctx.gateway(provider)
        for batch in chunks(list(same), SUB_BATCH):
            may_start = _lease_holds(ctx, job, gateway.call_limit_s)
            crashpoint("send.before_call")
            outcomes = gateway.send_many(
                [one.outgoing for one in batch], may_start=may_start
            )
            crashpoint("send.after_call")
            with ctx.begin(urgent=urgent, name="send.chunk.evidence") as uow:
                heard = [
                    evidence_of(one.outgoing.attempt_id, outcome)
                    for one, outcome in zip(batch, outcomes, strict=True)
                ]
                follow_up(uow, evidence.apply(uow, heard))
    with ctx.begin(urgent=urgent, name="send.chunk") as uow:
        uow.enqueue(*follow_ups(uow, job, later))
        uow.complete(job)


def hold(uow: UnitOfWork, job: ClaimedJob, error_class: str) -> None:
    """Put the one text of a failed job aside for a person to look at."""
    rows = uow.conn.execute(
        select(message.c.id)
        .where(
            among(uow.conn, message.c.id, job.items),
            message.c.state == MessageState.QUEUED,
        )
        .with_for_update()
    )
    reason = error_class[:40]
    preparing.stop(uow, [(row.id, MessageState.HELD, reason) for row in rows])


def evidence_of(number: int, outcome: Outcome) -> Evidence:
    """What the provider's answer proves about a try."""
    match outcome:
        case Accepted(sid, status):
            return Evidence(
                number,
                AttemptState.ACCEPTED,
                "answer",
                sid=sid,
                heard=state_of(status),
            )
        case Refused(code, kind):
            return Evidence(
                number, AttemptState.REFUSED, "answer", error_code=code, failure=kind
            )
        case Throttled(code):
            return Evidence(
                number,
                AttemptState.REFUSED,
                "answer",
                error_code=code,
                failure=Failure.OURS,
            )
        case Unknown():
            return Evidence(number, AttemptState.UNKNOWN, "none")
        case NotCalled():
            return Evidence(number, AttemptState.ABSENT, "none")


def _claim(
    ctx: Context, uow: UnitOfWork, job: ClaimedJob
) -> tuple[list[Ready], dict[int, float]]:
    """Lock the chunk, judge it, take from the pace, write down the tries."""
    rows = messages.lock(uow.conn, job.items)
    if STRAY not in job.payload:
        _abandon(uow, [row.id for row in rows if row.state == MessageState.SENDING])
    queued = [row for row in rows if row.state == MessageState.QUEUED]
    looked = preparing.look(ctx, uow, queued)
    preparing.stop(uow, looked.stopped)
    messages.put_aside(
        uow,
        [
            (number, reason, job.batch_id)
            for number, state, reason in looked.stopped
            if state is MessageState.HELD
        ],
    )
    ready: list[Ready] = []
    for provider in {_provider(one) for one in looked.ready}:
        # Nothing is claimed for a provider that this process could not call.
        ctx.gateway(provider)
    # The pace last: its row is shared by every process that sends.
    by_sender = sorted(looked.ready, key=_bucket)
    for sender, same in groupby(by_sender, key=_bucket):
        group = list(same)
        texting = group[0].rules.messages
        count, wait_s = pace.take(
            uow.conn,
            ":".join(sender),
            [one.claim.segments for one in group],
            per_second=texting.segments_per_second,
            burst_s=texting.burst_s,
            urgent=job.lane is Lane.URGENT,
        )
        ready += group[:count]
        looked.later |= {one.claim.message_id: wait_s for one in group[count:]}
    evidence.claim(uow, [one.claim for one in ready])
    return ready, looked.later


def _provider(one: Ready) -> str:
    return one.claim.provider


def _bucket(one: Ready) -> tuple[str, str]:
    """What a pace is granted to: a sender at its provider."""
    return one.claim.provider, one.claim.sender


def _abandon(uow: UnitOfWork, sending: Sequence[int]) -> None:
    """Tries that an earlier owner claimed and never settled: called or not, who knows.

    Never called for again here; only evidence moves them on.
    """
    if sending:
        left = evidence.claimed_of(uow.conn, sending)
        evidence.apply(
            uow, [Evidence(number, AttemptState.UNKNOWN, "none") for number in left]
        )


def _lease_holds(
    ctx: Context, job: ClaimedJob, call_limit_s: float
) -> Callable[[], bool]:
    """A cheap question to ask before each call, after one look at the database."""
    looked_at = _passed_s()
    with ctx.reading() as conn:
        left_s = claims.lease_left(conn, job)
    until = looked_at + left_s - call_limit_s - LEASE_MARGIN_S
    return lambda: _passed_s() < until


def _passed_s() -> float:
    """Seconds that only grow, also while the machine sleeps: leases end meanwhile."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def follow_ups(
    uow: UnitOfWork, job: ClaimedJob, later: dict[int, float]
) -> list[JobSpec]:
    """Jobs for what is still to be done about the messages of `job`."""
    rows = uow.conn.execute(
        select(
            message.c.id,
            message.c.state,
            message.c.not_before,
            message.c.tries,
            message.c.scheme_id,
            message.c.urgent,
        )
        .where(
            among(uow.conn, message.c.id, job.items),
            message.c.state.in_((MessageState.QUEUED, MessageState.UNKNOWN)),
        )
        .order_by(message.c.id)
    ).all()
    waits: dict[tuple[str, float], list[int]] = {}
    for row in rows:
        if row.state == MessageState.UNKNOWN:
            newest = attempt_id(row.id, row.tries - 1)
            key = ("send.resolve", settle_after_s(uow.conn, row))
            waits.setdefault(key, []).append(newest)
            continue
        if STRAY in job.payload and row.id in later:
            continue
        wait_s = max(WAIT_MIN_S, later.get(row.id, 0.0))
        if row.not_before is not None:
            wait_s = max(wait_s, (row.not_before - uow.now).total_seconds())
        # Whole seconds, so that neighbours share a job.
        waits.setdefault(("send.chunk", float(int(wait_s + 0.999))), []).append(row.id)
    return [
        JobSpec(
            "send",
            kind,
            items,
            lane=job.lane,
            need=job.need,
            turn=job.turn,
            delay_s=wait_s,
            parent=job.id,
            batch_id=job.batch_id,
        )
        for (kind, wait_s), items in waits.items()
    ]


def settle_after_s(conn: Connection, row: Any) -> float:
    """How long evidence is awaited before the provider is asked about a message."""
    texting = schemes.active(conn, row.scheme_id).messages
    return texting.settle_after_urgent_s if row.urgent else texting.settle_after_s
