"""Writes what partners read: a result file per batch, rewritten as things change.

What changed is learned from the audit log, in which every step leaves its mark, so no
step has to think of result files.
"""

from __future__ import annotations

import csv
import heapq
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import structlog
from sqlalchemy import Connection, Row

from vouchers.crashpoints import crashpoint
from vouchers.domain.ids import (
    Purpose,
    award_of,
    award_of_message,
    batch_of,
    message_of,
    referral_of,
    row_of,
)
from vouchers.domain.intake import NOTICES, Notice
from vouchers.domain.intake import sentence as fault_sentence
from vouchers.domain.intake.columns import RESULT_COLUMNS
from vouchers.domain.outcomes import Shown, Word, show, voucher_reference
from vouchers.errors import NotFound, SealBroken
from vouchers.pipeline.context import Context
from vouchers.store import batches, gates, parties, referrals, row_outcomes

log = structlog.get_logger()

#: Rows that are read and written at a time.
_PAGE = 1_000
#: A file in which nothing moved for so long is written at once.
_QUIET = timedelta(seconds=4)
#: One in motion is rewritten after a minute, a long one more rarely: it costs more.
_WAIT_MIN = timedelta(minutes=1)
_ROWS_PER_SECOND = 200
_WAIT_MAX = timedelta(minutes=10)
#: No draft takes so long to write: its writer is dead.
_DRAFT_KEPT_S = 3_600.0
#: Events of a file itself that change its rows' words, or come when all are settled.
_OF_FILES = frozenset(
    {"batch.opened", "batch.stopped", "batch.released", "batch.rejected"}
)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def sweep(ctx: Context) -> int:
    """Rewrite the result files that are behind; count them. Run by the clock."""
    from vouchers.pipeline import daily_outcomes

    touched = _touched(ctx)
    for batch_id in sorted(touched):
        with ctx.begin(name="results.finish") as uow:
            if batches.finish(uow.conn, batch_id, uow.now):
                uow.record("batch.finished", batch_id, state="finished")
    if touched:
        # Last: whoever is killed before it looks at the same events again.
        with ctx.begin(name="results.changed") as uow:
            row_outcomes.mark_changed(uow.conn, touched, uow.now)
    now = ctx.clock()
    with ctx.reading() as conn:
        behind = [row for row in row_outcomes.behind(conn) if _is_due(row, now)]
    written = 0
    for row in behind:
        # One file that cannot be written must not keep the others from being so.
        with logged("result_not_written", batch_id=row.id):
            with ctx.reading() as conn:
                unread = batches.counts(conn, row.id).unread
            if unread == 0:
                write(ctx, row.id)
                written += 1
    daily_outcomes.sweep(ctx)
    return written


@contextmanager
def logged(event: str, **ids: int) -> Iterator[None]:
    """Log the class of an error and go on: the next sweep tries again."""
    try:
        yield
    except Exception as error:
        log.error(event, error_class=type(error).__name__, **ids)


def _is_due(row: Row[Any], now: Any) -> bool:
    if row.written_at is None or row.state == "finished":
        return True
    wait = _WAIT_MIN + timedelta(seconds=(row.rows_total or 0) / _ROWS_PER_SECOND)
    in_motion = row.changed_at is not None and now - row.changed_at < _QUIET
    return not in_motion or bool(now - row.written_at >= min(wait, _WAIT_MAX))


def _touched(ctx: Context) -> dict[int, int]:
    """Batches to whose rows something happened: number of the newest such event."""
    touched: dict[int, int] = {}
    with ctx.reading() as conn:
        for seq, kind, entity in row_outcomes.events_since(
            conn, row_outcomes.cursor(conn)
        ):
            found = _batch_of_event(kind, entity)
            if found:
                touched[found] = max(seq, touched.get(found, 0))
    return touched


def _batch_of_event(kind: str, entity: int) -> int:
    """The batch behind an entity, by how its number is made; 0 when there is none."""
    subject = kind.partition(".")[0]
    if kind in _OF_FILES:
        return entity
    if subject in ("referral", "row_error", "review"):
        return batch_of(entity)
    if subject == "award":
        return batch_of(referral_of(entity))
    if subject == "voucher":
        return batch_of(referral_of(award_of(entity)))
    if subject == "attempt":
        entity, subject = message_of(entity), "message"
    if subject == "message":
        return batch_of(referral_of(award_of_message(entity)))
    return 0


