"""Remembers how much a sender may still send now: a bucket of message parts."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from vouchers.store.bulk import insert_rows
from vouchers.store.tables import db_now
from vouchers.store.tables.messages import pace

#: Share of the bucket that is kept for urgent texts.
URGENT_SHARE = 0.2


def take(
    conn: Connection,
    sender: str,
    wanted: list[int],
    *,
    per_second: float,
    burst_s: float,
    urgent: bool,
) -> tuple[int, float]:
    """Debit the parts of as many messages, in order, as the sender's pace allows.

    Gives how many those are and how many seconds the next one has to wait. The bucket
    is a row under a lock, so all processes together keep the pace; without the row
    nothing is sent. Bulk leaves a share for urgent texts, which may run into debt.
    """
    if not wanted:
        return 0, 0.0
    full = max(per_second * burst_s, float(max(wanted)))
    fresh = {
        "sender": sender,
        "per_second": per_second,
        "tokens": full,
        "refilled_at": conn.execute(select(db_now())).scalar_one(),
    }
    insert_rows(conn, pace, [fresh], on_conflict="ignore")
    row = conn.execute(
        select(pace.c.tokens, pace.c.refilled_at, db_now().label("now"))
        .where(pace.c.sender == sender)
        .with_for_update()
    ).one()
    passed_s = max(0.0, (row.now - row.refilled_at).total_seconds())
    tokens = min(full, row.tokens + passed_s * per_second)
    floor = -full if urgent else min(full * URGENT_SHARE, full - max(wanted))
    count, left = 0, tokens
    for parts in wanted:
        if left - parts < floor:
            break
        left -= parts
        count += 1
    conn.execute(
        update(pace)
        .where(pace.c.sender == sender)
        .values(tokens=left, refilled_at=row.now, per_second=per_second)
    )
    short = floor + wanted[count] - left if count < len(wanted) else 0.0
    return count, max(0.0, short / per_second)
