"""Who gets which money: awards in order of need, each voucher charged to one gift.

The rules: a gift is drawn on if its restrictions and dates allow it, the tightest and
earliest ending first. Money that neediest homes still on their way could want is not
given to others. When less than a full award is left, the part that is payable is given.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from vouchers.domain.headroom import Ahead, Line, Source, group
from vouchers.domain.reasons import Reason
from vouchers.domain.restrictions import Request, expires_on, time_fault

#: An award's number has room for eight vouchers; a text has room for fewer.
PARTS_MAX = 4


@dataclass(frozen=True, slots=True)
class Ask:
    """What one referral is entitled to, and where it stands in the order of need."""

    referral_id: int
    request: Request
    rank: int
    received_at: datetime
    off_supply: bool
    network: str
    #: Values of the vouchers it is to get, in pence.
    plan: tuple[int, ...]
    #: Values that this network's price list knows, for a part of an award.
    listed: tuple[int, ...]
    valid_days: int

    @property
    def order(self) -> tuple[int, datetime, int]:
        """Sorts by need, then by time of receipt."""
        return (self.rank, self.received_at, self.referral_id)


@dataclass(slots=True)
class Shelf:
    """Free stock units of one network and value: (last day, unit id), soonest first."""

    units: list[tuple[date | None, int]]
    #: Units that exist besides those listed.
    beyond: int = 0

    def take(self, not_before: date) -> tuple[date | None, int] | None:
        """Take the unit that ends soonest but can be used until `not_before`."""
        for index, (last, _) in enumerate(self.units):
            if last is None or last >= not_before:
                return self.units.pop(index)
        return None


@dataclass(frozen=True, slots=True)
class Part:
    """One voucher of an award: its value, the gift it is charged to, its last day."""

    source_id: int
    pool_id: int
    pence: int
    expires_on: date
    unit_id: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a referral gets, or the rule that makes it wait; never both."""

    referral_id: int
    parts: tuple[Part, ...]
    rule: Reason | None
    #: Every gift that was looked at and not drawn on, by the rule that said so.
    skipped: Mapping[Reason, tuple[int, ...]]
    full_pence: int

    @property
    def pence(self) -> int:
        """What is granted."""
        return sum(part.pence for part in self.parts)

    @property
    def is_partial(self) -> bool:
        """Whether less is granted than the price list says."""
        return 0 < self.pence < self.full_pence

    def judged(self) -> dict[str, object]:
        """As stored with the referral, for `explain`."""
        drawn: dict[str, int] = defaultdict(int)
        for part in self.parts:
            drawn[str(part.source_id)] += part.pence
        return {
            "drawn": dict(drawn),
            "full_pence": self.full_pence,
            "skipped": {rule.value: list(ids) for rule, ids in self.skipped.items()},
        }


def draw_order(sources: Iterable[Source]) -> list[Source]:
    """Sources in the order in which they are drawn on.

    The owner's priority first; then the tightest, because unrestricted money can help
    anyone later; then the earliest ending; then the oldest.
    """

    def key(source: Source) -> tuple[int, int, int, date, int]:
        asking, fewness = source.restrictions.tightness
        ends = source.ends_on or date.max
        return (source.priority, -asking, -fewness, ends, source.id)

    return sorted(sources, key=key)


