"""What became of every row of every file, and how to find one row among all."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row

from vouchers.backoffice import queues as work
from vouchers.backoffice.queues import fit_reason
from vouchers.domain.lifecycle import ReferralState
from vouchers.domain.matching.features import read_features
from vouchers.domain.matching.keys import PROTECTED, KeyKind, match_keys
from vouchers.domain.outcomes import Word, word
from vouchers.domain.roles import Duty, Person
from vouchers.errors import NotFound, Refused
from vouchers.pipeline.context import Context
from vouchers.store import parties, status
from vouchers.store.batches import file_name, reference_key
from vouchers.store.residents import shipped_lexicon
from vouchers.store.status import Group

#: Words that call for somebody to do something.
_LOOK = ("held", "dead", "unaccounted", "stopped")


def overview(ctx: Context, *, by: Person, limit: int = 200) -> dict[str, Any]:
    """Every batch accounted for, their sum, and for staff each queue."""
    by.must(Duty.SEE_ROWS)
    with ctx.reading() as conn:
        rows = status.batches(conn, partner_id=by.partner_id, limit=limit)
        accounts = _accounts(ctx, conn, rows, by)
    document: dict[str, Any] = {
        "batches": accounts,
        "rows": _sum(accounts),
        "unread": sum(account["unread"] or 0 for account in accounts),
        "unaccounted": sum(account["unaccounted"] or 0 for account in accounts),
        "held": sum(account["held"] for account in accounts),
        "stopped": sum(account["stopped"] for account in accounts),
    }
    if by.partner_id is None:
        levels = work.levels(ctx)
        document["queues"] = [
            {
                "queue": level.name,
                "waiting": level.ready + level.delayed,
                "running": level.running,
                "held": level.held,
                "dead": level.dead,
                "paused": level.paused_at is not None,
            }
            for level in levels
        ]
        document["dead"] = sum(level.dead for level in levels)
    return document


def one_batch(ctx: Context, batch_id: int, *, by: Person) -> dict[str, Any]:
    """One batch accounted for, with its faults counted."""
    by.must(Duty.SEE_ROWS)
    with ctx.reading() as conn:
        row = status.one_batch(conn, batch_id)
        if row is None:
            raise NotFound(f"there is no batch {batch_id}: see `vouchers status`")
        by.must_own(row.partner_id)
        [account] = _accounts(ctx, conn, [row], by)
        account["faults"] = status.faults(conn, batch_id)
    return account


def needs_look(document: dict[str, Any]) -> bool:
    """Whether a status holds something that a person must look at."""
    return any(document.get(name) for name in _LOOK)


def _accounts(
    ctx: Context, conn: Connection, rows: list[Row[Any]], by: Person
) -> list[dict[str, Any]]:
    """P1 for each batch: every row is one referral or one row error.

    A file's name is the partner's own: it may be a resident's, so nobody else reads it.
    """
    ids = [row.id for row in rows]
    being_read = status.being_read(conn, ids)
    stopped = {row.id for row in rows if row.state == "stopped"}
    counted = {number: Counter[str]() for number in ids}
    held = Counter[int]()
    off_supply = Counter[int]()
    for group in status.groups(conn, ids):
        shown = word_of_group(group, file_stopped=group.batch_id in stopped)
        counted[group.batch_id][shown] += group.rows
        held[group.batch_id] += group.rows * (group.state == ReferralState.HELD)
        off_supply[group.batch_id] += group.rows * group.off_supply
    for (number, is_held), errors in status.error_counts(conn, ids).items():
        if is_held:
            held[number] += errors
            # As the result file says it: we are looking at the row.
            counted[number][Word.CHECKING] += errors
        else:
            counted[number][Word.TO_CORRECT] += errors
    return [
        {
            "batch": row.id,
            "partner": row.partner,
            "scheme": row.scheme,
            "file": file_name(ctx.keys, row) if by.partner_id else None,
            # What a partner reads of a stopped file: we are looking at it.
            "state": "checking" if by.partner_id and row.id in stopped else row.state,
            "stopped": row.id in stopped,
            "refused": row.refused_code,
            "received_at": row.received_at,
            "finished_at": row.finished_at,
            "rows_total": row.rows_total,
            "words": {name.value: counted[row.id][name] for name in Word},
            "off_supply": off_supply[row.id],
            "held": held[row.id],
            **_missing(row, counted[row.id], being_read=row.id in being_read),
        }
        for row in rows
    ]


def _missing(
    row: Row[Any], counted: Counter[str], *, being_read: bool
) -> dict[str, int | None]:
    """Rows that are neither referral nor error: none, once a file is read through."""
    if row.rows_total is None or row.state in ("receiving", "refused"):
        return {"unread": None, "unaccounted": None}
    missing = int(row.rows_total) - sum(counted.values())
    if being_read:
        return {"unread": missing, "unaccounted": 0}
    return {"unread": 0, "unaccounted": missing}


def _sum(accounts: list[dict[str, Any]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for account in accounts:
        total.update(account["words"])
    return {name.value: total[name.value] for name in Word}


def word_of_group(group: Group, *, file_stopped: bool = False) -> Word:
    """The partner's word for referrals that stand alike."""
    return word(
        file_stopped=file_stopped,
        state=group.state,
        reason=group.reason,
        message_state=group.message_state,
        vouchers=group.vouchers,
    )


