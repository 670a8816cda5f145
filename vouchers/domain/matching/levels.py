"""Compares many pairs of people field by field: which level of agreement each shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler

from vouchers.domain.matching.features import Features
from vouchers.domain.matching.homes import home_level
from vouchers.domain.matching.model import MISSING, Model
from vouchers.domain.matching.names import Lexicon
from vouchers.domain.matching.swaps import crosswise

Numbers = npt.NDArray[np.int8]
Mask = npt.NDArray[np.bool_]

_LIKE_LETTERS = (
    "bh br bd ce cg co do ef fp ft gq hn ij il it jl kx mn nu oq pr pb rn sz uv vw vy "
    "wm iy ck kc sc bp dt gj td ae ei ao ou mw"
)
#: Letters that a hurried reader, a scanner or a form takes for each other.
_CONFUSED = frozenset(frozenset(pair) for pair in _LIKE_LETTERS.split())
_NEAR_NAME = 0.90
#: Less alike than this, no rule finds anything in two single words.
_UNLIKE_GIVEN = 0.7
#: Two letters of a short surname that changed places leave no more than 0.55.
_UNLIKE_SURNAME = 0.5
_LONG_EMAIL = 12
#: Where names agree in their own columns they are not swapped.
_TELLING_GIVEN = ("same", "equivalent", "shared", "initial")
_TELLING_SURNAME = ("same", "close", "part")


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
    mobile = _plain(model, pairs, "mobile")
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


def _email(model: Model, pairs: Pairs) -> Numbers:
    """The same box, one mistyped, or two boxes."""
    level = _plain(model, pairs, "email")
    left, right = pairs.texts("email")
    close = model.number("email", "close")
    for i in np.flatnonzero(level == model.number("email", "different")).tolist():
        a, b = left[i], right[i]
        # Short ones (jo@, jon@) are neighbours by chance.
        if (
            min(len(a), len(b)) >= _LONG_EMAIL
            and OSA.distance(a, b, score_cutoff=2) <= 2
        ):
            level[i] = close
    return level


def _similar(left: list[str], right: list[str]) -> npt.NDArray[np.float32]:
    if not left:
        return np.zeros(0, dtype=np.float32)
    return process.cpdist(left, right, scorer=JaroWinkler.normalized_similarity)


def _by_hand(
    pairs: Pairs,
    field: str,
    model: Model,
    judge: Callable[[int, str, str, float], str],
    hopeless: Callable[[str, str, int], bool],
    below: float,
) -> Numbers:
    """Levels of a name field: equal ones at once, the others one by one.

    Pairs less alike than `below` are looked at only where `hopeless` leaves a doubt.
    """
    left, right = pairs.texts(field)
    both, same = pairs.agree(field)
    different = model.number(field, "different")
    out = np.where(same, model.number(field, "same"), MISSING).astype(np.int8)
    alike = _similar(left, right)
    out[both & ~same] = different
    for i in np.flatnonzero(both & ~same & (alike < below)).tolist():
        if not hopeless(left[i], right[i], i):
            out[i] = model.number(field, judge(i, left[i], right[i], float(alike[i])))
    for i in np.flatnonzero(both & ~same & (alike >= below)).tolist():
        out[i] = model.number(field, judge(i, left[i], right[i], float(alike[i])))
    return out


def _given(model: Model, lexicon: Lexicon, pairs: Pairs) -> Numbers:
    def judge(i: int, a: str, b: str, alike: float) -> str:
        if lexicon.equivalent(a, b):
            return "equivalent"
        if len(a) == 1 or len(b) == 1:
            return "initial" if a[0] == b[0] else "different"
        if _share_a_name(lexicon, pairs.left[i], pairs.right[i]):
            return "shared"
        return _misread(lexicon, a, b, alike)

    groups = lexicon.groups
    others = pairs.texts("others")

    def hopeless(a: str, b: str, i: int) -> bool:
        return (
            not (others[0][i] or others[1][i])
            and (a not in groups or b not in groups)
            and len(a) > 1
            and len(b) > 1
        )

    return _by_hand(pairs, "given", model, judge, hopeless, _UNLIKE_GIVEN)


def _share_a_name(lexicon: Lexicon, left: Features, right: Features) -> bool:
    """Somebody known by a middle name: `Anna Maria` and `Maria`."""
    if not (left.others or right.others):
        return False
    ours = [left.given, *left.others.split()]
    theirs = [right.given, *right.others.split()]
    return any(
        len(a) > 1 and (a == b or lexicon.equivalent(a, b))
        for n, a in enumerate(ours)
        for m, b in enumerate(theirs)
        # Two middle names in common (Begum, Maria) say little: one must be in front.
        if n == 0 or m == 0
    )


def _misread(lexicon: Lexicon, a: str, b: str, alike: float) -> str:
    """Is `b` a damaged `a`, or simply another name that looks like it?"""
    if alike < _UNLIKE_GIVEN:
        return "different"
    one_edit = min(len(a), len(b)) >= 3 and OSA.distance(a, b, score_cutoff=1) <= 1
    if not one_edit and alike < _NEAR_NAME:
        return "different"
    if a in lexicon.known and b in lexicon.known:
        return "rhyme"
    if a[0] == b[0] or frozenset((a[0], b[0])) in _CONFUSED:
        return "close"
    # Another first letter makes another name more often than it makes a slip.
    return "close" if a[0] in b[:2] or b[0] in a[:2] else "rhyme"


def _surname(model: Model, lexicon: Lexicon, pairs: Pairs) -> Numbers:
    def judge(_i: int, a: str, b: str, alike: float) -> str:
        if lexicon.equivalent(a, b) or a.replace(" ", "") == b.replace(" ", ""):
            return "close"
        if min(len(a), len(b)) >= 3 and OSA.distance(a, b, score_cutoff=1) <= 1:
            return "close"
        if " " in a or " " in b:
            ours, theirs = set(a.split()), set(b.split())
            if any(len(word) > 2 for word in ours & theirs):
                return "part"
        return "close" if alike >= _NEAR_NAME else "different"

    groups = lexicon.groups

    def hopeless(a: str, b: str, _i: int) -> bool:
        return " " not in a and " " not in b and (a not in groups or b not in groups)

    return _by_hand(pairs, "surname", model, judge, hopeless, _UNLIKE_SURNAME)


def _swapped(model: Model, pairs: Pairs, given: Numbers, surname: Numbers) -> Numbers:
    """Given name and surname in each other's column, and not merely alike."""
    out = np.zeros(len(pairs.left), dtype=np.int8)
    agree = np.isin(given, [model.number("given", n) for n in _TELLING_GIVEN])
    agree |= np.isin(surname, [model.number("surname", n) for n in _TELLING_SURNAME])
    doubtful = np.flatnonzero(~agree)
    found = crosswise(pairs.texts("given"), pairs.texts("surname"), doubtful)
    for mask, name in zip(found, ("yes", "close", "half"), strict=True):
        out[doubtful[mask]] = model.number("swapped", name)
    return out


def reordered(pairs: Pairs) -> Mask:
    """Where the same three or more names stand in another order (patronymics)."""
    out = np.zeros(len(pairs.left), dtype=np.bool_)
    for i, (a, b) in enumerate(zip(pairs.left, pairs.right, strict=True)):
        if a[:3] == b[:3] or not (a.others or b.others or " " in a.surname):
            continue
        ours = sorted(f"{a.given} {a.others} {a.surname}".split())
        theirs = sorted(f"{b.given} {b.others} {b.surname}".split())
        out[i] = len(ours) >= 3 and ours == theirs
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
    transposed = (differing == 2) & (crossed & moved).any(axis=1)
    same_parts = (ya == yb).astype(int) + (ma == mb) + (da == db)
    far = np.abs(ya - yb) >= model.limits.generation_years
    new_year = (a == b) & (ma == 1) & (da == 1)
    rules = [
        (new_year, "new_year"),
        (a == b, "same"),
        ((ya == yb) & (ma == db) & (da == mb), "swapped"),
        (transposed, "transposed"),
        (differing == 1, "digit"),
        ((same_parts == 2) & ~far, "near"),
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
