"""Tells how a name sounds, whoever wrote it down: one spelling for many of the same.

Two strengths: `heard` joins what any reader takes for one name (Yusuf, Yousuf),
`guessed` what is one name carried over from another alphabet (Hryhorii, Grigory).
"""

from __future__ import annotations

import re
from functools import lru_cache

_CACHED = 32_768
#: Letters together that stand for one sound, longest first; Polish, German, English,
#: Arabic and Slavic habits of writing it.
_TOGETHER = {
    "szcz": "sh", "shch": "sh", "tsch": "ch", "sch": "sh", "sh": "sh", "sz": "sh",
    "cz": "ch", "tch": "ch", "ch": "ch", "rz": "zh", "zh": "zh", "dj": "j", "dzh": "j",
    "tz": "ts", "hs": "ks",
    "kh": "h", "gh": "g", "ph": "f", "th": "t", "dh": "d", "bh": "b",
    "ck": "k", "qu": "k", "q": "k", "x": "ks", "w": "v", "ce": "se", "ci": "si",
    "cy": "si", "c": "k", "eau": "o", "aa": "a", "ee": "i", "ie": "i", "ii": "i",
    "iy": "i", "yi": "i", "yy": "i", "ij": "i", "y": "i", "oo": "u", "ou": "u",
    "uu": "u", "oe": "o", "ue": "u", "ae": "a", "ai": "e", "ay": "e", "ei": "e",
    "ey": "e",
}  # fmt: skip
_SOUND = re.compile("|".join(sorted(_TOGETHER, key=len, reverse=True)))
_TWICE = re.compile(r"(.)\1+")
_ABD = re.compile(
    r"^c?abd(?:[aeiou]{0,2}(?:l|r(?=r)|s(?=s)|sh(?=sh)|z(?=z)|n(?=n)|d(?=d)|t(?=t))"
    r"|[aeou]{0,2}|i(?=[rsn]))(?=..)"
)
_LOOSER = str.maketrans("eioupzgyj", "iiuubshii")
#: What a scanner, or an eye, takes for one letter.
_LOOKS = (("rn", "m"), ("cl", "d"), ("vv", "w"), ("li", "h"), ("ii", "u"), ("nn", "m"))
#: How a woman's surname ends where a man's ends otherwise; '' ends with nothing.
_ENDINGS = (
    ("ska", "ski"), ("skaia", "ski"), ("skaya", "ski"), ("skaja", "ski"),
    ("sky", "ski"), ("skyi", "ski"), ("skyy", "ski"), ("skiy", "ski"), ("skyj", "ski"),
    ("cka", "cki"), ("dzka", "dzki"), ("tska", "cki"), ("tskyi", "cki"),
    ("ova", "ov"), ("ova", ""), ("owa", "ow"), ("owa", ""), ("eva", "ev"),
    ("ewa", "ew"), ("yeva", "ev"), ("yev", "ev"), ("iev", "ev"), ("ieva", "ev"),
    ("off", "ov"), ("eff", "ev"), ("ina", "in"), ("aya", "y"), ("aia", "y"),
    ("iene", ""), ("ene", ""), ("aite", ""), ("yte", ""), ("ute", ""), ("as", ""),
    ("is", ""), ("us", ""), ("ys", ""), ("ou", "os"), ("dottir", "son"),
)  # fmt: skip
_ENDS = tuple(ending for ending, _ in _ENDINGS)
#: Articles and 'son of' that stand in front of a surname, joined to it or left out.
_FRONTS = (
    "abdul", "abdel", "vande", "vander", "della", "delos", "dela", "del", "dos", "das",
    "von", "van", "mac", "bin", "ibn", "ben", "ait", "al", "el", "ul", "as", "ar", "an",
    "de", "da", "di", "do", "du", "le", "la", "mc", "ap", "ab", "o", "m",
)  # fmt: skip


@lru_cache(maxsize=_CACHED)
def heard(word: str) -> str:
    """A folded word as it is heard: doubled letters and habits of spelling apart."""
    text = _ABD.sub("abd", word)
    text = _SOUND.sub(lambda found: _TOGETHER[found[0]], text)
    return _TWICE.sub(r"\1", text)


@lru_cache(maxsize=_CACHED)
def guessed(word: str) -> str:
    """A folded word as it may be heard by somebody of another language."""
    text = heard(word)
    if len(text) > 3 and text[-1] in "he":
        text = text[:-1]
    return _TWICE.sub(r"\1", text.translate(_LOOSER))


def sound_alike(a: str, b: str) -> bool:
    """Is one the other as carried over from another alphabet or language?"""
    ours, theirs = guessed(a), guessed(b)
    if min(len(ours), len(theirs)) < 3:
        return False
    if ours == theirs:
        return True
    if "zh" in a + b and "j" in a + b:
        # Zhanna is Janna to a Frenchman, and Jouk is Zhuk.
        return guessed(a.replace("zh", "j")) == guessed(b.replace("zh", "j"))
    return ("x" in a + b or "c" in (a[0], b[0])) and not _somali(a).isdisjoint(
        _somali(b)
    )


def _somali(word: str) -> set[str]:
    """Somali writes `c` for a sound that others leave out, and `x` for `h`."""
    bare = word.replace("x", "h")
    if bare[0] == "c" and bare[1:2] in ("a", "u", "i"):
        return {guessed(word), guessed(bare), guessed(bare[1:])}
    return {guessed(word), guessed(bare)}


def look_alike(a: str, b: str) -> bool:
    """Are they one word to a scanner?"""
    return _seen(a) == _seen(b)


@lru_cache(maxsize=_CACHED)
def _seen(word: str) -> str:
    for letters, letter in _LOOKS:
        word = word.replace(letters, letter)
    return word


def family_stems(surname: str) -> frozenset[str]:
    """A surname without what makes it a woman's or a man's, by its sound."""
    stems = {heard(surname)}
    if surname.endswith(_ENDS):
        stems.update(
            heard(surname[: -len(ending)] + other)
            for ending, other in _ENDINGS
            if surname.endswith(ending) and len(surname) - len(ending) >= 3
        )
    return frozenset(stems)


def without_front(surname: str) -> frozenset[str]:
    """A surname's sounds with and without an article in front."""
    found = {heard(surname)}
    if surname.startswith(_FRONTS):
        found.update(
            heard(surname[len(front) :])
            for front in _FRONTS
            if surname.startswith(front) and len(surname) - len(front) >= 4
        )
    return frozenset(found)


@lru_cache(maxsize=_CACHED)
def family_sounds(surname: str) -> tuple[frozenset[str], frozenset[str]]:
    """By what a surname is one with another: its stems, and what an article leaves."""
    return family_stems(surname), without_front(surname)
