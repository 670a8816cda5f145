"""Says who each row of a chunk is: a known resident, a new one, or a question.

One matcher at a time: two chunks in flight could hide the same person from each other.
Rows are opened and read before that lock is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from config.queues import Lane
from vouchers.domain.calendar import local_date
from vouchers.domain.ids import batch_of
from vouchers.domain.lifecycle import ReferralState
from vouchers.domain.matching.bounds import CANDIDATES_MAX
from vouchers.domain.matching.comparison import (
    Question,
    compare_chunk,
    rows_sharing_keys,
)
from vouchers.domain.matching.features import Features, read_features
from vouchers.domain.matching.keys import (
    PROTECTED,
    STOP_WORD,
    KeyKind,
    match_keys,
)
from vouchers.domain.matching.settlement import (
    Arrival,
    Outcome,
    Register,
    settle,
)
from vouchers.errors import Busy
from vouchers.pipeline import breaker
from vouchers.pipeline.context import Context
from vouchers.store import decisions, gates, registry, residents
from vouchers.store.jobs import ClaimedJob, JobSpec
from vouchers.store.listed import among
from vouchers.store.registry import AnyRow, KeyMark
from vouchers.store.residents import Known
from vouchers.store.sealing import Keyring
from vouchers.store.tables.intake import referral
from vouchers.store.unit_of_work import UnitOfWork

#: Seconds until a chunk comes back that found another matcher at work.
BUSY_S = 0.15


@dataclass(frozen=True, slots=True)
class Reading:
    """One row, opened and read: its features and the marks under which it is found."""

    id: int
    fields: Mapping[str, Any]
    features: Features
    marks: Sequence[KeyMark]
    protected: bool


def handle(ctx: Context, job: ClaimedJob) -> None:
    """Carry a `deduplicate.chunk` job."""
    with ctx.reading() as conn:
        waiting = conn.execute(
            select(referral.c.id, referral.c.row_sealed, referral.c.protected).where(
                among(conn, referral.c.id, job.items),
                referral.c.state == ReferralState.RECEIVED,
            )
        ).all()
    readings = {row.id: read(ctx.keys, row) for row in waiting}
    urgent = job.lane == Lane.URGENT
    with ctx.begin(urgent=urgent, name="deduplicate.chunk") as uow:
        if not registry.try_lock_registry(uow.conn):
            raise Busy(seconds=BUSY_S)
        rows = decisions.lock_received(uow.conn, job.items)
        stopped = gates.stopped_among(uow.conn, {row.batch_id for row in rows})
        if stopped and not urgent:
            rows, later = breaker.set_aside(uow, job, rows)
            uow.enqueue(*later)
        ready = [readings[row.id] for row in rows if row.id in readings]
        by_id = {row.id: row for row in rows}
        arrivals = [
            Arrival(r.id, by_id[r.id].protected, by_id[r.id].separate_household)
            for r in ready
        ]
        outcomes = recognise(uow.conn, ctx.keys, arrivals, ready, now=uow.now)
        decisions.remember(uow, ctx.keys, outcomes, rows, readings)
        stopped |= breaker.after_matching(uow, outcomes)
        uow.enqueue(*_follow_up(job, outcomes, rows, stopped))
        uow.complete(job)


def hold(uow: UnitOfWork, job: ClaimedJob, error_class: str) -> None:
    """Put the one row of a job that cannot be carried where a person sees it."""
    decisions.hold(uow, job.items, error_class)


def read(keys: Keyring, row: AnyRow) -> Reading:
    """Open one referral's row (id, row_sealed, protected) and read what is compared."""
    packed = keys.open("referral.row_sealed", row.id, row.row_sealed)
    return read_opened(keys, row.id, packed, protected=row.protected)


def read_opened(
    keys: Keyring, number: int, packed: bytes, *, protected: bool
) -> Reading:
    """Read what is compared of an opened row, and hash its marks."""
    fields = json.loads(packed)
    features = read_features({k: v for k, v in fields.items() if isinstance(v, str)})
    marks = marks_of(keys, features, protected=protected)
    return Reading(number, fields, features, marks, protected)


def marks_of(keys: Keyring, features: Features, *, protected: bool) -> list[KeyMark]:
    """A person's match keys, hashed; a protected person's meet only protected ones."""
    shift = PROTECTED if protected else 0
    return [
        (kind + shift, keys.match_key(kind + shift, words))
        for kind, words in match_keys(features, residents.shipped_lexicon())
    ]


