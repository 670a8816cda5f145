"""Remembers what residents are to be told: queued, locked for sending, cancelled."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select, update

from config.queues import CHUNK_MESSAGES, Lane
from vouchers.domain.delivery import MESSAGE_RANK
from vouchers.domain.ids import Purpose, message_id
from vouchers.domain.lifecycle import MessageState
from vouchers.store.bulk import chunks, insert_rows
from vouchers.store.jobs import NEED_LAST, JobSpec
from vouchers.store.listed import among
from vouchers.store.tables.awards import award, voucher
from vouchers.store.tables.intake import contact, referral
from vouchers.store.tables.messages import message, suppression
from vouchers.store.tables.money import code
from vouchers.store.tables.parties import partner
from vouchers.store.unit_of_work import UnitOfWork

#: A template for each way in which a resident may be written to.
_TEMPLATES = {
    Purpose.AWARD: "award",
    Purpose.REMINDER: "reminder",
    Purpose.REISSUE: "reissue",
    Purpose.EXPIRY: "expiry",
    Purpose.NEUTRAL: "neutral",
}


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A text to be sent for an award."""

    award_id: int
    purpose: Purpose
    referral_id: int
    scheme_id: int
    template: str
    language: str
    urgent: bool
    batch_id: int | None = None
    need: int = NEED_LAST
    turn: int = 0
    generation: int = 0
    #: Not earlier than this moment of the business clock.
    not_before: datetime | None = None

    @property
    def id(self) -> int:
        """The one number for this award, purpose and generation."""
        return message_id(self.award_id, self.purpose, self.generation)


def template_for(safe_contact: str, purpose: Purpose) -> str:
    """The wording to use: neutral whenever a text must give nothing away."""
    return "neutral" if safe_contact == "sms_neutral" else _TEMPLATES[purpose]


def queue(uow: UnitOfWork, new: Sequence[NewMessage]) -> None:
    """Promise these texts: rows, events and the jobs to send them, in bulk.

    A text that is there already (the same award, purpose and generation) is left as it
    is: a step that runs twice promises nothing twice.
    """
    if not new:
        return
    there = set(
        uow.conn.scalars(
            select(message.c.id).where(
                among(uow.conn, message.c.id, [one.id for one in new])
            )
        )
    )
    fresh = list({one.id: one for one in new if one.id not in there}.values())
    insert_rows(uow.conn, message, [_row(one, uow.now) for one in fresh])
    for one in fresh:
        uow.record("message.queued", one.id, state="queued", award=one.award_id)
    groups: dict[tuple[bool, int | None, datetime | None], list[NewMessage]] = {}
    for one in fresh:
        key = (one.urgent, one.batch_id, one.not_before)
        groups.setdefault(key, []).append(one)
    for (urgent, batch_id, not_before), group in groups.items():
        wait_s = (not_before - uow.now).total_seconds() if not_before else 0.0
        for chunk in chunks(group, CHUNK_MESSAGES):
            uow.enqueue(
                JobSpec(
                    "send",
                    "send.chunk",
                    [one.id for one in chunk],
                    lane=Lane.URGENT if urgent else Lane.BULK,
                    need=min(one.need for one in chunk),
                    turn=min(one.turn for one in chunk),
                    delay_s=max(0.0, wait_s),
                    batch_id=batch_id,
                )
            )


def put_aside(uow: UnitOfWork, held: Collection[tuple[int, str, int | None]]) -> None:
    """Show held texts, as (text, why, batch), to whoever settles held jobs.

    Requeued, the text is looked at again; discarded, it is cancelled.
    """
    uow.enqueue(
        *(
            JobSpec("send", "send.chunk", [number], batch_id=batch_id, held=reason)
            for number, reason, batch_id in held
        )
    )


def _row(one: NewMessage, now: datetime) -> dict[str, Any]:
    return {
        "id": one.id,
        "award_id": one.award_id,
        "referral_id": one.referral_id,
        "scheme_id": one.scheme_id,
        "purpose": int(one.purpose),
        "generation": one.generation,
        "channel": "sms",
        "state": "queued",
        "urgent": int(one.urgent),
        "template": one.template,
        "language": one.language,
        "tries": 0,
        "queued_at": now,
        "not_before": one.not_before,
        "updated_at": now,
    }


