"""Promises about messages and the audit log: P5 and P6."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from vouchers.store.invariants.check import Check, Find, each, sql
from vouchers.store.tables.proof import audit_event, audit_pending

#: An event without a number for so long means that nobody integrates.
PENDING_MAX = timedelta(minutes=5)


def _pending_age(conn: Connection, now: datetime) -> list[str]:
    """The oldest event without a number, if it has waited for long."""
    oldest = conn.execute(
        select(audit_event.c.id, audit_event.c.body).where(
            audit_event.c.id
            == select(func.min(audit_pending.c.event_id)).scalar_subquery()
        )
    ).first()
    if oldest is None:
        return []
    since = datetime.fromisoformat(json.loads(oldest.body)["at"])
    return [str(oldest.id)] if now - since > PENDING_MAX else []


#: An award's event tells of its vouchers as well, to spare an event for each.
_TOLD_ABOVE = {
    "voucher": " and not exists (select 1 from audit_event a"
    " where a.entity_id = t.award_id and a.kind like 'award.%')"
}


def _untold(*tables: str) -> Find:
    """Rows without any audit event of their own."""
    return each(
        *(
            sql(
                f"select '{table}', t.id from \"{table}\" t where not exists ("
                f"select 1 from audit_event e where e.entity_id = t.id "
                f"and e.kind like '{table}.%')" + _TOLD_ABOVE.get(table, "")
            )
            for table in tables
        )
    )


CHECKS = (
    Check(
        "I12",
        "P5",
        "the provider accepted a message once at most",
        sql(
            "select message_id, count(*) from attempt where state = 'accepted' "
            "group by message_id having count(*) > 1"
        ),
    ),
    Check(
        "I13",
        "P5",
        "a message that is under way has an attempt that was accepted",
        sql(
            """
            select m.id, m.state from message m
            where m.channel = 'sms' and m.state in ('accepted','sent','delivered')
              and not exists (select 1 from attempt a
                where a.message_id = m.id and a.state = 'accepted')
            """
        ),
    ),
    Check(
        "I14",
        "P6",
        "everything that has a state has an audit event",
        _untold("referral", "award", "voucher", "message"),
    ),
    Check(
        "I15",
        "P6",
        "no event waits long for its number",
        _pending_age,
    ),
    Check(
        "I16",
        "P6",
        "the log's numbers run without a gap",
        sql(
            "select count(*), max(seq) from audit_leaf "
            "having count(*) > 0 and count(*) <> max(seq) + 1"
        ),
    ),
    Check(
        "I17",
        "P6",
        "every event has a number or waits for one, never both",
        sql(
            """
            select e.id from audit_event e
            left join audit_leaf l on l.event_id = e.id
            left join audit_pending p on p.event_id = e.id
            where (l.event_id is null) = (p.event_id is null)
            """
        ),
    ),
)
