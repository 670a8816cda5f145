"""Remembers tries at the provider and what became known of them, forward only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from vouchers.domain.delivery import (
    ATTEMPT_RANK,
    AttemptState,
    Evidence,
    Move,
    message_after,
)
from vouchers.domain.ids import attempt_id, message_of
from vouchers.domain.lifecycle import MessageState, check_message
from vouchers.store.bulk import insert_rows, update_by
from vouchers.store.listed import among
from vouchers.store.tables import db_now
from vouchers.store.tables.messages import attempt, message
from vouchers.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Claim:
    """One message about to be handed over."""

    message_id: int
    tries: int
    sender: str
    segments: int
    provider: str

    @property
    def attempt_id(self) -> int:
        """Number of this try."""
        return attempt_id(self.message_id, self.tries)


def claim(uow: UnitOfWork, claims: Sequence[Claim]) -> None:
    """Write down, before any call, that these tries are about to be made."""
    if not claims:
        return
    # The database's clock: the age of a claim must mean the same on every host.
    at = uow.conn.execute(select(db_now())).scalar_one()
    rows = [
        {
            "id": one.attempt_id,
            "message_id": one.message_id,
            "number": one.tries,
            "state": AttemptState.CLAIMED.value,
            "provider": one.provider,
            "sender": one.sender,
            "claimed_at": at,
        }
        for one in claims
    ]
    insert_rows(uow.conn, attempt, rows)
    changes = [
        {
            "id": one.message_id,
            "state": MessageState.SENDING.value,
            "reason": None,
            "tries": one.tries + 1,
            "sender": one.sender,
            "segments": one.segments,
            "not_before": None,
            "updated_at": uow.now,
        }
        for one in claims
    ]
    update_by(uow.conn, message, changes)
    for one in claims:
        uow.record(
            "message.claimed", one.message_id, state="sending", attempt=one.attempt_id
        )


def claimed_of(conn: Connection, message_ids: Collection[int]) -> list[int]:
    """Tries of these messages of which nothing is known but that they were claimed."""
    return list(
        conn.scalars(
            select(attempt.c.id).where(
                among(conn, attempt.c.message_id, message_ids),
                attempt.c.state == AttemptState.CLAIMED,
            )
        )
    )


@dataclass(frozen=True, slots=True)
class Changed:
    """A message that evidence has moved."""

    row: Row[Any]
    before: MessageState
    after: MessageState
    evidence: Evidence


def apply(uow: UnitOfWork, heard: Sequence[Evidence]) -> list[Changed]:
    """Take evidence in, whoever brings it and however late; gives what it moved.

    Never fenced by a lease: what the provider did is true whoever works now. Rows are
    locked lowest number first, messages before their tries.
    """
    if not heard:
        return []
    conn = uow.conn
    numbers = sorted({message_of(one.attempt_id) for one in heard})
    messages = {row.id: row for row in conn.execute(_locked(conn, message, numbers))}
    tried = sorted({one.attempt_id for one in heard})
    attempts = {row.id: row for row in conn.execute(_locked(conn, attempt, tried))}
    best: dict[int, Evidence] = {}
    states = {number: MessageState(row.state) for number, row in messages.items()}
    moved: dict[int, tuple[Evidence, Move]] = {}
    for one in heard:
        row = attempts.get(one.attempt_id)
        if row is None:
            continue
        advances = _advances(one, best.get(one.attempt_id), row.state)
        if advances:
            best[one.attempt_id] = one
        number = row.message_id
        newest = row.number == messages[number].tries - 1
        accepted = one.state is AttemptState.ACCEPTED
        if not accepted and not (advances and newest):
            continue
        move = message_after(
            states[number], one, tries=messages[number].tries, message_id=number
        )
        if move.state is not states[number]:
            check_message(states[number], move.state)
            states[number] = move.state
            moved[number] = (one, move)
    _settle_attempts(uow, best, messages)
    return _move_messages(uow, messages, moved)


def _locked(conn: Connection, table: Any, numbers: list[int]) -> Any:
    which = among(conn, table.c.id, numbers)
    return select(table).where(which).order_by(table.c.id).with_for_update()


def _advances(one: Evidence, earlier: Evidence | None, stored: str) -> bool:
    known = earlier.state if earlier is not None else AttemptState(stored)
    return ATTEMPT_RANK[one.state] > ATTEMPT_RANK[known]


def _settle_attempts(
    uow: UnitOfWork, best: dict[int, Evidence], messages: dict[int, Row[Any]]
) -> None:
    if not best:
        return
    at = uow.conn.execute(select(db_now())).scalar_one()
    update_by(
        uow.conn,
        attempt,
        [
            {
                "id": number,
                "state": one.state.value,
                "sid": one.sid,
                "error_code": one.error_code,
                "evidence": one.source,
                "settled_at": None if one.state is AttemptState.UNKNOWN else at,
            }
            for number, one in best.items()
        ],
    )
    for number, one in best.items():
        known = messages[message_of(number)].sid
        if one.state is AttemptState.ACCEPTED and known not in (None, one.sid):
            # The provider's look-up had not shown the first one: somebody must know.
            uow.record("attempt.accepted_twice", number, message=message_of(number))


def _move_messages(
    uow: UnitOfWork,
    messages: dict[int, Row[Any]],
    moved: dict[int, tuple[Evidence, Move]],
) -> list[Changed]:
    changes = [
        _change(messages[number], one, move, uow.now)
        for number, (one, move) in moved.items()
    ]
    update_by(uow.conn, message, changes)
    for number, (one, move) in moved.items():
        uow.record(
            f"message.{move.state.value}",
            number,
            state=move.state.value,
            attempt=one.attempt_id,
            source=one.source,
            error_code=one.error_code,
        )
    return [
        Changed(messages[number], MessageState(messages[number].state), move.state, one)
        for number, (one, move) in moved.items()
    ]


def _change(row: Row[Any], one: Evidence, move: Move, now: datetime) -> dict[str, Any]:
    accepted = one.state is AttemptState.ACCEPTED
    delivered = move.state is MessageState.DELIVERED
    not_before = now + timedelta(seconds=move.wait_s) if move.wait_s else None
    return {
        "id": row.id,
        "state": move.state.value,
        "reason": move.reason,
        "sid": row.sid or one.sid,
        "error_code": None if delivered else one.error_code,
        "not_before": not_before,
        "accepted_at": row.accepted_at or (now if accepted else None),
        "delivered_at": row.delivered_at or (now if delivered else None),
        "updated_at": now,
    }


def open_attempts(conn: Connection, ids: Collection[int]) -> list[Row[Any]]:
    """Of these tries, those of which nobody knows yet what became of them."""
    return list(
        conn.execute(
            select(
                attempt,
                db_now().label("now"),
                message.c.urgent,
                message.c.scheme_id,
                message.c.award_id,
                message.c.referral_id,
            )
            .select_from(attempt.join(message, message.c.id == attempt.c.message_id))
            .where(
                among(conn, attempt.c.id, ids),
                attempt.c.state.in_((AttemptState.CLAIMED, AttemptState.UNKNOWN)),
            )
            .order_by(attempt.c.id)
        ).all()
    )


def waiting(conn: Connection, state: AttemptState, *, limit: int) -> list[Row[Any]]:
    """The longest-open tries in one state, with the database's time."""
    return list(
        conn.execute(
            select(attempt.c.id, attempt.c.claimed_at, db_now().label("now"))
            .where(attempt.c.state == state)
            .order_by(attempt.c.claimed_at)
            .limit(limit)
        ).all()
    )


