"""For auditors: is the log whole, do books and states agree with it, and proof."""

from __future__ import annotations

import re
import zipfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from vouchers.backoffice.audit_verify import CHECKPOINTS, EVENTS, KEY
from vouchers.domain import checkpoint as notes
from vouchers.domain.checkpoint import BadNote, Checkpoint, Proof
from vouchers.domain.log_check import Fault, LogCheck, Problem
from vouchers.domain.merkle import inclusion_proof
from vouchers.errors import NotFound, Refused
from vouchers.pipeline import integrate
from vouchers.pipeline.context import Context
from vouchers.store import audit_scan, audit_tree
from vouchers.store.audit_scan import Leaf
from vouchers.store.tables.proof import audit_event, audit_leaf

#: Problems of one kind that are listed; a log that is all wrong needs no more.
LISTED_MAX = 100
#: A reason is a code, never a sentence: the log holds nothing that was typed freely.
_REASON = re.compile(r"[a-z][a-z_]{2,39}")
_READ_ME = "READ-ME.txt"
_HOW_TO = """This is an audit log with everything needed to check it.

events.jsonl     one event a line; line 1 is number 0
checkpoints/     what was signed, in the C2SP checkpoint format
public-key.txt   the log's key; compare it with the one you were given

python -m vouchers.backoffice.audit_verify THIS.zip --key KEY --checkpoint EARLIER
"""


