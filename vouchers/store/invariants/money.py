"""Promises about rows, caps and money: P1 to P4."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, func, select

from vouchers.errors import NotFound
from vouchers.store import schemes
from vouchers.store.invariants.check import FOUND_MAX, Check, sql
from vouchers.store.tables.awards import award
from vouchers.store.tables.identity import household

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


def _caps(conn: Connection, _: datetime) -> list[str]:
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
) -> Iterator[tuple[int, list[date]]]:
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
    dates: dict[int, list[date]] = defaultdict(list)
    for home, day in rows:
        dates[home].append(day)
    for home, days in dates.items():
        yield home, sorted(days)


CHECKS = (
    Check(
        "I01",
        "P1",
        "a file's rows are its referrals and its row errors, no more and no fewer",
        sql(
            """
            select b.id, b.rows_total, coalesce(r.n, 0) + coalesce(e.n, 0)
            from batch b
            left join (select batch_id, count(*) as n from referral group by batch_id) r
              on r.batch_id = b.id
            left join (
              select batch_id, count(*) as n from row_error group by batch_id
            ) e on e.batch_id = b.id
            where b.rows_total is not null and b.state not in ('refused', 'receiving')
              and b.rows_total <> coalesce(r.n, 0) + coalesce(e.n, 0)
              and not exists (select 1 from batch_chunk c where c.batch_id = b.id)
            """
        ),
    ),
    Check(
        "I02",
        "P1",
        "no row is both a referral and a row error",
        sql("select r.id from referral r join row_error e on e.id = r.id"),
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
        sql(
            "select id, balance_pence from account "
            "where balance_pence < 0 and place not in (0, 8, 9)"
        ),
    ),
    Check(
        "I05",
        "P3",
        "every balance is the sum of its transfers",
        sql(
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
        sql(
            "select contribution_id, sum(balance_pence) from account "
            "where contribution_id is not null "
            "group by contribution_id having sum(balance_pence) <> 0"
        ),
    ),
    Check(
        "I07",
        "P3",
        "all accounts together come to nothing",
        sql("select sum(balance_pence) from account having sum(balance_pence) <> 0"),
    ),
    Check(
        "I08",
        "P3",
        "a voucher was issued for exactly its value",
        sql(
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
        sql(
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
        sql(
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
        sql("select id from code where state = 'bound' and voucher_id is null"),
    ),
)
