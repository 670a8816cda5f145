"""The promises that the database itself can show, each as a question with no answers.

Used by tests after everything they do, by `vouchers doctor`, and by the clock.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, text

from vouchers.errors import NotFound
from vouchers.store import schemes
from vouchers.store.tables.awards import award, redemption
from vouchers.store.tables.identity import household
from vouchers.store.tables.intake import batch, referral
from vouchers.store.tables.messages import message
from vouchers.store.tables.proof import audit_event, audit_pending
from vouchers.store.tables.types import db_from_now
from vouchers.store.tables.work import job

#: Violations of one check that are fetched at most.
FOUND_MAX = 1_000
EXAMPLES = 5
#: An event without a number for so long means that nobody integrates.
PENDING_MAX = timedelta(minutes=5)
#: A message whose fate is unknown for so long needs a person.
UNKNOWN_MAX = timedelta(hours=24)
#: A lease over for so many seconds means that nobody dispatches.
LEASE_OVER_S = 600

Find = Callable[[Connection, datetime], list[str]]


@dataclass(frozen=True)
class Check:
    """One thing that must never be found."""

    id: str
    #: The promise of the handbook that it shows.
    promise: str
    sentence: str
    find: Find


@dataclass(frozen=True)
class Violation:
    """A check that found something."""

    check: str
    promise: str
    sentence: str
    count: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        some = ", ".join(self.examples)
        return f"{self.check} ({self.promise}) {self.sentence}: {self.count} ({some})"


def run(conn: Connection, now: datetime) -> list[Violation]:
    """Ask every question; an empty list is what everybody hopes for."""
    found = []
    for check in CHECKS:
        rows = check.find(conn, now)
        if rows:
            found.append(
                Violation(
                    check.id,
                    check.promise,
                    check.sentence,
                    len(rows),
                    tuple(rows[:EXAMPLES]),
                )
            )
    return found


def _sql(query: str) -> Find:
    statement = text(f"{query} limit {FOUND_MAX}")

    def find(conn: Connection, now: datetime) -> list[str]:
        return [":".join(map(str, row)) for row in conn.execute(statement)]

    return find


_NET = """
  select voucher_id,
    sum(case when kind = 'issue' then amount_pence else 0 end) as given,
    sum(case when credit_id % 16 = 3 then amount_pence else 0 end)
      - sum(case when debit_id % 16 = 3 then amount_pence else 0 end) as issued,
    sum(case when credit_id % 16 = 4 then amount_pence else 0 end)
      - sum(case when debit_id % 16 = 4 then amount_pence else 0 end) as redeemed
  from transfer where voucher_id is not null group by voucher_id
"""

_BALANCES = """
  select id, sum(pence) as pence from (
    select credit_id as id, sum(amount_pence) as pence from transfer group by credit_id
    union all
    select debit_id, -sum(amount_pence) from transfer group by debit_id
  ) as sides group by id
"""


def _caps(conn: Connection, now: datetime) -> list[str]:
    """Households with more awards in a window than their scheme's rules allow."""
    found = []
    for row in schemes.all_schemes(conn):
        try:
            rules = schemes.active(conn, row.id)
        except NotFound:
            continue
        most, days = rules.caps.awards_max, rules.caps.awards_window_days
        found += [
            f"{home}:{last}"
            for home, dates in _granted(conn, rules.scheme.cap_group, most)
            for first, last in zip(dates, dates[most:], strict=False)
            if last - first < timedelta(days=days)
        ]
    return found[:FOUND_MAX]


def _granted(
    conn: Connection, group: str, most: int
) -> Iterator[tuple[int, list[datetime]]]:
    # A merge may put a household over its cap; it is marked and moves no money.
    many = (
        select(award.c.household_id)
        .join(household, household.c.id == award.c.household_id)
        .where(
            award.c.cap_group == group,
            award.c.state == "granted",
            household.c.over_cap.is_(False),
        )
        .group_by(award.c.household_id)
        .having(func.count() > most)
    )
    rows = conn.execute(
        select(award.c.household_id, award.c.granted_on).where(
            award.c.cap_group == group,
            award.c.state == "granted",
            award.c.household_id.in_(many),
        )
    )
    dates = defaultdict(list)
    for home, day in rows:
        dates[home].append(day)
    for home, days in dates.items():
        yield home, sorted(days)


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


