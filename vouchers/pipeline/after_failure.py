"""What a refusal or a failed delivery sets in motion: pause, opt-out, a resend."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

import structlog
from sqlalchemy import select

from config.queues import QUEUES
from vouchers.domain.delivery import Failure, resend_wait_s
from vouchers.domain.ids import Purpose, batch_of
from vouchers.domain.lifecycle import MessageState
from vouchers.store import messages, queues, schemes
from vouchers.store.evidence import Changed, cancel_resends
from vouchers.store.listed import among
from vouchers.store.messages import NewMessage
from vouchers.store.tables.intake import contact
from vouchers.store.tables.work import queue
from vouchers.store.unit_of_work import UnitOfWork

log = structlog.get_logger()

#: Generations that one award and purpose may have: three bits of a message's number.
GENERATIONS_MAX = 8

_LOST = (MessageState.UNDELIVERED, MessageState.FAILED)


def pause_sending(uow: UnitOfWork, error_code: int | None) -> None:
    """Stop the queue once: our account or sender is wrong, so every text would fail."""
    paused = uow.conn.scalar(
        select(queue.c.paused_at).where(queue.c.name == "send").with_for_update()
    )
    if paused is not None:
        return
    reason = f"the provider says our account or sender is wrong (error {error_code})"
    queues.mark(
        uow.conn,
        "send",
        {"paused_at": uow.now, "paused_by": uow.actor, "paused_reason": reason},
    )
    number = [one.name for one in QUEUES].index("send") + 1
    uow.record("queue.paused", number, queue="send", reason=reason)
    log.error("queue_paused", queue="send", error_code=error_code)


def opt_out(uow: UnitOfWork, referral_ids: Collection[int]) -> None:
    """Never write again to the numbers of those who said stop."""
    if not referral_ids:
        return
    keys = uow.conn.scalars(
        select(contact.c.key).where(
            among(uow.conn, contact.c.referral_id, referral_ids),
            contact.c.kind == "mobile",
        )
    ).all()
    messages.suppress(uow, keys, reason=Failure.OPTED_OUT.value)


def follow_up(uow: UnitOfWork, changes: Sequence[Changed]) -> None:
    """Do what these changes call for; part of the unit that recorded them."""
    failed = [one for one in changes if one.evidence.failure is not None]
    for one in failed:
        if one.evidence.failure is Failure.CONFIGURATION:
            pause_sending(uow, one.evidence.error_code)
            break
    stopped = [one for one in failed if one.evidence.failure is Failure.OPTED_OUT]
    opt_out(uow, {one.row.referral_id for one in stopped})
    cancel_resends(
        uow,
        {
            (one.row.award_id, one.row.purpose)
            for one in changes
            if one.after is MessageState.DELIVERED
            and (one.row.generation > 0 or one.before in _LOST)
        },
    )
    messages.put_aside(
        uow,
        [
            (
                one.row.id,
                str(one.evidence.failure or "tries_used_up"),
                batch_of(one.row.referral_id),
            )
            for one in changes
            if one.after is MessageState.HELD
        ],
    )
    lost = [one for one in failed if one.after in _LOST and one.evidence.sid]
    messages.queue(uow, [again for one in lost for again in _again(uow, one)])


def _again(uow: UnitOfWork, one: Changed) -> list[NewMessage]:
    """The same code once more, as a generation of its own, if that may help."""
    row, failure = one.row, one.evidence.failure
    rules = schemes.active(uow.conn, row.scheme_id).messages
    if failure is None or row.generation + 1 >= GENERATIONS_MAX:
        return []
    wait_s = resend_wait_s(
        failure, generation=row.generation, waits_s=rules.resend_after_s
    )
    if wait_s is None:
        return []
    return [
        NewMessage(
            award_id=row.award_id,
            purpose=Purpose(row.purpose),
            generation=row.generation + 1,
            referral_id=row.referral_id,
            scheme_id=row.scheme_id,
            template=row.template,
            language=row.language,
            urgent=bool(row.urgent),
            batch_id=batch_of(row.referral_id),
            not_before=uow.now + timedelta(seconds=wait_s),
        )
    ]