# ---------------------------------------------------------------- one result file


def write(ctx: Context, batch_id: int) -> Path:
    """Write a batch's result file to its partner's outbox."""
    with ctx.reading() as conn:
        row = _readable(conn, batch_id)
        partner = parties.partner_by_id(conn, row.partner_id)
        name = batches.file_name(ctx.keys, row)
        newest = batches.newest_named(conn, row.partner_id, bytes(row.name_key))
    target: Path = ctx.outbox / partner.slug / _file_name(name, batch_id, newest)
    with replacing(target) as stream:
        write_result(ctx, batch_id, stream)
    crashpoint("results.replaced")
    with ctx.begin(name="results.written") as uow:
        # What changed while the file was being written is told by the next one.
        batches.change(uow.conn, batch_id, written=row.changed, written_at=uow.now)
    return target


def write_result(ctx: Context, batch_id: int, stream: IO[str]) -> int:
    """Write the partner's own columns and what became of each row; gives the rows."""
    rows = 0
    with ctx.reading() as conn:
        row = _readable(conn, batch_id)
        own = batches.open_layout(ctx.keys, row).own
        writer = csv.writer(stream)
        writer.writerow([*map(safe, own), *RESULT_COLUMNS])
        for told in tell_batch(ctx, conn, row):
            cells = [safe(cell) for cell in told.cells[: len(own)]]
            cells += [""] * (len(own) - len(cells))
            writer.writerow(cells + told.columns())
            rows += 1
    return rows


def _readable(conn: Connection, batch_id: int) -> Row[Any]:
    row = batches.by_id(conn, batch_id)
    if row is None or row.layout_sealed is None:
        raise NotFound(f"there is no batch {batch_id} with rows")
    return row


def _file_name(name: str, batch_id: int, newest: int | None) -> str:
    """Of files with one name the newest has the plain result name."""
    stem = re.sub(r"[^\w .()\[\]-]", "_", Path(name).stem).strip(" .") or "file"
    if newest is not None and newest != batch_id:
        stem = f"{stem}.batch-{batch_id}"
    return f"{stem}.result.csv"


def safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


@contextmanager
def replacing(target: Path) -> Iterator[IO[str]]:
    """Write a file that appears whole or not at all, for Excel (a mark says UTF-8)."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _forget_drafts(target.parent)
    handle, draft = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8-sig", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        crashpoint("results.drafted")
        Path(draft).chmod(0o640)
        Path(draft).replace(target)
    finally:
        Path(draft).unlink(missing_ok=True)


def _forget_drafts(folder: Path) -> None:
    """Drafts of processes that died while writing: residents' rows nobody asks for."""
    for draft in folder.glob(".*.tmp"):
        with suppress(FileNotFoundError):
            if time.time() - draft.stat().st_mtime > _DRAFT_KEPT_S:
                draft.unlink()


# ---------------------------------------------------------------- rows as they read


@dataclass(frozen=True, slots=True)
class Told:
    """A row of a partner's file with what became of it."""

    row_no: int
    cells: list[str]
    shown: Shown
    vouchers: tuple[int, ...] = ()
    #: Key of its reference, where the row was understood.
    reference_key: bytes | None = None

    def columns(self) -> list[str]:
        """The cells of RESULT_COLUMNS."""
        day = self.shown.next_on
        return [
            self.shown.word.value,
            self.shown.reason_code,
            safe(self.shown.reason),
            self.shown.tell_the_resident,
            f"{day:%d/%m/%Y}" if day else "",
            " ".join(map(voucher_reference, self.vouchers)),
        ]


def tell_batch(ctx: Context, conn: Connection, row: Row[Any]) -> Iterator[Told]:
    """Every row of a batch in the order of its file."""
    return heapq.merge(
        _told_referrals(ctx, conn, row.id),
        _told_errors(ctx, conn, row.id),
        key=lambda told: told.row_no,
    )


def _told_referrals(ctx: Context, conn: Connection, batch_id: int) -> Iterator[Told]:
    above = 0
    while page := row_outcomes.referral_rows(conn, batch_id, above, _PAGE):
        above = page[-1].id
        yield from tell_referrals(ctx, conn, page)


