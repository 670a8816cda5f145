"""Compares many pairs of people field by field: which level of agreement each shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import OSA

from vouchers.domain.matching.features import Features
from vouchers.domain.matching.homes import home_level
from vouchers.domain.matching.likeness import (
    given_level,
    is_reordered,
    surname_level,
    whole_given,
    whole_surname,
    words_level,
)
from vouchers.domain.matching.model import MISSING, Model
from vouchers.domain.matching.names import Lexicon
from vouchers.domain.matching.swaps import crosswise

Numbers = npt.NDArray[np.int8]
Mask = npt.NDArray[np.bool_]

_WHOLE_NUMBER = 7
#: Share of an address's letters, and of the part before the @, that may be wrong.
_EMAIL_SLIPS, _BOX_SLIPS = 0.2, 0.3
#: Where names agree in their own columns they are not swapped.
_TELLING_GIVEN = ("same", "equivalent", "shared", "initial")
_TELLING_SURNAME = ("same", "variant", "close", "part")


class Pairs:
    """Two columns of people to compare, one pair a row, and what does not count."""

    def __init__(
        self,
        left: Sequence[Features],
        right: Sequence[Features],
        *,
        communal: Mask | None = None,
        shared_phone: Mask | None = None,
    ) -> None:
        self.left, self.right = left, right
        none = np.zeros(len(left), dtype=np.bool_)
        #: Both live in a hostel or shared house: home, phone and meter say nothing.
        self.communal = none if communal is None else communal
        #: The phone is a worker's or a whole family network's.
        self.shared_phone = none if shared_phone is None else shared_phone
        self._texts: dict[str, tuple[list[str], list[str]]] = {}

    def texts(self, name: str) -> tuple[list[str], list[str]]:
        """Both columns of one text field."""
        found = self._texts.get(name)
        if found is None:
            at = Features._fields.index(name)
            found = [str(f[at]) for f in self.left], [str(f[at]) for f in self.right]
            self._texts[name] = found
        return found

    def agree(self, name: str) -> tuple[Mask, Mask]:
        """Where both know a field, and where they know it alike."""
        left, right = self.texts(name)
        known = [bool(a and b) for a, b in zip(left, right, strict=True)]
        same = [a == b for a, b in zip(left, right, strict=True)]
        both = np.array(known, dtype=np.bool_)
        return both, both & np.array(same, dtype=np.bool_)


def compare(model: Model, lexicon: Lexicon, pairs: Pairs) -> dict[str, Numbers]:
    """Level numbers of every field for every pair."""
    home = _home(model, pairs)
    given = _given(model, lexicon, pairs)
    surname = _surname(model, lexicon, pairs)
    swapped = _swapped(model, pairs, given, surname)
    given[swapped > 0] = MISSING
    surname[swapped > 0] = MISSING
    meter = _plain(model, pairs, "meter")
    # A meter belongs to the home: where the homes agree it has nothing to add.
    meter[(home == model.number("home", "same")) | pairs.communal] = MISSING
    mobile = _mobile(model, pairs)
    mobile[pairs.communal | pairs.shared_phone] = MISSING
    home[pairs.communal] = MISSING
    return {
        "given": given,
        "surname": surname,
        "swapped": swapped,
        "born": _born(model, pairs),
        "home": home,
        "mobile": mobile,
        "email": _email(model, pairs),
        "meter": meter,
    }


def _plain(model: Model, pairs: Pairs, field: str) -> Numbers:
    """A field that agrees or does not."""
    both, same = pairs.agree(field)
    level = np.where(
        same, model.number(field, "same"), model.number(field, "different")
    )
    return np.where(both, level, MISSING).astype(np.int8)


def _mobile(model: Model, pairs: Pairs) -> Numbers:
    """The same number, one with a slip in it, or two numbers."""
    level = _plain(model, pairs, "mobile")
    left, right = pairs.texts("mobile")
    close = model.number("mobile", "close")
    apart = np.flatnonzero(level == model.number("mobile", "different")).tolist()
    far = _distances([left[i] for i in apart], [right[i] for i in apart], at_most=1)
    for i, distance in zip(apart, far, strict=True):
        if distance <= 1 and min(len(left[i]), len(right[i])) >= _WHOLE_NUMBER:
            level[i] = close
    return level


def _email(model: Model, pairs: Pairs) -> Numbers:
    """The same box, one mistyped, or two boxes."""
    level = _plain(model, pairs, "email")
    left, right = pairs.texts("email")
    close = model.number("email", "close")
    apart = np.flatnonzero(level == model.number("email", "different")).tolist()
    far = _distances([left[i] for i in apart], [right[i] for i in apart], at_most=8)
    for i, distance in zip(apart, far, strict=True):
        a, b = left[i], right[i]
        # Short ones (jo@, jon@) are neighbours by chance, and so are j.s@ and k.t@.
        if distance <= _EMAIL_SLIPS * max(len(a), len(b)) and min(len(a), len(b)) >= 12:
            box, other = a.partition("@")[0], b.partition("@")[0]
            if OSA.normalized_distance(box, other) <= _BOX_SLIPS:
                level[i] = close
    return level


def _distances(left: list[str], right: list[str], *, at_most: int) -> list[int]:
    """How many slips lie between two columns; if more than `at_most`, anything more."""
    if not left:
        return []
    found: list[int] = process.cpdist(
        left, right, scorer=OSA.distance, score_cutoff=at_most, dtype=np.int32
    ).tolist()
    return found


def _given(model: Model, lexicon: Lexicon, pairs: Pairs) -> Numbers:
    numbers = {level.name: model.number("given", level.name)
               for level in model.levels["given"]}  # fmt: skip
    both, same = pairs.agree("given")
    out = np.where(same, numbers["same"], MISSING).astype(np.int8)
    left, right = pairs.texts("given")
    ours, theirs = pairs.texts("others")
    several = [bool(a or b) for a, b in zip(ours, theirs, strict=True)]
    more = np.array(several, dtype=np.bool_)
    for i in np.flatnonzero(both & ~same & ~more).tolist():
        out[i] = numbers[words_level(lexicon, left[i], right[i])]
    for i in np.flatnonzero(both & more).tolist():
        out[i] = numbers[given_level(lexicon, pairs.left[i], pairs.right[i])]
    return out


def _surname(model: Model, lexicon: Lexicon, pairs: Pairs) -> Numbers:
    numbers = {level.name: model.number("surname", level.name)
               for level in model.levels["surname"]} | {"": MISSING}  # fmt: skip
    left, right = pairs.texts("surname")
    both, same = pairs.agree("surname")
    out = np.where(same, numbers["same"], MISSING).astype(np.int8)
    for i in np.flatnonzero(both & ~same).tolist():
        out[i] = numbers[surname_level(lexicon, left[i], right[i])]
    return out


def _swapped(model: Model, pairs: Pairs, given: Numbers, surname: Numbers) -> Numbers:
    """Given name and surname in each other's column, and not merely alike."""
    out = np.zeros(len(pairs.left), dtype=np.int8)
    agree = np.isin(given, [model.number("given", n) for n in _TELLING_GIVEN])
    agree |= np.isin(surname, [model.number("surname", n) for n in _TELLING_SURNAME])
    doubtful = np.flatnonzero(~agree)
    first = (
        [whole_given(f) if f.others else f.given for f in pairs.left],
        [whole_given(f) if f.others else f.given for f in pairs.right],
    )
    last = (
        [whole_surname(f) if " " in f.surname else f.surname for f in pairs.left],
        [whole_surname(f) if " " in f.surname else f.surname for f in pairs.right],
    )
    found = crosswise(first, last, doubtful)
    for mask, name in zip(found, ("yes", "close", "half"), strict=True):
        out[doubtful[mask]] = model.number("swapped", name)
    return out