class Fund:
    """The money and stock of one scheme during one transaction, as it is given out.

    Asks must come in order of need: what an earlier ask takes or waits for is gone or
    kept back for all later ones.
    """

    def __init__(
        self,
        sources: Iterable[Source],
        *,
        today: date,
        least_days: int,
        least_days_off_supply: int,
        award_max: int,
        voucher_max: int,
        parts_max: int,
        ahead: Sequence[Ahead] = (),
        shelves: Mapping[tuple[str, int], Shelf] | None = None,
        stocked: frozenset[str] = frozenset(),
    ) -> None:
        self.sources = draw_order(sources)
        self._today = today
        self._least = {False: least_days, True: least_days_off_supply}
        self._award_max, self._voucher_max = award_max, voucher_max
        self._parts_max = parts_max
        self._shelves = dict(shelves or {})
        self._stocked = stocked
        self._lasts: dict[int, date | None] = {}
        self._groups = group(self.sources, today, sorted(set(self._least.values())))
        self._ahead = Line(ahead, self._groups)
        self._open: dict[object, tuple[list[Source], _Skips]] = {}

    def decide(self, ask: Ask) -> Decision:
        """Give what can be given to the next ask in order of need, or say why not."""
        sources, closed = self._open_to(ask)
        skips: _Skips = {rule: list(ids) for rule, ids in closed.items()}
        parts: list[Part] = []
        for value in ask.plan:
            part = self._place(ask, value, sources, skips)
            if part is None:
                break
            parts.append(part)
        wanting = sum(ask.plan) - sum(part.pence for part in parts)
        if wanting and skips.keys().isdisjoint(_NOT_FOR_MONEY):
            smaller = self._smaller(ask, wanting, len(parts), sources, skips)
            wanting -= sum(part.pence for part in smaller)
            parts += smaller
        if wanting and Reason.NEEDIER_IN_FLIGHT in skips:
            # Half an award now could be a whole one once those ahead are decided.
            self._put_back(ask, parts)
            self._ahead.keep_for(ask.network, sources)
            parts = []
        drawn = {part.source_id for part in parts}
        return Decision(
            referral_id=ask.referral_id,
            parts=tuple(parts),
            rule=None if parts else _main_rule(skips),
            skipped={
                rule: tuple(sorted(set(ids) - drawn))
                for rule, ids in skips.items()
                if rule is not Reason.NO_STOCK and set(ids) - drawn
            },
            full_pence=sum(ask.plan),
        )

    def unspendable(self, smallest: Mapping[int, int]) -> dict[int, int]:
        """Residue per source that is less than the smallest voucher payable from it."""
        return {
            source.id: source.available
            for source in self.sources
            if 0 < source.available < smallest[source.id]
        }

    def _open_to(self, ask: Ask) -> tuple[list[Source], _Skips]:
        key = (ask.request, ask.off_supply)
        found = self._open.get(key)
        if found is None:
            found = self._open[key] = self._sort_out(ask)
        return found

    def _sort_out(self, ask: Ask) -> tuple[list[Source], _Skips]:
        sources: list[Source] = []
        closed: _Skips = defaultdict(list)
        for source in self.sources:
            rule = (
                time_fault(
                    starts_on=source.starts_on,
                    ends_on=source.ends_on,
                    today=self._today,
                    least_days=self._least[ask.off_supply],
                )
                if source.restrictions.covers(ask.request)
                else Reason.RESTRICTED
            )
            if rule is None:
                sources.append(source)
            elif source.available:
                closed[rule].append(source.id)
        return sources, closed

    def _place(
        self, ask: Ask, value: int, sources: list[Source], skips: _Skips
    ) -> Part | None:
        """Charge one voucher to the first source that can bear it."""
        if not self._in_stock(ask, value):
            rule = (
                Reason.NEEDIER_IN_FLIGHT
                if self._shelf_has(ask, value)
                else Reason.NO_STOCK
            )
            skips.setdefault(rule, [])
            return None
        for source in sources:
            if source.available < value:
                skips.setdefault(Reason.NO_MONEY, []).append(source.id)
            elif not self._leaves_enough(ask, value, source):
                skips.setdefault(Reason.NEEDIER_IN_FLIGHT, []).append(source.id)
            else:
                return self._charge(ask, value, source)
        return None

    def _charge(self, ask: Ask, value: int, source: Source) -> Part:
        source.available -= value
        self._groups.total[self._groups.of[source.id]] -= value
        last, unit = None, None
        if ask.network in self._stocked:
            taken = self._shelves[ask.network, value].take(self._not_before(ask))
            assert taken is not None  # _in_stock has just seen it
            last, unit = taken
            self._lasts[unit] = last
        return Part(
            source.id,
            source.pool_id,
            value,
            expires_on(
                today=self._today,
                valid_days=ask.valid_days,
                ends_on=source.ends_on,
                unit_expires_on=last,
            ),
            unit,
        )

    def _smaller(
        self,
        ask: Ask,
        wanting: int,
        placed: int,
        sources: list[Source],
        skips: _Skips,
    ) -> list[Part]:
        """The part of an award that is still payable, in the fewest vouchers."""
        parts: list[Part] = []
        while placed + len(parts) < PARTS_MAX:
            for value in ask.listed:
                if value > wanting:
                    continue
                part = self._place(ask, value, sources, skips)
                if part is not None:
                    parts.append(part)
                    wanting -= value
                    break
            else:
                break
        return parts

    def _put_back(self, ask: Ask, parts: Sequence[Part]) -> None:
        by_id = {source.id: source for source in self.sources}
        for part in parts:
            by_id[part.source_id].available += part.pence
            self._groups.total[self._groups.of[part.source_id]] += part.pence
            if part.unit_id is not None:
                shelf = self._shelves[ask.network, part.pence]
                shelf.units.insert(0, (self._lasts[part.unit_id], part.unit_id))

    def _leaves_enough(self, ask: Ask, value: int, source: Source) -> bool:
        """Whether all needier homes on their way could still take their most.

        Sources open to the same homes are one sum: whatever of it the needier draw on,
        `value` must remain. Each further source of the sum may end in an odd rest.
        """
        group = self._groups.of[source.id]
        needier = self._ahead.before(ask.rank, group)
        if needier == 0:
            return True
        rests = (self._groups.size[group] - 1) * self._voucher_max
        wanted = needier * self._award_max + rests
        return self._groups.total[group] - wanted >= value

    def _in_stock(self, ask: Ask, value: int) -> bool:
        if ask.network not in self._stocked:
            return True
        if not self._shelf_has(ask, value):
            return False
        shelf = self._shelves[ask.network, value]
        needier = self._ahead.before_on(ask.rank, ask.network)
        return len(shelf.units) + shelf.beyond - needier * self._parts_max >= 1

    def _shelf_has(self, ask: Ask, value: int) -> bool:
        shelf = self._shelves.get((ask.network, value))
        if shelf is None:
            return False
        not_before = self._not_before(ask)
        return any(last is None or last >= not_before for last, _ in shelf.units)

    def _not_before(self, ask: Ask) -> date:
        return self._today + timedelta(days=self._least[ask.off_supply])


_Skips = dict[Reason, list[int]]
#: What a smaller voucher would not help against.
_NOT_FOR_MONEY = frozenset({Reason.NEEDIER_IN_FLIGHT, Reason.NO_STOCK})


#: What is told when nothing can be given, the first that holds.
_RULES = (
    Reason.NEEDIER_IN_FLIGHT,
    Reason.NO_STOCK,
    Reason.NO_MONEY,
    Reason.ENDS_TOO_SOON,
    Reason.RESTRICTED,
)


def _main_rule(skips: Mapping[Reason, Sequence[int]]) -> Reason:
    return next((rule for rule in _RULES if rule in skips), Reason.NO_MONEY)