def recognise(
    conn: Connection,
    keys: Keyring,
    arrivals: Sequence[Arrival],
    ready: Sequence[Reading],
    *,
    now: datetime,
) -> list[Outcome]:
    """Find candidates, compare all at once, settle row by row; nothing is written.

    `arrivals` and `ready` are the same rows in the same order.
    """
    if not ready:
        return []
    model = residents.shipped_model()
    marks = [mark for reading in ready for mark in reading.marks]
    found = registry.find(conn, marks, keys.match_current)
    ranked = [_candidates(reading, found.by_key) for reading in ready]
    listed = [ids[:CANDIDATES_MAX] for ids in ranked]
    known, roots = residents.load(conn, keys, {i for ids in listed for i in ids})
    people = [
        sorted({roots[i] for i in ids if i in roots and roots[i] in known})
        for ids in listed
    ]
    earlier = rows_sharing_keys([r.marks for r in ready], at_most=STOP_WORD)
    homes = [_homes(keys, reading) for reading in ready]
    communal = registry.listed(conn, "communal", set().union(*homes))
    workers = registry.listed(conn, "worker_phone", _keys(ready, KeyKind.MOBILE))
    questions = [
        Question(
            reading.features,
            candidates,
            before,
            communal=not communal.isdisjoint(home),
            worker_phone=not workers.isdisjoint(_keys([reading], KeyKind.MOBILE)),
        )
        for reading, candidates, before, home in zip(
            ready, people, earlier, homes, strict=True
        )
    ]
    answers = compare_chunk(
        model,
        residents.shipped_lexicon(),
        questions,
        {rid: person.faces for rid, person in known.items()},
        registry_size=registry.registry_size(conn),
    )
    told = {one.resident_id: known[one.resident_id] for a in answers for one in a.known}
    register = _register(conn, told, now, model.limits.window_days)
    outcomes = settle(model, arrivals, answers, register)
    return [
        _with_bounds(outcome, reading, ids, found.crowded)
        for outcome, reading, ids in zip(outcomes, ready, ranked, strict=True)
    ]


def _with_bounds(
    outcome: Outcome, reading: Reading, ranked: Sequence[int], crowded: Set[KeyMark]
) -> Outcome:
    """Say of an outcome with whom the bounds of matching kept it from meeting."""
    met = [mark for mark in reading.marks if mark in crowded] if crowded else []
    cut = max(0, len(ranked) - CANDIDATES_MAX)
    return replace(outcome, crowded=met, cut=cut) if met or cut else outcome


def _homes(keys: Keyring, reading: Reading) -> set[int]:
    """The hashes by which a row's home may be listed: its door's and its building's."""
    found = _keys([reading], KeyKind.DWELLING)
    if (building := reading.features.building) and not reading.protected:
        found.add(keys.match_key(KeyKind.DWELLING, building))
    return found


def _keys(readings: Sequence[Reading], kind: KeyKind) -> set[int]:
    """The hashes of one kind; a protected row's are of a kind that nobody lists."""
    return {key for r in readings for k, key in r.marks if k == kind}


def _candidates(reading: Reading, by_key: Mapping[KeyMark, Sequence[int]]) -> list[int]:
    """Residents that share keys with a row, those that share most of them first."""
    shared: dict[int, int] = {}
    for mark in reading.marks:
        for rid in by_key.get(mark, ()):
            shared[rid] = shared.get(rid, 0) + 1
    return sorted(shared, key=lambda rid: (-shared[rid], rid))


def _register(
    conn: Connection, known: Mapping[int, Known], now: datetime, window_days: int
) -> Register:
    """Everything that settlement asks about the people who may be meant."""
    if not known:
        return Register()
    home = residents.households_of(conn, known)
    since = local_date(now) - timedelta(days=window_days)
    return Register(
        provisional={rid for rid, person in known.items() if person.provisional},
        home=home,
        members=residents.members_of(conn, set(home.values())),
        supported=residents.supported_since(conn, set(home.values()), since),
        rulings=residents.rulings(conn, known),
    )


def _follow_up(
    job: ClaimedJob,
    outcomes: Sequence[Outcome],
    rows: Sequence[AnyRow],
    stopped: set[int],
) -> list[JobSpec]:
    """What allocate has to do, the neediest first; one voucher for those in doubt."""
    by_id = {row.id: row for row in rows}
    ranked = sorted(
        outcomes, key=lambda o: (by_id[o.arrival.id].need_rank, o.arrival.id)
    )
    clear = [
        o.arrival.id
        for o in ranked
        if o.review is None and batch_of(o.arrival.id) not in stopped
    ]
    # Somebody off supply does not wait for our doubts: one voucher now, the rest later.
    first = [
        o.arrival.id
        for o in ranked
        if by_id[o.arrival.id].off_supply
        and (o.review is not None or batch_of(o.arrival.id) in stopped)
    ]
    specs = []
    for items, payload in ((clear, {}), (first, {"first": 1})):
        if items:
            specs.append(
                JobSpec(
                    queue="allocate",
                    kind="allocate.chunk",
                    items=items,
                    lane=Lane(job.lane) if not payload else Lane.URGENT,
                    need=by_id[items[0]].need_rank,
                    turn=job.turn,
                    parent=job.id,
                    batch_id=job.batch_id,
                    payload=payload,
                )
            )
    return specs
