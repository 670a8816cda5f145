"""Writes what the matcher decided for a chunk: residents, households, reviews."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from sqlalchemy import Connection, select

from vouchers.domain.calendar import local_date
from vouchers.domain.lifecycle import ReferralState, check_referral
from vouchers.domain.matching.features import Features
from vouchers.domain.matching.settlement import Edge, Outcome
from vouchers.domain.reasons import Reason
from vouchers.store import registry, residents
from vouchers.store.bulk import insert_rows, update_by
from vouchers.store.listed import among
from vouchers.store.moves import take_requests_along
from vouchers.store.registry import AnyRow, KeyMark
from vouchers.store.sealing import Keyring
from vouchers.store.tables.identity import (
    household,
    identity_edge,
    membership,
    resident,
    review,
)
from vouchers.store.tables.intake import contact, referral
from vouchers.store.unit_of_work import UnitOfWork

#: Candidates that a review shows; the rest would not be looked at.
SHOWN_MAX = 8


class RowRead(Protocol):
    """A row as the matcher read it."""

    @property
    def fields(self) -> Mapping[str, Any]:
        """The row in clean form, as it was packed."""

    @property
    def features(self) -> Features:
        """What is compared of it."""

    @property
    def marks(self) -> Sequence[KeyMark]:
        """The hashed keys under which it is found."""

    @property
    def protected(self) -> bool:
        """Whether it belongs to somebody who must not be found."""


def lock_received(conn: Connection, ids: Sequence[int]) -> list[AnyRow]:
    """Lock those of the referrals that still wait for the matcher, in order of row."""
    rows = conn.execute(
        select(
            referral.c.id,
            referral.c.batch_id,
            referral.c.scheme_id,
            referral.c.need_rank,
            referral.c.off_supply,
            referral.c.protected,
            referral.c.separate_household,
            referral.c.judged,
        )
        .where(
            among(conn, referral.c.id, ids),
            referral.c.state == ReferralState.RECEIVED,
        )
        .order_by(referral.c.id)
        .with_for_update(key_share=True)
    )
    return list(rows.all())


def remember(
    uow: UnitOfWork,
    keys: Keyring,
    outcomes: Sequence[Outcome],
    rows: Sequence[AnyRow],
    readings: Mapping[int, RowRead],
) -> None:
    """Write all outcomes of a chunk in a few statements, with an audit event each."""
    by_id = {row.id: row for row in rows}
    today = local_date(uow.now)
    _insert_residents(uow, keys, outcomes, readings)
    changed = _add_faces(uow, keys, outcomes, readings)
    _insert_keys(uow, keys, outcomes, readings, changed)
    _link_households(uow, outcomes, today)
    _insert_edges(uow, outcomes)
    _open_reviews(uow, outcomes, by_id)
    _update_referrals(uow, outcomes, by_id)
    take_requests_along(uow, {o.resident_id for o in outcomes if o.left is not None})
    registry.count_residents(uow.conn, sum(o.new_resident for o in outcomes))
    registry.count_bounds(
        uow.conn,
        Counter(mark for o in outcomes for mark in o.crowded),
        keys.match_current,
        cut=sum(o.cut > 0 for o in outcomes),
        day=today,
    )


def _insert_residents(
    uow: UnitOfWork,
    keys: Keyring,
    outcomes: Sequence[Outcome],
    readings: Mapping[int, RowRead],
) -> None:
    rows = []
    for outcome in outcomes:
        if outcome.new_resident:
            rid, reading = outcome.resident_id, readings[outcome.arrival.id]
            sealed = residents.seal_person(keys, rid, reading.fields, reading.features)
            rows.append(
                {
                    "id": rid,
                    **sealed,
                    "protected": reading.protected,
                    "provisional": outcome.provisional,
                    "created_at": uow.now,
                }
            )
    insert_rows(uow.conn, resident, rows)


def _add_faces(
    uow: UnitOfWork,
    keys: Keyring,
    outcomes: Sequence[Outcome],
    readings: Mapping[int, RowRead],
) -> set[int]:
    """Remember a known person's new name, home or phone; gives those who had one."""
    again = [o for o in outcomes if not o.new_resident]
    opened = residents.open_faces(
        uow.conn, keys, sorted({o.resident_id for o in again})
    )
    changed: dict[int, list[Features]] = {}
    for outcome in again:
        rid = outcome.resident_id
        if rid in opened:
            face = readings[outcome.arrival.id].features
            if (faces := residents.with_face(opened[rid], face)) is not None:
                opened[rid] = changed[rid] = faces
    update_by(
        uow.conn,
        resident,
        [
            {"id": rid, "faces_sealed": residents.seal_faces(keys, rid, faces)}
            for rid, faces in sorted(changed.items())
        ],
    )
    return set(changed)


def insert_provisional(
    uow: UnitOfWork, keys: Keyring, resident_id: int, reading: RowRead
) -> None:
    """A row stands for itself until a person has ruled: resident, household, keys."""
    sealed = residents.seal_person(keys, resident_id, reading.fields, reading.features)
    insert_rows(
        uow.conn,
        resident,
        [
            {
                "id": resident_id,
                **sealed,
                "protected": reading.protected,
                "provisional": True,
                "created_at": uow.now,
            }
        ],
    )
    home = {"id": resident_id, "communal": False, "created_at": uow.now}
    insert_rows(uow.conn, household, [home], on_conflict="ignore")
    residents.join_household(uow.conn, resident_id, resident_id, local_date(uow.now))
    marks = {(resident_id, mark) for mark in reading.marks}
    registry.insert_keys(uow.conn, marks, keys.match_current)
    registry.count_residents(uow.conn, 1)


