"""An invented registry of British homes, harsh on purpose, for measuring the matcher.

Run: python -m tests.benchmarks.registry FOLDER [--residents 100000] [--rows 20000]
     [--seed 1]
writes FOLDER/registry.csv and FOLDER/rows.csv: who is known, and what partners bring.

Every home is found by its number alone, so a million residents stream in constant
memory and the same seed always gives the same people. Names, streets and numbers
are put together by chance and belong to nobody. Phones begin with 071 to 073, for the
thousand numbers kept for fiction do not go round; rows are compared, never texted.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.benchmarks.registry_damage import Fields, at_door, choose, inflict
from tests.benchmarks.registry_people import Home, Person, people_at
from tests.benchmarks.registry_places import Door, door, written

#: What partners bring, by share: a known person again, somebody of a known home, a
#: neighbour of one, the new tenant of one, somebody from elsewhere, a row just seen.
SHARES = {
    "repeat": 0.17, "housemate": 0.10, "neighbour": 0.16, "tenant": 0.01,
    "elsewhere": 0.55, "again": 0.01,
}  # fmt: skip
#: Homes that it takes to find one registered resident, a little generously.
_HOMES_A_RESIDENT = 1.0
_RECENT = 2_000
#: Homes from this number on are nobody's in a registry of a few million.
_FAR_AWAY = 20_000_000
_FIELDS = (
    "given_name", "family_name", "date_of_birth", "address_line_1", "address_line_2",
    "town", "postcode", "uprn", "mobile", "email", "meter_number",
)  # fmt: skip


class Row(NamedTuple):
    """One row as a partner writes it, with the truth about it."""

    record_id: str
    person_id: str
    household_id: str
    #: `registered`, or a key of SHARES.
    kind: str
    #: What was done to the fields, worst cases several at once.
    damage: tuple[str, ...]
    #: `twin`, `namesake` (of a parent or child), `lodger` or ''.
    tag: str
    #: The kind of home: couple, family, hostel ...
    home: str
    #: A partner listed the home as communal, the phone as a worker's.
    listed: bool
    worker_phone: bool
    fields: Fields


def residents(seed: int, count: int) -> Iterator[Row]:
    """The registry: one row for each of `count` known residents."""
    made, number = 0, 0
    while made < count:
        home = people_at(seed, number)
        if not home.absent:
            rng = Random((seed << 41) + number * 2)
            for person in home.people:
                if person.registered and made < count:
                    made += 1
                    yield _row(seed, rng, home, person, f"r{made}", "registered")
        number += 1


def arrivals(seed: int, registered: int, count: int) -> Iterator[Row]:
    """What partners bring to a registry of `registered` residents: `count` rows."""
    rng = Random((seed << 42) + 17)
    known = max(1, int(registered * _HOMES_A_RESIDENT * 0.95))
    fresh = _strangers(seed, registered)
    recent: list[tuple[Home, Person]] = []
    kinds, shares = tuple(SHARES), tuple(SHARES.values())
    made = 0
    while made < count:
        kind = rng.choices(kinds, shares)[0]
        if kind == "elsewhere":
            found = next(fresh)
        elif kind == "tenant":
            _, person = next(fresh)
            place = people_at(seed, rng.randrange(known))
            found = place, person
            if place.communal:
                continue
        elif kind == "again":
            if not recent:
                continue
            found = rng.choice(recent)
        else:
            picked = _of_known(rng, people_at(seed, rng.randrange(known)), kind)
            if picked is None:
                continue
            found = picked
        made += 1
        home, person = found
        yield _row(seed, rng, home, person, f"n{made}", kind)
        if kind == "elsewhere":
            recent = [*recent[-_RECENT:], found]


def _strangers(seed: int, registered: int) -> Iterator[tuple[Home, Person]]:
    """People of streets that the registry has never heard of, home by home."""
    number = int(registered * _HOMES_A_RESIDENT * 1.3) + 1_000
    while True:
        home = people_at(seed, number)
        for person in home.people:
            if person.registered:
                yield home, person
        number += 1


def _of_known(rng: Random, home: Home, kind: str) -> tuple[Home, Person] | None:
    """Somebody of this home who fits the kind of row."""
    if home.absent != (kind == "neighbour"):
        return None
    fit = [p for p in home.people if p.registered == (kind != "housemate")]
    return (home, rng.choice(fit)) if fit else None


def _row(
    seed: int, rng: Random, home: Home, person: Person, record_id: str, kind: str
) -> Row:
    at = door(seed, home.number)
    style = rng.random()
    row = _written_down(rng, home, person, at, style)
    household = person.household
    damage: tuple[str, ...] = ()
    if kind in ("repeat", "again"):
        damage = choose(rng)
        inflict(rng, row, person, damage)
        if "moved" in damage and not home.communal:
            other = door(seed, _new_home(rng, home.number))
            at_door(row, written(rng, other, style), other)
            row["uprn"], row["meter_number"] = "", other.meter if style < 0.5 else ""
            household = f"{person.id}>{record_id}"
    elif kind == "tenant":
        household = f"{person.id}@{home.number}"
    return Row(
        record_id, person.id, household, kind, damage, person.tag, home.kind,
        home.listed, person.worker_phone and style < 0.5, row,
    )  # fmt: skip


def _new_home(rng: Random, number: int) -> int:
    """Where somebody moved to: one in five to where others of the registry lived."""
    if rng.random() < 0.2:
        return rng.randrange(number + 1)
    return _FAR_AWAY + rng.randrange(1_000_000)


def _written_down(
    rng: Random, home: Home, person: Person, at: Door, style: float
) -> Fields:
    """A person's fields as a careful clerk writes them, with what he does not know."""
    given = person.given
    if person.middle and rng.random() < 0.5:
        given = f"{given} {person.middle}"
    surname = f"{person.surname} {person.suffix}".rstrip()
    if person.woman and person.tradition == "sikh" and rng.random() < 0.3:
        given = f"{given} Kaur"
    row: Fields = dict.fromkeys(_FIELDS, "")
    row["given_name"], row["family_name"] = given, surname
    if style > 0.93:
        row["given_name"], row["family_name"] = given.upper(), surname.upper()
    row["date_of_birth"] = person.born.isoformat() if rng.random() > 0.03 else ""
    lines = written(rng, at, style)
    if home.communal:
        lines = _communal_lines(rng, home, person, at)
    at_door(row, lines, at)
    if rng.random() < 0.25 and not home.communal:
        row["uprn"] = at.uprn
    if rng.random() > 0.07:
        row["mobile"] = person.mobile
    row["email"] = person.email if rng.random() < 0.7 else ""
    if rng.random() < 0.6:
        row["meter_number"] = at.meter
    return row


def _communal_lines(
    rng: Random, home: Home, person: Person, at: Door
) -> tuple[str, str]:
    """A hostel's door; rooms are written down by some."""
    number = at.number or at.flat
    road = f"{number} {at.street} {at.way}"
    if home.kind in ("shared", "hostel") and rng.random() < 0.5:
        return f"Room {int(person.id.partition('-')[2]) + 1}", road
    return road, ""


def main() -> None:
    """Write a registry and the rows that meet it as two CSV files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--residents", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (
        ("registry.csv", residents(given.seed, given.residents)),
        ("rows.csv", arrivals(given.seed, given.residents, given.rows)),
    ):
        write_rows(given.folder / name, rows)


def write_rows(path: Path, rows: Iterator[Row]) -> None:
    """Write rows as CSV: the ids that say who is who, then the fields."""
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(("record_id", "person_id", "household_id", *_FIELDS))
        for row in rows:
            values = (row.fields[name] for name in _FIELDS)
            writer.writerow(chain(row[:3], values))


if __name__ == "__main__":
    main()