@dataclass(frozen=True)
class Report:
    """What `verify` found."""

    size: int
    waiting: int
    #: Checkpoints that were compared with the log.
    checkpoints: int
    transfers: int
    states: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class Evidence:
    """An event, its number, and a proof file that shows it to be in the log."""

    number: int
    body: str
    proof: str


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export holds."""

    events: int
    checkpoints: int


@dataclass
class _Books:
    """The books as the events tell them."""

    seen: bytearray = field(default_factory=bytearray)
    count: int = 0
    sums: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def see(self, id_: int) -> bool:
        """Note that an event tells of this transfer; False if one did already."""
        byte, bit = divmod(id_, 8)
        if byte >= len(self.seen):
            self.seen.extend(bytes(byte - len(self.seen) + 65_536))
        if self.seen[byte] >> bit & 1:
            return False
        self.seen[byte] |= 1 << bit
        self.count += 1
        return True

    def knows(self, id_: int) -> bool:
        """Whether an event tells of this transfer."""
        byte, bit = divmod(id_, 8)
        return byte < len(self.seen) and bool(self.seen[byte] >> bit & 1)


def verify(ctx: Context, checkpoint_file: Path | None = None) -> Report:
    """Recompute everything from the events and name whatever does not agree.

    Leaves and tree, every stored checkpoint, the one remembered beside the key file and
    the one given from outside; the books; the state of every referral, award, voucher
    and message. Reads one snapshot, in bites.
    """
    with ctx.reading() as conn:
        forged: list[Problem] = []
        check = LogCheck(_signed(ctx, conn, checkpoint_file, forged))
        check.problems += forged
        books = _Books()
        _read_log(conn, check, books)
        waiting = 0
        for body in audit_scan.waiting(conn):
            waiting += 1
            _replay(conn, check, books, [(None, audit_scan.read(body))])
        for event_id in audit_scan.strays(conn, LISTED_MAX):
            check.report(Fault.INSERTED, None, f"event {event_id} never got a number")
        _compare_books(conn, check, books)
        states = sum(_compare_states(conn, check, table) for table in audit_scan.TOLD)
    return Report(
        check.tree.size,
        waiting,
        check.compared,
        books.count,
        states,
        tuple(check.problems),
    )


def _signed(
    ctx: Context, conn: Connection, outside: Path | None, problems: list[Problem]
) -> list[tuple[str, Checkpoint]]:
    key = integrate.public_key(ctx.keys)
    kept = [
        (f"of {stored.signed_at:%Y-%m-%d %H:%M:%S}", stored.note.encode())
        for stored in audit_tree.all_checkpoints(conn)
    ]
    memory = integrate.memory_path(ctx.keys)
    if memory.exists():
        kept.append(("beside the key file", memory.read_bytes()))
    if outside is not None:
        kept.append((outside.name, outside.read_bytes()))
    signed = []
    for where, note in kept:
        try:
            signed.append((where, notes.verify(note, key)))
        except BadNote as error:
            problems.append(Problem(Fault.FORGED, None, f"checkpoint {where}: {error}"))
    return signed


def _read_log(conn: Connection, check: LogCheck, books: _Books) -> None:
    for bite in audit_scan.leaves(conn):
        start, documents = check.tree.size, []
        completed = {}
        for leaf in bite:
            _skip_gap(check, leaf)
            document = _labelled(check, leaf)
            documents.append((leaf.seq, document))
            body = None if leaf.body is None else leaf.body.encode()
            for level, position, value in check.entry(body, leaf.hash):
                completed[level, position] = value
        stored = audit_scan.nodes(conn, start, check.tree.size)
        for place in sorted(stored):
            if completed.get(place, stored[place]) != stored[place]:
                first = place[1] << place[0]
                last = first + (1 << place[0]) - 1
                check.report(
                    Fault.REWRITTEN,
                    first,
                    f"an entry from {first} to {last} was changed, moved or replaced",
                )
        _replay(conn, check, books, documents)
    check.end()


def _skip_gap(check: LogCheck, leaf: Leaf) -> None:
    while check.tree.size < leaf.seq:
        check.report(
            Fault.NUMBER_MISSING, check.tree.size, "this number is not in the log"
        )
        check.tree.add(b"")


def _labelled(check: LogCheck, leaf: Leaf) -> dict[str, Any]:
    if leaf.body is None:
        return {}
    document = audit_scan.read(leaf.body)
    if (document.get("kind"), document.get("entity")) != (leaf.kind, leaf.entity_id):
        check.report(
            Fault.MISLABELLED,
            leaf.seq,
            f"the event's row says {leaf.kind} of {leaf.entity_id}",
        )
    return document


def _replay(
    conn: Connection,
    check: LogCheck,
    books: _Books,
    documents: Sequence[tuple[int | None, dict[str, Any]]],
) -> None:
    """Compare the transfers that events tell with those in the books."""
    told = [
        (number, *line)
        for number, document in documents
        for line in document.get("transfers") or ()
    ]
    if not told:
        return
    known = audit_scan.booked(conn, {line[1] for line in told})
    for number, key, debit, credit, pence in told:
        found = known.get(key)
        books.sums[debit] -= pence
        books.sums[credit] += pence
        if found is None:
            check.report(Fault.TRANSFER_REMOVED, number, f"transfer {key} is gone")
        elif (found.debit, found.credit, found.pence) != (debit, credit, pence):
            check.report(
                Fault.TRANSFER_CHANGED,
                number,
                f"transfer {key} moved {pence} pence, the books say {found.pence}",
            )
            books.see(found.id)
        elif not books.see(found.id):
            check.report(Fault.TRANSFER_TWICE, number, f"transfer {key} is told twice")


def _compare_books(conn: Connection, check: LogCheck, books: _Books) -> None:
    for id_, key in audit_scan.transfers(conn):
        if not books.knows(id_):
            check.report(
                Fault.TRANSFER_INSERTED, None, f"no event tells of transfer {key}"
            )
    for account, balance in audit_scan.balances(conn).items():
        told = books.sums.get(account, 0)
        if told != balance:
            check.report(
                Fault.BALANCE_CHANGED,
                None,
                f"account {account} has {balance} pence, the events tell of {told}",
            )


def _compare_states(conn: Connection, check: LogCheck, table: Any) -> int:
    count = listed = 0
    for states, told in audit_scan.states(conn, table):
        count += len(states)
        for id_, state in states.items():
            if told.get(id_) == state or listed == LISTED_MAX:
                continue
            listed += 1
            if id_ not in told:
                sentence = f"no event tells of {table.name} {id_} ({state})"
                check.report(Fault.UNTOLD, None, sentence)
            else:
                check.report(
                    Fault.STATE_CHANGED,
                    None,
                    f"{table.name} {id_} is {state}, its last event says {told[id_]}",
                )
    return count


def checkpoint(ctx: Context) -> str:
    """Number what waits, sign, and give the newest checkpoint to be kept elsewhere."""
    integrate.seal(ctx)
    with ctx.reading() as conn:
        latest = audit_tree.latest_checkpoint(conn)
    if latest is None:
        raise NotFound("nothing has happened yet, so there is nothing to sign")
    return latest.note


def prove(
    ctx: Context, *, event: int | None = None, entity: tuple[str, int] | None = None
) -> list[Evidence]:
    """Proof files for one event by its number, or for all events of one entity.

    `entity` is the kind of thing and its number: ("voucher", 123).
    """
    note = checkpoint(ctx)
    signed = notes.parse(note.encode())
    query = (
        select(audit_leaf.c.seq, audit_event.c.body)
        .join(audit_event, audit_event.c.id == audit_leaf.c.event_id)
        .where(audit_leaf.c.seq < signed.size)
        .order_by(audit_leaf.c.seq)
    )
    if entity is not None:
        subject, id_ = entity
        query = query.where(
            audit_event.c.entity_id == id_,
            audit_event.c.kind.startswith(f"{subject}.", autoescape=True),
        )
    elif event is not None:
        query = query.where(audit_leaf.c.seq == event)
    else:
        raise Refused("say which event, by its number or by what it is about")
    with ctx.reading() as conn:
        node = audit_tree.node_reader(conn)
        found = [
            Evidence(
                row.seq,
                row.body,
                Proof(
                    row.seq,
                    tuple(inclusion_proof(row.seq, signed.size, node)),
                    note.encode(),
                )
                .text()
                .decode(),
            )
            for row in conn.execute(query).all()
        ]
    if not found:
        raise NotFound("the log has no such event")
    return found


def export(ctx: Context, out: Path) -> Exported:
    """Write the whole log as a zip that anyone can check without this database."""
    checkpoint(ctx)
    with (
        ctx.reading() as conn,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        archive.writestr(_READ_ME, _HOW_TO)
        archive.writestr(KEY, f"{integrate.public_key(ctx.keys)}\n")
        signed = list(audit_tree.all_checkpoints(conn))
        for stored in signed:
            archive.writestr(f"{CHECKPOINTS}{stored.size:012d}", stored.note)
        size = signed[-1].size
        events = 0
        with archive.open(EVENTS, "w", force_zip64=True) as stream:
            for bite in audit_scan.leaves(conn):
                for leaf in bite:
                    if leaf.seq < size:
                        stream.write((leaf.body or "").encode() + b"\n")
                        events += 1
    return Exported(events, len(signed))


def accept_loss(ctx: Context, actor: str, reason: str) -> Path:
    """After restoring an older backup on purpose: go on from what the database has.

    The memory beside the key file is put aside, not deleted: it and every checkpoint
    kept elsewhere go on to show that something was lost.
    """
    if not _REASON.fullmatch(reason):
        raise Refused("give the reason as a word or two: backup_restored")
    memory = integrate.memory_path(ctx.keys)
    known = integrate.remembered(ctx.keys)
    if known is None:
        raise Refused("nothing is remembered, so nothing has to be accepted")
    aside = memory.with_name(f"{memory.name}.{known.size}")
    with ctx.begin(actor=actor, name="audit.accept_loss") as uow:
        uow.record(
            "audit.loss_accepted", known.size, root=known.root.hex(), reason=reason
        )
    memory.rename(aside)
    return aside
