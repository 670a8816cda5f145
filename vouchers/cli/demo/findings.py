"""Holds what the house decided against the truth that the demo's files came with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, select

from vouchers.store.tables.awards import award, voucher
from vouchers.store.tables.identity import resident
from vouchers.store.tables.intake import referral
from vouchers.store.tables.parties import partner

if TYPE_CHECKING:
    from vouchers.cli.demo.files import Truth
    from vouchers.cli.demo.play import Stage


@dataclass(frozen=True, slots=True)
class Twins:
    """What was made of people who came twice."""

    rows: int
    #: What became of both rows of each pair, in words.
    outcomes: Counter[str]
    #: People who were granted an award by two rows within days.
    paid_twice: int
    #: Residents of ours behind whom two truly different people stand.
    wrongly_joined: int


def twins(on: Stage) -> Twins:
    """Compare every referral with who truly stands behind its row."""
    rows = _referrals(on)
    who = {(truth.partner, truth.row_no): truth for truth in on.sample.truths}
    told = [(row, who[row.partner, row.row_no]) for row in rows]
    twice = {truth.person for truth in on.sample.truths if truth.kind == "repeat"}
    pairs: dict[int, list[Row[Any]]] = {person: [] for person in twice}
    for row, truth in told:
        if truth.person in twice:
            pairs[truth.person].append(row)
    granted = Counter(truth.person for row, truth in told if row.state == "granted")
    people: dict[int, set[int]] = {}
    for row, truth in told:
        if row.resident_id is not None:
            root = row.merged_into or row.resident_id
            people.setdefault(root, set()).add(truth.person)
    return Twins(
        rows=len(pairs),
        outcomes=Counter(_pair(rows) for rows in pairs.values()),
        paid_twice=sum(times > 1 for times in granted.values()),
        wrongly_joined=sum(len(persons) > 1 for persons in people.values()),
    )


def _pair(rows: list[Row[Any]]) -> str:
    """Both rows of one person in words, the better outcome first."""
    if len(rows) < 2:
        return "only one row could be accepted"
    words = {
        "granted": "one voucher",
        "waiting": "one waits for money",
        "checking": "a reviewer is asked",
        "declined": "the other: already supported",
    }
    ranks = list(words)
    states = sorted({row.state for row in rows}, key=ranks.index)
    return ", ".join(words[state] for state in states)


def worth_telling(on: Stage) -> tuple[str, str] | None:
    """Reference and partner of a resident who was helped and used every code."""
    used = (
        select(award.c.referral_id)
        .join(voucher, voucher.c.award_id == award.c.id)
        .where(voucher.c.state == "redeemed", voucher.c.number == 1)
    )
    wanted = (
        select(referral.c.row_no, partner.c.slug)
        .join(partner, partner.c.id == referral.c.partner_id)
        .where(referral.c.id.in_(used), referral.c.protected.is_(False))
        .order_by(referral.c.need_rank, referral.c.id)
        .limit(1)
    )
    with on.app.context.reading() as conn:
        found = conn.execute(wanted).one_or_none()
    if found is None:
        return None
    return _truth(on, found.slug, found.row_no).reference, found.slug


def _truth(on: Stage, slug: str, row_no: int) -> Truth:
    return next(
        truth
        for truth in on.sample.truths
        if (truth.partner, truth.row_no) == (slug, row_no)
    )


def _referrals(on: Stage) -> list[Row[Any]]:
    with on.app.context.reading() as conn:
        return list(
            conn.execute(
                select(
                    referral.c.row_no,
                    referral.c.state,
                    referral.c.reason,
                    referral.c.resident_id,
                    resident.c.merged_into,
                    partner.c.slug.label("partner"),
                ).select_from(
                    referral.join(
                        partner, partner.c.id == referral.c.partner_id
                    ).outerjoin(resident, resident.c.id == referral.c.resident_id)
                )
            )
        )
