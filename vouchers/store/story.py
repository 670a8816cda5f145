"""Gathers all that is remembered about one referral, for whoever has to explain it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, or_, select

from vouchers.domain.ids import Place, award_of_message
from vouchers.errors import NotFound
from vouchers.store.tables import awards, identity, intake, messages, money, parties
from vouchers.store.tables.proof import audit_event, audit_leaf
from vouchers.store.tables.work import job

Rows = list[Row[Any]]

#: Places in the words of the books.
PLACE_WORDS = {place.value: place.name.lower() for place in Place}


@dataclass(frozen=True, slots=True)
class Gathered:
    """Every row that belongs to one referral's story."""

    referral: Row[Any]
    batch: Row[Any]
    partner: Row[Any]
    review: Row[Any] | None
    waitlist: Row[Any] | None
    awards: Rows
    vouchers: Rows
    messages: Rows
    attempts: Rows
    callbacks: Rows
    redemptions: Rows
    discrepancies: Rows
    transfers: Rows
    events: Rows


def referrals_by_reference(
    conn: Connection, partner_id: int, reference_key: bytes
) -> Rows:
    """A partner's referrals under one reference, the newest first."""
    found = intake.referral
    return list(
        conn.execute(
            select(found)
            .where(
                found.c.partner_id == partner_id,
                found.c.reference_key == reference_key,
            )
            .order_by(found.c.id.desc())
        )
    )


