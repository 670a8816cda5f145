"""Operators' hands on the queues: every act is a single update with a trace."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select, update

from vouchers.backoffice import queues
from vouchers.backoffice.queues import Which
from vouchers.errors import NotFound, Refused
from vouchers.pipeline.carry import carry_one
from vouchers.pipeline.context import Context
from vouchers.store.jobs import JobSpec
from vouchers.store.tables.proof import audit_event
from vouchers.store.tables.work import job

BY = {"actor": "amy/cli", "reason": "the provider is down"}


def give(ctx: Context, state: str, *specs: JobSpec, error_class: str = "X") -> None:
    """Record jobs that are in `state` already."""
    with ctx.begin() as uow:
        uow.enqueue(*specs)
    with ctx.begin() as uow:
        uow.conn.execute(
            update(job)
            .where(job.c.state == "ready")
            .values(state=state, error_class=error_class, attempts=1)
        )


def events(ctx: Context) -> list[dict[str, object]]:
    """The audit events so far."""
    with ctx.reading() as conn:
        bodies = conn.scalars(select(audit_event.c.body).order_by(audit_event.c.id))
        return [json.loads(body) for body in bodies]


def test_pause_names_who_and_why_and_resume_clears_it(ctx: Context) -> None:
    """A paused queue says by whom and why; both acts are in the audit log."""
    with ctx.begin() as uow:
        uow.enqueue(JobSpec("send", "send.chunk", items=[1]))
    queues.pause(ctx, "send", **BY)
    level = {one.name: one for one in queues.levels(ctx)}["send"]
    assert level.paused_at is not None
    assert (level.paused_by, level.paused_reason) == ("amy/cli", BY["reason"])
    assert not carry_one(ctx)
    queues.resume(ctx, "send", **BY)
    level = {one.name: one for one in queues.levels(ctx)}["send"]
    assert level.paused_at is None
    found = [e for e in events(ctx) if str(e["kind"]).startswith("queue.")]
    assert [e["kind"] for e in found] == ["queue.paused", "queue.resumed"]
    assert {e["actor"] for e in found} == {"amy/cli"}


def test_a_queue_that_is_not_there_cannot_be_paused(ctx: Context) -> None:
    """A mistyped name is an error, not a new queue."""
    with pytest.raises(NotFound):
        queues.pause(ctx, "sned", **BY)


@pytest.mark.parametrize(
    "reason",
    [
        "",
        "ab",
        "call 07700 900123",
        "ask amy@example.org",
        "y" * 300,
        "born 31/12/1980",
        "she lives at hx1 3ab",
    ],
)
def test_a_reason_holds_nothing_personal(ctx: Context, reason: str) -> None:
    """The log keeps a reason for ever: none, a number or an address is refused."""
    with pytest.raises(Refused):
        queues.pause(ctx, "send", actor="amy/cli", reason=reason)


def test_stuck_jobs_are_grouped_by_what_went_wrong(ctx: Context) -> None:
    """Held jobs are listed one by one, and counted by queue, kind and error."""
    give(ctx, "held", JobSpec("send", "send.chunk", items=[1]), error_class="A")
    give(ctx, "held", JobSpec("send", "send.chunk", items=[2]), error_class="B")
    give(ctx, "held", JobSpec("send", "send.chunk", items=[3]), error_class="B")
    assert [one.items for one in queues.stuck(ctx, "held")] == [[1], [2], [3]]
    assert queues.stuck_groups(ctx, "held") == [
        ("send", "send.chunk", "B", 2),
        ("send", "send.chunk", "A", 1),
    ]
    only_b = queues.stuck(ctx, "held", Which(error_class="B"))
    assert [one.items for one in only_b] == [[2], [3]]


def test_requeue_by_error_class_takes_all_that_match(ctx: Context) -> None:
    """One act makes every job with that error ready, with a fresh count of attempts."""
    give(ctx, "dead", JobSpec("send", "send.chunk", items=[1]), error_class="A")
    give(ctx, "dead", JobSpec("send", "send.chunk", items=[2]), error_class="B")
    moved = queues.requeue(ctx, "dead", Which(error_class="A"), **BY)
    with ctx.reading() as conn:
        row = conn.execute(select(job).where(job.c.id == moved[0])).one()
    assert len(moved) == 1
    assert (row.state, row.attempts) == ("ready", 0)
    assert [e["entity"] for e in events(ctx) if e["kind"] == "job.requeued"] == moved


def test_discard_ends_a_job_for_good(ctx: Context) -> None:
    """A discarded job is over, and the log says who decided that and why."""
    give(ctx, "held", JobSpec("send", "send.chunk", items=[1]))
    gone = queues.discard(ctx, "held", Which(ids=[1]), **BY)
    assert gone == [1]
    assert queues.stuck(ctx, "held") == []
    last = [e for e in events(ctx) if e["kind"] == "job.discarded"][-1]
    assert (last["actor"], last["reason"]) == ("amy/cli", BY["reason"])


def test_a_limit_is_at_least_one(ctx: Context) -> None:
    """Zero would be a pause without a reason; it is refused."""
    queues.set_limit(ctx, "send", 2, **BY)
    assert {one.name: one for one in queues.levels(ctx)}["send"].limit == 2
    with pytest.raises(Refused):
        queues.set_limit(ctx, "send", 0, **BY)