def _promised(conn: Connection, *queues: str) -> set[int]:
    """Items of all jobs of these queues that are not done."""
    rows = conn.scalars(
        select(job.c.items).where(job.c.queue.in_(queues), job.c.state != "done")
    )
    return {item for items in rows for item in items}


def _stuck_referrals(conn: Connection, now: datetime) -> list[str]:
    """Referrals between two steps that no job will carry."""
    # A stopped batch waits for a person, a batch being received for its gate.
    rows = conn.scalars(
        select(referral.c.id)
        .join(batch, batch.c.id == referral.c.batch_id)
        .where(
            referral.c.state.in_(("received", "matched")),
            batch.c.state.not_in(("stopped", "receiving")),
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


def _stuck_lines(conn: Connection, now: datetime) -> list[str]:
    """Lines of a network's file that no job will apply."""
    rows = conn.scalars(
        select(redemption.c.id).where(redemption.c.state == "new")
    ).all()
    promised = _promised(conn, "redeem") if rows else set()
    return [str(id_) for id_ in rows if id_ not in promised][:FOUND_MAX]


def _dead_leases(conn: Connection, now: datetime) -> list[str]:
    """Jobs whose worker fell silent and which nobody took over."""
    over = db_from_now(-LEASE_OVER_S)
    return [
        str(id_)
        for id_ in conn.scalars(
            select(job.c.id).where(job.c.state == "running", job.c.lease_until < over)
        )
    ][:FOUND_MAX]


def _unresolved(child: str, column: str, parent: str, key: str = "id") -> Find:
    return _sql(
        f'select c.{column} from "{child}" c where c.{column} is not null '
        f'and not exists (select 1 from "{parent}" p where p.{key} = c.{column})'
    )


def _each(*finds: Find) -> Find:
    def find(conn: Connection, now: datetime) -> list[str]:
        return [row for one in finds for row in one(conn, now)]

    return find


def _untold(*tables: str) -> Find:
    """Rows without any audit event of their own."""
    return _each(
        *(
            _sql(
                f"select '{table}', t.id from \"{table}\" t where not exists ("
                f"select 1 from audit_event e where e.entity_id = t.id "
                f"and e.kind like '{table}.%')"
            )
            for table in tables
        )
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

CHECKS: tuple[Check, ...] = (
    Check(
        "I01",
        "P1",
        "a file's rows are its referrals and its row errors, no more and no fewer",
        _sql(
            """
            select b.id, b.rows_total, coalesce(r.n, 0) + coalesce(e.n, 0)
            from batch b
            left join (select batch_id, count(*) as n from referral group by batch_id) r
              on r.batch_id = b.id
            left join (select batch_id, count(*) as n from row_error group by batch_id) e
              on e.batch_id = b.id
            where b.rows_total is not null and b.state <> 'refused'
              and b.rows_total <> coalesce(r.n, 0) + coalesce(e.n, 0)
              and not exists (select 1 from batch_chunk c where c.batch_id = b.id)
            """
        ),
    ),
    Check(
        "I02",
        "P1",
        "no row is both a referral and a row error",
        _sql("select r.id from referral r join row_error e on e.id = r.id"),
    ),
    Check(
        "I03",
        "P2",
        "no household has more awards in a window than its cap allows",
        _caps,
    ),
    Check(
        "I04",
        "P3",
        "no account that may not owe stands below zero",
        _sql(
            "select id, balance_pence from account "
            "where balance_pence < 0 and place not in (0, 8, 9)"
        ),
    ),
    Check(
        "I05",
        "P3",
        "every balance is the sum of its transfers",
        _sql(
            f"""
            select a.id, a.balance_pence, coalesce(s.pence, 0) from account a
            left join ({_BALANCES}) s on s.id = a.id
            where a.balance_pence <> coalesce(s.pence, 0)
            """
        ),
    ),
    Check(
        "I06",
        "P3",
        "what a contribution was given is somewhere: its places add up",
        _sql(
            "select contribution_id, sum(balance_pence) from account "
            "where contribution_id is not null "
            "group by contribution_id having sum(balance_pence) <> 0"
        ),
    ),
    Check(
        "I07",
        "P3",
        "all accounts together come to nothing",
        _sql("select sum(balance_pence) from account having sum(balance_pence) <> 0"),
    ),
    Check(
        "I08",
        "P3",
        "a voucher was issued for exactly its value",
        _sql(
            f"""
            select v.id, v.value_pence, coalesce(n.given, 0) from voucher v
            left join ({_NET}) n on n.voucher_id = v.id
            where coalesce(n.given, 0)
              <> case when v.state = 'committed' then 0 else v.value_pence end
              and not (v.state = 'released' and v.code_id is null)
            """
        ),
    ),
    Check(
        "I09",
        "P3",
        "a voucher's state agrees with its transfers",
        _sql(
            f"""
            select v.id, v.state, coalesce(n.issued, 0), coalesce(n.redeemed, 0)
            from voucher v left join ({_NET}) n on n.voucher_id = v.id
            where coalesce(n.redeemed, 0) <> v.redeemed_pence
              or (v.state in ('live','part_redeemed','awaiting_network',
                              'void_requested')
                  and coalesce(n.issued, 0) <> v.value_pence - v.redeemed_pence)
              or (v.state in ('redeemed','released','written_off','committed')
                  and coalesce(n.issued, 0) <> 0)
              or (v.state = 'redeemed' and v.redeemed_pence <> v.value_pence)
              or (v.state = 'part_redeemed' and v.redeemed_pence = 0)
            """
        ),
    ),
    Check(
        "I10",
        "P4",
        "a code and its voucher name each other and agree on network and value",
        _sql(
            """
            select c.id, v.id from code c join voucher v on v.id = c.voucher_id
            where v.code_id is null or v.code_id <> c.id or v.network <> c.network
              or v.value_pence <> c.value_pence or c.state in ('free', 'quarantined')
            """
        ),
    ),
    Check(
        "I11",
        "P4",
        "a code that is bound has a voucher",
        _sql("select id from code where state = 'bound' and voucher_id is null"),
    ),
    Check(
        "I12",
        "P5",
        "the provider accepted a message once at most",
        _sql(
            "select message_id, count(*) from attempt where state = 'accepted' "
            "group by message_id having count(*) > 1"
        ),
    ),
    Check(
        "I13",
        "P5",
        "a message that is under way has an attempt that was accepted",
        _sql(
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
        _sql(
            "select count(*), max(seq) from audit_leaf "
            "having count(*) > 0 and count(*) <> max(seq) + 1"
        ),
    ),
    Check(
        "I17",
        "P6",
        "every event has a number or waits for one, never both",
        _sql(
            """
            select e.id from audit_event e
            left join audit_leaf l on l.event_id = e.id
            left join audit_pending p on p.event_id = e.id
            where (l.event_id is null) = (p.event_id is null)
            """
        ),
    ),
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
        _each(
            _sql(
                "select r.id from referral r where r.state = 'waiting' and not exists "
                "(select 1 from waitlist w where w.referral_id = r.id)"
            ),
            _sql(
                "select w.referral_id from waitlist w join referral r "
                "on r.id = w.referral_id where r.state <> 'waiting'"
            ),
        ),
    ),
    Check(
        "I23",
        "P8",
        "a referral that is being checked has an open review",
        _sql(
            "select r.id from referral r where r.state = 'checking' and not exists "
            "(select 1 from review v where v.id = r.id and v.state = 'open')"
        ),
    ),
    Check(
        "I24",
        "P8",
        "a granted referral has its award, and its award has vouchers",
        _each(
            _sql(
                "select r.id from referral r where r.state = 'granted' and not exists "
                "(select 1 from award a where a.referral_id = r.id)"
            ),
            _sql(
                "select a.id from award a where not exists "
                "(select 1 from voucher v where v.award_id = a.id)"
            ),
        ),
    ),
    Check(
        "I25",
        "P8",
        "numbers of other things lead to those things",
        _each(*(_unresolved(*link) for link in _LINKS)),
    ),
    Check(
        "I26",
        "P8",
        "derived numbers are derived from what they belong to",
        _each(
            *(
                _sql(f'select id from "{name}" where {column} <> id >> {shift}')
                for name, column, shift in _DERIVED
            )
        ),
    ),
)