def cancel(uow: UnitOfWork, referral_ids: Collection[int], *, reason: str) -> int:
    """Call off every text of these referrals that no provider has been called for."""
    if not referral_ids:
        return 0
    gone = uow.conn.scalars(
        update(message)
        .where(
            among(uow.conn, message.c.referral_id, sorted(referral_ids)),
            message.c.state.in_((MessageState.QUEUED, MessageState.HELD)),
        )
        .values(state="cancelled", reason=reason, updated_at=uow.now)
        .returning(message.c.id)
    ).all()
    for number in gone:
        uow.record("message.cancelled", number, state="cancelled", reason=reason)
    return len(gone)


def lock(conn: Connection, ids: Collection[int]) -> list[Row[Any]]:
    """Lock messages, lowest number first, and give all that sending them needs."""
    owner = award.join(referral, referral.c.id == award.c.referral_id)
    rows = (
        select(
            message.c.id,
            message.c.award_id,
            message.c.referral_id,
            message.c.scheme_id,
            message.c.purpose,
            message.c.generation,
            message.c.state,
            message.c.urgent,
            message.c.template,
            message.c.language,
            message.c.tries,
            message.c.not_before,
            award.c.network,
            referral.c.batch_id,
            referral.c.partner_id,
            referral.c.resident_id,
            referral.c.household_id,
            referral.c.safe_contact,
            referral.c.protected,
            referral.c.off_supply,
            referral.c.text_any_time,
            partner.c.known_as,
            contact.c.key.label("contact_key"),
            contact.c.sealed.label("contact_sealed"),
        )
        .select_from(
            message.join(owner, award.c.id == message.c.award_id)
            .join(partner, partner.c.id == referral.c.partner_id)
            .outerjoin(
                contact,
                and_(
                    contact.c.referral_id == message.c.referral_id,
                    contact.c.kind == "mobile",
                ),
            )
        )
        .where(among(conn, message.c.id, ids))
        .order_by(message.c.id)
        .with_for_update(of=message)
    )
    found: list[Any] = list(conn.execute(rows))
    return found


def codes_of(conn: Connection, award_ids: Collection[int]) -> dict[int, list[Row[Any]]]:
    """Vouchers of awards with their sealed codes, in their order."""
    rows: Any = conn.execute(
        select(
            voucher.c.award_id,
            voucher.c.id,
            voucher.c.number,
            voucher.c.value_pence,
            voucher.c.state,
            voucher.c.expires_on,
            code.c.id.label("code_id"),
            code.c.sealed,
        )
        .select_from(voucher.outerjoin(code, code.c.id == voucher.c.code_id))
        .where(among(conn, voucher.c.award_id, award_ids))
        .order_by(voucher.c.award_id, voucher.c.number, voucher.c.id)
    )
    found: dict[int, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.award_id, []).append(row)
    return found


def suppressed(conn: Connection, keys: Collection[int]) -> set[int]:
    """Which of these numbers must never be written to."""
    return set(
        conn.scalars(
            select(suppression.c.key).where(among(conn, suppression.c.key, keys))
        )
    )


def suppress(uow: UnitOfWork, keys: Collection[int], *, reason: str) -> None:
    """Never write to these numbers again."""
    # In one order everywhere: two who insert the same keys may not wait for each other.
    rows = [
        {"key": key, "reason": reason, "since": uow.now} for key in sorted(set(keys))
    ]
    insert_rows(uow.conn, suppression, rows, on_conflict="ignore")


@dataclass(frozen=True, slots=True)
class NumberUse:
    """How many share one number."""

    households: int
    residents: int


def uses_of(conn: Connection, keys: Collection[int]) -> dict[int, NumberUse]:
    """How many households and residents gave each number as theirs."""
    rows = conn.execute(
        select(
            contact.c.key,
            func.count(referral.c.household_id.distinct()).label("households"),
            func.count(referral.c.resident_id.distinct()).label("residents"),
        )
        .select_from(contact.join(referral, referral.c.id == contact.c.referral_id))
        .where(among(conn, contact.c.key, keys), contact.c.kind == "mobile")
        .group_by(contact.c.key)
    )
    return {row.key: NumberUse(row.households, row.residents) for row in rows}


def unknown(conn: Connection, *, limit: int = 500) -> list[Row[Any]]:
    """Texts whose answer was lost and of which nothing has been heard yet."""
    return list(
        conn.execute(
            select(message)
            .where(message.c.state == MessageState.UNKNOWN)
            .order_by(message.c.updated_at)
            .limit(limit)
        ).all()
    )


def is_with_provider(state: str) -> bool:
    """Whether a provider has taken the message at some time."""
    return MessageState(state) in MESSAGE_RANK
