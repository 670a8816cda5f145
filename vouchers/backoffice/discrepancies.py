"""What networks' files said that does not fit, until somebody has settled it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from vouchers.backoffice.queues import fit_reason
from vouchers.domain.redemption import Oddity
from vouchers.errors import NotFound
from vouchers.pipeline.context import Context
from vouchers.store import discrepancies as store

#: What happened and what is done about it.
SENTENCES = {
    Oddity.UNKNOWN_CODE: "No code of ours: ask the network whose it is.",
    Oddity.UNREADABLE: "The line cannot be understood: ask for it anew.",
    Oddity.CONFLICTING: "The same transaction came before with another code or amount.",
    Oddity.NOT_ISSUED: "The voucher had no code yet when it was used.",
    Oddity.OVER_VALUE: "More was used than the code was worth; the rest is not ours.",
    Oddity.AFTER_EXPIRY: "Used after its last day: the network should have refused.",
    Oddity.AFTER_RELEASE: "Used after its money had gone back; it was paid once more.",
    Oddity.NOTHING_TO_RETURN: "More was taken back than had been used.",
    Oddity.EXPIRED_EARLY: "The network ended it before its last day.",
    Oddity.CANCELLED_UNASKED: "The network made it void on its own.",
    Oddity.BALANCE_DIFFERS: "The network counts another rest on this code.",
    Oddity.MISSING_DAY: "No file speaks of this day: ask the network for it.",
}


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One thing that a person must settle with a network."""

    number: int
    kind: str
    sentence: str
    pence: int
    network: str | None
    transaction: str | None
    #: The file and line, or the day, if no line could be kept.
    place: str | None
    voucher: int | None
    opened_at: datetime
    settled_by: str | None


def listing(ctx: Context, *, settled: bool, limit: int) -> list[Discrepancy]:
    """Those that wait, or those that are settled, the oldest first."""
    with ctx.reading() as conn:
        rows = store.listing(conn, settled=settled, limit=limit)
        places = [_Place.read(row.key) for row in rows]
        files = {place.file for place in places if place.file is not None}
        networks = store.networks_of_files(conn, files)
    return [
        Discrepancy(
            number=row.id,
            kind=row.kind,
            sentence=SENTENCES[Oddity(row.kind)],
            pence=row.amount_pence,
            network=row.network or place.network or networks.get(place.file or 0),
            transaction=row.transaction_id,
            place=place.words,
            voucher=row.voucher_id,
            opened_at=row.opened_at,
            settled_by=row.owner,
        )
        for row, place in zip(rows, places, strict=True)
    ]


def settle(ctx: Context, actor: str, numbers: Sequence[int], *, reason: str) -> int:
    """Say that these are settled with the network; moves no money by itself."""
    reason = fit_reason(reason)
    with ctx.begin(actor=actor, name="discrepancy.settle") as uow:
        wanted = sorted(set(numbers))
        missing = set(wanted) - store.lock_open(uow.conn, wanted)
        if missing:
            told = ", ".join(str(number) for number in sorted(missing))
            raise NotFound(f"no open discrepancy is numbered {told}")
        store.settle(uow.conn, wanted, actor)
        for number in wanted:
            uow.record("discrepancy.settled", number, state="settled", reason=reason)
        return len(wanted)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where it stands, if no line could be kept: read from the discrepancy's key."""

    words: str | None = None
    file: int | None = None
    network: str | None = None

    @staticmethod
    def read(key: str) -> _Place:
        """Keys are file:NUMBER:LINE, gap:NETWORK:DAY or line:NUMBER:KIND."""
        word, _, rest = key.partition(":")
        about, _, last = rest.rpartition(":")
        if word == "file":
            return _Place(f"file {about}, line {last}", file=int(about))
        if word == "gap":
            return _Place(last, network=about)
        return _Place()
