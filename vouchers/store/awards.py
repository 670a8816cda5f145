"""Remembers awards: who asks, what households had, who is on the way, who waits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)

from vouchers.domain.caps import PastAward, counted_pence, used_up
from vouchers.domain.headroom import Ahead
from vouchers.domain.lifecycle import VoucherState
from vouchers.domain.need import band_of
from vouchers.domain.restrictions import Request, Restrictions
from vouchers.store.listed import among
from vouchers.store.tables.awards import award, voucher, waitlist
from vouchers.store.tables.identity import household, membership, resident, review
from vouchers.store.tables.intake import batch, referral

_R = referral.c
_CANDIDATE = (
    _R.id,
    _R.batch_id,
    _R.partner_id,
    _R.scheme_id,
    _R.state,
    _R.outcode,
    _R.region,
    _R.meter_type,
    _R.supplier,
    _R.gas_supplier,
    _R.network,
    _R.off_supply,
    _R.need_band,
    _R.need_rank,
    _R.household_size,
    _R.safe_contact,
    _R.protected,
    _R.language,
    _R.received_at,
    _R.resident_id,
    _R.household_id,
    _R.judged,
    _R.reason,
)


class Candidate(NamedTuple):
    """A referral as far as an award depends on it."""

    id: int
    batch_id: int
    partner_id: int
    scheme_id: int
    state: str
    outcode: str
    region: str | None
    meter_type: str
    supplier: str
    gas_supplier: str | None
    network: str | None
    off_supply: bool
    need_band: int
    need_rank: int
    household_size: int
    safe_contact: str
    protected: bool
    language: str
    received_at: datetime
    resident_id: int | None
    household_id: int | None
    judged: dict[str, Any] | None
    reason: str | None

    @property
    def request(self) -> Request:
        """What a gift's restrictions ask about."""
        return Request(
            self.region,
            self.outcode,
            self.partner_id,
            self.meter_type,
            self.need_band,
        )


class Waiting(NamedTuple):
    """A place on the waitlist."""

    referral_id: int
    household_id: int
    need_rank: int
    since: datetime
    supply_version: int
    rule: str

    @property
    def order(self) -> tuple[int, datetime, int]:
        """Sorts by need, then by time of receipt."""
        return (self.need_rank, self.since, self.referral_id)


def candidates(
    conn: Connection, referral_ids: Collection[int], *, lock: bool = False
) -> list[Candidate]:
    """These referrals as they stand, by number; locked if the caller will decide."""
    if not referral_ids:
        return []
    statement = (
        select(*_CANDIDATE).where(among(conn, _R.id, referral_ids)).order_by(_R.id)
    )
    if lock:
        statement = statement.with_for_update(key_share=True)
    return [Candidate(*tuple(row)) for row in conn.execute(statement)]


def places_of(
    conn: Connection, referral_ids: Collection[int]
) -> list[tuple[int, int, int | None]]:
    """(referral, scheme, household) of these referrals: what tells what to lock."""
    if not referral_ids:
        return []
    rows = conn.execute(
        select(_R.id, _R.scheme_id, _R.household_id)
        .where(among(conn, _R.id, referral_ids))
        .order_by(_R.id)
    )
    return [(row.id, row.scheme_id, row.household_id) for row in rows]


def lock_households(conn: Connection, household_ids: Collection[int]) -> None:
    """Lock households in the order of their numbers: caps are judged under this."""
    if household_ids:
        conn.execute(
            select(household.c.id)
            .where(among(conn, household.c.id, sorted(household_ids)))
            .order_by(household.c.id)
            .with_for_update(key_share=True)
        ).all()


def bump_households(conn: Connection, household_ids: Collection[int]) -> None:
    """Mark households as having had an award since they were last looked at."""
    if household_ids:
        conn.execute(
            update(household)
            .where(among(conn, household.c.id, household_ids))
            .values(version=household.c.version + 1)
        )


_V = voucher.c
_PAST = (
    award.c.id,
    award.c.referral_id,
    award.c.partner_id,
    award.c.granted_on,
    _V.state,
    _V.value_pence,
    _V.redeemed_pence,
)


def histories(
    conn: Connection,
    household_ids: Collection[int],
    *,
    cap_group: str,
    since: date,
) -> dict[int, list[PastAward]]:
    """What each household had since a date, as far as it counts.

    That is what was given to the household, and what a member received elsewhere since
    joining it: who moves in brings along only what came after the move. Residents that
    were merged into a member bring all of theirs.
    """
    if not household_ids:
        return {}
    recent = and_(award.c.cap_group == cap_group, award.c.granted_on > since)
    own = (
        select(award.c.household_id, *_PAST)
        .join(voucher, _V.award_id == award.c.id)
        .where(among(conn, award.c.household_id, household_ids), recent)
    )
    m = membership.c
    brought = (
        select(m.household_id, *_PAST)
        .join(award, award.c.resident_id == m.resident_id)
        .join(voucher, _V.award_id == award.c.id)
        .where(
            among(conn, m.household_id, household_ids),
            or_(m.to_on.is_(None), award.c.granted_on <= m.to_on),
            award.c.granted_on >= m.from_on,
            award.c.household_id != m.household_id,
            recent,
        )
    )
    merged = (
        select(m.household_id, *_PAST)
        .join(resident, resident.c.merged_into == m.resident_id)
        .join(award, award.c.resident_id == resident.c.id)
        .join(voucher, _V.award_id == award.c.id)
        .where(
            among(conn, m.household_id, household_ids),
            award.c.household_id != m.household_id,
            recent,
        )
    )
    rows: set[Any] = set()
    for statement in (own, brought, merged):
        # A voucher found twice counts once: rows differ by award, so a set of
        # (voucher, household) is kept by adding the voucher's number.
        rows.update(tuple(row) for row in conn.execute(statement.add_columns(_V.id)))
    return _past(rows)


