"""What goes wrong between a person and a row: other spellings, and plain mistakes."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date

from vouchers.cli.demo.names import SHORTER
from vouchers.cli.demo.residents import Invented, home

Row = dict[str, str]
Change = Callable[[random.Random, Invented], Invented]


def seen_elsewhere(chance: random.Random, person: Invented) -> Invented:
    """The same person as another organisation knows them: one or two details differ."""
    for change in chance.sample(CHANGES, k=chance.choice((0, 1, 1, 2))):
        person = change(chance, person)
    return person


def _short_name(chance: random.Random, person: Invented) -> Invented:
    return replace(person, given=(chance.choice(person.given), *person.given[1:]))


def _slip_in_family_name(chance: random.Random, person: Invented) -> Invented:
    name = person.family
    if len(name) < 5:
        return person
    at = chance.randrange(1, len(name) - 2)
    slipped = name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    return replace(person, family=slipped)


def _other_address_style(chance: random.Random, person: Invented) -> Invented:
    line = person.home.line_1
    for long, short in SHORTER.items():
        line = line.replace(f" {long}", f" {short}")
    line = line.replace("Flat ", "flat ") if chance.random() < 0.5 else line
    return replace(person, home=replace(person.home, line_1=line))


def _moved(chance: random.Random, person: Invented) -> Invented:
    # Homes beyond those that residents live in, so that nobody moves in with anybody.
    return replace(person, home=home(40_000_000 + chance.randrange(1_000_000)))


def _day_and_month_swapped(_chance: random.Random, person: Invented) -> Invented:
    born = person.born
    if born.day > 12:
        return person
    return replace(person, born=date(born.year, born.day, born.month))


CHANGES: tuple[Change, ...] = (
    _short_name,
    _slip_in_family_name,
    _other_address_style,
    _moved,
    _day_and_month_swapped,
)


def _blank(column: str) -> Callable[[Row], None]:
    return lambda row: row.__setitem__(column, "")


def _put(column: str, text: str) -> Callable[[Row], None]:
    return lambda row: row.__setitem__(column, text)


def _no_need_given(row: Row) -> None:
    row["off_supply"] = ""
    row["days_left"] = ""


#: Mistakes that an upload is full of, by what a person would call them.
MISTAKES: dict[str, Callable[[Row], None]] = {
    "no postcode": _blank("postcode"),
    "a postcode that cannot be": _put("postcode", "ZZ99 9ZZ9"),
    "a meter nobody has": _put("meter_type", "steam"),
    "born in the future": _put("date_of_birth", "2091-04-01"),
    "a landline": _put("mobile", "01632 960123"),
    "a mobile that Excel rounded": _put("mobile", "7.7009E+09"),
    "a formula": _put("given_name", "=A1&B1"),
    "the resident was not told": _put("resident_told", "no"),
    "a supplier that does not exist": _put("energy_supplier", "Brightish Gaz"),
    "neither off supply nor days left": _no_need_given,
    "no worker": _blank("worker"),
    "no family name": _blank("family_name"),
}
