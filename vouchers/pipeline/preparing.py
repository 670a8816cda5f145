"""Looks at each queued text under its lock: may it go, to whom, in what words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from schemas.scheme import Scheme
from vouchers.domain import delivery
from vouchers.domain.delivery import TRIES_MAX, Failure, Hours
from vouchers.domain.ids import Purpose, attempt_id
from vouchers.domain.lifecycle import MessageState
from vouchers.domain.texts import Coded, Wording, has_link, render, segments
from vouchers.messages.gateway import OutgoingMessage
from vouchers.pipeline.context import Context
from vouchers.store import messages, schemes
from vouchers.store.bulk import update_by
from vouchers.store.evidence import Claim
from vouchers.store.messages import NumberUse
from vouchers.store.tables.messages import message
from vouchers.store.unit_of_work import UnitOfWork

_UNUSED = ("live",)
_USABLE = ("live", "part_redeemed")
_REMINDING = (Purpose.REMINDER, Purpose.EXPIRY)


@dataclass(frozen=True, slots=True)
class Ready:
    """A text that may go: what to write down and what to hand over."""

    claim: Claim
    outgoing: OutgoingMessage
    urgent: bool
    rules: Scheme


@dataclass(slots=True)
class Looked:
    """What became of each queued text that was looked at."""

    ready: list[Ready] = field(default_factory=list)
    #: Message -> seconds until it may be looked at again.
    later: dict[int, float] = field(default_factory=dict)
    #: Not to be sent: (message, new state, reason).
    stopped: list[tuple[int, MessageState, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known of all texts of a chunk together."""

    rules: dict[int, Scheme]
    vouchers: dict[int, list[Row[Any]]]
    suppressed: set[int]
    uses: dict[int, NumberUse]


class _Stop(Exception):
    """This text may not go."""

    def __init__(self, state: MessageState, reason: str) -> None:
        self.state, self.reason = state, reason
        super().__init__(reason)


def look(ctx: Context, uow: UnitOfWork, rows: Sequence[Row[Any]]) -> Looked:
    """Judge every queued text of a locked chunk."""
    looked = Looked()
    due = []
    for row in rows:
        if row.not_before is not None and row.not_before > uow.now:
            looked.later[row.id] = (row.not_before - uow.now).total_seconds()
        else:
            due.append(row)
    if not due:
        return looked
    facts = _facts(uow, due)
    for row in due:
        rules = facts.rules[row.scheme_id]
        opens = _opens(row, rules, uow.now)
        if opens > uow.now:
            looked.later[row.id] = (opens - uow.now).total_seconds()
            continue
        try:
            looked.ready.append(_prepare(ctx, row, rules, facts))
        except _Stop as stop:
            looked.stopped.append((row.id, stop.state, stop.reason))
    return looked


def stop(uow: UnitOfWork, stopped: Sequence[tuple[int, MessageState, str]]) -> None:
    """Write down which texts are not to be sent, and why."""
    changes = [
        {"id": number, "state": state.value, "reason": reason, "updated_at": uow.now}
        for number, state, reason in stopped
    ]
    update_by(uow.conn, message, changes)
    for number, state, reason in stopped:
        uow.record(f"message.{state.value}", number, state=state.value, reason=reason)


def _facts(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> _Facts:
    keys = {row.contact_key for row in rows if row.contact_key is not None}
    return _Facts(
        rules={
            number: schemes.active(uow.conn, number)
            for number in {row.scheme_id for row in rows}
        },
        vouchers=messages.codes_of(uow.conn, {row.award_id for row in rows}),
        suppressed=messages.suppressed(uow.conn, keys),
        uses=messages.uses_of(uow.conn, keys),
    )


def _opens(row: Row[Any], rules: Scheme, now: datetime) -> datetime:
    texting = rules.messages
    if Purpose(row.purpose) in _REMINDING:
        hours = Hours(texting.reminder_from, texting.reminder_until)
        return delivery.not_before(now, hours, any_hour=False, zone=rules.zone)
    hours = Hours(texting.first_code_from, texting.first_code_until)
    any_hour = row.text_any_time or (row.off_supply and texting.off_supply_any_hour)
    return delivery.not_before(now, hours, any_hour=any_hour, zone=rules.zone)


def _prepare(ctx: Context, row: Row[Any], rules: Scheme, facts: _Facts) -> Ready:
    _check_number(row, rules, facts)
    reminding = Purpose(row.purpose) in _REMINDING
    usable = _UNUSED if reminding else _USABLE
    vouchers = [
        one
        for one in facts.vouchers.get(row.award_id, [])
        if one.state in usable and one.sealed is not None
    ]
    if not vouchers:
        raise _Stop(MessageState.CANCELLED, "no_live_code")
    neutral = row.safe_contact == "sms_neutral" or row.template == "neutral"
    network = rules.networks[row.network]
    text = render(
        Wording(
            template="neutral" if neutral else row.template,
            language=row.language,
            sender=rules.messages.name,
            partner=row.known_as,
            shop=network.shop,
            bring=network.bring,
            until=min(one.expires_on for one in vouchers),
        ),
        [_open(ctx, one) for one in vouchers],
    )
    parts = segments(text)
    if parts > rules.messages.segments_max:
        raise _Stop(MessageState.HELD, "too_long")
    if has_link(text):
        raise _Stop(MessageState.HELD, "reads_like_a_link")
    sender = rules.messages.neutral_sender if neutral else rules.messages.sender
    provider = rules.messages.provider.value
    number = attempt_id(row.id, row.tries)
    to = ctx.keys.open("contact.sealed", row.referral_id, row.contact_sealed)
    return Ready(
        claim=Claim(row.id, row.tries, sender, parts, provider),
        outgoing=OutgoingMessage(
            attempt_id=number,
            to=to.decode(),
            body=text,
            sender=sender,
            callback_url=f"{ctx.public_url}/callbacks/{provider}?a={number}",
        ),
        urgent=bool(row.urgent),
        rules=rules,
    )


def _check_number(row: Row[Any], rules: Scheme, facts: _Facts) -> None:
    """Refuse whatever could harm the person, or reach somebody else."""
    if row.safe_contact not in ("sms_ok", "sms_neutral"):
        raise _Stop(MessageState.CANCELLED, "safe_contact")
    if row.contact_sealed is None:
        raise _Stop(MessageState.HELD, "no_number")
    if row.contact_key in facts.suppressed:
        raise _Stop(MessageState.FAILED, Failure.OPTED_OUT.value)
    if row.tries >= TRIES_MAX:
        raise _Stop(MessageState.HELD, "tries_used_up")
    use = facts.uses.get(row.contact_key, NumberUse(1, 1))
    if row.protected and use.residents > 1:
        raise _Stop(MessageState.HELD, "number_of_another")
    if use.households > rules.messages.households_per_number_max:
        raise _Stop(MessageState.HELD, "number_of_many")


def _open(ctx: Context, one: Row[Any]) -> Coded:
    plain = ctx.keys.open("code.sealed", one.code_id, one.sealed)
    return Coded(plain.decode(), one.value_pence)
