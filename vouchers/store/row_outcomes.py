"""Remembers for partners what became of their rows, and which files are behind."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select, update

from vouchers.store.bulk import insert_rows
from vouchers.store.listed import among
from vouchers.store.tables.awards import award, voucher
from vouchers.store.tables.intake import batch, outcomes_file, referral, row_error
from vouchers.store.tables.messages import message
from vouchers.store.tables.proof import audit_event, audit_leaf

# ---------------------------------------------------------------- what partners read


def referral_rows(conn: Connection, batch_id: int, above: int, most: int) -> list[Any]:
    """Referrals of a batch in the order of its rows, from above a row's number on."""
    return list(
        conn.execute(
            select(referral)
            .where(referral.c.batch_id == batch_id, referral.c.id > above)
            .order_by(referral.c.id)
            .limit(most)
        )
    )


def error_rows(conn: Connection, batch_id: int, above: int, most: int) -> list[Any]:
    """Row errors of a batch in the order of its rows."""
    return list(
        conn.execute(
            select(row_error)
            .where(row_error.c.batch_id == batch_id, row_error.c.id > above)
            .order_by(row_error.c.id)
            .limit(most)
        )
    )


def awards_of(conn: Connection, referrals: Collection[int]) -> dict[int, list[Any]]:
    """Awards of referrals, oldest first, by referral."""
    return _grouped(
        conn.execute(
            select(award)
            .where(among(conn, award.c.referral_id, referrals))
            .order_by(award.c.id)
        ),
        "referral_id",
    )


def vouchers_of(conn: Connection, awards: Collection[int]) -> dict[int, list[Any]]:
    """Vouchers of awards, in their order, by award; no code is among it."""
    columns = (
        voucher.c.id,
        voucher.c.award_id,
        voucher.c.number,
        voucher.c.state,
        voucher.c.value_pence,
        voucher.c.redeemed_pence,
        voucher.c.expires_on,
        voucher.c.network,
    )
    return _grouped(
        conn.execute(
            select(*columns)
            .where(among(conn, voucher.c.award_id, awards))
            .order_by(voucher.c.id)
        ),
        "award_id",
    )


def messages_of(conn: Connection, referrals: Collection[int]) -> dict[int, list[Any]]:
    """Messages of referrals, oldest first, by referral; no text is among it."""
    columns = (
        message.c.id,
        message.c.referral_id,
        message.c.purpose,
        message.c.state,
        message.c.reason,
        message.c.error_code,
    )
    return _grouped(
        conn.execute(
            select(*columns)
            .where(among(conn, message.c.referral_id, referrals))
            .order_by(message.c.queued_at, message.c.id)
        ),
        "referral_id",
    )


def _grouped(rows: Any, column: str) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(getattr(row, column), []).append(row)
    return found


# ---------------------------------------------------------------- what changed


def cursor(conn: Connection) -> int:
    """Number of the newest audit leaf that a batch was told of."""
    newest: int | None = conn.scalar(select(func.max(batch.c.changed)))
    return newest or 0


def events_since(conn: Connection, seq: int) -> Iterator[tuple[int, str, int]]:
    """Numbered audit events after `seq`, as (number, kind, entity)."""
    rows = conn.execute(
        select(audit_leaf.c.seq, audit_event.c.kind, audit_event.c.entity_id)
        .join(audit_event, audit_event.c.id == audit_leaf.c.event_id)
        .where(audit_leaf.c.seq > seq)
        .order_by(audit_leaf.c.seq)
        .execution_options(yield_per=5_000)
    )
    for row in rows:
        yield row[0], row[1], row[2]


def mark_changed(conn: Connection, touched: Mapping[int, int], now: datetime) -> None:
    """Batch number -> number of the newest event that concerns one of its rows."""
    conn.execute(
        update(batch)
        .where(batch.c.id == bindparam("_id"), batch.c.changed < bindparam("_seq"))
        .values(changed=bindparam("_seq"), changed_at=now),
        [{"_id": number, "_seq": seq} for number, seq in sorted(touched.items())],
    )


def behind(conn: Connection) -> list[Any]:
    """Batches whose result file does not show the newest change."""
    return list(
        conn.execute(
            select(
                batch.c.id,
                batch.c.state,
                batch.c.rows_total,
                batch.c.changed_at,
                batch.c.written_at,
            ).where(
                batch.c.changed > batch.c.written,
                batch.c.state.in_(("open", "stopped", "finished", "rejected")),
            )
        )
    )


# ---------------------------------------------------------------- daily outcomes


def of_partner(conn: Connection, partner_id: int, since: datetime) -> list[Any]:
    """A partner's batches received since a moment, the newest first."""
    return list(
        conn.execute(
            select(batch)
            .where(
                batch.c.partner_id == partner_id,
                batch.c.received_at >= since,
                batch.c.layout_sealed.is_not(None),
            )
            .order_by(batch.c.id.desc())
        )
    )


def outcomes_due(
    conn: Connection,
    day: date,
    *,
    since: datetime,
    new_since: datetime,
    quiet_since: datetime,
) -> list[int]:
    """Partners with something new since their outcomes file of `day` was written.

    Those with a batch that came after `new_since` and has changed after `quiet_since`
    are left for later.
    """
    moving = batch.alias("moving")
    written = (
        select(outcomes_file.c.written_at)
        .where(
            outcomes_file.c.partner_id == batch.c.partner_id,
            outcomes_file.c.on_day == day,
        )
        .scalar_subquery()
    )
    return list(
        conn.scalars(
            select(batch.c.partner_id)
            .where(
                batch.c.received_at >= since,
                batch.c.written > 0,
                or_(written.is_(None), batch.c.written_at > written),
                batch.c.partner_id.not_in(
                    select(moving.c.partner_id).where(
                        moving.c.changed_at > quiet_since,
                        moving.c.received_at > new_since,
                    )
                ),
            )
            .distinct()
            .order_by(batch.c.partner_id)
        )
    )


def outcomes_written_at(
    conn: Connection, partner_id: int, day: date
) -> datetime | None:
    """When a partner's outcomes file of a day was last written."""
    return conn.execute(
        select(outcomes_file.c.written_at).where(
            outcomes_file.c.partner_id == partner_id, outcomes_file.c.on_day == day
        )
    ).scalar()


def note_outcomes(conn: Connection, partner_id: int, day: date, now: datetime) -> None:
    """Remember that a partner's outcomes file of a day was written."""
    values = {"partner_id": partner_id, "on_day": day, "written_at": now}
    moved = conn.execute(
        update(outcomes_file)
        .where(outcomes_file.c.partner_id == partner_id, outcomes_file.c.on_day == day)
        .values(written_at=now)
    ).rowcount
    if not moved:
        insert_rows(conn, outcomes_file, [values], on_conflict="ignore")


def sent_again(
    conn: Connection, partner_id: int, reference_keys: Collection[bytes], after: int
) -> set[bytes]:
    """References under which something was understood in batches after one."""
    if not reference_keys:
        return set()
    return {
        bytes(key)
        for key in conn.scalars(
            select(referral.c.reference_key).where(
                referral.c.partner_id == partner_id,
                referral.c.reference_key.in_(list(reference_keys)),
                referral.c.batch_id > after,
            )
        )
    }