def referral_by_id(conn: Connection, referral_id: int) -> Row[Any]:
    """One referral by our own number; NotFound when there is none."""
    found = intake.referral
    row = conn.execute(select(found).where(found.c.id == referral_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no referral {referral_id}")
    return row


def gather(conn: Connection, referral: Row[Any]) -> Gathered:
    """Read everything about one referral, in as many queries as there are tables."""
    own = awards.award
    granted = _all(conn, select(own).where(own.c.referral_id == referral.id))
    award_ids = [row.id for row in granted]
    parts = _in(conn, awards.voucher, awards.voucher.c.award_id, award_ids)
    voucher_ids = [row.id for row in parts]
    texts = _in(conn, messages.message, messages.message.c.award_id, award_ids)
    message_ids = [row.id for row in texts]
    tries = _in(conn, messages.attempt, messages.attempt.c.message_id, message_ids)
    sids = [row.sid for row in tries if row.sid]
    used = _in(conn, awards.redemption, awards.redemption.c.voucher_id, voucher_ids)
    return Gathered(
        referral=referral,
        batch=_one(conn, intake.batch, referral.batch_id),
        partner=_one(conn, parties.partner, referral.partner_id),
        review=_one_or_none(conn, identity.review, identity.review.c.id, referral.id),
        waitlist=_one_or_none(
            conn, awards.waitlist, awards.waitlist.c.referral_id, referral.id
        ),
        awards=granted,
        vouchers=parts,
        messages=texts,
        attempts=tries,
        callbacks=_in(conn, messages.callback, messages.callback.c.sid, sids),
        redemptions=used,
        discrepancies=_in(
            conn, awards.discrepancy, awards.discrepancy.c.voucher_id, voucher_ids
        ),
        transfers=transfers_of(conn, voucher_ids),
        events=events_of(
            conn,
            {
                "referral": [referral.id],
                "review": [referral.id],
                "award": award_ids,
                "voucher": voucher_ids,
                "message": message_ids,
                "attempt": [row.id for row in tries],
                "redemption": [row.id for row in used],
            },
        ),
    )


def transfers_of(conn: Connection, voucher_ids: Sequence[int]) -> Rows:
    """What moved for some vouchers, with the names of both accounts."""
    moved = money.transfer
    debit = money.account.alias("debit")
    credit = money.account.alias("credit")
    gift = money.contribution
    wanted = (
        select(
            moved.c.id,
            moved.c.key,
            moved.c.kind,
            moved.c.amount_pence,
            moved.c.voucher_id,
            moved.c.actor,
            moved.c.event_at,
            moved.c.recorded_at,
            debit.c.place.label("debit_place"),
            credit.c.place.label("credit_place"),
            gift.c.slug.label("contribution"),
        )
        .select_from(
            moved.join(debit, debit.c.id == moved.c.debit_id)
            .join(credit, credit.c.id == moved.c.credit_id)
            .outerjoin(gift, gift.c.id == moved.c.contribution_id)
        )
        .order_by(moved.c.id)
    )
    found: Rows = []
    for some in _batches(voucher_ids):
        found.extend(_all(conn, wanted.where(moved.c.voucher_id.in_(some))))
    return found


def events_of(conn: Connection, entities: dict[str, Collection[int]]) -> Rows:
    """Audit events of entities by their subject, with their numbers in the log.

    Numbers of different things may be equal, so the subject in front of the dot counts.
    """
    wanted = [
        (audit_event.c.entity_id.in_(list(ids)))
        & audit_event.c.kind.like(f"{subject}.%")
        for subject, ids in entities.items()
        if ids
    ]
    return _all(
        conn,
        select(
            audit_event.c.id,
            audit_event.c.kind,
            audit_event.c.entity_id,
            audit_event.c.body,
            audit_leaf.c.seq,
        )
        .select_from(
            audit_event.outerjoin(audit_leaf, audit_leaf.c.event_id == audit_event.c.id)
        )
        .where(or_(*wanted))
        .order_by(audit_event.c.id),
    )


def body_of(event: Row[Any]) -> dict[str, Any]:
    """What an audit event says."""
    body: dict[str, Any] = json.loads(event.body)
    return body


def partners_of_residents(
    conn: Connection, resident_ids: Collection[int]
) -> dict[int, tuple[str, bool]]:
    """Which partner first brought each resident, and whether they are protected."""
    found = intake.referral
    rows = conn.execute(
        select(
            found.c.id,
            parties.partner.c.slug,
            identity.resident.c.protected,
        )
        .select_from(
            found.join(
                parties.partner, parties.partner.c.id == found.c.partner_id
            ).join(identity.resident, identity.resident.c.id == found.c.id)
        )
        .where(found.c.id.in_(list(resident_ids)))
    )
    return {row.id: (row.slug, row.protected) for row in rows}


def contribution_slugs(conn: Connection, ids: Iterable[int]) -> dict[int, str]:
    """Names of contributions by number."""
    gift = money.contribution
    rows = conn.execute(select(gift.c.id, gift.c.slug).where(gift.c.id.in_(list(ids))))
    return {row.id: row.slug for row in rows}


def held_jobs(conn: Connection, referral: Row[Any], award_ids: Collection[int]) -> Rows:
    """Jobs that were held or given up and that carry this referral or its messages."""
    rows = conn.execute(
        select(job).where(
            job.c.state.in_(("held", "dead")),
            or_(job.c.batch_id == referral.batch_id, job.c.batch_id.is_(None)),
        )
    )
    own = set(award_ids)
    return [
        row
        for row in rows
        if referral.id in row.items
        or any(award_of_message(item) in own for item in row.items)
    ]


def _all(conn: Connection, wanted: Select[Any]) -> Rows:
    return list(conn.execute(wanted))


def _one(conn: Connection, table: Any, number: int) -> Row[Any]:
    row: Row[Any] = conn.execute(select(table).where(table.c.id == number)).one()
    return row


def _one_or_none(
    conn: Connection, table: Any, column: Any, number: int
) -> Row[Any] | None:
    found: Row[Any] | None = conn.execute(
        select(table).where(column == number)
    ).one_or_none()
    return found


def _in(conn: Connection, table: Any, column: Any, values: Sequence[Any]) -> Rows:
    return [
        row
        for some in _batches(values)
        for row in conn.execute(
            select(table).where(column.in_(some)).order_by(*table.primary_key.columns)
        )
    ]


def _batches(values: Sequence[Any], size: int = 1_000) -> Iterable[list[Any]]:
    for at in range(0, len(values), size):
        yield list(values[at : at + size])
