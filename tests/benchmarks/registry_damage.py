"""What becomes of a person's fields when another partner writes them down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from random import Random

from tests.benchmarks.registry_forms import FORMS, SURNAME_FORMS
from tests.benchmarks.registry_people import Person, phone
from tests.benchmarks.registry_places import Door

Fields = dict[str, str]

_NEXT_KEY = {
    "a": "s", "b": "v", "c": "x", "d": "s", "e": "r", "f": "g", "g": "h", "h": "j",
    "i": "o", "j": "k", "k": "l", "l": "k", "m": "n", "n": "m", "o": "p", "p": "o",
    "q": "w", "r": "t", "s": "d", "t": "y", "u": "i", "v": "b", "w": "e", "x": "c",
    "y": "u", "z": "x",
}  # fmt: skip
_HEARD = (("ph", "f"), ("ck", "k"), ("ee", "i"), ("ie", "ei"), ("ll", "l"), ("tt", "t"),
          ("c", "k"), ("y", "i"), ("ou", "u"), ("a", "e"), ("s", "z"),
          ("e", "a"))  # fmt: skip
_PLACEHOLDERS = ("1900-01-01", "1970-01-01", "2000-01-01", "1901-01-01", "1900-01-01")
#: How many kinds of damage one repeat suffers: none, one, two ...
COUNTS = (0.28, 0.36, 0.20, 0.10, 0.045, 0.015)


def slip(rng: Random, word: str) -> str:
    """One typing, reading or hearing mistake in a word."""
    if len(word) < 3:
        return word
    at = rng.randrange(1 if rng.random() < 0.9 else 0, len(word))
    kind = rng.random()
    if kind < 0.25:
        return word[:at] + word[at + 1 :]
    if kind < 0.40:
        return word[:at] + word[at] + word[at:]
    if kind < 0.60 and at + 1 < len(word):
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind < 0.80:
        key = _NEXT_KEY.get(word[at].lower(), "e")
        return word[:at] + (key.upper() if word[at].isupper() else key) + word[at + 1 :]
    for was, now in rng.sample(_HEARD, len(_HEARD)):
        if was in word[1:]:
            return word[0] + word[1:].replace(was, now, 1)
    return word + rng.choice("es")


def _typo_given(rng: Random, row: Fields, _person: Person) -> None:
    row["given_name"] = slip(rng, row["given_name"])


def _typo_surname(rng: Random, row: Fields, _person: Person) -> None:
    row["family_name"] = slip(rng, row["family_name"])


def _nickname(rng: Random, row: Fields, person: Person) -> None:
    forms = FORMS.get(person.given)
    if forms:
        row["given_name"] = rng.choice(forms)
    else:
        row["given_name"] = slip(rng, row["given_name"])


def _initial(_rng: Random, row: Fields, _person: Person) -> None:
    row["given_name"] = row["given_name"][:1]


def _swapped(_rng: Random, row: Fields, _person: Person) -> None:
    row["given_name"], row["family_name"] = row["family_name"], row["given_name"]


def _middle(_rng: Random, row: Fields, person: Person) -> None:
    if person.middle:
        row["given_name"] = person.middle
    else:
        row["given_name"] = row["given_name"].split()[0]


def _renamed(rng: Random, row: Fields, person: Person) -> None:
    if person.woman or rng.random() < 0.2:
        row["family_name"] = rng.choice(
            ("Harper", "Stone", "Webster", "Iqbal", "Nowak", "Osei", "Barlow", "Quinn",
             "Fielding", "Hammond", "Sutton", "Pearce", "Malik", "Rahman", "Lowe")
        )  # fmt: skip
    else:
        _typo_surname(rng, row, person)


def _doubled(rng: Random, row: Fields, _person: Person) -> None:
    other = rng.choice(("Reed", "Hart", "Lowe", "Price", "Shaw", "Ali", "Khan", "Ross"))
    names = [row["family_name"], other]
    if rng.random() < 0.5:
        names.reverse()
    row["family_name"] = ("-" if rng.random() < 0.7 else " ").join(names)


def _spelling(rng: Random, row: Fields, person: Person) -> None:
    forms = SURNAME_FORMS.get(person.surname)
    row["family_name"] = rng.choice(forms) if forms else slip(rng, row["family_name"])


def _born(row: Fields) -> date | None:
    text = row["date_of_birth"]
    return date.fromisoformat(text) if text else None


def _set_born(row: Fields, text: str) -> None:
    """Keep the damaged date where it is a date that a form would take."""
    try:
        born = date.fromisoformat(text)
    except ValueError:
        return
    if date(1915, 1, 1) < born < date(2009, 1, 1):
        row["date_of_birth"] = text


def _born_swapped(_rng: Random, row: Fields, _person: Person) -> None:
    if born := _born(row):
        _set_born(row, f"{born.year}-{born.day:02}-{born.month:02}")


def _born_digit(rng: Random, row: Fields, _person: Person) -> None:
    if _born(row) is None:
        return
    before = row["date_of_birth"]
    for _ in range(6):
        at = rng.choice((2, 3, 3, 5, 6, 6, 8, 9, 9))
        _set_born(row, before[:at] + rng.choice("0123456789") + before[at + 1 :])
        if row["date_of_birth"] != before:
            return


def _born_transposed(rng: Random, row: Fields, _person: Person) -> None:
    text = row["date_of_birth"]
    if not text:
        return
    at = rng.choice((2, 2, 5, 8))
    _set_born(row, text[:at] + text[at + 1] + text[at] + text[at + 2 :])


def _born_missing(_rng: Random, row: Fields, _person: Person) -> None:
    row["date_of_birth"] = ""


def _born_placeholder(rng: Random, row: Fields, _person: Person) -> None:
    row["date_of_birth"] = rng.choice(_PLACEHOLDERS)


def _flat_lost(_rng: Random, row: Fields, _person: Person) -> None:
    first, second = row["address_line_1"], row["address_line_2"]
    if first.lower().startswith("flat"):
        head, comma, tail = first.partition(",")
        if comma:
            row["address_line_1"] = tail.strip()
        elif len(head.split()) > 2:
            row["address_line_1"] = " ".join(head.split()[2:])
        else:
            row["address_line_1"], row["address_line_2"] = second, ""


def _number_wrong(rng: Random, row: Fields, _person: Person) -> None:
    words = row["address_line_1"].split()
    for n, word in enumerate(words):
        if word.isdigit():
            other = word[::-1] if len(word) > 1 and word[::-1] != word else None
            words[n] = other or str(int(word) + rng.choice((1, 2, 10)))
            break
    row["address_line_1"] = " ".join(words)


def _postcode(rng: Random, row: Fields, _person: Person) -> None:
    text = row["postcode"]
    at = rng.choice((-1, -1, -2, -3))
    pool = "0123456789" if text[at:][:1].isdigit() else "ABDEFGHJLNPQRSTUWXYZ"
    row["postcode"] = text[:at] + rng.choice(pool) + (text[at + 1 :] if at < -1 else "")


def _phone_changed(rng: Random, row: Fields, _person: Person) -> None:
    row["mobile"] = phone("72", rng.randrange(100_000_000))


def _phone_digit(rng: Random, row: Fields, _person: Person) -> None:
    if text := row["mobile"]:
        at = rng.randrange(6, len(text))
        row["mobile"] = text[:at] + rng.choice("0123456789") + text[at + 1 :]


def _phone_missing(_rng: Random, row: Fields, _person: Person) -> None:
    row["mobile"] = ""


def _meter_gone(_rng: Random, row: Fields, _person: Person) -> None:
    row["meter_number"] = ""


def _email_changed(rng: Random, row: Fields, _person: Person) -> None:
    row["email"] = (
        f"box{rng.randrange(10**9)}@mail.example" if rng.random() < 0.5 else ""
    )


#: Each kind of damage with how often it comes; `moved` is done by whoever knows homes.
KINDS: Mapping[str, tuple[int, Callable[[Random, Fields, Person], None] | None]] = {
    "typo_given": (8, _typo_given), "typo_surname": (8, _typo_surname),
    "nickname": (12, _nickname), "initial": (3, _initial), "swapped": (3, _swapped),
    "middle": (4, _middle), "renamed": (5, _renamed), "doubled": (2, _doubled),
    "spelling": (4, _spelling), "born_swapped": (5, _born_swapped),
    "born_digit": (8, _born_digit), "born_transposed": (3, _born_transposed),
    "born_missing": (8, _born_missing), "born_placeholder": (4, _born_placeholder),
    "moved": (13, None), "flat_lost": (6, _flat_lost),
    "number_wrong": (3, _number_wrong), "postcode": (5, _postcode),
    "phone_changed": (14, _phone_changed),
    "phone_digit": (3, _phone_digit), "phone_missing": (8, _phone_missing),
    "meter_gone": (3, _meter_gone), "email_changed": (4, _email_changed),
}  # fmt: skip
_NAMES = tuple(KINDS)
_WEIGHTS = tuple(weight for weight, _ in KINDS.values())


def choose(rng: Random) -> tuple[str, ...]:
    """The kinds of damage that one repeat suffers."""
    count = rng.choices(range(len(COUNTS)), COUNTS)[0]
    return tuple(dict.fromkeys(rng.choices(_NAMES, _WEIGHTS, k=count)))


def inflict(rng: Random, row: Fields, person: Person, kinds: tuple[str, ...]) -> None:
    """Damage a row in place; a move is left to the caller."""
    for kind in kinds:
        if act := KINDS[kind][1]:
            act(rng, row, person)


def at_door(row: Fields, lines: tuple[str, str], at: Door) -> None:
    """Write an address into a row."""
    row["address_line_1"], row["address_line_2"] = lines
    row["postcode"], row["town"] = at.postcode, at.town
