"""Accept, first half: a partner's file is checked as a whole and staged, sealed.

Nothing of a file is taken before it was read to its end once. Then its rows are kept in
chunks, each in one transaction with the job that will understand it, rows off supply
first. A submit that was killed goes on where it stopped when the file comes again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row

from config.queues import CHUNK_ROWS, Lane
from schemas.scheme import Scheme
from vouchers.crashpoints import crashpoint
from vouchers.domain import eligibility
from vouchers.domain.calendar import local_date
from vouchers.domain.ids import referral_id
from vouchers.domain.intake import Field
from vouchers.domain.intake import words as intake_words
from vouchers.errors import BadFile
from vouchers.pipeline import breaker
from vouchers.pipeline.context import Context
from vouchers.pipeline.previewed import Preview
from vouchers.pipeline.reading import FileNotice, RawRow, Table, open_table
from vouchers.store import batches, parties, schemes
from vouchers.store.jobs import JobSpec
from vouchers.store.schemes import SchemeRow

#: Files above this are refused unread.
FILE_MAX = 1 << 30
#: A chunk is closed early when its cells hold so many characters.
_CHUNK_CHARACTERS = 1_000_000
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a submit answers."""

    #: accepted, already_received, refused or previewed.
    outcome: str
    rows: int = 0
    batch_id: int | None = None
    #: Named code and sentence of what is wrong with the file as a whole.
    code: str | None = None
    message: str = ""
    notices: tuple[FileNotice, ...] = ()
    #: The batch that a file of the same name made before.
    revision_of: int | None = None
    received_at: datetime | None = None
    preview: Preview | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """A file at the door, with who brings it and where it is to go."""

    partner: Row[Any]
    scheme: SchemeRow
    rules: Scheme
    path: Path
    name: str
    via: str
    actor: str


def submit(
    ctx: Context,
    *,
    partner: str,
    scheme: str | None = None,
    path: Path,
    via: str,
    actor: str,
    dry_run: bool = False,
    name: str | None = None,
) -> Receipt:
    """Take a partner's file: the same rules for command, drop folder, API and portal.

    NotFound names an unknown partner or scheme; everything else that can be wrong with
    a file is in the receipt.
    """
    with ctx.reading() as conn:
        found = parties.partner_by_slug(conn, partner)
        to = schemes.by_slug(conn, scheme) if scheme else schemes.only(conn)
        rules = schemes.active(conn, to.id)
    sent = Submission(found, to, rules, path, name or path.name, via, actor)
    if dry_run:
        from vouchers.pipeline import preview

        return preview.dry_run(ctx, sent)
    digest = digest_of(ctx, path)
    with ctx.reading() as conn:
        known = batches.find(conn, partner_id=found.id, scheme_id=to.id, digest=digest)
    if known is not None and not _unfinished(known):
        return already(known, rules)
    try:
        if known is None or known.state == "refused":
            # What passed the gate before is taken whole: half of it may be granted.
            gate(ctx, sent)
        with open_checked(path) as (table, rows):
            return _take(ctx, sent, digest, table, rows)
    except BadFile as bad:
        return _refuse(ctx, sent, digest, bad)


def _unfinished(known: Row[Any]) -> bool:
    """Whether a file is to be taken that was handed in before."""
    if known.state == "stopped":
        # Stopped by its first rows while it was staged, by a submit that died.
        return bool(known.rows_staged < (known.rows_total or 0))
    return known.state in ("receiving", "refused")


# ---------------------------------------------------------------- at the door


def gate(ctx: Context, sent: Submission, *, live: bool = True) -> None:
    """Raise BadFile when this partner may not hand in this file now."""
    today = local_date(ctx.clock(), sent.rules.zone)
    partner, about = sent.partner, sent.rules.scheme
    if partner.state != "active":
        raise BadFile(
            "partner_suspended", "We take no files from you at present. Ring us."
        )
    if sent.scheme.state != "open":
        text = f"{about.name} is {sent.scheme.state}."
        if sent.scheme.state == "paused":
            text += " Keep the file, and hand it in when it is open again."
        raise BadFile(f"scheme_{sent.scheme.state}", text)
    faults = eligibility.partner_faults(sent.rules, partner, today=today)
    for code in faults:
        if live or code != "partner_not_ready":
            raise BadFile(code, eligibility.FAULTS[code][1])
    if live and partner.contact_sealed is None:
        raise BadFile("partner_has_no_contact", "Name a contact person first.")
    if live and about.dry_run_first and partner.dry_run_at is None:
        raise BadFile(
            "dry_run_first",
            "Hand in one file as a dry run first, to see that it is read rightly.",
        )


