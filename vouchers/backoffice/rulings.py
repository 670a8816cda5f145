"""Carries out what a person ruled: who is one person, who shares a household.

A merge keeps the older number and leaves a redirect; it moves no money. Every change is
noted in the review's `effect`, from which `take_back` undoes it step by step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from vouchers.domain.calendar import local_date
from vouchers.domain.matching.rulings import Ruling
from vouchers.domain.matching.settlement import Edge, ReviewKind
from vouchers.errors import NotFound, Refused
from vouchers.store import awards, moves, residents, reviews, schemes
from vouchers.store.registry import AnyRow
from vouchers.store.unit_of_work import UnitOfWork


@dataclass(slots=True)
class Effect:
    """What a ruling changed: enough to take it back."""

    resident_id: int
    household_id: int
    provisional: bool
    #: (older, younger, those who had been merged into the younger one before).
    merged: tuple[int, int, list[int]] | None = None
    #: (resident, left household, entered household, first day before, first day now).
    moved: list[tuple[int, int, int, str, str]] = field(default_factory=list)
    pairs: list[tuple[int, int]] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The form kept with the review."""
        return {
            "resident_id": self.resident_id,
            "household_id": self.household_id,
            "provisional": self.provisional,
            "merged": self.merged,
            "moved": self.moved,
            "pairs": self.pairs,
            "settled": self.settled,
        }

    @classmethod
    def of_json(cls, kept: dict[str, Any]) -> Effect:
        """The effect that `as_json` wrote."""
        return cls(**kept)


_EDGE = {
    Ruling.SAME_PERSON: Edge.SAME,
    Ruling.SAME_HOUSEHOLD: Edge.SAME_HOUSEHOLD,
    Ruling.DIFFERENT: Edge.DIFFERENT,
    Ruling.SEPARATE_HOUSEHOLD: Edge.SEPARATE,
}
_NEEDS_SOMEBODY = frozenset({Ruling.SAME_PERSON, Ruling.SAME_HOUSEHOLD})


def lock_homes(uow: UnitOfWork, review_id: int) -> None:
    """Lock the households that a review is about before any of its rows.

    Allocate locks in this order; the other way round each would wait for the other.
    The registry is locked by now, so nobody moves meanwhile.
    """
    case = reviews.one(uow.conn, review_id)
    if case is None:
        return
    asked = reviews.one(uow.conn, case.resident_id) if case.resident_id else None
    people = {case.resident_id} - {None}
    for one in (case, asked) if asked is not None else (case,):
        people.update(int(shown["resident_id"]) for shown in one.candidates)
    homes = set(residents.households_of(uow.conn, sorted(people)).values())
    if case.effect is not None:
        moved = Effect.of_json(case.effect).moved
        homes.update(home for _, old, new, *_ in moved for home in (old, new) if home)
    if case.household_id is not None:
        homes.add(case.household_id)
    awards.lock_households(uow.conn, homes)


def carry_out(
    uow: UnitOfWork, case: AnyRow, ruling: Ruling, same_as: int | None, reason: str
) -> Effect:
    """Change residents and households as ruled; the referrals are the caller's."""
    shown = [int(c["resident_id"]) for c in case.candidates]
    target = _target(uow, case, shown, same_as) if ruling in _NEEDS_SOMEBODY else None
    me = reviews.person_of(uow.conn, case.resident_id)
    if me is None:
        raise NotFound("the row's resident is gone")
    involved = {me.id, *shown, *([target.id] if target is not None else [])}
    homes = residents.households_of(uow.conn, sorted(involved))
    awards.lock_households(uow.conn, set(homes.values()))
    home = homes.get(me.id, case.household_id)
    effect = Effect(me.id, home, bool(me.provisional))
    if target is not None:
        _bring_together(uow, effect, me, target, homes[target.id], ruling)
        effect.pairs = [(me.id, target.id)]
    else:
        others = _roots(uow, shown, but=me.id)
        if case.kind == ReviewKind.HOUSEHOLD:
            _part(uow, effect, case.id, others)
        effect.pairs = [(me.id, other) for other in others]
        reviews.set_person(uow.conn, me.id, provisional=False)
    reviews.add_edges(
        uow.conn, effect.pairs, _EDGE[ruling],
        actor=uow.actor, reason=reason, now=uow.now,
    )  # fmt: skip
    return effect


def _target(
    uow: UnitOfWork, case: AnyRow, shown: Sequence[int], same_as: int | None
) -> AnyRow:
    """Whom the row is, or lives with: named, or the only likely one."""
    if same_as is None and not shown:
        raise Refused("nobody is shown to choose from: name the resident, --same-as")
    roots = _roots(uow, shown, but=case.resident_id) if same_as is None else ()
    if case.kind == ReviewKind.SEVERAL and len(roots) > 1:
        raise Refused("several people are shown: name the one with --same-as RESIDENT")
    named = reviews.person_of(uow.conn, same_as or shown[0])
    if named is None:
        raise NotFound("no such resident")
    if named.id == case.resident_id:
        raise Refused("that is the row itself: name one of the others")
    if bool(named.protected) != bool(case.protected):
        # The world of protected people has no door to the other one.
        raise NotFound("no such resident")
    if named.provisional:
        raise Refused(
            "that person's own row is in review too: decide that one first, with "
            f"`vouchers reviews show {named.id}`",
            review=named.id,
        )
    return named


