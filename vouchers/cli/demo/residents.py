"""People who do not exist, their homes, and who of them is who."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from vouchers.cli.demo.names import (
    FAMILY,
    GIVEN,
    STREET_KINDS,
    STREETS,
    SUPPLIERS,
    TOWNS,
)

#: Ofcom keeps 07700 900000 to 900999 for fiction: nobody can be texted by mistake.
FICTIONAL_FIRST = 7_700_900_000
#: For 900 to 916 the provider's stand-in misbehaves on purpose: no resident has them.
_MISBEHAVING = range(900, 917)
FICTIONAL_COUNT = 1_000 - len(_MISBEHAVING)
_INWARD_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"


@dataclass(frozen=True, slots=True)
class Home:
    """One front door."""

    number: int
    line_1: str
    town: str
    postcode: str


@dataclass(frozen=True, slots=True)
class Invented:
    """One person as they truly are; files then get details of them wrong."""

    #: Who this is: the truth that matching is measured against.
    person: int
    #: People with one number share a home and so a cap.
    household: int
    given: tuple[str, ...]
    family: str
    born: date
    home: Home
    #: Ten digits after the leading zero; empty for people without a mobile.
    mobile: str
    supplier: tuple[str, ...]
    meter_type: str
    household_size: int
    off_supply: bool
    days_left: int
    medical: str
    child: bool
    elder: bool
    safe_contact: str = ""
    separate: bool = False


def home(number: int) -> Home:
    """The home with this number: twelve doors to a street, each street in one place."""
    street, door = divmod(number, 12)
    # A stride that shares no factor with either count, so that neighbours differ.
    first = STREETS[street * 7 % len(STREETS)]
    kind = STREET_KINDS[street * 3 % len(STREET_KINDS)]
    town, outcodes = TOWNS[street % len(TOWNS)]
    outcode = outcodes[street // len(TOWNS) % len(outcodes)]
    letters = street // (len(TOWNS) * 3)
    inward = (
        f"{street % 9 + 1}"
        f"{_INWARD_LETTERS[letters % 20]}{_INWARD_LETTERS[letters // 20 % 20]}"
    )
    house = f"{door * 2 + 1 + letters // 400 * 24} {first} {kind}"
    line_1 = f"Flat {door % 4 + 1}, {house}" if street % 5 == 0 else house
    return Home(number, line_1, town, f"{outcode} {inward}")


def mobile(n: int) -> str:
    """The nth mobile number: fictional ones first, then made up for benchmarks only."""
    if n < FICTIONAL_COUNT:
        past = len(_MISBEHAVING) if n >= _MISBEHAVING.start else 0
        return str(FICTIONAL_FIRST + n + past)
    # Only benchmarks have more people than fiction has numbers; these are never kept.
    return f"7{400_000_000 + n * 7 % 99_999_989:09d}"


def invent(chance: random.Random, *, people: int, today: date) -> Iterator[Invented]:
    """Invent `people` residents: mostly one to a home, some couples, some families."""
    person = household = 0
    order = _shuffled_numbers(chance, people)
    while person < people:
        size = chance.choices((1, 2, 3, 4, 5), weights=(46, 26, 13, 10, 5))[0]
        # One in twelve larger homes has two adults who both ask for help.
        asking = 2 if size > 1 and chance.random() < 1 / 12 else 1
        first = _person(chance, person, household, size, order[person], today)
        yield first
        person += 1
        if asking == 2 and person < people:
            second = _person(chance, person, household, size, order[person], today)
            yield replace(
                second,
                family=first.family if chance.random() < 0.7 else second.family,
                home=first.home,
                supplier=first.supplier,
                meter_type=first.meter_type,
                off_supply=first.off_supply,
                days_left=first.days_left,
                child=first.child,
            )
            person += 1
        household += 1


def _shuffled_numbers(chance: random.Random, people: int) -> list[int]:
    # Neighbouring residents should not have neighbouring phone numbers.
    numbers = list(range(max(people, FICTIONAL_COUNT)))
    chance.shuffle(numbers)
    return [n for n in numbers if n < max(people, FICTIONAL_COUNT)][:people]


def _person(
    chance: random.Random, person: int, household: int, size: int, n: int, today: date
) -> Invented:
    age_days = int(chance.triangular(19, 92, 41) * 365.25)
    off_supply = chance.random() < 0.14
    meter = chance.choices(("prepay_key", "prepay_smart"), weights=(72, 28))[0]
    return Invented(
        person=person,
        household=household,
        given=chance.choice(GIVEN),
        family=chance.choice(FAMILY),
        born=today - timedelta(days=age_days),
        home=home(household),
        mobile=mobile(n) if chance.random() < 0.99 else "",
        supplier=chance.choices(SUPPLIERS, weights=(22, 15, 13, 14, 14, 10, 8, 4))[0],
        meter_type=meter,
        household_size=size,
        off_supply=off_supply,
        days_left=0 if off_supply else chance.choice((0, 1, 1, 2, 2, 3, 3, 4, 5)),
        medical=chance.choices(("no", "yes", "device"), weights=(82, 16, 2))[0],
        child=size > 2 and chance.random() < 0.45,
        elder=age_days > 65 * 365,
    )