def sids_of_others(
    conn: Connection, sids: Collection[str], *, attempt_id: int
) -> set[str]:
    """Which of the provider's numbers we know to belong to other tries."""
    if not sids:
        return set()
    return set(
        conn.scalars(
            select(attempt.c.sid).where(
                attempt.c.sid.in_(sorted(sids)), attempt.c.id != attempt_id
            )
        )
    )


def attempts_of_sids(conn: Connection, sids: Collection[str]) -> dict[str, int]:
    """Our tries by the provider's numbers."""
    if not sids:
        return {}
    rows = conn.execute(
        select(attempt.c.sid, attempt.c.id).where(among(conn, attempt.c.sid, sids))
    )
    return {row.sid: row.id for row in rows}


def cancel_resends(uow: UnitOfWork, award_and_purpose: set[tuple[int, int]]) -> None:
    """Call off queued repeats of texts that arrived after all."""
    if not award_and_purpose:
        return
    rows = uow.conn.execute(
        select(message.c.id, message.c.award_id, message.c.purpose).where(
            among(uow.conn, message.c.award_id, {a for a, _ in award_and_purpose}),
            message.c.state == MessageState.QUEUED,
            message.c.generation > 0,
        )
    ).all()
    found = [row.id for row in rows if (row.award_id, row.purpose) in award_and_purpose]
    if not found:
        return
    # Asked again while writing: since we looked a repeat may have been claimed.
    gone = uow.conn.scalars(
        update(message)
        .where(
            among(uow.conn, message.c.id, found),
            message.c.state == MessageState.QUEUED,
        )
        .values(state="cancelled", reason="delivered_after_all", updated_at=uow.now)
        .returning(message.c.id)
    ).all()
    for number in sorted(gone):
        uow.record(
            "message.cancelled", number, state="cancelled", reason="delivered_after_all"
        )