def _roots(uow: UnitOfWork, ids: Sequence[int], *, but: int) -> list[int]:
    found = (reviews.person_of(uow.conn, rid) for rid in ids)
    return sorted({row.id for row in found if row is not None and row.id != but})


def _bring_together(
    uow: UnitOfWork,
    effect: Effect,
    me: AnyRow,
    target: AnyRow,
    final_home: int,
    ruling: Ruling,
) -> None:
    """Join two people, or their households, in the household of the one we knew."""
    own = effect.household_id
    # Whoever joined a provisional household did so because of this person.
    with_me = residents.members_of(uow.conn, [own])[own] if me.provisional else {me.id}
    if own != final_home:
        for resident_id in sorted(with_me):
            _move(uow, effect, resident_id, own, final_home, keep_day=me.provisional)
    reviews.set_person(uow.conn, me.id, provisional=False)
    if ruling is Ruling.SAME_PERSON:
        older, younger = sorted((me, target), key=lambda row: (row.created_at, row.id))
        repointed = reviews.repoint(uow.conn, younger.id, older.id)
        reviews.set_person(uow.conn, younger.id, merged_into=older.id)
        effect.merged = (older.id, younger.id, repointed)
        uow.record("resident.merged", younger.id, into=older.id)
        effect.resident_id = older.id
        for day in reviews.leave(uow.conn, younger.id, final_home):
            effect.moved.append((younger.id, final_home, 0, day.isoformat(), ""))
    effect.household_id = final_home


def _part(
    uow: UnitOfWork, effect: Effect, household_id: int, others: Sequence[int]
) -> None:
    """Give people who shared a household one each, from today."""
    me, home = effect.resident_id, effect.household_id
    together = residents.members_of(uow.conn, [home])[home]
    if me not in together or together.isdisjoint(others):
        return
    if home != household_id:
        reviews.ensure_household(uow.conn, household_id, uow.now)
        _move(uow, effect, me, home, household_id, keep_day=False)
        effect.household_id = household_id
        return
    # The row founded this household itself: so it is the others who leave.
    for other in sorted(together.intersection(others)):
        reviews.ensure_household(uow.conn, other, uow.now)
        _move(uow, effect, other, home, other, keep_day=False)


def _move(
    uow: UnitOfWork, effect: Effect, resident_id: int, old: int, new: int, *,
    keep_day: bool,
) -> None:  # fmt: skip
    """Move a membership, with its first day where it was never really elsewhere."""
    today = local_date(uow.now)
    for day in reviews.leave(uow.conn, resident_id, old):
        first = day if keep_day else today
        if not keep_day:
            _note_stay(uow, resident_id, old, day, today)
        reviews.enter(uow.conn, resident_id, new, first)
        effect.moved.append((resident_id, old, new, day.isoformat(), first.isoformat()))


def _note_stay(
    uow: UnitOfWork, resident_id: int, household_id: int, first: date, last: date
) -> None:
    """Keep that somebody lived in a household until a day."""
    reviews.enter(uow.conn, resident_id, household_id, first)
    residents.end_membership(uow.conn, resident_id, household_id, last)


def take_requests_along(uow: UnitOfWork, effect: Effect) -> None:
    """Everybody whom a ruling moved is judged in the household where she is now."""
    people = {resident_id for resident_id, *_ in effect.moved}
    people.update(effect.merged[:2] if effect.merged is not None else ())
    moves.take_requests_along(uow, people)


def mark_if_over_cap(uow: UnitOfWork, household_id: int, scheme_id: int) -> bool:
    """After a merge all awards count: mark a household that has had too many."""
    rules = schemes.active(uow.conn, scheme_id)
    since = local_date(uow.now) - timedelta(days=rules.caps.awards_window_days)
    had = awards.histories(
        uow.conn, [household_id], cap_group=rules.scheme.cap_group, since=since
    ).get(household_id, [])
    if len(had) <= rules.caps.awards_max:
        return False
    reviews.mark_over_cap(uow.conn, household_id)
    uow.record("household.over_cap", household_id, awards=len(had))
    return True


def take_back(uow: UnitOfWork, effect: Effect) -> None:
    """Undo a ruling: redirects, memberships and edges as they were before it."""
    awards.lock_households(
        uow.conn, {h for _, old, new, *_ in effect.moved for h in (old, new) if h}
    )
    if effect.merged is not None:
        older, younger, repointed = effect.merged
        reviews.set_person(uow.conn, younger, merged_into=None)
        for rid in repointed:
            reviews.set_person(uow.conn, rid, merged_into=younger)
        uow.record("resident.unmerged", younger, out_of=older)
    for resident_id, old, new, day, _first in reversed(effect.moved):
        if new:
            reviews.leave(uow.conn, resident_id, new)
        reviews.resume(uow.conn, resident_id, old, date.fromisoformat(day))
    take_requests_along(uow, effect)
    me = effect.pairs[0][0] if effect.pairs else effect.resident_id
    reviews.set_person(uow.conn, me, provisional=effect.provisional)
    reviews.add_edges(
        uow.conn, [(a, b) for a, b in effect.pairs], Edge.UNDONE,
        actor=uow.actor, reason="mistake", now=uow.now,
    )  # fmt: skip


def remember_apart(uow: UnitOfWork, pairs: Sequence[tuple[int, int]]) -> None:
    """Two people for good, whatever rows may later lie between them."""
    reviews.add_edges(
        uow.conn, [(a, b) for a, b in pairs], Edge.DIFFERENT,
        actor=uow.actor, reason="mistake", now=uow.now,
    )  # fmt: skip
