# ruff: noqa: E501
"""Streets and doors of the invented registry: forty homes a street."""

from __future__ import annotations

from functools import lru_cache
from random import Random
from typing import NamedTuple

from tests.benchmarks.registry_forms import (
    AREAS,
    BLOCKS,
    SHORT_WAYS,
    STREETS,
    TOWNS,
    WAYS,
)

#: Homes of one street, and streets of one postal district.
HOMES = 40
DISTRICT = 25
_MPAN_WEIGHTS = (3, 5, 7, 13, 17, 19, 23, 29, 31, 37, 41, 43)
_INWARD = "ABDEFGHJLNPQRSTUWXYZ"
#: Share of people of each tradition in four kinds of district.
MIXES: dict[str, dict[str, float]] = {
    "plain": {
        "english": 0.84, "irish": 0.04, "polish": 0.03, "muslim": 0.02, "hindu": 0.01,
        "romanian": 0.02, "west_african": 0.02, "chinese": 0.01, "scottish": 0.01,
    },
    "mill": {
        "english": 0.40, "muslim": 0.42, "polish": 0.05, "romanian": 0.03, "sikh": 0.03,
        "arabic": 0.03, "irish": 0.02, "hindu": 0.02,
    },
    "city": {
        "english": 0.34, "west_african": 0.12, "somali": 0.08, "muslim": 0.14,
        "arabic": 0.06, "romanian": 0.06, "polish": 0.05, "hindu": 0.05, "sikh": 0.04,
        "chinese": 0.03, "irish": 0.03,
    },
    "midland": {
        "english": 0.50, "hindu": 0.18, "sikh": 0.14, "muslim": 0.08, "polish": 0.05,
        "romanian": 0.03, "irish": 0.02,
    },
    "scotland": {
        "scottish": 0.80, "english": 0.08, "irish": 0.04, "polish": 0.04, "muslim": 0.03,
        "chinese": 0.01,
    },
    "wales": {"welsh": 0.72, "english": 0.20, "polish": 0.03, "muslim": 0.03, "somali": 0.02},
    "ulster": {"irish": 0.70, "scottish": 0.14, "english": 0.10, "polish": 0.04, "romanian": 0.02},
}  # fmt: skip
_KINDS = ("plain",) * 7 + (
    "mill",
    "mill",
    "city",
    "city",
    "midland",
    "scotland",
    "wales",
    "ulster",
)


class Street(NamedTuple):
    """One street: how it is built, where it lies, who lives there."""

    name: str
    way: str
    town: str
    outcode: str
    kind: str
    first: int
    step: int
    block: str
    inwards: tuple[str, str]
    mix: tuple[tuple[str, ...], tuple[float, ...]]


class Door(NamedTuple):
    """One home's address in parts, with what is fixed to the home."""

    flat: str
    number: str
    block: str
    street: str
    way: str
    town: str
    postcode: str
    uprn: str
    meter: str


@lru_cache(maxsize=4096)
def street(seed: int, number: int) -> Street:
    """The street of that number; the same seed gives the same street."""
    district, within = divmod(number, DISTRICT)
    there = Random((seed << 32) + district * 7 + 1)
    area = AREAS[district % len(AREAS)]
    outcode = f"{area}{1 + district // len(AREAS) % 98}"
    mix = MIXES[there.choice(_KINDS)]
    shares, total = [], 0.0
    for share in mix.values():
        total += share
        shares.append(total)
    here = Random((seed << 32) + number * 11 + 3)
    inwards = tuple(_inward(within * 2 + half) for half in (0, 1))
    return Street(
        here.choice(STREETS), here.choice(WAYS), there.choice(TOWNS), outcode,
        here.choices(("houses", "split", "block", "tower"), (62, 13, 15, 10))[0],
        here.choice((1, 2, 1, 2, 15, 40, 88)), here.choice((1, 2, 2, 2)),
        f"{here.choice(BLOCKS)} {here.choice(('House', 'Court', 'House', 'Point'))}",
        (inwards[0], inwards[1]), (tuple(mix), tuple(shares)),
    )  # fmt: skip


def _inward(n: int) -> str:
    return f"{n % 10}{_INWARD[n // 10 % 20]}{_INWARD[(n * 7 + 3) % 20]}"


def door(seed: int, home: int) -> Door:
    """The address of a home by its number."""
    number, slot = divmod(home, HOMES)
    here = street(seed, number)
    flat, house, block = "", "", ""
    half = 0 if slot < HOMES // 2 else 1
    if here.kind == "houses":
        house = str(here.first + slot * here.step)
    elif here.kind == "split":
        # Two or three flats behind each front door, by letter.
        house = str(here.first + slot // 3 * here.step)
        flat = "ABC"[slot % 3]
        half = 0 if slot // 3 * 3 < HOMES // 2 else 1
    elif here.kind == "block":
        house, block, flat, half = str(here.first), here.block, str(slot + 1), 0
    else:
        block, flat, half = here.block, str(slot + 1), 0
    return Door(
        flat, house, block, here.name, here.way, here.town,
        f"{here.outcode} {here.inwards[half]}", str(100_000_000 + home), mpan(home),
    )  # fmt: skip


def mpan(home: int) -> str:
    """A meter point's thirteen digits with the check digit that belongs to them."""
    core = f"{10 + home % 14}{home * 48_271 % 10_000_000_000:010d}"
    total = sum(int(d) * w for d, w in zip(core, _MPAN_WEIGHTS, strict=True))
    return f"{core}{total % 11 % 10}"


def written(rng: Random, at: Door, style: float) -> tuple[str, str]:
    """Both address lines as one partner's clerk writes them; `style` is 0 to 1."""
    way = SHORT_WAYS.get(at.way, at.way) if style > 0.7 else at.way
    road = f"{at.number} {at.street} {way}".strip()
    if not at.flat:
        return road, ""
    if at.block and at.number:
        if rng.random() < 0.3:
            return f"Flat {at.flat}", f"{at.block}, {road}"
        return f"Flat {at.flat}, {at.block}", road
    if at.block:
        if style > 0.85:
            return f"{at.flat} {at.block}", road
        return f"Flat {at.flat} {at.block}", road
    if rng.random() < 0.25 and at.flat.isalpha():
        return f"{at.number}{at.flat} {at.street} {way}", ""
    if rng.random() < 0.4:
        return f"Flat {at.flat}", road
    return f"Flat {at.flat}, {road}", ""
