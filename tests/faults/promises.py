"""What must be true of an installation in the end, whatever was broken on the way."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from sqlalchemy import func, select

from tests.end_to_end import outside
from tests.faults.broken import Broken
from vouchers.backoffice import audit
from vouchers.domain.ids import message_of
from vouchers.pipeline.context import Context
from vouchers.store.tables.intake import batch, referral, row_error
from vouchers.store.tables.messages import message
from vouchers.store.tables.work import job


def assert_kept(broken: Broken) -> None:
    """P1 to P6 and P8: settled, whole, nothing twice, all of it in the log."""
    broken.check_invariants()
    with broken.house() as ctx:
        every_row_is_there_once(ctx)
        nothing_is_under_way(ctx)
        each_text_was_accepted_once(broken, ctx)
        problems = audit.verify(ctx).problems
        assert not problems, problems
    an_outsider_finds_no_fault(broken)


def every_row_is_there_once(ctx: Context) -> None:
    """P1: a file's rows are its referrals and its errors, and no row is in between."""
    with ctx.reading() as conn:
        files = conn.execute(
            select(batch.c.id, batch.c.state, batch.c.rows_total)
        ).all()
        found: Counter[int] = Counter(conn.scalars(select(referral.c.batch_id)))
        found.update(conn.scalars(select(row_error.c.batch_id)))
    for number, state, rows in files:
        if state == "refused":
            assert number not in found
            continue
        assert state in ("open", "finished", "rejected"), (number, state)
        assert found[number] == rows, number


def nothing_is_under_way(ctx: Context) -> None:
    """P8: no row, text or job waits for a process that is gone."""
    with ctx.reading() as conn:
        rows = Counter(conn.scalars(select(referral.c.state)))
        texts = Counter(conn.scalars(select(message.c.state)))
        jobs = conn.scalars(
            select(job.c.kind).where(job.c.state.in_(("running", "held", "dead")))
        ).all()
    assert not set(rows) & {"received", "matched", "held"}, rows
    assert not set(texts) & {"queued", "sending", "unknown", "held"}, texts
    assert not jobs, jobs


def each_text_was_accepted_once(broken: Broken, ctx: Context) -> None:
    """P5: by the provider's own record, one text an award, purpose and generation."""
    taken = Counter(
        message_of(int(one["attempt_id"])) for one in broken.stack.accepted()
    )
    with ctx.reading() as conn:
        ours = set(conn.scalars(select(message.c.id)))
        awarded = conn.execute(
            select(func.count()).where(message.c.state.in_(("sent", "delivered")))
        ).scalar_one()
    assert set(taken) <= ours
    assert set(taken.values()) <= {1}, taken.most_common(3)
    assert len(taken) >= awarded


def an_outsider_finds_no_fault(broken: Broken) -> None:
    """P2, P3 and P4 by what an auditor is handed out, with code that is not ours."""
    folder = broken.stack.folder
    ledger, bundle = folder / "ledger.csv", folder / "audit.zip"
    for old in (ledger, bundle):
        old.unlink(missing_ok=True)
    told = ("ledger", "export", "--format", "csv", "--out", str(ledger))
    assert broken.run(*told) == 0, broken.last_words()
    told = ("audit", "export", "--out", str(bundle))
    assert broken.run(*told) == 0, broken.last_words()
    handed_out = outside.Exports(
        {}, {}, {}, Path(ledger), Path(bundle), broken.stack.accepted()
    )
    events = handed_out.events()
    faults = [
        *outside.no_household_is_over_its_cap(events),
        *outside.the_books_balance(ledger),
        *outside.each_code_went_to_one_award(handed_out, events),
    ]
    assert faults == [], faults