def _insert_keys(
    uow: UnitOfWork,
    keys: Keyring,
    outcomes: Sequence[Outcome],
    readings: Mapping[int, RowRead],
    changed: set[int],
) -> None:
    """Make residents findable; new ones cannot have a key yet, which is far cheaper."""
    fresh = {o.resident_id for o in outcomes if o.new_resident}
    for people, known in ((fresh, False), (changed - fresh, True)):
        marks = {
            (o.resident_id, mark)
            for o in outcomes
            if o.resident_id in people
            for mark in readings[o.arrival.id].marks
        }
        registry.insert_keys(uow.conn, marks, keys.match_current, known=known)


def _link_households(uow: UnitOfWork, outcomes: Sequence[Outcome], today: date) -> None:
    fresh = [
        {"id": o.household_id, "communal": o.communal, "created_at": uow.now}
        for o in outcomes
        if o.new_household
    ]
    insert_rows(uow.conn, household, fresh)
    insert_rows(
        uow.conn,
        membership,
        [
            {
                "household_id": o.household_id,
                "resident_id": o.resident_id,
                "from_on": today,
            }
            for o in outcomes
            if o.new_resident
        ],
    )
    for o in outcomes:
        if o.left is not None:
            residents.end_membership(uow.conn, o.resident_id, o.left, today)
            residents.join_household(uow.conn, o.resident_id, o.household_id, today)


def _insert_edges(uow: UnitOfWork, outcomes: Sequence[Outcome]) -> None:
    """Each match and each 'lives apart' of a partner is remembered for good."""
    model = residents.shipped_model().version
    apart = [
        (o.resident_id, other, Edge.SEPARATE, None)
        for o in outcomes
        for other in o.apart_from
    ]
    insert_rows(
        uow.conn,
        identity_edge,
        [
            {
                "a": a,
                "b": b,
                "kind": kind,
                "score": score,
                "model": model,
                "actor": uow.actor,
                "reason": "partner_says_separate",
                "at": uow.now,
            }
            for a, b, kind, score in apart
        ],
    )


def _open_reviews(
    uow: UnitOfWork,
    outcomes: Sequence[Outcome],
    by_id: Mapping[int, AnyRow],
) -> None:
    model = residents.shipped_model().version
    rows = []
    for outcome in outcomes:
        if outcome.review is None:
            continue
        row = by_id[outcome.arrival.id]
        rows.append(
            {
                "id": row.id,
                "scheme_id": row.scheme_id,
                "kind": outcome.review,
                "state": "open",
                "protected": row.protected,
                "need_rank": row.need_rank,
                "candidates": [c.as_json() for c in outcome.candidates[:SHOWN_MAX]],
                "model": model,
                "opened_at": uow.now,
            }
        )
        uow.record("review.opened", row.id, state="open", review_kind=outcome.review)
    insert_rows(uow.conn, review, rows)


def _update_referrals(
    uow: UnitOfWork,
    outcomes: Sequence[Outcome],
    by_id: Mapping[int, AnyRow],
) -> None:
    rows, links = [], []
    for outcome in outcomes:
        row = by_id[outcome.arrival.id]
        asked = outcome.review is not None
        state = ReferralState.CHECKING if asked else ReferralState.MATCHED
        check_referral(ReferralState.RECEIVED, state)
        rows.append(
            {
                "id": row.id,
                "state": state,
                "reason": Reason.IDENTITY if asked else None,
                "resident_id": outcome.resident_id,
                "household_id": outcome.household_id,
                "judged": {**(row.judged or {}), "match": _judged(outcome)},
                "updated_at": uow.now,
            }
        )
        links.append({"referral_id": row.id, "resident_id": outcome.resident_id})
        uow.record(
            f"referral.{state}",
            row.id,
            state=state,
            verdict=outcome.verdict,
            resident=outcome.resident_id,
            household=outcome.household_id,
            new_resident=outcome.new_resident,
            left=outcome.left,
        )
    update_by(uow.conn, referral, rows)
    update_by(uow.conn, contact, links, key="referral_id")


def _judged(outcome: Outcome) -> dict[str, Any]:
    """What `explain` shows of a decision: numbers, words, residents; nobody's name."""
    bounds: dict[str, Any] = {}
    if outcome.crowded:
        bounds["crowded"] = sorted({kind for kind, _ in outcome.crowded})
    if outcome.cut:
        bounds["cut"] = outcome.cut
    return bounds | {
        "model": residents.shipped_model().version,
        "verdict": outcome.verdict,
        "review": outcome.review,
        "resident_id": str(outcome.resident_id),
        "household_id": str(outcome.household_id),
        "why": list(outcome.reasons),
        "candidates": [c.as_json() for c in outcome.candidates[:SHOWN_MAX]],
    }


def hold(uow: UnitOfWork, ids: Sequence[int], error_class: str) -> None:
    """Referrals on which our code failed: visible, and out of their neighbours' way."""
    for row in lock_received(uow.conn, ids):
        check_referral(ReferralState.RECEIVED, ReferralState.HELD)
        update_by(
            uow.conn,
            referral,
            [
                {
                    "id": row.id,
                    "state": ReferralState.HELD,
                    "reason": Reason.FAILED_HERE,
                    "updated_at": uow.now,
                }
            ],
        )
        uow.record("referral.held", row.id, state=ReferralState.HELD, error=error_class)
