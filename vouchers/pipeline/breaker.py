"""Stops a file that looks wrong as a whole, until a person lets it go on or ends it.

A file's bulk rows wait behind its gate until all of it has been read; rows off supply
do not. Once a file is stopped, each of these gets one first voucher and waits as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from config.queues import CHUNK_ROWS, Lane
from schemas.row import ResidentRow
from schemas.scheme import Scheme
from vouchers.domain import breaker
from vouchers.domain.breaker import Same, Stop, Watch
from vouchers.domain.ids import batch_of
from vouchers.domain.lifecycle import ReferralState, check_referral
from vouchers.domain.matching.features import read_features
from vouchers.domain.matching.keys import KeyKind
from vouchers.domain.matching.settlement import Outcome, ReviewKind
from vouchers.domain.reasons import Reason
from vouchers.pipeline.context import Context
from vouchers.store import batches, gates, referrals, registry, schemes
from vouchers.store.jobs import ClaimedJob, JobSpec
from vouchers.store.registry import AnyRow
from vouchers.store.sealing import Keyring
from vouchers.store.unit_of_work import UnitOfWork

_KEYS = {
    Same.PHONE: KeyKind.MOBILE,
    Same.EMAIL: KeyKind.EMAIL,
    Same.METER: KeyKind.METER,
    Same.DWELLING: KeyKind.DWELLING,
    # Hashed for this count only: no resident is found by a birth date alone.
    Same.BIRTH: KeyKind.BIRTH_INITIAL,
}
#: States of rows that end with a file that is not gone on with.
_UNDECIDED = (
    ReferralState.RECEIVED,
    ReferralState.CHECKING,
    ReferralState.MATCHED,
    ReferralState.WAITING,
    ReferralState.HELD,
)


# ---------------------------------------------------------------- while it is read


def at_registration(
    uow: UnitOfWork, rules: Scheme, *, partner_id: int, scheme_id: int, rows: int
) -> dict[str, Any]:
    """Columns with which a file begins: large enough ones have a gate."""
    if not breaker.watched(rules.breaker, rows):
        return {"gated": False, "watch": None}
    before = gates.sizes(uow.conn, partner_id=partner_id, scheme_id=scheme_id)
    watch = Watch(usual=breaker.usual_rows(rules.breaker, before))
    return {"gated": True, "watch": watch.as_json()}


@dataclass(frozen=True, slots=True)
class Marks:
    """What is counted of one row: keyed hashes by kind; is its birth date unknown?"""

    same: Mapping[Same, int]
    unknown_birth: bool


def marks(keys: Keyring, row: ResidentRow, *, protected: bool) -> Marks:
    """The marks of a row; a protected one's home is nobody's business.

    A refuge is one door for many, too.
    """
    read = read_features(row.model_dump(mode="json", exclude_none=True, include=_READ))
    texts = {
        Same.PHONE: read.mobile,
        Same.EMAIL: read.email,
        Same.METER: read.meter,
        Same.BIRTH: str(read.born) if read.born else "",
        Same.DWELLING: "" if protected else read.dwelling,
    }
    same = {k: keys.match_key(_KEYS[k], text) for k, text in texts.items() if text}
    return Marks(same, not read.born)


_READ = {
    "date_of_birth", "address_line_1", "address_line_2", "postcode", "uprn", "mobile",
    "email", "meter_number",
}  # fmt: skip


def counted(conn: Connection, found: Sequence[Marks]) -> dict[Same, list[int]]:
    """Hashes by kind, without those of homes that a partner listed as communal."""
    seen = {k: [m.same[k] for m in found if k in m.same] for k in Same}
    often = [key for key, rows in Counter(seen[Same.DWELLING]).items() if rows > 1]
    listed = registry.listed(conn, "communal", often) if often else set()
    seen[Same.DWELLING] = [k for k in seen[Same.DWELLING] if k not in listed]
    return seen


def after_reading(
    uow: UnitOfWork,
    rules: Scheme,
    batch_id: int,
    *,
    rows: int,
    errors: int,
    found: Sequence[Marks],
) -> bool:
    """Count rows that were read; stop the file, or open its gate after the last one.

    `found` are the marks of those that were accepted. Gives whether bulk rows are to
    wait. The batch stays locked until the commit, so that the last chunk sees what
    every other one has promised.
    """
    row = gates.count_read(uow.conn, batch_id, rows)
    if row is None:
        return False
    if row.state == "rejected":
        # Ended while it was still being read: these rows end as the others did.
        uow.enqueue(ending(batch_id))
        return True
    if not row.gated:
        return False
    watch = Watch.of_json(row.watch)
    unknown = sum(one.unknown_birth for one in found)
    watch.add(counted(uow.conn, found), unknown=unknown, errors=errors)
    stops = breaker.look_at_rows(
        rules.breaker, watch, total=row.rows_total, released=row.released_for or ()
    )
    stopped = stop(uow, row, stops)
    gated = stopped or row.rows_read < row.rows_total
    batches.change(
        uow.conn, batch_id, gated=gated, watch=watch.as_json() if gated else None
    )
    if not gated:
        gates.let_go(uow.conn, batch_id)
    return gated


def stop(uow: UnitOfWork, row: Any, stops: Sequence[Stop]) -> bool:
    """Stop a locked batch, or renew the numbers; gives whether it is stopped now."""
    if not stops or row.state not in ("receiving", "open", "stopped"):
        return bool(row.state == "stopped")
    kept = {one["reason"]: one for one in row.stopped_for or ()}
    fresh = [one for one in stops if one.reason not in kept]
    kept |= {one.reason.value: one.as_json() for one in stops}
    values: dict[str, Any] = {"state": "stopped", "stopped_for": list(kept.values())}
    if row.state != "stopped":
        values["stopped_at"] = uow.now
    batches.change(uow.conn, row.id, **values)
    for one in fresh:
        uow.record(
            "batch.stopped", row.id, state="stopped", reason=one.reason.value,
            rows=one.rows, of=one.of, limit=one.limit,
        )  # fmt: skip
    return True


# ---------------------------------------------------------------- while it is matched


def after_matching(uow: UnitOfWork, outcomes: Sequence[Outcome]) -> set[int]:
    """Count what the matcher made of a chunk; gives files that are stopped by it."""
    files = Counter(batch_of(one.arrival.id) for one in outcomes)
    known = {one.arrival.id: rid for one in outcomes if (rid := _taken_for(one))}
    own = gates.brought_before(uow.conn, known, batches.partners_of(uow.conn, files))
    repeated = Counter(batch_of(row) for row in known if row not in own)
    stopped = set()
    for batch_id, rows in sorted(files.items()):
        row = gates.count_matched(
            uow.conn, batch_id, rows=rows, repeated=repeated[batch_id]
        )
        if row.rows_total is None or row.state != "open" or not row.rows_repeated:
            continue
        stops = breaker.look_at_people(
            schemes.active(uow.conn, row.scheme_id).breaker,
            total=row.rows_total,
            seen=row.rows_matched,
            repeats=row.rows_repeated,
            released=row.released_for or (),
        )
        if stop(uow, row, stops):
            gates.park(uow.conn, batch_id)
            stopped.add(batch_id)
    return stopped


def _taken_for(outcome: Outcome) -> int | None:
    """The resident whom a row repeats, or may repeat; None for somebody new."""
    if outcome.arrival.protected:
        # Not even a count may say that a protected person is known somewhere.
        return None
    if not outcome.new_resident:
        return outcome.resident_id
    if outcome.review in (ReviewKind.PERSON, ReviewKind.SEVERAL):
        # A list with slips in it is no better than a list without, and asks much more.
        return next((one.resident_id for one in outcome.candidates), None)
    return None


def set_aside(
    uow: UnitOfWork, job: ClaimedJob, rows: Sequence[AnyRow]
) -> tuple[list[AnyRow], list[JobSpec]]:
    """Bulk rows that may be matched now, and promises for those of stopped files.

    The files are locked: whoever lets one go does so before, or finds the promise.
    """
    files = {row.batch_id for row in rows}
    stopped = gates.stopped_among(uow.conn, files, locked=True)
    waiting: dict[int, list[AnyRow]] = {}
    for row in rows:
        if row.batch_id in stopped:
            waiting.setdefault(row.batch_id, []).append(row)
    later = [
        JobSpec(
            "deduplicate", "deduplicate.chunk", [row.id for row in found],
            lane=Lane.BULK, need=min(row.need_rank for row in found), turn=job.turn,
            batch_id=batch_id, delay_s=gates.PARKED_S,
        )
        for batch_id, found in sorted(waiting.items())
    ]  # fmt: skip
    return [row for row in rows if row.batch_id not in stopped], later


def not_stopped(uow: UnitOfWork, job: ClaimedJob) -> list[int]:
    """Those rows of an allocate job whose file was not stopped since they were matched.

    Whoever lets a file go promises the others anew; a home off supply among them gets
    its first voucher.
    """
    stopped = gates.stopped_among(uow.conn, {batch_of(row) for row in job.items})
    if not stopped:
        return job.items
    waiting = [row for row in job.items if batch_of(row) in stopped]
    if waiting and job.lane == Lane.URGENT:
        uow.enqueue(
            JobSpec(
                "allocate", "allocate.chunk", waiting, lane=Lane.URGENT, need=job.need,
                turn=job.turn, batch_id=job.batch_id, payload={"first": 1},
            )
        )  # fmt: skip
    return [row for row in job.items if batch_of(row) not in stopped]


# ---------------------------------------------------------------- after a person's word


def going_on(batch_id: int, above: int = 0) -> JobSpec:
    """The promise to allocate what had been matched when a file was stopped."""
    return JobSpec(
        "accept", "batch.resume", batch_id=batch_id, need=0, payload={"above": above}
    )


def ending(batch_id: int, above: int = 0) -> JobSpec:
    """The promise to end the rows of a file that is not gone on with."""
    return JobSpec(
        "accept", "batch.reject", batch_id=batch_id, need=0, payload={"above": above}
    )


def resume(ctx: Context, job: ClaimedJob) -> None:
    """Promise to allocate matched rows, a page a job: their jobs may have passed."""
    batch_id = int(job.batch_id or 0)
    with ctx.begin(name="batch.resume") as uow:
        rows = gates.open_rows(
            uow.conn, batch_id, (ReferralState.MATCHED,),
            above=int(job.payload["above"]), most=CHUNK_ROWS,
        )  # fmt: skip
        for lane in (Lane.URGENT, Lane.BULK):
            mine = [r for r in rows if (lane is Lane.URGENT) is bool(r.off_supply)]
            if mine:
                uow.enqueue(
                    JobSpec(
                        "allocate", "allocate.chunk", [row.id for row in mine],
                        lane=lane, need=min(row.need_rank for row in mine),
                        turn=job.turn, batch_id=batch_id,
                    )
                )  # fmt: skip
        if rows:
            uow.enqueue(going_on(batch_id, rows[-1].id))
        uow.complete(job)


def reject(ctx: Context, job: ClaimedJob) -> None:
    """End the undecided rows of a file, a page a job; what was granted stays."""
    batch_id = int(job.batch_id or 0)
    with ctx.begin(name="batch.reject") as uow:
        gates.drop(uow.conn, batch_id)
        rows = gates.open_rows(
            uow.conn, batch_id, _UNDECIDED,
            above=int(job.payload["above"]), most=CHUNK_ROWS,
        )  # fmt: skip
        for row in rows:
            check_referral(ReferralState(row.state), ReferralState.WITHDRAWN)
        referrals.end(uow, [(row.id, Reason.FILE_REJECTED, batch_id) for row in rows])
        if rows:
            uow.enqueue(ending(batch_id, rows[-1].id))
        uow.complete(job)
