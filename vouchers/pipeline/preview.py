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
from vouchers.crashpoints import crashpoint
from vouchers.domain.breaker import StopReason
from vouchers.domain.intake import NOTICES, RowFault, Understood
from vouchers.domain.outcomes import Shown, Word, show
from vouchers.domain.reasons import Reason
from vouchers.errors import BadFile, Busy, Refused
from vouchers.pipeline.accept import (
    Receipt,
    Submission,
    already,
    digest_of,
    gate,
    open_checked,
)
from vouchers.pipeline.context import Context
from vouchers.pipeline.foresight import Foresight
from vouchers.pipeline.previewed import Preview
from vouchers.pipeline.reading import FileNotice, Table
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
            notices = (*_known_before(ctx, sent), *table.notices)
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


def _known_before(ctx: Context, sent: Submission) -> list[FileNotice]:
    """Handed in for real, a file that is there already would change nothing."""
    with ctx.reading() as conn:
        known = batches.find(
            conn,
            partner_id=sent.partner.id,
            scheme_id=sent.scheme.id,
            digest=digest_of(ctx, sent.path),
        )
    if known is None or known.state in ("receiving", "refused"):
        return []
    return [FileNotice("already_received", already(known, sent.rules).message)]


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
    found, played = _Faults(), _Played()
    sample: list[batches.Staged] = []
    readable = 0
    assumed: Counter[str] = Counter()
    with ctx.reading() as conn:
        of = describe(
            conn, 0, sent.partner.id, sent.scheme.id, table.layout, ctx.clock()
        )
    foresight = Foresight(ctx, of)
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
                continue
            readable += 1
            if isinstance(verdict, Understood):
                assumed.update(NOTICES[notice] for notice in verdict.notices)
                foresight.see(verdict.row)
            if len(sample) < DECIDED_MAX:
                sample.append((row.row_no, row.cells, row.fault))
    if sample:
        _rehearse(ctx, sent, of, sample, played)
    shown = played.shown
    for error in played.gone_back:
        found.add(error["row_no"], [_fault(each) for each in error["faults"]])
    words = Counter(each.word for each in shown)
    return Preview(
        rows=rows,
        granted=words[Word.GRANTED],
        checked=words[Word.CHECKING],
        waiting=words[Word.WAITING] + words[Word.RECEIVED],
        declined=words[Word.NOT_GRANTED] - _withdrawn(shown),
        withdrawn=_withdrawn(shown),
        to_correct=found.rows,
        undecided=readable - len(sample),
        faults=dict(found.by_code),
        reasons=dict(
            Counter(each.reason for each in shown if each.word is Word.NOT_GRANTED)
        ),
        assumed=dict(assumed),
        examples=tuple(sorted(found.examples, key=lambda each: each[0])),
        decided=len(sample),
        stops=foresight.stops(
            rows=rows,
            errors=found.rows,
            matched=played.matched,
            repeated=played.repeated,
        ),
    )


def _fault(kept: dict[str, Any]) -> RowFault:
    return RowFault(kept["code"], kept["column"], kept["hint"], kept["cell"])


def _withdrawn(shown: list[Shown]) -> int:
    return sum(each.reason_code == Reason.WITHDRAWN for each in shown)


@dataclass(slots=True)
class _Played:
    """What a rehearsal showed."""

    #: What a partner would read of the rows, and the errors that only others show.
    shown: list[Shown] = field(default_factory=list)
    gone_back: list[dict[str, Any]] = field(default_factory=list)
    #: Rows that were matched, and those of them that were brought before.
    matched: int = 0
    repeated: int = 0


def _rehearse(
    ctx: Context,
    sent: Submission,
    of: Batch,
    sample: list[batches.Staged],
    played: _Played,
) -> None:
    """Carry rows through the real steps, and forget it all but what was `played`."""
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
                played.gone_back += _play(rehearsal, described, part)
            played.shown = _shown(uow.conn, batch_id)
            if (row := batches.by_id(uow.conn, batch_id)) is not None:
                played.matched, played.repeated = row.rows_matched, row.rows_repeated
            crashpoint("accept.rehearsed")
            raise _Rehearsed
    except _Rehearsed:
        return


def _shown(conn: Connection, batch_id: int) -> list[Shown]:
    """What would stand beside each row; of protected residents not more than that."""
    columns = (referral.c.state, referral.c.reason, referral.c.protected)
    return [
        show(state=row.state, reason=row.reason, protected=row.protected)
        for row in conn.execute(select(*columns).where(referral.c.batch_id == batch_id))
    ]


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
        # The rehearsal is played to its end, whatever it shows.
        released_for=[reason.value for reason in StopReason],
        via="dry_run",
        actor=sent.actor,
        received_at=stage.now,
    )


def _play(
    rehearsal: _Rehearsal, of: Batch, part: list[batches.Staged]
) -> list[dict[str, Any]]:
    """Carry rows as far as an award; gives errors that only other rows show."""
    stage = rehearsal.stage
    prepared, errors = prepare(rehearsal, of, part, everything=part)
    known = {error["id"] for error in errors}
    outcome = write(rehearsal, stage, of, prepared, errors)
    stage.promises.extend(matching_jobs(outcome.accepted, of.id, turn=0))
    while stage.promises:
        _carry(rehearsal, stage.promises.pop(0))
    return [error for error in outcome.errors if error["id"] not in known]


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
