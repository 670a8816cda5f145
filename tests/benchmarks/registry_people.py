"""Who lives behind a door of the invented registry: families, sharers, hostels."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from tests.benchmarks.registry_forms import TWINS
from tests.benchmarks.registry_names import (
    BRITISH,
    BRITISH_MEN,
    BRITISH_WOMEN,
    TRADITIONS,
    Tradition,
)
from tests.benchmarks.registry_places import HOMES, street

#: The day on which the registry is looked at; only ages depend on it.
TODAY = date(2026, 11, 20)
#: Share of homes whose people are not on the registry, of others beside the first
#: that are, and of communal residents.
ABSENT, OTHERS, COMMUNAL = 0.12, 0.15, 0.6
#: Share of homes that are hostels, shared houses, care homes, refuges.
_HOSTELS = 0.006
_FORMERLY_1_JANUARY = {
    "somali": 0.30,
    "arabic": 0.15,
    "muslim": 0.05,
    "west_african": 0.04,
}


class Person:
    """One human being as she is, before anybody writes her down."""

    __slots__ = (
        "born", "email", "given", "household", "id", "middle", "mobile", "registered",
        "suffix", "surname", "tag", "tradition", "woman", "worker_phone",
    )  # fmt: skip

    def __init__(self, rng: Random, tradition: str, age: int, *, woman: bool) -> None:
        self.tradition, self.woman = tradition, woman
        self.born = _birth(rng, tradition, age)
        self.given, self.middle = _given(rng, tradition, self.born.year, woman=woman)
        self.surname = _surname(rng, tradition, woman=woman)
        self.suffix = self.tag = self.mobile = self.email = ""
        self.id = self.household = ""
        self.registered = self.worker_phone = False


class Home:
    """Everybody behind one door."""

    __slots__ = ("absent", "communal", "kind", "listed", "number", "people")

    def __init__(self, number: int, kind: str, people: list[Person]) -> None:
        self.number, self.kind, self.people = number, kind, people
        self.absent = self.communal = self.listed = False


def _birth(rng: Random, tradition: str, age: int) -> date:
    born = TODAY - timedelta(days=age * 365 + age // 4 + rng.randrange(365))
    if rng.random() < _FORMERLY_1_JANUARY.get(tradition, 0.0):
        return date(born.year, 1, 1)
    return born


def _pick(rng: Random, names: tuple[str, ...]) -> str:
    """A name from a list with the commoner ones in front, and a long tail."""
    return names[int(len(names) * rng.random() ** 1.7)]


def _given(rng: Random, tradition: str, year: int, *, woman: bool) -> tuple[str, str]:
    names: tuple[str, ...]
    if tradition in BRITISH:
        eras = BRITISH_WOMEN if woman else BRITISH_MEN
        era = min(eras, key=lambda start: abs(start + 10 - year - rng.randrange(-8, 9)))
        names = eras[era]
        # A quarter were named after somebody older.
        if rng.random() < 0.1:
            names = eras[rng.choice((1930, 1955, 1975, 1995))]
    else:
        names = TRADITIONS[tradition].women if woman else TRADITIONS[tradition].men
    given = _pick(rng, names)
    if tradition == "chinese":
        return f"{given} {_pick(rng, names)}", ""
    if tradition == "muslim" and not woman and given.startswith("M") and len(given) > 7:
        # Mohammed in front of the name that is used.
        return given, _pick(rng, names) if rng.random() < 0.5 else ""
    return given, _pick(rng, names) if rng.random() < 0.12 else ""


def _surname(rng: Random, tradition: str, *, woman: bool) -> str:
    kind: Tradition = TRADITIONS[tradition]
    if tradition == "somali":
        return f"{_pick(rng, kind.men)} {_pick(rng, kind.men)}"
    if woman and kind.woman_words and rng.random() < 0.45:
        return kind.woman_words[int(len(kind.woman_words) * rng.random() ** 2)]
    if not woman and kind.man_words and rng.random() < 0.4:
        return kind.man_words[0]
    if kind.rare and rng.random() < kind.rare:
        name = rng.choice(kind.heads) + rng.choice(kind.tails)
    else:
        name = _pick(rng, kind.surnames)
    return as_borne(name, woman=woman)


def as_borne(surname: str, *, woman: bool) -> str:
    """A Polish surname's ending for her or for him."""
    return surname.replace("+", "a" if woman else "i")


