"""Settles tries whose answer was lost: waits for the callback, then asks the provider.

Nothing is guessed. Found at the provider: accepted. Not there once the provider must
show it: absent, and the same code goes out as the next try.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from config.queues import Lane
from vouchers.crashpoints import crashpoint
from vouchers.domain.delivery import AttemptState, Evidence, state_of
from vouchers.domain.lifecycle import MessageState
from vouchers.domain.texts import grouped
from vouchers.errors import GatewayUnavailable
from vouchers.messages.failures import failure_of
from vouchers.messages.gateway import Found, Gateway
from vouchers.pipeline.after_failure import follow_up
from vouchers.pipeline.context import Context
from vouchers.pipeline.send import WAIT_MIN_S, settle_after_s
from vouchers.store import evidence, messages
from vouchers.store.jobs import ClaimedJob, JobSpec
from vouchers.store.listed import among
from vouchers.store.tables.intake import contact
from vouchers.store.unit_of_work import UnitOfWork

#: A claim so old has no living owner: every lease and call ended long before.
CLAIM_STALE_S = 300.0
#: Between claim and call at the most. A job that a send promises waits after its last
#: call; a sweep knows the claim only, and the provider's time runs from the call.
CALL_WINDOW_S = 120.0
#: Wait after a provider that could not be asked.
AGAIN_S = 30.0
#: Tries that one sweep hands to a job.
SWEEP_MAX = 100
_SWEEP = "send.resolve:sweep"


def handle(ctx: Context, job: ClaimedJob) -> None:
    """Settle the tries of one job as far as can be done now."""
    urgent = job.lane is Lane.URGENT
    with ctx.reading() as conn:
        rows = evidence.open_attempts(conn, job.items)
        due, wait_s = _due(conn, rows, CALL_WINDOW_S if _swept(job) else 0.0)
        numbers, codes = _identify(ctx, conn, due)
    heard: list[Evidence] = []
    taken: set[str] = set()
    for row in rows:
        if row.state == AttemptState.CLAIMED and _age_s(row) >= CLAIM_STALE_S:
            heard.append(Evidence(row.id, AttemptState.UNKNOWN, "none"))
            wait_s = min(wait_s or AGAIN_S, AGAIN_S)
    for row in due:
        crashpoint("resolve.before_call")
        try:
            found = _ask(ctx.gateway(row.provider), row, numbers, codes)
        except GatewayUnavailable:
            wait_s = AGAIN_S
            continue
        crashpoint("resolve.after_call")
        heard.append(_judge(ctx, row, found, taken))
    with ctx.begin(urgent=urgent, name="send.resolve.evidence") as uow:
        changed = evidence.apply(uow, heard)
        follow_up(uow, changed)
        # With the evidence: this job may end without its own last unit, and no open
        # try would speak of these texts any more.
        again = [one.row.id for one in changed if one.after is MessageState.QUEUED]
        if again:
            uow.enqueue(_again(job, "send.chunk", again, 0.0))
    with ctx.begin(urgent=urgent, name="send.resolve") as uow:
        _promise(uow, job, wait_s)
        uow.complete(job)


def sweep(uow: UnitOfWork) -> None:
    """Promise to settle tries that nobody else looks after any more."""
    stale = [
        row.id
        for row in evidence.waiting(uow.conn, AttemptState.CLAIMED, limit=SWEEP_MAX)
        if _age_s(row) >= CLAIM_STALE_S
    ]
    lost = [
        row.id
        for row in evidence.waiting(uow.conn, AttemptState.UNKNOWN, limit=SWEEP_MAX)
        if _age_s(row) >= CLAIM_STALE_S
    ]
    if stale or lost:
        uow.enqueue(
            JobSpec(
                "send",
                "send.resolve",
                stale + lost,
                need=0,
                once=_SWEEP,
                payload={"sweep": 1},
            )
        )


def _age_s(row: Row[Any]) -> float:
    age: timedelta = row.now - row.claimed_at
    return age.total_seconds()


def _due(
    conn: Connection, rows: Sequence[Row[Any]], margin_s: float
) -> tuple[list[Row[Any]], float | None]:
    """Tries that the provider can be asked about now; the shortest wait of the rest."""
    due, waits = [], []
    for row in rows:
        if row.state != AttemptState.UNKNOWN:
            continue
        left_s = settle_after_s(conn, row) + margin_s - _age_s(row)
        if left_s <= 0:
            due.append(row)
        else:
            waits.append(left_s)
    return due, min(waits, default=None)


def _identify(
    ctx: Context, conn: Connection, rows: Sequence[Row[Any]]
) -> tuple[dict[int, str], dict[int, list[str]]]:
    """Numbers by referral and codes by award, opened for the look-up only."""
    if not rows:
        return {}, {}
    referrals = {row.referral_id for row in rows}
    contacts = conn.execute(
        select(contact.c.referral_id, contact.c.sealed).where(
            among(conn, contact.c.referral_id, referrals),
            contact.c.kind == "mobile",
            contact.c.sealed.is_not(None),
        )
    )
    numbers = {
        row.referral_id: ctx.keys.open(
            "contact.sealed", row.referral_id, row.sealed
        ).decode()
        for row in contacts
    }
    vouchers = messages.codes_of(conn, {row.award_id for row in rows})
    codes = {
        award: [
            grouped(ctx.keys.open("code.sealed", one.code_id, one.sealed).decode())
            for one in held
            if one.sealed is not None
        ]
        for award, held in vouchers.items()
    }
    return numbers, codes


def _ask(
    gateway: Gateway,
    row: Row[Any],
    numbers: dict[int, str],
    codes: dict[int, list[str]],
) -> list[Found]:
    """Everything the provider took for this number, since the claim, with its code."""
    to = numbers.get(row.referral_id)
    if to is None:
        raise GatewayUnavailable(attempt=row.id)
    found: dict[str, Found] = {}
    for code in codes.get(row.award_id, []):
        listed = gateway.find(
            attempt_id=row.id, to=to, since=row.claimed_at, body_contains=code
        )
        found |= {one.sid: one for one in listed}
    return list(found.values())


def _judge(
    ctx: Context, row: Row[Any], found: Sequence[Found], taken: set[str]
) -> Evidence:
    """Accepted if one of the found is nobody else's, else absent."""
    with ctx.reading() as conn:
        others = evidence.sids_of_others(
            conn, {one.sid for one in found}, attempt_id=row.id
        )
    # A reminder names the same code: what belongs to another try is not this one.
    mine = [one for one in found if one.sid not in others | taken]
    if not mine:
        return Evidence(row.id, AttemptState.ABSENT, "look_up")
    oldest = mine[-1]
    taken.add(oldest.sid)
    code = oldest.error_code
    return Evidence(
        row.id,
        AttemptState.ACCEPTED,
        "look_up",
        sid=oldest.sid,
        error_code=code,
        failure=failure_of(code) if code is not None else None,
        heard=state_of(oldest.status),
    )


def _promise(uow: UnitOfWork, job: ClaimedJob, wait_s: float | None) -> None:
    """Come back for what is not settled yet; sweeps come back by themselves."""
    open_still = [row.id for row in evidence.open_attempts(uow.conn, job.items)]
    if open_still and not _swept(job):
        wait_s = max(WAIT_MIN_S, AGAIN_S if wait_s is None else wait_s)
        uow.enqueue(_again(job, "send.resolve", open_still, wait_s))


def _swept(job: ClaimedJob) -> bool:
    return "sweep" in job.payload


def _again(job: ClaimedJob, kind: str, items: list[int], wait_s: float) -> JobSpec:
    return JobSpec(
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
