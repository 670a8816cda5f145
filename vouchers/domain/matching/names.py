"""Reads names as people write them: accents, titles, articles, Snr and Jnr."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from typing import NamedTuple

#: Letters that NFKD leaves as they are, as a person without them on the keyboard types.
_LETTERS = str.maketrans(
    {
        "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae",
        "œ": "oe", "ı": "i", "ħ": "h", "ŋ": "n", "ŧ": "t", "ə": "e", "'": "",
        "’": "", "‘": "", "`": "", "ʼ": "", ".": "",
    }
)  # fmt: skip
_NOT_LETTERS = re.compile(r"[^a-z]+")
_TITLES = (
    "mr mrs ms miss mx master dr prof professor rev revd reverend sir lady lord dame "
    "fr sr sister brother hajji haji hajja"
)
_HONORIFICS = frozenset(_TITLES.split())
_SENIOR = frozenset({"snr", "senior", "sen"})
_JUNIOR = frozenset({"jnr", "junior", "jun", "jr", "ii", "iii", "jnior"})
_LINKS = (
    "al el ul ap ab ibn bin bint ben de del della da di do dos la le van von der den "
    "ter ten st y e"
)
#: Words that belong to a name's grammar and are left out or joined at will.
_ARTICLES = frozenset(_LINKS.split())
_PREFIXES = frozenset({"mc", "mac", "o"})
_WOMAN_OR_MAN = "kaur singh begum bibi khatun khatoon khanum khanam banu bano sultana"
#: Given to most people of a community; they say 'woman' or 'man', not which family.
NON_SURNAMES = frozenset(_WOMAN_OR_MAN.split())


class Name(NamedTuple):
    """A name taken apart: comparable words and what its additions say."""

    given: str
    others: str
    surname: str
    suffix: str


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Names that mean the same, names that are known, and how common they are."""

    groups: dict[str, frozenset[int]]
    known: frozenset[str]
    given_share: dict[str, float]
    surname_share: dict[str, float]

    def equivalent(self, a: str, b: str) -> bool:
        """Are these two forms or spellings of one name?"""
        return not self.groups.get(a, frozenset()).isdisjoint(
            self.groups.get(b, frozenset())
        )

    def canonical(self, name: str) -> str:
        """Name a group by its number where there is one, so that keys meet."""
        found = self.groups.get(name)
        return f"={min(found)}" if found else name


def parse_lexicon(text: str) -> Lexicon:
    """Read the name tables from the text of `names.toml`."""
    data = tomllib.loads(text)
    groups: dict[str, set[int]] = {}
    for number, line in enumerate(data["equivalents"]["groups"]):
        for name in line.split():
            groups.setdefault(name, set()).add(number)
    given = _shares(data["common"]["given"])
    surnames = _shares(data["common"]["surname"])
    known = frozenset(data["known"]["given"].split()) | frozenset(given) | set(groups)
    return Lexicon(
        {name: frozenset(numbers) for name, numbers in groups.items()},
        frozenset(known),
        given,
        surnames,
    )


def _shares(table: dict[str, str]) -> dict[str, float]:
    """Turn `'0.012' = 'smith jones'` (share of people: names) round."""
    return {
        name: float(share) for share, names in table.items() for name in names.split()
    }


def fold(text: str) -> str:
    """Lower case, no accents, words of a to z with single spaces."""
    lowered = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    # The table again: NFKD uncovers letters that were hidden in ligatures and styles.
    plain = "".join(c for c in lowered if not unicodedata.combining(c))
    return _NOT_LETTERS.sub(" ", plain.casefold().translate(_LETTERS)).strip()


def read_name(given_name: str, family_name: str) -> Name:
    """Take a given and a family name apart into what can be compared."""
    given, family = fold(given_name).split(), fold(family_name).split()
    suffix = _suffix(given[1:] + family[1:])
    given = _without_additions(given)
    family = _without_additions(family)
    first = [word for word in given if word not in NON_SURNAMES] or given
    surname = [word for word in _joined(family) if word not in NON_SURNAMES]
    return Name(
        first[0] if first else "", " ".join(first[1:]), " ".join(surname), suffix
    )


def _suffix(words: list[str]) -> str:
    """`s` for Snr, `j` for Jnr, nothing otherwise."""
    if any(word in _SENIOR for word in words):
        return "s"
    return "j" if any(word in _JUNIOR for word in words) else ""


def _without_additions(words: list[str]) -> list[str]:
    """Leave out titles in front and Snr or Jnr behind, but never the whole name."""
    rest = list(words)
    while len(rest) > 1 and rest[0] in _HONORIFICS:
        rest.pop(0)
    while len(rest) > 1 and (rest[-1] in _SENIOR or rest[-1] in _JUNIOR):
        rest.pop()
    return rest


def _joined(words: list[str]) -> list[str]:
    """Join `mc donald` and drop articles while a name remains."""
    out: list[str] = []
    prefix = ""
    for word in words:
        if word in _PREFIXES:
            prefix += word
        else:
            out.append(prefix + word)
            prefix = ""
    if prefix:
        out.append(prefix)
    return [word for word in out if word not in _ARTICLES] or out


_SOUNDS = str.maketrans("bfpvcgjkqsxzdtlmnr", "111122222222334556")


def soundex(word: str) -> str:
    """American Soundex of a folded word: one letter, three digits."""
    letters = word.replace(" ", "")
    if not letters:
        return ""
    code, last = "", letters[0].translate(_SOUNDS)
    for letter in letters[1:]:
        digit = letter.translate(_SOUNDS)
        if digit.isdigit():
            if digit != last:
                code += digit
            last = digit
        elif letter not in "hw":
            last = ""
    return (letters[0] + code + "000")[:4]
