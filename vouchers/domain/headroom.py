"""Headroom: what must stay for needier homes that are still on their way."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from vouchers.domain.restrictions import Request, Restrictions, time_fault


@dataclass(slots=True)
class Source:
    """A gift that money may be drawn from, with what is available of it."""

    id: int
    pool_id: int
    available: int
    restrictions: Restrictions = field(default_factory=Restrictions)
    starts_on: date | None = None
    ends_on: date | None = None
    #: The owner's word on the order; lower is drawn on first.
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Ahead:
    """So many referrals of this kind are on their way and not decided yet."""

    rank: int
    request: Request
    network: str | None
    count: int


@dataclass(slots=True)
class Groups:
    """Sources that are open to the very same homes count as one sum."""

    of: dict[int, int]
    total: dict[int, int]
    size: dict[int, int]
    restrictions: dict[int, Restrictions]


def group(sources: Sequence[Source], today: date, margins: Sequence[int]) -> Groups:
    """Put sources together that are open to the very same homes."""
    numbers: dict[object, int] = {}
    grouped = Groups({}, defaultdict(int), defaultdict(int), {})
    for source in sources:
        faults = tuple(
            time_fault(
                starts_on=source.starts_on,
                ends_on=source.ends_on,
                today=today,
                least_days=margin,
            )
            for margin in margins
        )
        number = numbers.setdefault((source.restrictions, faults), len(numbers))
        grouped.of[source.id] = number
        grouped.total[number] += source.available
        grouped.size[number] += 1
        grouped.restrictions[number] = source.restrictions
    return grouped


class Line:
    """How many needier homes stand before a rank, per group of sources and network."""

    def __init__(self, ahead: Sequence[Ahead], groups: Groups) -> None:
        self._groups = groups
        self._by_group = {
            number: _cumulated(item for item in ahead if rules.covers(item.request))
            for number, rules in groups.restrictions.items()
        }
        networks = {item.network for item in ahead if item.network is not None}
        self._by_network = {
            # A home whose network is not known yet may turn out to need any.
            name: _cumulated(item for item in ahead if item.network in (name, None))
            for name in networks
        }
        self._nowhere = _cumulated(item for item in ahead if item.network is None)
        self._kept: dict[int, int] = defaultdict(int)
        self._kept_on: dict[str, int] = defaultdict(int)

    def before(self, rank: int, group: int) -> int:
        """Needier homes that could draw on a group."""
        return _count(self._by_group[group], rank) + self._kept[group]

    def before_on(self, rank: int, network: str) -> int:
        """Needier homes that could take a network's stock."""
        line = self._by_network.get(network, self._nowhere)
        return _count(line, rank) + self._kept_on[network]

    def keep_for(self, network: str, sources: Iterable[Source]) -> None:
        """Count one who waits as ahead of all who come after."""
        for group in {self._groups.of[source.id] for source in sources}:
            self._kept[group] += 1
        self._kept_on[network] += 1


def _cumulated(ahead: Iterable[Ahead]) -> tuple[list[int], list[int]]:
    counts: dict[int, int] = defaultdict(int)
    for item in ahead:
        counts[item.rank] += item.count
    ranks = sorted(counts)
    sums = [0]
    for rank in ranks:
        sums.append(sums[-1] + counts[rank])
    return ranks, sums


def _count(line: tuple[list[int], list[int]], rank: int) -> int:
    ranks, sums = line
    return sums[bisect_left(ranks, rank)]