def reordered(lexicon: Lexicon, pairs: Pairs) -> Mask:
    """Where the same three or more names stand in another order (patronymics)."""
    ours, theirs = pairs.texts("others")
    last, _ = pairs.texts("surname")
    out = np.zeros(len(pairs.left), dtype=np.bool_)
    for i, more in enumerate(zip(ours, theirs, last, strict=True)):
        # Three names need a middle one, or a surname of two words.
        if more[0] or more[1] or " " in more[2]:
            out[i] = is_reordered(lexicon, pairs.left[i], pairs.right[i])
    return out


def _ints(values: Sequence[Any]) -> npt.NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


def _born(model: Model, pairs: Pairs) -> Numbers:
    a, b = _ints([f.born for f in pairs.left]), _ints([f.born for f in pairs.right])
    ya, yb = a // 10000, b // 10000
    ma, mb, da, db = a // 100 % 100, b // 100 % 100, a % 100, b % 100
    digits_a = _digits(a)
    digits_b = _digits(b)
    differing = (digits_a != digits_b).sum(axis=1)
    crossed = (digits_a[:, :-1] == digits_b[:, 1:]) & (
        digits_a[:, 1:] == digits_b[:, :-1]
    )
    moved = digits_a[:, :-1] != digits_b[:, :-1]
    crossed &= moved
    in_year = (differing == 2) & crossed[:, :4].any(axis=1)
    in_day = (differing == 2) & crossed[:, 4:].any(axis=1)
    same_parts = (ya == yb).astype(int) + (ma == mb) + (da == db)
    far = np.abs(ya - yb) >= model.limits.generation_years
    new_year = (a == b) & (ma == 1) & (da == 1)
    rules = [
        (new_year, "new_year"),
        (a == b, "same"),
        ((ya == yb) & (ma == db) & (da == mb), "swapped"),
        (in_year, "year_transposed"),
        (in_day, "transposed"),
        (differing == 1, "digit"),
        (((same_parts == 2) & ~far) | (days_apart(pairs) == 1), "near"),
        ((differing == 2) & ~far, "two_digits"),
        (ya == yb, "year"),
        (far & (same_parts < 2), "generation"),
    ]
    level = np.select(
        [rule for rule, _ in rules],
        [model.number("born", name) for _, name in rules],
        # Day and month kept over a generation is a slip of the pen or a coincidence.
        model.number("born", "different"),
    )
    return np.where((a > 0) & (b > 0), level, MISSING).astype(np.int8)