def of_referrals(
    conn: Connection, referral_ids: Collection[int]
) -> dict[int, list[tuple[int, int]]]:
    """(award, pence) that these referrals have already been granted, oldest first."""
    if not referral_ids:
        return {}
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for row in conn.execute(
        select(award.c.referral_id, award.c.id, award.c.amount_pence)
        .where(among(conn, award.c.referral_id, referral_ids))
        .order_by(award.c.id)
    ):
        found[row.referral_id].append((row.id, row.amount_pence))
    return found


def _past(rows: Iterable[Any]) -> dict[int, list[PastAward]]:
    by_referral: dict[tuple[int, int], list[Any]] = defaultdict(list)
    for row in rows:
        by_referral[row[0], row[2]].append(row)
    found: dict[int, list[PastAward]] = defaultdict(list)
    for (household_id, referral_id), parts in by_referral.items():
        counting = [
            (VoucherState(state), counted_pence(VoucherState(state), value, redeemed))
            for *_, state, value, redeemed, _id in parts
        ]
        pence = sum(counted for _, counted in counting)
        if pence == 0:
            continue
        found[household_id].append(
            PastAward(
                referral_id=referral_id,
                granted_on=max(part[4] for part in parts),
                pence=pence,
                all_redeemed=used_up(state for state, counted in counting if counted),
                partner_id=parts[0][3],
            )
        )
    return found


_IN_FLIGHT = _R.state.in_(("received", "matched"))
#: Restriction -> the referral's column that answers it.
_ASKED: dict[str, ColumnElement[Any]] = {
    "regions": _R.region,
    "outcodes": _R.outcode,
    "partners": _R.partner_id,
    "meter_types": _R.meter_type,
}


def on_the_way_at_most(conn: Connection, scheme_id: int) -> int:
    """An upper bound of the referrals not decided yet, from the sizes of open files."""
    rows = conn.execute(
        select(func.sum(batch.c.rows_staged)).where(
            batch.c.scheme_id == scheme_id, batch.c.state.in_(("receiving", "open"))
        )
    ).scalar()
    return int(rows or 0)


def on_the_way(
    conn: Connection,
    scheme_id: int,
    *,
    without: Collection[Candidate],
    restrictions: Collection[Restrictions],
) -> list[Ahead]:
    """How many referrals are not decided yet, by rank and by what gifts ask about.

    Rows of a stopped file are not on their way: a person has to let them go first, and
    scarce money must not wait for that.
    """
    asked = [
        name for name in _ASKED if any(getattr(rules, name) for rules in restrictions)
    ]
    columns = [_ASKED[name] for name in asked]
    stopped = select(batch.c.id).where(batch.c.state == "stopped")
    counts: dict[tuple[Any, ...], int] = defaultdict(int)
    for rank, network, *facts, count in conn.execute(
        select(_R.need_rank, _R.network, *columns, func.count())
        .where(_R.scheme_id == scheme_id, _IN_FLIGHT, _R.batch_id.not_in(stopped))
        .group_by(_R.need_rank, _R.network, *columns)
    ):
        counts[rank, network, *facts] += count
    for one in without:
        if one.state == "matched":
            facts = [getattr(one, str(column.key)) for column in columns]
            counts[one.need_rank, one.network, *facts] -= 1
    return [
        Ahead(rank, _request(rank, dict(zip(asked, facts, strict=True))), network, n)
        for (rank, network, *facts), n in counts.items()
        if n > 0
    ]


def _request(rank: int, facts: dict[str, Any]) -> Request:
    return Request(
        region=facts.get("regions"),
        outcode=facts.get("outcodes", ""),
        partner_id=facts.get("partners", 0),
        meter_type=facts.get("meter_types", ""),
        need_band=band_of(rank),
    )


_W = waitlist.c


def head(conn: Connection, scheme_id: int, *, below: int, limit: int) -> list[Waiting]:
    """The neediest who wait and were not looked at since supply number `below`."""
    return [
        Waiting(*row)
        for row in conn.execute(
            select(
                _W.referral_id,
                _R.household_id,
                _W.need_rank,
                _W.since,
                _W.supply_version,
                _W.rule,
            )
            .join(referral, _R.id == _W.referral_id)
            .where(_W.scheme_id == scheme_id, _W.supply_version < below)
            .order_by(_W.need_rank, _W.since, _W.referral_id)
            .limit(limit)
        )
    ]


def has_unlooked(conn: Connection, scheme_id: int, *, below: int) -> bool:
    """Whether anybody waits who was not looked at since supply number `below`."""
    return (
        conn.execute(
            select(literal(1))
            .where(_W.scheme_id == scheme_id, _W.supply_version < below)
            .limit(1)
        ).first()
        is not None
    )


def doubted_off_supply(conn: Connection, scheme_id: int, *, limit: int) -> list[int]:
    """Referrals in review that are off supply and have no award yet; neediest first."""
    has_award = select(award.c.id).where(award.c.referral_id == _R.id).exists()
    return list(
        conn.scalars(
            select(_R.id)
            .join(review, review.c.id == _R.id)
            .where(
                review.c.state != "decided",
                review.c.scheme_id == scheme_id,
                _R.state == "checking",
                _R.off_supply.is_(True),
                ~has_award,
            )
            .order_by(_R.need_rank, _R.received_at)
            .limit(limit)
        )
    )


def leave_waitlist(conn: Connection, referral_ids: Collection[int]) -> None:
    """Take decided referrals off the waitlist."""
    if referral_ids:
        conn.execute(delete(waitlist).where(among(conn, _W.referral_id, referral_ids)))
