"""Weighs agreements: how likely a pair is one person, one household, or neither."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntFlag

import numpy as np
import numpy.typing as npt

from vouchers.domain.matching.levels import (
    Mask,
    Numbers,
    Pairs,
    compare,
    days_apart,
    reordered,
    years_apart,
)
from vouchers.domain.matching.likeness import man_and_woman
from vouchers.domain.matching.model import FIELDS, MISSING, Model
from vouchers.domain.matching.names import Lexicon

Floats = npt.NDArray[np.float64]
#: Where a field agrees at one of these levels.
At = Callable[..., Mask]


class Guard(IntFlag):
    """Why a machine must not decide, however well the numbers look."""

    NONE = 0
    TWINS = 1  #: born the same day in the same home, given names unlike
    GENERATION = 2  #: same names and home, births a generation apart
    NO_BIRTH = 4  #: no birth date, and only what a household shares
    INITIAL = 8  #: only an initial of a given name
    SUFFIX = 16  #: one of them is Snr or Jnr
    MANY_EDITS = 32  #: three or more fields agree only roughly
    MOVED_AND_RENAMED = 64  #: new surname and new home; only a phone remains
    REORDERED = 128  #: the same names in another order
    TRANSPOSED = 256  #: digits of the year of birth changed places
    NO_GIVEN = 512  #: no given name on one side
    NAMESAKE = 1024  #: another home, and nothing but names and a birth date like hers
    NEW_YEAR = 2048  #: born on 1 January, and nothing but names and that in common
    MAN_AND_WOMAN = 4096  #: one given name, Singh beside Kaur


#: What a reviewer reads of each guard.
GUARD_WORDS: dict[Guard, str] = {
    Guard.TWINS: "born the same day at the same home: twins?",
    Guard.GENERATION: "same names, births a generation apart: parent and child?",
    Guard.NO_BIRTH: "no date of birth to tell members of a family apart",
    Guard.INITIAL: "only an initial: it fits more than one person",
    Guard.SUFFIX: "one of the two is Senior or Junior",
    Guard.MANY_EDITS: "many fields agree only roughly",
    Guard.MOVED_AND_RENAMED: "both surname and address changed",
    Guard.REORDERED: "the same names in another order: relatives?",
    Guard.TRANSPOSED: "digits of the year of birth changed places",
    Guard.NAMESAKE: "another home, no phone or email in common: a namesake?",
    Guard.NEW_YEAR: "1 January often stands for a birth date that nobody knew",
    Guard.MAN_AND_WOMAN: "a man's name beside a woman's: husband and wife?",
    Guard.NO_GIVEN: "no given name to tell members of a family apart",
}

#: Guards that call a person even where the numbers say 'someone else'.
ALWAYS = Guard.TWINS | Guard.REORDERED | Guard.SUFFIX | Guard.INITIAL


@dataclass(frozen=True, slots=True)
class Scores:
    """For each pair: two probabilities, the level of every field, and guards."""

    person: Floats
    household: Floats
    levels: dict[str, Numbers]
    guards: npt.NDArray[np.int16]
    #: Pairs that a person must see even below the review threshold.
    must_see: Mask

    def parts(self, model: Model, i: int) -> list[list[str | float]]:
        """Pair i as [field, level, weight in favour of 'same person']."""
        found: list[list[str | float]] = []
        for field in FIELDS:
            level = int(self.levels[field][i])
            if level != MISSING:
                row = model.tables[field][level]
                weight = round(float(row[0] - max(row[1], row[2])), 2)
                found.append([field, model.levels[field][level - 1].name, weight])
        return found


def score(
    model: Model, lexicon: Lexicon, pairs: Pairs, *, registry_size: int
) -> Scores:
    """Score all pairs against a registry of `registry_size` residents."""
    levels = compare(model, lexicon, pairs)
    credit = rarity(model, lexicon, pairs, levels)
    chances = weigh(model, levels, credit, registry_size=registry_size)
    return judge(model, lexicon, pairs, levels, chances)


def weigh(
    model: Model, levels: dict[str, Numbers], credit: Floats, *, registry_size: int
) -> Floats:
    """Chances of the three classes for each pair, one column a class."""
    logs = np.tile(model.log_priors(registry_size), (len(credit), 1))
    for field in FIELDS:
        logs += model.tables[field][levels[field]]
    logs[:, 2] += credit
    logs -= logs.max(axis=1, keepdims=True, initial=-np.inf) if len(logs) else 0
    chances = np.exp(logs)
    if len(chances):
        chances /= chances.sum(axis=1, keepdims=True)
    return chances


def judge(
    model: Model,
    lexicon: Lexicon,
    pairs: Pairs,
    levels: dict[str, Numbers],
    chances: Floats,
) -> Scores:
    """Set guards beside the chances of pairs that were compared before."""
    guards, must_see = _guards(model, lexicon, pairs, levels, chances)
    return Scores(chances[:, 0], chances[:, 1], levels, guards, must_see)


def rarity(
    model: Model, lexicon: Lexicon, pairs: Pairs, levels: dict[str, Numbers]
) -> Floats:
    """Log of how likely strangers agree on these names: as likely as they are common.

    A household shares its surname anyhow, and may hold two Johns: its own numbers
    stand in the model, whatever the name.
    """
    credit = np.zeros(len(pairs.left))
    limits = model.limits
    for field, level, text, shares, rare in (
        ("given", "same", "given", lexicon.given_share, limits.rare_given),
        ("surname", "same", "surname", lexicon.surname_share, limits.rare_surname),
        ("home", "area", "rest", lexicon.place_share, limits.rare_place),
    ):
        left, right = pairs.texts(text)
        same = np.flatnonzero(levels[field] == model.number(field, level))
        credit[same] += np.log(
            [max(shares.get(left[i], rare), shares.get(right[i], rare))
             for i in same.tolist()]
        )  # fmt: skip
    whole = [model.number("swapped", name) for name in ("yes", "close")]
    for i in np.flatnonzero(np.isin(levels["swapped"], whole)).tolist():
        # The commoner of the two first names, so that the pair's order does not matter.
        given = max(
            lexicon.given_share.get(person.given, model.limits.rare_given)
            for person in (pairs.left[i], pairs.right[i])
        )
        if given > model.limits.rare_given:
            # Both names are common: somebody else may well have them the other way.
            credit[i] += np.log(given / model.limits.rare_given)
    return credit


def _guards(
    model: Model,
    lexicon: Lexicon,
    pairs: Pairs,
    levels: dict[str, Numbers],
    chances: Floats,
) -> tuple[npt.NDArray[np.int16], Mask]:
    """Find pairs that a person must judge, and those beyond any threshold."""

    def at(field: str, *names: str) -> Mask:
        return np.isin(levels[field], [model.number(field, name) for name in names])

    given_same = at("given", "same", "equivalent", "close") | at(
        "swapped", "yes", "close"
    )
    surname_same = at("surname", "same", "variant", "close", "part") | at(
        "swapped", "yes", "close"
    )
    surname_open = levels["surname"] == MISSING
    home = at("home", "same", "flat_lost")
    born_same = at("born", "same", "new_year", "swapped")
    # Twins may be born on either side of midnight.
    one_birth = born_same | (days_apart(pairs) == 1)
    born_open = levels["born"] == MISSING
    born_else = at("born", "different", "year", "generation")
    contact = at("mobile", "same") | at("email", "same")
    contradicted = (at("mobile", "different") | at("email", "different")) & ~contact
    # Twins are given names alike; a slip of the pen comes with the phone she had.
    unlike = (
        at("given", "different", "rhyme", "middle")
        | (at("given", "close") & contradicted)
        | (_rhyming(pairs, at("given", "close")) & ~contact)
        | (_rhyming(pairs, at("given", "equivalent")) & contradicted)
    )
    elsewhere = at("home", "different", "outcode", "postcode", "flat_differs", "area")
    other_phone = at("mobile", "different", "close")
    reached = contact | at("meter", "same")
    together = chances[:, 0] + chances[:, 1] >= model.household
    clear = chances[:, 0] >= model.limits.names_alone
    clear &= at("given", "same") & at("surname", "same") & at("born", "same")
    rough, both_rough = _roughness(at, other_phone)
    found = {
        Guard.TWINS: one_birth & home & unlike & (surname_same | surname_open),
        Guard.GENERATION: (
            given_same & surname_same
            & (years_apart(pairs) >= model.limits.generation_years)
        ),
        Guard.NO_BIRTH: born_open & (levels["email"] != model.number("email", "same")),
        Guard.INITIAL: at("given", "initial") & surname_same & ~born_else & together,
        Guard.SUFFIX: _suffixed(pairs) & given_same & surname_same & home & ~born_else,
        # Sisters: a name like hers and a birth date like hers.
        Guard.MANY_EDITS: (rough >= 3) | both_rough,
        Guard.MOVED_AND_RENAMED: at("surname", "different") & elsewhere,
        Guard.REORDERED: reordered(lexicon, pairs) & ~born_else & (born_same | home),
        Guard.TRANSPOSED: at("born", "year_transposed"),
        # Among a hundred thousand people hundreds have the name and nearly the birth
        # date of somebody else; dozens have both.
        Guard.NAMESAKE: elsewhere & ~reached & (contradicted | other_phone | ~clear),
        Guard.NEW_YEAR: (
            at("born", "new_year") & ~reached
            & ~at("home", "same", "flat_lost", "street")
        ),
        Guard.MAN_AND_WOMAN: surname_open & _man_and_woman(pairs),
        Guard.NO_GIVEN: (levels["given"] == MISSING) & (levels["swapped"] == MISSING),
    }  # fmt: skip
    guards = np.zeros(len(pairs.left), dtype=np.int16)
    for guard, mask in found.items():
        guards |= np.where(mask, np.int16(guard), np.int16(0))
    return guards, (guards & np.int16(ALWAYS)) > 0


def _roughness(at: At, other_phone: Mask) -> tuple[Numbers, Mask]:
    """How many fields agree only roughly; whether given name and birth date both do."""
    given = at("given", "close", "shared", "rhyme", "middle")
    born = at("born", "digit", "near", "two_digits", "transposed", "year_transposed")
    rough = (
        given.astype(np.int8)
        + at("surname", "close", "part")
        + (born | at("born", "swapped"))
        + at("home", "number_close", "flat_lost", "flat_differs")
        + at("swapped", "yes", "close", "half")
        + other_phone
    )
    return rough, given & born


def _suffixed(pairs: Pairs) -> Mask:
    """Where one of the two is Snr or Jnr and the other is not."""
    return np.array(
        [bool(a.suffix or b.suffix) and a.suffix != b.suffix
         for a, b in zip(pairs.left, pairs.right, strict=True)], dtype=np.bool_
    )  # fmt: skip


def _man_and_woman(pairs: Pairs) -> Mask:
    """Where one is Singh and the other Kaur."""
    couples = zip(*pairs.texts("surname"), strict=True)
    return np.array([man_and_woman(a, b) for a, b in couples], dtype=np.bool_)


def _rhyming(pairs: Pairs, among: Mask) -> Mask:
    """Where given names differ in their first letter only: Ella and Bella."""
    out = np.zeros(len(pairs.left), dtype=np.bool_)
    for i in np.flatnonzero(among).tolist():
        a, b = sorted((pairs.left[i].given, pairs.right[i].given), key=len)
        out[i] = a[:1] != b[:1] and b[1:] in (a, a[1:])
    return out


def guard_words(guards: int) -> list[str]:
    """The sentences of all guards in a set."""
    return [words for guard, words in GUARD_WORDS.items() if guards & guard]