def _digits(dates: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Eight digits of each date, one column a digit."""
    powers = 10 ** np.arange(7, -1, -1)
    return dates[:, None] // powers % 10


def years_apart(pairs: Pairs) -> npt.NDArray[np.int64]:
    """How many years lie between the births; 0 where one is unknown."""
    a, b = _ints([f.born for f in pairs.left]), _ints([f.born for f in pairs.right])
    return np.where((a > 0) & (b > 0), np.abs(a // 10000 - b // 10000), 0)


def days_apart(pairs: Pairs) -> npt.NDArray[np.int64]:
    """How many days lie between the births; 0 where one is unknown."""
    a, b = _ints([f.born for f in pairs.left]), _ints([f.born for f in pairs.right])
    apart = np.abs(_days(a) - _days(b))
    return np.where((a > 0) & (b > 0), apart, 0)


def _days(dates: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Dates as yyyymmdd, as days since long ago; March begins the year."""
    month = dates // 100 % 100
    year = dates // 10000 - (month < 3)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + dates % 100
    return year * 365 + year // 4 - year // 100 + year // 400 + day_of_year


def _home(model: Model, pairs: Pairs) -> Numbers:
    out = np.zeros(len(pairs.left), dtype=np.int8)
    number = {
        level.name: model.number("home", level.name) for level in model.levels["home"]
    }
    away, outcode = number["different"], number["outcode"]
    for i, (a, b) in enumerate(zip(pairs.left, pairs.right, strict=True)):
        here, there = a.postcode, b.postcode
        if here and there and here != there and a.number != b.number and not a.uprn:
            # Most pairs: nothing but the district can be the same.
            same = here.partition(" ")[0] == there.partition(" ")[0]
            out[i] = outcode if same else away
        elif level := home_level(a, b):
            out[i] = number[level]
    return out