def tell_referrals(ctx: Context, conn: Connection, page: list[Any]) -> Iterable[Told]:
    """What became of these referrals."""
    ids = [row.id for row in page]
    awards = row_outcomes.awards_of(conn, ids)
    vouchers = row_outcomes.vouchers_of(
        conn, [award.id for found in awards.values() for award in found]
    )
    messages = row_outcomes.messages_of(conn, ids)
    firsts = _firsts(ctx, conn, page)
    stopped = gates.stopped_among(conn, {row.batch_id for row in page})
    for row in page:
        granted = awards.get(row.id, [])
        held = vouchers.get(granted[-1].id, []) if granted else []
        texts = [
            message.state
            for message in messages.get(row.id, [])
            if message.purpose in (Purpose.AWARD, Purpose.NEUTRAL, Purpose.REISSUE)
        ]
        shown = show(
            state=row.state,
            reason=row.reason,
            message_state=texts[-1] if texts else None,
            vouchers={voucher.state for voucher in held},
            protected=row.protected,
            by_worker=row.safe_contact in ("partner_only", "none"),
            next_on=row.next_on,
            file_stopped=row.batch_id in stopped,
        )
        yield Told(
            row.row_no,
            _cells(ctx, "referral.original_sealed", row),
            _with_remarks(shown, row, firsts),
            tuple(voucher.id for voucher in held),
            bytes(row.reference_key),
        )


def _firsts(ctx: Context, conn: Connection, page: list[Any]) -> dict[int, str]:
    """File and row of the requests that echoes point at: the partner's own rows."""
    numbers = {row.first_referral_id for row in page if row.first_referral_id}
    names: dict[int, str] = {}
    for batch_id in {batch_of(number) for number in numbers}:
        found = batches.by_id(conn, batch_id)
        if found is not None:
            names[batch_id] = batches.file_name(ctx.keys, found)
    return {
        number: f"See row {row_of(number)} of {names[batch_of(number)]}."
        for number in numbers
        if batch_of(number) in names
    }


def _with_remarks(shown: Shown, row: Any, firsts: dict[int, str]) -> Shown:
    """The reason, the first request's place, and what was repaired in the row."""
    parts = [shown.reason]
    if row.first_referral_id in firsts:
        parts.append(firsts[row.first_referral_id])
    if shown.word is not Word.NOT_GRANTED:
        # Of a row that changed nothing it does not matter how it was read.
        parts += [NOTICES[Notice(code)] for code in row.notices if code in set(Notice)]
    return Shown(
        shown.word,
        shown.reason_code,
        " ".join(filter(None, parts)),
        shown.tell_the_resident,
        shown.next_on,
    )


def _told_errors(ctx: Context, conn: Connection, batch_id: int) -> Iterator[Told]:
    above = 0
    while page := row_outcomes.error_rows(conn, batch_id, above, _PAGE):
        above = page[-1].id
        for row in page:
            yield tell_error(ctx, conn, row)


def tell_error(ctx: Context, conn: Connection, row: Any) -> Told:
    """What is to be corrected in a row, cell by cell."""
    sentences = [
        f"{fault['cell']}: "
        + fault_sentence(
            fault["code"], column=fault["column"], hint=fault.get("hint", "")
        )
        if fault["cell"]
        else fault_sentence(fault["code"], hint=fault.get("hint", ""))
        for fault in row.faults
    ]
    cells = _cells(ctx, "row_error.original_sealed", row)
    if row.held:
        cells = _staged(ctx, conn, row)
    word = Word.CHECKING if row.held else Word.TO_CORRECT
    codes = " ".join(dict.fromkeys(fault["code"] for fault in row.faults))
    return Told(row.row_no, cells, Shown(word, codes, " ".join(sentences)))


def _cells(ctx: Context, place: str, row: Any) -> list[str]:
    """A row as it came; blank where its seal is broken: what became of it is told."""
    try:
        return referrals.open_cells(ctx.keys, place, row.id, row.original_sealed)
    except SealBroken:
        log.error("original_not_opened", referral_id=row.id)
        return []


def _staged(ctx: Context, conn: Connection, row: Any) -> list[str]:
    """A held row's cells; our code failed on it, so they may be anything."""
    try:
        cells = batches.staged_cells(conn, ctx.keys, row.batch_id, row.row_no)
    except SealBroken:
        log.error("original_not_opened", referral_id=row.id)
        return []
    return [cell if isinstance(cell, str) else "" for cell in cells]