class open_checked:  # noqa: N801  (reads as a function)
    """Open a file that can be read to its end, with the number of its rows."""

    def __init__(self, path: Path) -> None:
        if path.stat().st_size > FILE_MAX:
            raise BadFile("file_too_big", "The file is over 1 GB. Split it.")
        self._opened = open_table(path)

    def __enter__(self) -> tuple[Table, int]:
        table = self._opened.__enter__()
        try:
            rows = sum(1 for _ in table.rows())
            if rows == 0:
                raise BadFile("no_rows", "The file has column names but no rows.")
        except BadFile as bad:
            self._opened.__exit__(type(bad), bad, bad.__traceback__)
            raise
        return table, rows

    def __exit__(self, *error: Any) -> None:
        self._opened.__exit__(*error)


def digest_of(ctx: Context, path: Path) -> bytes:
    """Keyed hash by which this very file is known again."""
    digest = ctx.keys.file_digest()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.digest()


def already(known: Row[Any], rules: Scheme) -> Receipt:
    """The answer to a file that is there already."""
    day = known.received_at.astimezone(rules.zone)
    what = "Nothing was changed."
    if known.state == "rejected":
        what = "We did not go on with it. Talk to us, and send it again when changed."
    return Receipt(
        "already_received",
        rows=known.rows_total or 0,
        batch_id=known.id,
        code="already_received",
        message=f"This very file was already received on {day:%d/%m/%Y at %H:%M}."
        f" {what}",
        received_at=known.received_at,
    )


def counted(rows: int) -> str:
    """So many rows, as the beginning of a sentence."""
    return "1 row was" if rows == 1 else f"{rows:,} rows were"


def _refuse(ctx: Context, sent: Submission, digest: bytes, bad: BadFile) -> Receipt:
    """Remember that a file was refused; it may be handed in again."""
    with ctx.begin(actor=sent.actor, name="accept.refuse") as uow:
        known = _find(uow.conn, sent, digest)
        if known is not None:
            batch_id = int(known.id)
            batches.change(uow.conn, batch_id, state="refused", refused_code=bad.code)
        else:
            batch_id = batches.insert_batch(
                uow.conn,
                ctx.keys,
                name=sent.name,
                partner_id=sent.partner.id,
                scheme_id=sent.scheme.id,
                digest=digest,
                state="refused",
                refused_code=bad.code,
                notices=[],
                via=sent.via,
                actor=sent.actor,
                received_at=uow.now,
            )
        uow.record("batch.refused", batch_id, state="refused", code=bad.code)
        now = uow.now
    return Receipt(
        "refused",
        batch_id=batch_id,
        code=bad.code,
        message=str(bad),
        received_at=now,
    )


# ---------------------------------------------------------------- staging


def _take(
    ctx: Context, sent: Submission, digest: bytes, table: Table, rows: int
) -> Receipt:
    batch_id, staged, received_at, revision = _register(ctx, sent, digest, table, rows)
    crashpoint("accept.registered")
    _stage(ctx, sent, batch_id, staged, table)
    with ctx.begin(actor=sent.actor, name="accept.opened") as uow:
        # Compared and set at once: the file's first rows may have stopped it.
        if batches.opened(uow.conn, batch_id):
            uow.record("batch.opened", batch_id, state="open", rows=rows)
    notices = list(table.notices)
    if revision is not None:
        notices.append(
            FileNotice(
                "revision",
                f"A file of this name made batch {revision} before; rows that you"
                " already sent are recognised.",
            )
        )
    return Receipt(
        "accepted",
        rows=rows,
        batch_id=batch_id,
        message=f"{counted(rows)} received.",
        notices=tuple(notices),
        revision_of=revision,
        received_at=received_at,
    )