def search(
    ctx: Context,
    *,
    by: Person,
    door: str,
    reason: str,
    mobile: str | None = None,
    name: str | None = None,
    born: date | None = None,
    reference: str | None = None,
    partner: str | None = None,
) -> list[dict[str, Any]]:
    """Find referrals by what a person says on the phone; the reason is recorded.

    Nothing is opened: what is asked for is hashed and the hash is looked up. Protected
    residents are found by the safeguarding role only, and by nobody else at all.
    """
    by.must(Duty.OPEN_SEALED)
    reason = fit_reason(reason)
    if sum(given is not None for given in (mobile, name, reference)) != 1:
        raise Refused("search by one of: --mobile, --name with --born, --reference")
    with ctx.begin(actor=by.actor(door), name="search") as uow:
        kind = "mobile" if mobile else "name" if name else "reference"
        uow.record("person.searched", by.id, by_what=kind, reason=reason)
        conn = uow.conn
        if mobile is not None:
            found = _by_mobile(ctx, conn, mobile)
        elif name is not None:
            if born is None:
                raise Refused("a name needs a birth date: --born 1980-02-29")
            asked = {"family_name": name.split()[-1], "date_of_birth": born.isoformat()}
            found = _by_birth(ctx, conn, by, asked)
        else:
            if partner is None or reference is None:
                raise Refused("a reference is a partner's: name it with --partner")
            owner = parties.partner_by_slug(conn, partner)
            key = reference_key(ctx.keys, owner.id, reference)
            found = status.by_reference(conn, owner.id, key)
    return [
        _hit(row) for row in found if not row.protected or by.may(Duty.SEE_PROTECTED)
    ]


def _by_mobile(ctx: Context, conn: Connection, mobile: str) -> list[Row[Any]]:
    digits = read_features({"mobile": mobile}).mobile
    if not digits:
        raise Refused("that is not a whole UK number")
    return status.by_contact(conn, ctx.keys.match_key(KeyKind.MOBILE, digits))


def _by_birth(
    ctx: Context, conn: Connection, by: Person, asked: dict[str, str]
) -> list[Row[Any]]:
    # Protected residents lie under keys of their own, which nobody else asks for.
    shifts = (0, PROTECTED) if by.may(Duty.SEE_PROTECTED) else (0,)
    keys = [
        (kind + shift, ctx.keys.match_key(kind + shift, words))
        for kind, words in match_keys(read_features(asked), shipped_lexicon())
        if kind == KeyKind.BIRTH_SURNAME
        for shift in shifts
    ]
    return status.by_residents(conn, status.residents_with(conn, keys))


def _hit(row: Row[Any]) -> dict[str, Any]:
    return {
        "referral": str(row.id),
        "partner": row.partner,
        "batch": row.batch_id,
        "row": row.row_no,
        "state": row.state,
        "reason": row.reason,
        "received_at": row.received_at,
        "resident": str(row.resident_id) if row.resident_id else None,
    }
