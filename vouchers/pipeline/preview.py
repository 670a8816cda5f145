"""Dry run: a file goes through the real steps in a transaction that is rolled back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

from config.queues import CHUNK_ROWS
from schemas.row import Action
from vouchers.domain.intake import RowFault, Understood, Verdict
from vouchers.domain.intake import sentence as fault_sentence
from vouchers.errors import BadFile, Busy, Refused
from vouchers.pipeline.accept import Preview, Receipt, Submission, gate, open_checked
from vouchers.pipeline.context import Context
from vouchers.pipeline.reading import Table
from vouchers.pipeline.row_reading import Batch, describe, prepare, reader_for
from vouchers.pipeline.row_writing import matching_jobs, write
from vouchers.pipeline.steps import handler_of
from vouchers.store import batches, parties
from vouchers.store.bulk import chunks
from vouchers.store.jobs import ClaimedJob, JobSpec
from vouchers.store.tables.intake import referral
from vouchers.store.unit_of_work import Plain, UnitOfWork

#: Rows that are decided on by the real rules: their locks are held for that long.
DECIDED_MAX = 4 * CHUNK_ROWS
_EXAMPLES_MAX = 50
#: How often a busy matcher is asked again before the dry run gives up.
_BUSY_TRIES = 60
#: Jobs that a rehearsal carries; messages are never sent.
_REHEARSED = ("deduplicate.chunk", "allocate.chunk")


class _Rehearsed(Exception):
    """Ends the transaction of a rehearsal without a trace."""


class _Stage(UnitOfWork):
    """A unit of work whose promises are kept at hand and whose events nobody reads."""

    def __init__(self, conn: Connection, now: datetime, actor: str) -> None:
        super().__init__(conn, now, actor)
        self.promises: list[JobSpec] = []

    def record(
        self, kind: str, entity_id: int, *, actor: str | None = None, **data: Plain
    ) -> None:
        """Forget the event: nothing happened."""

    def enqueue(self, *specs: JobSpec) -> None:
        """Keep the promises of the steps that are rehearsed."""
        self.promises.extend(spec for spec in specs if spec.kind in _REHEARSED)

    def complete(self, job: ClaimedJob) -> None:
        """A rehearsed job is in no queue."""

    def on_commit(self, after: Callable[[], None]) -> None:
        """There will be no commit."""


@dataclass(frozen=True)
class _Rehearsal(Context):
    """A context all of whose transactions are one, which is rolled back."""

    stage: _Stage = field(kw_only=True)

    @contextmanager
    def begin(
        self,
        *,
        actor: str = "system",  # noqa: ARG002
        urgent: bool = False,  # noqa: ARG002
        name: str = "unit",  # noqa: ARG002
    ) -> Iterator[UnitOfWork]:
        """The rehearsal's own transaction."""
        yield self.stage

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """What the rehearsal has written so far."""
        yield self.stage.conn


def dry_run(ctx: Context, sent: Submission) -> Receipt:
    """Read and check everything, decide as if today were the day, keep nothing."""
    try:
        gate(ctx, sent, live=False)
        with open_checked(sent.path) as (table, rows):
            preview = _preview(ctx, sent, table, rows)
            notices = tuple(table.notices)
    except BadFile as bad:
        return Receipt("refused", code=bad.code, message=str(bad))
    passed = preview.to_correct < preview.rows
    if passed:
        with ctx.begin(actor=sent.actor, name="accept.dry_run") as uow:
            parties.change_partner(uow.conn, sent.partner.id, dry_run_at=uow.now)
            uow.record("partner.dry_run_passed", sent.partner.id, rows=rows)
    return Receipt(
        "previewed",
        rows=rows,
        code=None if passed else "no_row_accepted",
        message=preview.sentence,
        notices=notices,
        preview=preview,
    )


@dataclass(slots=True)
class _Faults:
    rows: int = 0
    by_code: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, row_no: int, faults: list[RowFault]) -> None:
        self.rows += 1
        self.by_code.update({str(fault.code) for fault in faults})
        for fault in faults:
            if len(self.examples) < _EXAMPLES_MAX:
                where = fault.cell or f"row {row_no}"
                self.examples.append((row_no, where, fault.sentence))


