"""Writes each partner's outcomes of the day, what the partner has to do on top."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from vouchers.domain.calendar import local_date
from vouchers.domain.intake import Field, Layout
from vouchers.domain.intake.columns import RESULT_COLUMNS
from vouchers.domain.intake.repair import clean
from vouchers.domain.outcomes import TO_DO, Word
from vouchers.pipeline.context import Context
from vouchers.pipeline.results import Told, logged, replacing, safe, tell_batch
from vouchers.store import batches, parties, row_outcomes

#: How far back the outcomes go; the result file of a batch shows it for ever.
DAYS = 60
#: How often the file of the day is written anew while things change: a small partner's
#: soon, or its to-do list shows what was mended; a long one costs more.
REFRESH = timedelta(hours=1)
_REFRESH_LEAST = timedelta(minutes=1)
_ROWS_PER_SECOND = 20
#: No file is written while a partner's rows are still on their way.
QUIET = timedelta(seconds=20)
HEADER = ("what_to_do", "file", "row", "reference", *RESULT_COLUMNS)

_TO_DO = {
    Word.TO_CORRECT: "Correct this row and send it again.",
    Word.NOT_DELIVERED: "Check the number with the resident and tell us.",
}
_NOT_TEXTED = "Tell us how this resident can be reached safely."


@dataclass(frozen=True, slots=True)
class Line:
    """A row of any file of the partner."""

    file: str
    reference: str
    told: Told

    def cells(self) -> list[str]:
        """The cells of HEADER."""
        shown = self.told.shown
        to_do = _TO_DO.get(shown.word, "")
        return [
            _NOT_TEXTED if shown.reason_code == "text_stopped" else to_do,
            safe(self.file),
            str(self.told.row_no),
            safe(self.reference),
            *self.told.columns(),
        ]


def sweep(ctx: Context) -> int:
    """Write the day's file of each partner for whom something changed; count them."""
    now = ctx.clock()
    today = local_date(now)
    written = 0
    with ctx.reading() as conn:
        due = row_outcomes.outcomes_due(
            conn,
            today,
            since=now - timedelta(days=DAYS),
            new_since=now - REFRESH,
            quiet_since=now - QUIET,
        )
        ready = [each for each in due if _is_due(conn, each, now)]
    for partner_id in ready:
        with logged("outcomes_not_written", partner_id=partner_id):
            write(ctx, partner_id, today)
            written += 1
    return written


def _is_due(conn: Connection, partner_id: int, now: datetime) -> bool:
    before = row_outcomes.outcomes_written_at(conn, partner_id, local_date(now))
    if before is None or now - before >= REFRESH:
        return True
    files = row_outcomes.of_partner(conn, partner_id, now - timedelta(days=DAYS))
    rows = sum(each.rows_total or 0 for each in files)
    return now - before >= _REFRESH_LEAST + timedelta(seconds=rows / _ROWS_PER_SECOND)


def write(ctx: Context, partner_id: int, day: date) -> Path:
    """Write the outcomes of one partner as they are now."""
    now = ctx.clock()
    with ctx.reading() as conn:
        partner = parties.partner_by_id(conn, partner_id)
        found = row_outcomes.of_partner(conn, partner_id, now - timedelta(days=DAYS))
        target: Path = ctx.outbox / partner.slug / f"outcomes-{day.isoformat()}.csv"
        with replacing(target) as stream:
            writer = csv.writer(stream)
            writer.writerow(HEADER)
            # Read twice rather than kept: a partner may have a million rows.
            for word in TO_DO:
                writer.writerows(
                    line.cells()
                    for line in _lines(ctx, conn, found)
                    if line.told.shown.word is word
                )
            writer.writerows(
                line.cells()
                for line in _lines(ctx, conn, found)
                if line.told.shown.word not in TO_DO
            )
    with ctx.begin(name="results.outcomes") as uow:
        row_outcomes.note_outcomes(uow.conn, partner_id, day, uow.now)
    return target


def _lines(ctx: Context, conn: Connection, found: list[Any]) -> Iterable[Line]:
    for row in found:
        layout = batches.open_layout(ctx.keys, row)
        name = batches.file_name(ctx.keys, row)
        page: list[Told] = []
        for told in tell_batch(ctx, conn, row):
            page.append(told)
            if len(page) == 1_000:
                yield from _page(ctx, conn, row, layout, name, page)
                page = []
        yield from _page(ctx, conn, row, layout, name, page)


def _page(
    ctx: Context,
    conn: Connection,
    row: Any,
    layout: Layout,
    name: str,
    page: list[Told],
) -> Iterable[Line]:
    """Lines of a batch, without rows that were wrong and have been sent again since."""
    place = layout.index[Field.REFERENCE]
    wrong: dict[int, bytes] = {}
    for told in page:
        reference = _at(told.cells, place)
        if told.shown.word is Word.TO_CORRECT and reference:
            wrong[told.row_no] = batches.reference_key(
                ctx.keys, row.partner_id, reference
            )
    mended = row_outcomes.sent_again(conn, row.partner_id, set(wrong.values()), row.id)
    for told in page:
        if wrong.get(told.row_no) not in mended or told.row_no not in wrong:
            yield Line(name, _at(told.cells, place), told)


def _at(cells: list[str], place: int) -> str:
    return clean(cells[place]) if place < len(cells) else ""