def people_at(seed: int, home: int) -> Home:
    """Everybody who lives in the home of that number, always the same people."""
    rng = Random((seed << 40) + home * 2 + 1)
    number, slot = divmod(home, HOMES)
    traditions, shares = street(seed, number).mix
    where = traditions[min(bisect(shares, rng.random()), len(traditions) - 1)]
    if rng.random() < _HOSTELS:
        found = _communal(rng, home, traditions, shares)
    else:
        kind = rng.choices(
            ("single", "couple", "family", "lone", "three", "sharers", "siblings"),
            (44, 27, 9, 9, 3, 5, 3),
        )[0]
        found = Home(home, kind, list(_BUILD[kind](rng, where)))
    found.absent = rng.random() < ABSENT
    if not found.communal:
        _keep_apart(rng, found.people)
    _identify(rng, found, slot)
    return found


def _keep_apart(rng: Random, people: list[Person]) -> None:
    """Nobody gives two children one name; only parent and child may share theirs."""
    seen: set[str] = set()
    for person in people:
        while person.given in seen and person.tag != "namesake":
            born = person.born.year
            woman = person.woman
            person.given, _ = _given(rng, person.tradition, born, woman=woman)
        seen.add(person.given)


def _single(rng: Random, where: str) -> Iterator[Person]:
    yield Person(rng, where, rng.randrange(18, 95), woman=rng.random() < 0.54)


def _couple(rng: Random, where: str) -> Iterator[Person]:
    age = rng.randrange(20, 88)
    yield from _partners(rng, where, age)


def _partners(rng: Random, where: str, age: int) -> tuple[Person, Person]:
    her = Person(rng, where, age, woman=True)
    # One couple in ten bridges two traditions or has two surnames by choice.
    mixed = rng.random() < 0.1
    his_tradition = "english" if mixed else where
    him = Person(rng, his_tradition, max(18, age + rng.randrange(-4, 9)), woman=False)
    kept = rng.random() < (0.62 if age < 45 else 0.3)
    if not kept and not (TRADITIONS[where].woman_words or where == "somali"):
        her.surname = _feminine(him.surname, his_tradition)
    return her, him


def _feminine(surname: str, tradition: str) -> str:
    if tradition == "polish" and surname.endswith("ski"):
        return f"{surname[:-1]}a"
    return surname


def _child(rng: Random, parent: Person, other: Person | None, youngest: int) -> Person:
    age = max(18, min(62, youngest))
    child = Person(rng, parent.tradition, age, woman=rng.random() < 0.5)
    source = other or parent
    if source.tradition == "somali":
        # Own name, father's name, grandfather's name.
        child.surname = f"{source.given} {source.surname.split()[0]}"
    elif not TRADITIONS[source.tradition].woman_words or not child.woman:
        child.surname = source.surname
        if child.woman:
            child.surname = _feminine(source.surname, source.tradition)
    # Named after the parent of the same sex: most often a son after his father.
    like = next((p for p in (parent, other) if p and p.woman == child.woman), None)
    if like is not None and rng.random() < (0.08 if not child.woman else 0.03):
        child.given, child.surname = like.given, like.surname
        child.tag = like.tag = "namesake"
        if rng.random() < 0.25:
            child.suffix = "Jnr"
    return child


def _twin(rng: Random, child: Person) -> Person:
    twin = Person(rng, child.tradition, 30, woman=rng.random() < 0.5)
    twin.born, twin.surname = child.born, child.surname
    twin.tag = child.tag = "twin"
    if rng.random() < 0.5:
        child.given, twin.given = rng.choice(TWINS)
    if rng.random() < 0.3:
        twin.middle = child.middle
    return twin


def _children(rng: Random, parents: list[Person], at_most: int) -> Iterator[Person]:
    mother_age = TODAY.year - parents[0].born.year
    other = parents[1] if len(parents) > 1 else None
    age = mother_age - rng.randrange(19, 36)
    for _ in range(rng.randrange(1, at_most + 1)):
        child = _child(rng, parents[0], other, age)
        yield child
        if rng.random() < 0.06:
            yield _twin(rng, child)
        age -= rng.randrange(1, 5)
        if age < 18:
            return