def _register(
    ctx: Context, sent: Submission, digest: bytes, table: Table, rows: int
) -> tuple[int, int, datetime, int | None]:
    """This file's batch, new or as it was left: number, rows staged, when, revision."""
    with ctx.begin(actor=sent.actor, name="accept.received") as uow:
        known = _find(uow.conn, sent, digest)
        if known is not None and known.state != "refused":
            return known.id, known.rows_staged, known.received_at, known.revision_of
        key = batches.name_key(ctx.keys, sent.partner.id, sent.name)
        revision = batches.newest_named(uow.conn, sent.partner.id, key)
        values: dict[str, Any] = {
            "state": "receiving",
            "refused_code": None,
            "notices": [notice.kept() for notice in table.notices],
            "revision_of": revision,
            "rows_total": rows,
            "received_at": uow.now,
            **breaker.at_registration(
                uow, sent.rules, partner_id=sent.partner.id,
                scheme_id=sent.scheme.id, rows=rows,
            ),
        }  # fmt: skip
        if known is not None:
            batch_id = int(known.id)
            batches.change(uow.conn, batch_id, **values)
        else:
            batch_id = batches.insert_batch(
                uow.conn,
                ctx.keys,
                name=sent.name,
                partner_id=sent.partner.id,
                scheme_id=sent.scheme.id,
                digest=digest,
                via=sent.via,
                actor=sent.actor,
                **values,
            )
        layout = batches.seal_layout(ctx.keys, batch_id, table.layout)
        batches.change(uow.conn, batch_id, layout_sealed=layout)
        uow.record(
            "batch.received",
            batch_id,
            state="receiving",
            partner=sent.partner.id,
            scheme=sent.scheme.id,
            rows=rows,
            revision_of=revision,
            via=sent.via,
        )
        return batch_id, 0, uow.now, revision


def _find(conn: Connection, sent: Submission, digest: bytes) -> Row[Any] | None:
    return batches.find(
        conn, partner_id=sent.partner.id, scheme_id=sent.scheme.id, digest=digest
    )


def _stage(
    ctx: Context, sent: Submission, batch_id: int, staged: int, table: Table
) -> None:
    """Keep every chunk that is not kept yet; the order is the same each time."""
    position = 0
    for number, (urgent, rows) in enumerate(_chunks(table)):
        before, position = position, position + len(rows)
        if position <= staged:
            continue
        lane = Lane.URGENT if urgent else Lane.BULK
        with ctx.begin(actor=sent.actor, urgent=urgent, name="accept.stage") as uow:
            kept = batches.stage(
                uow.conn,
                ctx.keys,
                batch_id=batch_id,
                number=number,
                urgent=urgent,
                rows=[(row.row_no, row.cells, row.fault) for row in rows],
                staged_before=before,
            )
            if kept:
                uow.enqueue(
                    JobSpec(
                        "accept",
                        "accept.chunk",
                        [referral_id(batch_id, row.row_no) for row in rows],
                        lane=lane,
                        need=0,
                        turn=number,
                        batch_id=batch_id,
                        payload={"chunk": number},
                    )
                )


def _chunks(table: Table) -> Iterator[tuple[bool, list[RawRow]]]:
    """Chunks of rows off supply, then chunks of the others."""
    place = table.layout.index.get(Field.OFF_SUPPLY)
    for urgent in (True, False):
        if urgent and place is None:
            continue
        chunk: list[RawRow] = []
        size = 0
        for row in table.rows():
            if is_marked_off_supply(row, place) is not urgent:
                continue
            chunk.append(row)
            size += sum(map(len, row.cells))
            if len(chunk) == CHUNK_ROWS or size > _CHUNK_CHARACTERS:
                yield urgent, chunk
                chunk, size = [], 0
        if chunk:
            yield urgent, chunk


def is_marked_off_supply(row: RawRow, place: int | None) -> bool:
    """A peek at one cell: it only chooses the lane, the row is understood later."""
    if place is None or place >= len(row.cells):
        return False
    return row.cells[place].strip().lower() in intake_words.YES