def _preview(ctx: Context, sent: Submission, table: Table, rows: int) -> Preview:
    found = _Faults()
    sample: list[batches.Staged] = []
    with ctx.reading() as conn:
        of = describe(
            conn, 0, sent.partner.id, sent.scheme.id, table.layout, ctx.clock()
        )
    for chunk in chunks(table.rows(), CHUNK_ROWS):
        intake = reader_for(of, [row.cells for row in chunk])
        for row in chunk:
            verdict = (
                [RowFault(row.fault)]
                if row.fault
                else intake.understand(row.cells, row_no=row.row_no)
            )
            if isinstance(verdict, list):
                found.add(row.row_no, verdict)
            elif _is_new(verdict) and len(sample) < DECIDED_MAX:
                sample.append((row.row_no, row.cells, row.fault))
    states, repeated = _rehearse(ctx, sent, of, sample) if sample else ({}, [])
    for fault in repeated:
        found.rows += 1
        found.by_code[fault["code"]] += 1
        found.examples.append(
            (
                int(fault["row_no"]),
                fault["cell"],
                fault_sentence(
                    fault["code"], column=fault["column"], hint=fault["hint"]
                ),
            )
        )
    return Preview(
        rows=rows,
        granted=states.get("granted", 0),
        checked=states.get("checking", 0),
        waiting=states.get("waiting", 0) + states.get("matched", 0),
        declined=states.get("declined", 0),
        to_correct=found.rows,
        faults=dict(found.by_code),
        examples=tuple(found.examples[:_EXAMPLES_MAX]),
        decided=len(sample),
    )


def _is_new(verdict: Verdict) -> bool:
    return isinstance(verdict, Understood) and verdict.row.action is Action.ADD


def _rehearse(
    ctx: Context, sent: Submission, of: Batch, sample: list[batches.Staged]
) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """States that the real steps give to these rows, and references used twice."""
    states: Counter[str] = Counter()
    repeated: list[dict[str, Any]] = []
    try:
        with ctx.begin(actor=sent.actor, name="accept.rehearse") as uow:
            stage = _Stage(uow.conn, uow.now, uow.actor)
            plain = {f.name: getattr(ctx, f.name) for f in fields(Context)}
            rehearsal = _Rehearsal(**plain, stage=stage)
            batch_id = _pretend(rehearsal, sent, sample)
            described = describe(
                uow.conn,
                batch_id,
                sent.partner.id,
                sent.scheme.id,
                of.intake.layout,
                uow.now,
            )
            for part in chunks(iter(sample), CHUNK_ROWS):
                repeated += _play(rehearsal, described, part)
            states.update(
                uow.conn.scalars(
                    select(referral.c.state).where(referral.c.batch_id == batch_id)
                )
            )
            raise _Rehearsed
    except _Rehearsed:
        return states, repeated


def _pretend(
    rehearsal: _Rehearsal, sent: Submission, sample: list[batches.Staged]
) -> int:
    stage = rehearsal.stage
    return batches.insert_batch(
        stage.conn,
        rehearsal.keys,
        name=sent.name,
        partner_id=sent.partner.id,
        scheme_id=sent.scheme.id,
        digest=b"\0" * 16,
        state="open",
        notices=[],
        rows_total=len(sample),
        via="dry_run",
        actor=sent.actor,
        received_at=stage.now,
    )


def _play(
    rehearsal: _Rehearsal, of: Batch, part: list[batches.Staged]
) -> list[dict[str, Any]]:
    """Carry rows as far as an award; gives faults that only a neighbour shows."""
    stage = rehearsal.stage
    prepared, errors = prepare(rehearsal, of, part, everything=part)
    known = {error["id"] for error in errors}
    outcome = write(rehearsal, stage, of, prepared, errors)
    stage.promises.extend(matching_jobs(outcome.accepted, of.id, turn=0))
    while stage.promises:
        _carry(rehearsal, stage.promises.pop(0))
    return [
        {**fault, "row_no": error["row_no"]}
        for error in outcome.errors
        if error["id"] not in known
        for fault in error["faults"]
    ]


def _carry(rehearsal: _Rehearsal, spec: JobSpec) -> None:
    """Carry a promise; a matcher at work elsewhere is waited for."""
    for _ in range(_BUSY_TRIES):
        try:
            handler_of(spec.kind)(rehearsal, _claimed(spec))
            return
        except Busy as busy:
            time.sleep(min(float(busy.ids.get("seconds") or 1), 1.0))
    raise Refused("The house is busy matching people. Try the dry run again shortly.")


def _claimed(spec: JobSpec) -> ClaimedJob:
    return ClaimedJob(
        id=0,
        queue=spec.queue,
        kind=spec.kind,
        lane=spec.lane,
        items=list(spec.items),
        payload=spec.payload,
        need=spec.need,
        turn=spec.turn,
        batch_id=spec.batch_id,
        token="rehearsal",
        lease_until=datetime.max.replace(tzinfo=UTC),
        attempts=0,
    )
