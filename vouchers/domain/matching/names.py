"""Reads names as people write them, and knows which of them mean the same."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from vouchers.domain.matching import additions
from vouchers.domain.matching.sounds import heard, sound_alike

_NONE: frozenset[int] = frozenset()

#: Letters that NFKD leaves as they are, as a person without them on the keyboard types.
_LETTERS = str.maketrans(
    {
        "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae",
        "œ": "oe", "ı": "i", "ħ": "h", "ŋ": "n", "ŧ": "t", "ə": "e", "'": "",
        "’": "", "‘": "", "`": "", "´": "", "ʼ": "", "ʻ": "", "?": "", "\ufffd": "",
        # Cyrillic, as passports write it.
        "а": "a", "б": "b", "в": "v", "г": "h", "ґ": "g", "д": "d", "е": "e",
        "є": "ie", "ё": "e", "ж": "zh", "з": "z", "и": "y", "і": "i", "ї": "i",
        "й": "i", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p",
        "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "kh", "ц": "ts",
        "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e",
        "ю": "iu", "я": "ia",
        # Greek.
        "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i",
        "θ": "th", "ι": "i", "κ": "k", "λ": "l", "μ": "m", "ν": "n", "ξ": "x",
        "ο": "o", "π": "p", "ρ": "r", "σ": "s", "ς": "s", "τ": "t", "υ": "y",
        "φ": "f", "χ": "ch", "ψ": "ps", "ω": "o",
    }
)  # fmt: skip
_MARKS = re.compile("['`?]")
_NOT_LETTERS = re.compile(r"[^a-z]+")
#: Two bytes of UTF-8 that were read as two letters of a Western page.
_TWICE_ENCODED = re.compile("[ÃÂÄÅ][\u0080-\u00bf\u0152-\u0178\u2013-\u2122]")
#: A digit beside a letter of a name is the letter that looks like it.
_DIGITS = str.maketrans("01358", "oiesb")
_IN_NAMES = re.compile("[01358]")
_IN_A_WORD = re.compile(r"(?<=[a-z])[01358]|[01358](?=[a-z'’])")
#: A single word that is one of these needs a closer look.
_SPECIAL = frozenset().union(
    additions.TITLES, additions.SENIOR, additions.JUNIOR, additions.WEAK,
    additions.NOBODY, additions.AROUND_NOBODY, additions.ARTICLES, additions.PREFIXES,
)  # fmt: skip


class Name(NamedTuple):
    """A name taken apart: comparable words and what its additions say."""

    given: str
    others: str
    surname: str
    suffix: str


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """Names that mean the same, names that are known, and how common they are."""

    groups: dict[str, frozenset[int]]
    heads: tuple[str, ...]
    known: frozenset[str]
    given_share: dict[str, float]
    surname_share: dict[str, float]
    #: What may be left out in front of a name, `oluwa` of Oluwaseun, and behind it.
    fronts: tuple[str, ...] = ()
    backs: frozenset[str] = frozenset()
    #: By each group those that hold its first name: Zofia, Sophia and so Sophie.
    near: tuple[frozenset[int], ...] = ()
    #: The groups of a name by its sound: Lizzy, where Lizzie is listed.
    by_sound: dict[str, frozenset[int]] = field(default_factory=dict)
    #: Streets and places; not listed anywhere, learned of a file while it is compared.
    place_share: dict[str, float] = field(default_factory=dict)

    def equivalent(self, a: str, b: str) -> bool:
        """Are these two forms or spellings of one name?"""
        ours, theirs = _forms(self, a), _forms(self, b)
        if (
            ours
            and theirs
            and not (ours[0].isdisjoint(theirs[1]) and ours[1].isdisjoint(theirs[0]))
        ):
            return True
        if len(a) < len(b):
            a, b = b, a
        if a.startswith("abd") and b.startswith("abd"):
            return self._one_god(a, b)
        if len(a) == len(b) or len(b) < 3:
            return False
        front = a.endswith(b) and a[: -len(b)] in self.fronts
        return front or (a.startswith(b) and a[len(b) :] in self.backs)

    def _one_god(self, a: str, b: str) -> bool:
        """`abdulrahman` and `abdurrehman`: the same servant, other letters."""
        ours, theirs = heard(a)[3:], heard(b)[3:]
        if len(ours) < 3 or len(theirs) < 3:
            return False
        if ours[0] in "aeiou" and theirs[0] in "aeiou" and len(ours) == len(theirs):
            ours, theirs = ours[1:], theirs[1:]
        alike = not self.groups.get(ours, _NONE).isdisjoint(
            self.groups.get(theirs, _NONE)
        )
        return alike or sound_alike(ours, theirs)

    def shared_front(self, a: str, b: str) -> int:
        """Length of what both names begin with and families share (`oluwa`)."""
        if a[:3] != b[:3]:
            return 0
        return max(
            (
                len(front) for front in self.fronts
                if a.startswith(front) and b.startswith(front)
                and min(len(a), len(b)) - len(front) >= 3
            ), default=0,
        )  # fmt: skip

    def canonical(self, name: str) -> str:
        """Name a group by its first name where there is one, so that keys meet."""
        found = self.groups.get(name)
        return f"={self.heads[min(found)]}" if found else name

    def surname_chance(self, surname: str, rare: float) -> float:
        """How many people of a hundred bear it, as a share; of two words the rarer."""
        found = self.surname_share.get(surname)
        if found is None and " " in surname:
            # Words that are common by themselves make a common pair (Ali Hassan).
            words = [self.surname_share.get(word, rare) for word in surname.split()]
            found = min(words) / 4 if min(words) > rare else rare
        return rare if found is None else found


@lru_cache(maxsize=32_768)
def _forms(lexicon: Lexicon, name: str) -> tuple[frozenset[int], frozenset[int]] | None:
    """The groups in which a name stands, and with them those that a full name joins."""
    found = lexicon.groups.get(name) or lexicon.by_sound.get(heard(name))
    if not found:
        return None
    return found, found.union(*(lexicon.near[n] for n in found))


def parse_lexicon(text: str) -> Lexicon:
    """Read the name tables from the text of `names.toml`."""
    data = tomllib.loads(text)
    groups: dict[str, set[int]] = {}
    heads: list[str] = []
    known = set(data["known"]["given"].split())
    for kind in ("given", "surname"):
        for line in data["equivalents"][kind]:
            names = line.split()
            for name in names:
                groups.setdefault(name, set()).add(len(heads))
            heads.append(names[0])
            known.update(names if kind == "given" else ())
    given = _shares(data["common"]["given"])
    sounds: dict[str, set[int]] = {}
    for name, numbers in groups.items():
        sounds.setdefault(heard(name), set()).update(numbers)
    return Lexicon(
        {name: frozenset(numbers) for name, numbers in groups.items()},
        tuple(heads),
        frozenset(known | set(given)),
        given,
        _shares(data["common"]["surname"]),
        tuple(data["equivalents"]["fronts"].split()),
        frozenset(data["equivalents"]["backs"].split()),
        # A full name joins two groups, a short one (Alex, Harry) never does.
        tuple(frozenset(groups[head]) for head in heads),
        {sound: frozenset(numbers) for sound, numbers in sounds.items()},
    )


def _shares(table: dict[str, str]) -> dict[str, float]:
    """Turn `'0.012' = 'smith jones'` (share of people: names) round."""
    return {
        name: float(share) for share, names in table.items() for name in names.split()
    }


def fold(text: str) -> str:
    """Lower case, no accents, words of a to z with single spaces."""
    if text.isascii():
        lowered = text.lower()
        if lowered.isalpha():
            return lowered
        if _MARKS.search(lowered):
            lowered = _MARKS.sub("", lowered)
        return _NOT_LETTERS.sub(" ", lowered).strip()
    lowered = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    # The table again: NFKD uncovers letters that were hidden in ligatures and styles.
    plain = "".join(c for c in lowered if not unicodedata.combining(c))
    return _NOT_LETTERS.sub(" ", plain.casefold().translate(_LETTERS)).strip()


def _words(text: str) -> list[str]:
    """The folded words of a name, damage of encodings and scanners repaired."""
    if text.isascii() and text.isalpha():
        return [text.lower()]
    return list(_hard_words(text))


@lru_cache(maxsize=8_192)
def _hard_words(text: str) -> tuple[str, ...]:
    if not text.isascii() and _TWICE_ENCODED.search(text):
        with suppress(UnicodeError):
            text = text.encode("cp1252").decode("utf-8")
    if "&" in text or "+" in text:
        text = text.strip(" &+").replace("&", " and ").replace("+", " and ")
    if _IN_NAMES.search(text):
        text = _IN_A_WORD.sub(lambda found: found[0].translate(_DIGITS), text.lower())
    return tuple(fold(text).split())


def read_name(given_name: str, family_name: str) -> Name:
    """Take a given and a family name apart into what can be compared."""
    given, family = _words(given_name), _words(family_name)
    if len(given) == 1 and len(family) == 1:
        # Most names need nothing.
        first, last = given[0], family[0]
        if (
            first not in _SPECIAL and last not in _SPECIAL and len(first) > 1
            and first[-3:] not in ("hai", "ben")
        ):  # fmt: skip
            return Name(first, "", last, "")
    return _take_apart(given, family, family_name)


def _take_apart(given: list[str], family: list[str], written: str) -> Name:
    """What is behind names of several words, titles, or no name at all."""
    mark = ""
    if not additions.BESIDE.isdisjoint(given + family):
        mark = additions.suffix(given[1:] + family[1:])
        given, family = additions.without(given), additions.without(family)
        if additions.is_nobody(family):
            family = []
            given = [] if additions.is_around_nobody(given) else given
        if additions.is_nobody(given) or additions.AND in given:
            # `Mr and Mrs` is nobody in particular, `John and Ava` is two people.
            given = []
    if not given and len(family) > 1:
        given, family = _split_family(family, written)
    elif not family and len(given) > 1:
        cut = _surname_at(given)
        given, family = given[:cut], given[cut:]
    elif len(given) > len(family) and given[len(given) - len(family) :] == family:
        given = given[: len(given) - len(family)]
    elif len(family) > len(given) > 0 and family[: len(given)] == given:
        family = family[len(given) :]
    given, surname = _given_words(given), additions.joined(family)
    if len(surname) > 1:
        surname = [word for word in surname if word not in additions.WEAK] or surname
    first, others = (given[0], given[1:]) if given else ("", [])
    return Name(first, " ".join(others), " ".join(surname), mark)


def _split_family(family: list[str], written: str) -> tuple[list[str], list[str]]:
    """`Patterson, Sarah` or `Sarah Patterson` in the surname's column."""
    before, comma, _ = written.partition(",")
    if comma and 0 < (cut := len(_words(before))) < len(family):
        return family[cut:], family[:cut]
    return family[:1], family[1:]


def _surname_at(words: list[str]) -> int:
    """Where the surname begins in a whole name: its last word and articles before."""
    cut = len(words) - 1
    while cut > 1 and words[cut - 1] in additions.ARTICLES | additions.PREFIXES:
        cut -= 1
    return cut


def _given_words(given: list[str]) -> list[str]:
    """Given names, the one that somebody is called by in front."""
    words = additions.joined(given)
    if not additions.WEAK.isdisjoint(words):
        words = [word for word in words if word not in additions.WEAK] or words
    words = [additions.bare(word) for word in words]
    if len(words) > 1 and (
        words[0] in additions.CALLED_BY_THE_NEXT
        or (len(words[0]) == 1 and len(words[1]) > 1)
    ):
        # Half the men of a family may be Mohammed: Mohammed Bilal is called Bilal.
        words = [*words[1:], words[0]]
    return words


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
