"""A network's file of what was used: staged once, applied to vouchers and money."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from schemas.feed import FeedLine, FeedProfile, LineType
from vouchers.crashpoints import crashpoint
from vouchers.domain import redemption
from vouchers.domain.calendar import local_date
from vouchers.domain.ids import Place, account_id
from vouchers.domain.ledger import Transfer
from vouchers.domain.redemption import Line, Oddity, Voucher
from vouchers.errors import BadFile, NotFound, Refused
from vouchers.pipeline.context import Context
from vouchers.pipeline.moving import transfers_for
from vouchers.pipeline.reading_feed import BYTES_MAX, Unreadable, read_lines
from vouchers.store import ledger, pools, redemptions, schemes
from vouchers.store.bulk import chunks
from vouchers.store.jobs import ClaimedJob, JobSpec
from vouchers.store.redemptions import Owner, StoredLine
from vouchers.store.unit_of_work import UnitOfWork

#: Lines staged in one transaction, and lines that one job applies.
STAGE_LINES = 2_000
APPLY_LINES = 500
#: A network's clock may run ahead; a line further ahead has a wrong date.
DAYS_AHEAD = timedelta(days=7)
#: Within one moment a use comes before what takes it back, an end last.
_ORDER = {type_: place for place, type_ in enumerate(LineType)}


@dataclass(frozen=True, slots=True)
class FeedReceipt:
    """What became of a file that was handed in."""

    feed_file_id: int
    lines: int
    #: Lines that are being applied.
    new: int
    #: Lines that were there before, from this file or another.
    repeated: int
    #: Transactions that came before with another code or amount.
    conflicting: int
    unreadable: int
    #: The very same file was handed in before.
    already: bool


@dataclass
class _Tally:
    lines: int = 0
    new: int = 0
    conflicting: int = 0
    unreadable: int = 0
    first: date | None = None
    last: date | None = None

    def see(self, day: date) -> None:
        self.first = min(self.first or day, day)
        self.last = max(self.last or day, day)


def import_feed(
    ctx: Context,
    network: str,
    path: Path,
    actor: str,
    *,
    covers: tuple[date, date] | None = None,
) -> FeedReceipt:
    """Stage a network's file and have its lines applied.

    The same file again, or the same transaction in another file, changes nothing; a
    file that broke off half-way is taken up where it stopped. `covers` says which local
    days the file speaks of; without it, from its first line's day to the one before its
    last line's: the last day may go on in the next file.
    """
    profile, zone = _profile(ctx, network)
    if path.stat().st_size > BYTES_MAX:
        raise BadFile("too_large", "The file is too large: split it by days.")
    content = path.read_bytes()
    # The files of two quiet days have the same bytes: the days count, too.
    digest = ctx.keys.file_digest()
    digest.update(f"{network}\n{covers}\n".encode() + content)
    today = local_date(ctx.clock(), zone)
    if covers is not None and not covers[0] <= covers[1] <= today:
        raise Refused("a file covers days from the first to the last, none to come")
    lines = _not_to_come(read_lines(content, profile, zone), today, zone)
    # A file that is wrong as a whole is refused before anything is written.
    parts = chunks(lines, STAGE_LINES)
    part = next(parts, [])
    with ctx.begin(actor=actor, name="redeem.open") as uow:
        file_id, already = redemptions.open_file(
            uow.conn, network, digest.digest(), actor, uow.now
        )
        if not already:
            uow.record("feed_file.received", file_id, network=network)
    tally = _Tally()
    while part:
        with ctx.begin(actor=actor, name="redeem.stage") as uow:
            _stage(uow, ctx, network, file_id, part, zone, tally)
        part = next(parts, [])
    with ctx.begin(actor=actor, name="redeem.close") as uow:
        days = covers or _days(tally)
        redemptions.close_file(uow.conn, file_id, tally.lines, days)
    odd = tally.conflicting + tally.unreadable
    return FeedReceipt(
        feed_file_id=file_id,
        lines=tally.lines,
        new=tally.new,
        repeated=tally.lines - tally.new - odd,
        conflicting=tally.conflicting,
        unreadable=tally.unreadable,
        already=already,
    )


def _not_to_come(
    lines: Iterable[FeedLine | Unreadable], today: date, zone: ZoneInfo
) -> Iterator[FeedLine | Unreadable]:
    """A line far ahead of today is a slip: it would settle every day until then."""
    for line in lines:
        late = isinstance(line, FeedLine) and (
            local_date(line.at, zone) > today + DAYS_AHEAD
        )
        yield Unreadable(line.number, "its date is still to come") if late else line


def _days(tally: _Tally) -> tuple[date, date] | None:
    if tally.first is None or tally.last is None:
        return None
    return tally.first, max(tally.first, tally.last - timedelta(days=1))


def _profile(ctx: Context, network: str) -> tuple[FeedProfile, ZoneInfo]:
    names: list[str] = []
    with ctx.reading() as conn:
        for row in schemes.all_schemes(conn):
            try:
                rules = schemes.active(conn, row.id)
            except NotFound:
                continue
            if network in rules.networks:
                return rules.networks[network].feed_file, rules.zone
            names += rules.networks
    known = ", ".join(sorted(set(names)))
    raise Refused(f"no scheme's rules name a network {network}; there are {known}")


def _stage(
    uow: UnitOfWork,
    ctx: Context,
    network: str,
    file_id: int,
    part: Sequence[FeedLine | Unreadable],
    zone: ZoneInfo,
    tally: _Tally,
) -> None:
    tally.lines += len(part)
    readable = [line for line in part if isinstance(line, FeedLine)]
    odd = [
        redemptions.open_discrepancy(
            f"file:{file_id}:{line.number}", Oddity.UNREADABLE, uow.now
        )
        for line in part
        if isinstance(line, Unreadable)
    ]
    tally.unreadable += len(odd)
    digests = {
        line.number: ctx.keys.code_digest(line.code or f"voucher:{line.voucher_id}")
        for line in readable
    }
    whose = redemptions.vouchers_of(uow.conn, network, set(digests.values()))
    named = {line.voucher_id for line in readable if line.voucher_id is not None}
    ours = redemptions.known_vouchers(uow.conn, network, named)
    known = redemptions.known_lines(
        uow.conn, network, {line.transaction_id for line in readable}
    )
    rows = []
    for line in readable:
        tally.see(local_date(line.at, zone))
        key, content = (
            (line.transaction_id, line.type.value),
            (digests[line.number], line.amount_pence),
        )
        before = known.setdefault(key, content)
        if before is not content:
            if before != content:
                odd.append(_conflict(file_id, line, uow))
                tally.conflicting += 1
            continue
        voucher_id = whose.get(digests[line.number])
        if line.voucher_id in ours:
            voucher_id = line.voucher_id
        rows.append(_staged(network, file_id, line, digests[line.number], voucher_id))
    ids = redemptions.stage(uow.conn, file_id, rows)
    redemptions.write_discrepancies(uow.conn, odd)
    tally.new += len(ids)
    for items in chunks(ids, APPLY_LINES):
        uow.enqueue(JobSpec("redeem", "redeem.apply", items=items))


def _conflict(file_id: int, line: FeedLine, uow: UnitOfWork) -> dict[str, object]:
    return redemptions.open_discrepancy(
        f"file:{file_id}:{line.number}",
        Oddity.CONFLICTING,
        uow.now,
        pence=line.amount_pence,
    )


def _staged(
    network: str, file_id: int, line: FeedLine, digest: bytes, voucher_id: int | None
) -> dict[str, object]:
    return {
        "feed_file_id": file_id,
        "network": network,
        "transaction_id": line.transaction_id,
        "type": line.type.value,
        "code_digest": digest,
        "voucher_id": voucher_id,
        "amount_pence": line.amount_pence,
        "balance_pence": line.balance_pence,
        "at": line.at,
        "state": "new",
    }


@dataclass
class _Work:
    """What one job decides before it writes."""

    available: dict[int, int]
    after: dict[int, Voucher] = field(default_factory=dict)
    marks: dict[int, bool] = field(default_factory=dict)
    odd: list[dict[str, object]] = field(default_factory=list)
    moved: list[Transfer] = field(default_factory=list)
    #: Schemes to which money came back.
    supplied: set[int] = field(default_factory=set)


def handle(ctx: Context, job: ClaimedJob) -> None:
    """Apply the job's lines, and any other that waits for the same vouchers."""
    with ctx.begin(name="redeem.apply") as uow:
        lines = redemptions.new_lines(uow.conn, job.items)
        ids = sorted({line.voucher_id for line in lines if line.voucher_id is not None})
        held = redemptions.lock(uow.conn, ids)
        # Read again under the locks: a line that came by another file meanwhile belongs
        # to the same story and must be told in its order.
        by_voucher = defaultdict(list)
        for line in redemptions.new_lines_of(uow.conn, ids):
            by_voucher[line.voucher_id].append(line)
        work = _Work(_available(uow, {owner for _, owner in held.values()}))
        _refuse_unknown(uow, work, [line for line in lines if line.voucher_id is None])
        zone_of = _zones(uow)
        for voucher_id, (voucher, owner) in held.items():
            zone = zone_of(owner.scheme_id)
            _apply_all(uow, work, voucher, owner, by_voucher[voucher_id], zone)
        _write(uow, work)
        uow.complete(job)
    crashpoint("redeem.applied")


