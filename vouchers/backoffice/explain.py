"""Tells the whole story of one referral: every step, time, rule, score and person.

Whoever asks sees what their roles allow: a partner's person the outcome of their own
row, staff every decision, and the safeguarding role alone those of protected residents.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from schemas.row import ResidentRow, SafeContact
from vouchers.backoffice.queues import fit_reason
from vouchers.domain import outcomes, telling
from vouchers.domain.breaker import Stop
from vouchers.domain.ids import Purpose, row_of
from vouchers.domain.roles import Duty, Person
from vouchers.errors import NotFound, Refused
from vouchers.pipeline.context import Context
from vouchers.store import parties, story
from vouchers.store.batches import reference_key
from vouchers.store.story import PLACE_WORDS, Gathered


def explain(
    ctx: Context,
    *,
    reference: str,
    partner: str,
    by: Person,
    door: str,
    open_reason: str | None = None,
) -> dict[str, Any]:
    """The story of a partner's newest referral under a reference.

    `reference` may also be our own number of a referral. With `open_reason` the sealed
    row is shown as well; that it was opened, by whom and why, is recorded.
    """
    by.must(Duty.SEE_ROWS)
    with ctx.reading() as conn:
        owner = parties.partner_by_slug(conn, partner)
        by.must_own(owner.id)
        found = _find(ctx, conn, owner, reference)
        gathered = story.gather(conn, found[0])
        if by.partner_id is not None:
            document = _for_partner(gathered)
        else:
            document = _for_staff(conn, gathered, by)
    document["earlier"] = [str(row.id) for row in found[1:]]
    if open_reason is not None:
        document["opened"] = _open(ctx, gathered.referral, by, door, open_reason)
    return document


def _find(
    ctx: Context, conn: Connection, owner: Row[Any], reference: str
) -> list[Row[Any]]:
    key = reference_key(ctx.keys, owner.id, reference)
    found = story.referrals_by_reference(conn, owner.id, key)
    if found:
        return found
    if reference.isdigit() and int(reference) < 1 << 63:
        row = story.referral_by_id(conn, int(reference))
        if row.partner_id == owner.id:
            return [row]
    raise NotFound(
        f"{owner.slug} has no accepted row with this reference; a row that has to be "
        "corrected stands in the result file: vouchers results --batch NUMBER"
    )


def _for_partner(gathered: Gathered) -> dict[str, Any]:
    """What a partner may know: the outcome, never how somebody was recognised."""
    referral = gathered.referral
    return {
        **_head(gathered),
        "steps": [
            _step(referral.received_at, "The row was understood and taken.", by=""),
            *(
                _step(row.granted_at, "An award was granted.", by="")
                for row in gathered.awards
            ),
            *(
                _step(row.delivered_at, "The phone has the text.", by="")
                for row in gathered.messages
                if row.delivered_at is not None
            ),
        ],
    }


def _for_staff(conn: Connection, gathered: Gathered, by: Person) -> dict[str, Any]:
    referral = gathered.referral
    veiled = referral.protected and not by.may(Duty.SEE_PROTECTED)
    steps = [
        _told(event, {} if veiled else _judgements(conn, gathered))
        for event in gathered.events
    ]
    document = {
        **_head(gathered),
        "state": referral.state,
        "need": {"band": referral.need_band, "rank": referral.need_rank},
        "network": referral.network,
        # The order of the log: it knows better than clocks what came first.
        "steps": steps,
        "file_waits_for": _file_waits_for(gathered.batch),
        "awards": [_award(row) for row in gathered.awards],
        "vouchers": _vouchers(conn, gathered),
        "transfers": [_transfer(row) for row in gathered.transfers],
        "messages": _messages(gathered),
        "waiting": _waiting(gathered),
        "held_jobs": [
            {"job": row.id, "kind": row.kind, "error": row.error_class}
            for row in _stuck(conn, gathered)
        ],
    }
    if veiled:
        # Not even where a protected resident lives is anybody else's business.
        document["protected"] = True
        document["note"] = "Details are open to the safeguarding role only."
    else:
        document["outcode"] = referral.outcode
        document["protected"] = referral.protected
    return document


def _file_waits_for(batch: Row[Any]) -> list[str]:
    """Why the file of this row was stopped, while it waits for a person."""
    if batch.state != "stopped":
        return []
    seen = set(batch.released_for or ())
    stops = [Stop.of_json(one) for one in batch.stopped_for or ()]
    return [stop.sentence for stop in stops if stop.reason not in seen]


def _stuck(conn: Connection, gathered: Gathered) -> list[Row[Any]]:
    ids = [row.id for row in gathered.awards]
    return story.held_jobs(conn, gathered.referral, ids)


def _head(gathered: Gathered) -> dict[str, Any]:
    """What the partner reads, whoever asks: staff see the very same words."""
    referral = gathered.referral
    texts = [row for row in gathered.messages if row.purpose == Purpose.AWARD]
    shown = outcomes.show(
        state=referral.state,
        reason=referral.reason,
        message_state=max(texts, key=lambda row: row.id).state if texts else None,
        vouchers=[row.state for row in gathered.vouchers],
        protected=referral.protected,
        by_worker=referral.safe_contact == SafeContact.PARTNER_ONLY,
        next_on=referral.next_on,
        file_stopped=gathered.batch.state == "stopped",
    )
    return {
        "referral": str(referral.id),
        "partner": gathered.partner.slug,
        "batch": referral.batch_id,
        "row": row_of(referral.id),
        "via": gathered.batch.via,
        "received_at": referral.received_at,
        "word": shown.word,
        "sentence": shown.reason or shown.tell_the_resident,
        "reason": shown.reason_code or None,
        "next_on": shown.next_on,
    }


def _judgements(conn: Connection, gathered: Gathered) -> dict[str, list[str]]:
    """Details of decisions, by the audit event that each belongs to."""
    judged: Mapping[str, Any] = gathered.referral.judged or {}
    match = judged.get("match") or {}
    brought = story.partners_of_residents(
        conn, [int(c["resident_id"]) for c in match.get("candidates", ())]
    )
    who = {number: slug for number, (slug, hidden) in brought.items() if not hidden}
    shares = judged.get("award") or {}
    gift_ids = {int(n) for n in shares.get("drawn", {})} | {
        int(n) for numbers in shares.get("skipped", {}).values() for n in numbers
    }
    gifts = story.contribution_slugs(conn, gift_ids)
    money = telling.money_details(shares, gifts)
    judgements = [row.judged for row in gathered.awards] or [shares.get("caps") or {}]
    caps = [line for found in judgements for line in telling.cap_details(found)]
    seen = telling.match_details(match, who) if match else []
    return {
        "referral.received": telling.need_details(
            {
                "band": gathered.referral.need_band,
                "rank": gathered.referral.need_rank,
                "parts": judged.get("need") or (),
            }
        ),
        "referral.matched": seen,
        "referral.checking": seen,
        "award.granted": caps + money,
        "referral.waiting": caps + money,
        "referral.declined": caps,
    }


def _told(event: Row[Any], judgements: Mapping[str, list[str]]) -> dict[str, Any]:
    body = story.body_of(event)
    return _step(
        datetime.fromisoformat(body["at"]),
        telling.event_sentence(event.kind, body),
        by=str(body["actor"]),
        details=telling.event_details(body) + judgements.get(event.kind, []),
        event=event.seq,
        kind=event.kind,
    )


def _step(
    at: datetime,
    what: str,
    *,
    by: str,
    details: list[str] | None = None,
    event: int | None = None,
    kind: str | None = None,
) -> dict[str, Any]:
    return {
        "at": at,
        "what": what,
        "details": details or [],
        "by": by,
        "event": event,
        "kind": kind,
    }


def _award(row: Row[Any]) -> dict[str, Any]:
    return {
        "award": str(row.id),
        "state": row.state,
        "network": row.network,
        "amount_pence": row.amount_pence,
        "full_pence": row.full_pence,
        "granted_on": row.granted_on,
        "judged": row.judged,
    }


def _vouchers(conn: Connection, gathered: Gathered) -> list[dict[str, Any]]:
    gifts = story.contribution_slugs(
        conn, {row.contribution_id for row in gathered.vouchers}
    )
    return [
        {
            "voucher": str(row.id),
            "number": row.number,
            "value_pence": row.value_pence,
            "redeemed_pence": row.redeemed_pence,
            "state": row.state,
            "network": row.network,
            "charged_to": gifts.get(row.contribution_id),
            "expires_on": row.expires_on,
        }
        for row in gathered.vouchers
    ]


def _transfer(row: Row[Any]) -> dict[str, Any]:
    gift = f"{row.contribution}:" if row.contribution else ""
    return {
        "transfer": row.id,
        "kind": row.kind,
        "from": f"{gift}{PLACE_WORDS[row.debit_place]}",
        "to": f"{gift}{PLACE_WORDS[row.credit_place]}",
        "amount_pence": row.amount_pence,
        "at": row.event_at,
        "by": row.actor,
    }


def _messages(gathered: Gathered) -> list[dict[str, Any]]:
    tries: dict[int, list[Row[Any]]] = {}
    for row in gathered.attempts:
        tries.setdefault(row.message_id, []).append(row)
    heard: dict[str, list[Row[Any]]] = {}
    for row in gathered.callbacks:
        heard.setdefault(row.sid, []).append(row)
    return [
        {
            "message": str(row.id),
            "purpose": Purpose(row.purpose).name.lower(),
            "state": row.state,
            "template": row.template,
            "segments": row.segments,
            "accepted_at": row.accepted_at,
            "delivered_at": row.delivered_at,
            "error_code": row.error_code,
            "attempts": [
                {
                    "number": one.number,
                    "state": one.state,
                    "evidence": one.evidence,
                    "at": one.claimed_at,
                    "callbacks": [call.status for call in heard.get(one.sid, ())],
                }
                for one in tries.get(row.id, ())
            ],
        }
        for row in gathered.messages
    ]


def _waiting(gathered: Gathered) -> dict[str, Any] | None:
    row = gathered.waitlist
    if row is None:
        return None
    return {
        "since": row.since,
        "need_rank": row.need_rank,
        "rule": row.rule,
        "sentence": telling.reason_sentence(row.rule),
        "detail": row.detail,
    }


def _open(
    ctx: Context, referral: Row[Any], by: Person, door: str, reason: str
) -> dict[str, Any]:
    by.must(Duty.OPEN_SEALED)
    if referral.protected:
        by.must(Duty.SEE_PROTECTED)
    if referral.row_sealed is None:
        raise Refused("this row's data was erased")
    with ctx.begin(actor=by.actor(door), name="explain.open") as uow:
        # Recorded before it is shown: nobody reads what nobody is known to have read.
        uow.record("referral.opened", referral.id, reason=fit_reason(reason))
    packed = ctx.keys.open("referral.row_sealed", referral.id, referral.row_sealed)
    return ResidentRow.unpack(packed).model_dump(mode="json")
