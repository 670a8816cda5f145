"""Nothing is stuck, and every number leads somewhere: P8."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from vouchers.store.invariants.check import FOUND_MAX, Check, Find, each, sql
from vouchers.store.tables.awards import redemption
from vouchers.store.tables.intake import batch, referral
from vouchers.store.tables.messages import message
from vouchers.store.tables.types import db_from_now
from vouchers.store.tables.work import job

#: A message whose fate is unknown for so long needs a person.
UNKNOWN_MAX = timedelta(hours=24)
#: A lease over for so many seconds means that nobody dispatches.
LEASE_OVER_S = 600


def _promised(conn: Connection, *queues: str) -> set[int]:
    """Items of all jobs of these queues that are not done."""
    rows = conn.scalars(
        select(job.c["items"]).where(job.c.queue.in_(queues), job.c.state != "done")
    )
    return {item for items in rows for item in items}


def _stuck_referrals(conn: Connection, _: datetime) -> list[str]:
    """Referrals between two steps that no job will carry."""
    # A stopped batch waits for a person, a batch being received for its gate, and one
    # that was rejected for its rows to be ended, page by page.
    rows = conn.scalars(
        select(referral.c.id)
        .join(batch, batch.c.id == referral.c.batch_id)
        .where(
            referral.c.state.in_(("received", "matched")),
            batch.c.state.not_in(("stopped", "receiving", "rejected")),
        )
    ).all()
    promised = _promised(conn, "deduplicate", "allocate") if rows else set()
    return [str(id_) for id_ in rows if id_ not in promised][:FOUND_MAX]


def _stuck_messages(conn: Connection, now: datetime) -> list[str]:
    """Messages to be sent that no job will send, or whose fate nobody settles."""
    queued = conn.scalars(
        select(message.c.id).where(message.c.state.in_(("queued", "sending")))
    ).all()
    promised = _promised(conn, "send") if queued else set()
    lost = conn.scalars(
        select(message.c.id).where(
            message.c.state == "unknown", message.c.updated_at < now - UNKNOWN_MAX
        )
    ).all()
    stuck = [id_ for id_ in queued if id_ not in promised]
    return [str(id_) for id_ in [*stuck, *lost]][:FOUND_MAX]


def _stuck_lines(conn: Connection, _: datetime) -> list[str]:
    """Lines of a network's file that no job will apply."""
    rows = conn.scalars(
        select(redemption.c.id).where(redemption.c.state == "new")
    ).all()
    promised = _promised(conn, "redeem") if rows else set()
    return [str(id_) for id_ in rows if id_ not in promised][:FOUND_MAX]


def _dead_leases(conn: Connection, _: datetime) -> list[str]:
    """Jobs whose worker fell silent and which nobody took over."""
    over = db_from_now(-LEASE_OVER_S)
    return [
        str(id_)
        for id_ in conn.scalars(
            select(job.c.id).where(job.c.state == "running", job.c.lease_until < over)
        )
    ][:FOUND_MAX]


def _unresolved(child: str, column: str, parent: str, key: str = "id") -> Find:
    return sql(
        f'select c.{column} from "{child}" c where c.{column} is not null '
        f'and not exists (select 1 from "{parent}" p where p.{key} = c.{column})'
    )


#: Child, column, parent: numbers that must lead somewhere.
_LINKS = (
    ("award", "referral_id", "referral"),
    ("award", "resident_id", "resident"),
    ("award", "household_id", "household"),
    ("award", "pool_id", "pool"),
    ("voucher", "award_id", "award"),
    ("voucher", "contribution_id", "contribution"),
    ("voucher", "code_id", "code"),
    ("code", "voucher_id", "voucher"),
    ("message", "award_id", "award"),
    ("attempt", "message_id", "message"),
    ("referral", "resident_id", "resident"),
    ("referral", "household_id", "household"),
    ("membership", "resident_id", "resident"),
    ("membership", "household_id", "household"),
    ("match_key", "resident_id", "resident"),
    ("redemption", "voucher_id", "voucher"),
    ("transfer", "voucher_id", "voucher"),
    ("transfer", "contribution_id", "contribution"),
    ("transfer", "debit_id", "account"),
    ("transfer", "credit_id", "account"),
    ("waitlist", "referral_id", "referral"),
)

#: Table, column, shift: numbers derived from what they belong to.
_DERIVED = (
    ("referral", "batch_id", 21),
    ("award", "referral_id", 3),
    ("voucher", "award_id", 3),
    ("message", "award_id", 6),
    ("attempt", "message_id", 4),
)

CHECKS = (
    Check(
        "I18",
        "P8",
        "a referral between two steps has a job that will carry it",
        _stuck_referrals,
    ),
    Check(
        "I19",
        "P8",
        "a message to be sent has a job, and none stays unknown for a day",
        _stuck_messages,
    ),
    Check(
        "I20",
        "P8",
        "a line of a network's file has been applied or has a job",
        _stuck_lines,
    ),
    Check(
        "I21",
        "P8",
        "no job belongs to a worker that fell silent long ago",
        _dead_leases,
    ),
    Check(
        "I22",
        "P8",
        "a waiting referral is on the waitlist, and nothing else is",
        each(
            sql(
                "select r.id from referral r where r.state = 'waiting' and not exists "
                "(select 1 from waitlist w where w.referral_id = r.id)"
            ),
            sql(
                "select w.referral_id from waitlist w join referral r "
                "on r.id = w.referral_id where r.state <> 'waiting'"
            ),
        ),
    ),
    Check(
        "I23",
        "P8",
        "a referral that is being checked has an open review",
        sql(
            "select r.id from referral r where r.state = 'checking' and not exists "
            "(select 1 from review v where v.id = r.id "
            "and v.state in ('open', 'undone'))"
        ),
    ),
    Check(
        "I24",
        "P8",
        "a granted referral has its award, and its award has vouchers",
        each(
            sql(
                "select r.id from referral r where r.state = 'granted' and not exists "
                "(select 1 from award a where a.referral_id = r.id)"
            ),
            sql(
                "select a.id from award a where not exists "
                "(select 1 from voucher v where v.award_id = a.id)"
            ),
        ),
    ),
    Check(
        "I25",
        "P8",
        "numbers of other things lead to those things",
        each(*(_unresolved(*link) for link in _LINKS)),
    ),
    Check(
        "I26",
        "P8",
        "derived numbers are derived from what they belong to",
        each(
            *(
                sql(f'select id from "{name}" where {column} <> id >> {shift}')
                for name, column, shift in _DERIVED
            )
        ),
    ),
)