def _available(uow: UnitOfWork, owners: Iterable[Owner]) -> dict[int, int]:
    gifts = {owner.contribution_id for owner in owners}
    pools.lock(uow.conn, gifts)
    numbers = {account_id(gift, Place.AVAILABLE): gift for gift in gifts}
    left = ledger.balances(uow.conn, numbers.keys())
    return {gift: left.get(number, 0) for number, gift in numbers.items()}


def _zones(uow: UnitOfWork) -> Callable[[int], ZoneInfo]:
    known: dict[int, ZoneInfo] = {}

    def zone(scheme_id: int) -> ZoneInfo:
        if scheme_id not in known:
            known[scheme_id] = schemes.active(uow.conn, scheme_id).zone
        return known[scheme_id]

    return zone


def _refuse_unknown(uow: UnitOfWork, work: _Work, lines: list[StoredLine]) -> None:
    for line in lines:
        work.marks[line.id] = False
        work.odd.append(
            redemptions.open_discrepancy(
                f"line:{line.id}:{Oddity.UNKNOWN_CODE}",
                Oddity.UNKNOWN_CODE,
                uow.now,
                pence=line.amount_pence,
                redemption_id=line.id,
            )
        )
        uow.record(
            "redemption.unknown_code",
            line.id,
            network=line.network,
            pence=line.amount_pence,
            state="discrepancy",
        )