def _family(rng: Random, where: str) -> Iterator[Person]:
    parents = list(_partners(rng, where, rng.randrange(40, 78)))
    yield from parents
    yield from _children(rng, parents, 3)


def _lone(rng: Random, where: str) -> Iterator[Person]:
    parent = Person(rng, where, rng.randrange(38, 84), woman=rng.random() < 0.8)
    yield parent
    yield from _children(rng, [parent], 2)


def _three(rng: Random, where: str) -> Iterator[Person]:
    elders = list(_partners(rng, where, rng.randrange(62, 88)))
    yield from elders
    children = list(_children(rng, elders, 2))
    yield from children
    first = children[0]
    if TODAY.year - first.born.year >= 38:
        yield from _children(rng, [first], 2)


def _sharers(rng: Random, where: str) -> Iterator[Person]:
    yield Person(rng, where, rng.randrange(20, 60), woman=rng.random() < 0.5)
    for _ in range(rng.randrange(1, 3)):
        lodger = Person(rng, where, rng.randrange(18, 60), woman=rng.random() < 0.5)
        lodger.tag = "lodger"
        yield lodger


def _siblings(rng: Random, where: str) -> Iterator[Person]:
    parent = Person(rng, where, 70, woman=False)
    age = rng.randrange(20, 60)
    for n in range(rng.randrange(2, 4)):
        yield _child(rng, parent, None, age - 2 * n)


_BUILD = {
    "single": _single, "couple": _couple, "family": _family, "lone": _lone,
    "three": _three, "sharers": _sharers, "siblings": _siblings,
}  # fmt: skip


def _communal(
    rng: Random, home: int, traditions: tuple[str, ...], shares: tuple[float, ...]
) -> Home:
    kind = rng.choices(("shared", "hostel", "care", "refuge"), (50, 22, 20, 8))[0]
    low, high = {
        "shared": (4, 8),
        "hostel": (8, 26),
        "care": (8, 30),
        "refuge": (4, 9),
    }[kind]
    people = []
    for _ in range(rng.randrange(low, high)):
        where = traditions[min(bisect(shares, rng.random()), len(traditions) - 1)]
        age = rng.randrange(72, 99) if kind == "care" else rng.randrange(18, 66)
        woman = kind == "refuge" or rng.random() < 0.45
        people.append(Person(rng, where, age, woman=woman))
    found = Home(home, kind, people)
    found.communal, found.listed = True, rng.random() < 0.6
    return found


def _identify(rng: Random, home: Home, slot: int) -> None:
    """Give everybody an id, a household, a phone and an email, or somebody else's."""
    office = phone("71", home.number * 48 + 47)
    for n, person in enumerate(home.people):
        person.id = f"{home.number}-{n}"
        alone = home.communal or person.tag == "lodger"
        person.household = person.id if alone else str(home.number)
        person.registered = rng.random() < (
            COMMUNAL if home.communal else 1.0 if n == 0 else OTHERS
        )
        person.mobile = phone("71", home.number * 48 + min(n, 46))
        chance = rng.random()
        if home.communal and home.kind != "shared":
            if chance < 0.55:
                person.mobile = office
        elif n > 0 and chance < (0.2 if home.kind == "couple" else 0.1):
            person.mobile = home.people[0].mobile
        elif n == 0 and chance < 0.015:
            # A support worker's: three of them for each forty streets.
            person.mobile = phone("73", home.number // (HOMES * 40) * 3 + slot % 3)
            person.worker_phone = True
        if rng.random() < 0.45:
            box = f"{person.given}.{person.surname}".replace(" ", "").lower()
            person.email = f"{box}{home.number % 997}@mail.example"
        elif n > 0 and rng.random() < 0.08:
            person.email = home.people[0].email


def phone(prefix: str, n: int) -> str:
    """A made-up mobile: each n has its own, spread over the range."""
    return f"+44{prefix}{n * 61_803_399 % 100_000_000:08d}"