def _apply_all(
    uow: UnitOfWork,
    work: _Work,
    voucher: Voucher,
    owner: Owner,
    lines: list[StoredLine],
    zone: ZoneInfo,
) -> None:
    """Tell one voucher's lines in the order in which they happened: one event."""
    if not lines:
        return
    today, gift = local_date(uow.now, zone), owner.contribution_id
    moved: list[Transfer] = []
    names: list[str] = []
    lines.sort(key=lambda line: (line.at, _ORDER[LineType(line.type)], line.id))
    for line in lines:
        said = Line(
            LineType(line.type),
            line.amount_pence,
            local_date(line.at, zone),
            line.balance_pence,
        )
        outcome = redemption.apply(
            voucher, said, today=today, available=work.available[gift]
        )
        if outcome.available > work.available[gift]:
            work.supplied.add(owner.scheme_id)
        voucher, work.available[gift] = outcome.voucher, outcome.available
        moved += transfers_for(f"line:{line.id}", outcome, owner, event_at=line.at)
        work.marks[line.id] = not outcome.oddities
        names += [oddity.value for oddity, _ in outcome.oddities]
        work.odd += [
            redemptions.open_discrepancy(
                f"line:{line.id}:{oddity}",
                oddity,
                uow.now,
                pence=pence,
                scheme_id=owner.scheme_id,
                voucher_id=voucher.id,
                redemption_id=line.id,
            )
            for oddity, pence in outcome.oddities
        ]
    work.after[voucher.id] = voucher
    work.moved += moved
    uow.record(
        f"voucher.{_VERBS[LineType(lines[-1].type)]}",
        voucher.id,
        state=voucher.state.value,
        lines=[line.id for line in lines],
        redeemed_pence=voucher.redeemed,
        oddities=names,
        transfers=ledger.in_audit(moved),
    )


_VERBS = {
    LineType.REDEEM: "redeemed",
    LineType.PARTIAL: "redeemed",
    LineType.REVERSED: "reversed",
    LineType.REFUNDED: "reversed",
    LineType.CANCELLED: "cancelled",
    LineType.EXPIRED: "released",
}


def _write(uow: UnitOfWork, work: _Work) -> None:
    ledger.post(uow, work.moved)
    redemptions.write_vouchers(uow.conn, work.after.values(), uow.now)
    redemptions.mark_lines(uow.conn, work.marks)
    redemptions.write_discrepancies(uow.conn, work.odd)
    if work.after:
        redemptions.end_released_codes(uow.conn, work.after.keys())
        redemptions.settle_awards(uow, work.after.keys())
    for scheme_id in sorted(work.supplied):
        pools.supply_arrived(uow, scheme_id)
