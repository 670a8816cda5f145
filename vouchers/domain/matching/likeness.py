"""Judges two people's names: one name, one name written otherwise, or two names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rapidfuzz.distance import OSA, JaroWinkler

from vouchers.domain.matching import additions
from vouchers.domain.matching.features import Features
from vouchers.domain.matching.names import Lexicon
from vouchers.domain.matching.sounds import (
    family_sounds,
    guessed,
    heard,
    look_alike,
    sound_alike,
)

_LIKE_LETTERS = (
    "bh br bd ce cg co do ef fp ft gq hn ij il it jl kx mn nu oq pr pb rn sz uv vw vy "
    "wm iy ck kc sc bp dt gj td ae ei ao ou mw hb"
)
#: Letters that a hurried reader, a scanner or a form takes for each other.
_CONFUSED = frozenset(frozenset(pair) for pair in _LIKE_LETTERS.split())
#: Jaro-Winkler: from here on two words may be one, mistyped.
_NEAR = 0.90
#: Less alike than this no rule but a table finds anything in two words.
_UNLIKE = 0.45
#: Two letters of a short surname that changed places leave no more than 0.55.
_UNLIKE_SURNAMES = 0.5
#: What makes a woman's name of a man's; twins are often named so.
_OTHER_SEX = ("a", "e", "ia", "ya", "ina", "ela", "ella", "elle", "ette", "iya", "eea")
#: Pairs of words whose judgement is kept; names repeat.
_KEPT = 131_072
#: Words of so many letters may hold two slips.
_LONG = 8


def given_level(lexicon: Lexicon, left: Features, right: Features) -> str:
    """How far the given names of two people agree, none of them empty."""
    a, b = left.given, right.given
    if not (left.others or right.others):
        return "same" if a == b else words_level(lexicon, a, b)
    ours, theirs = left.others.split(), right.others.split()
    if a == b:
        return "middle" if _conflict(lexicon, ours, theirs) else "same"
    together = "".join((a, *ours)), "".join((b, *theirs))
    if abs(len(together[0]) - len(together[1])) <= 2 and (
        heard(together[0]) == heard(together[1]) or _one_slip(*together)
    ):
        # `Xiao Ming` and `Xiaoming`, `Anne-Marie` and `Annmarie`.
        return "equivalent"
    level = words_level(lexicon, a, b)
    if level in ("equivalent", "close"):
        return "middle" if _conflict(lexicon, ours, theirs) else level
    if _share(lexicon, [a, *ours], [b, *theirs]):
        return "shared"
    return level


def _conflict(lexicon: Lexicon, ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Have both a middle name, and none that fits?"""
    ours = [w for w in ours if w not in additions.CALLED_BY_THE_NEXT]
    theirs = [w for w in theirs if w not in additions.CALLED_BY_THE_NEXT]
    if not ours or not theirs:
        return False
    return not any(
        a == b or words_level(lexicon, a, b) in ("equivalent", "close", "initial")
        for a in ours
        for b in theirs
    )


def _share(lexicon: Lexicon, ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Somebody known by a middle name: `Anna Maria` and `Maria`."""
    return any(
        len(a) > 2
        and len(b) > 2
        and (a == b or words_level(lexicon, a, b) in ("equivalent", "close"))
        for n, a in enumerate(ours)
        for m, b in enumerate(theirs)
        # Two middle names in common (Rose, Maria) say little: one must be in front.
        if n == 0 or m == 0
    )


@lru_cache(maxsize=_KEPT)
def words_level(lexicon: Lexicon, a: str, b: str) -> str:
    """How far two different given names of one word agree."""
    if lexicon.equivalent(a, b):
        return "equivalent"
    if len(a) == 1 or len(b) == 1:
        return "initial" if a[0] == b[0] else "different"
    front = lexicon.shared_front(a, b)
    if front:
        # Half of a Yoruba or Arabic family's names begin alike: what follows tells.
        a, b = a[front:], b[front:]
    alike = JaroWinkler.normalized_similarity(a, b)
    if alike < _UNLIKE:
        return "different"
    if heard(a) == heard(b):
        return "close"
    both_known = a in lexicon.known and b in lexicon.known
    if not both_known and sound_alike(a, b):
        return "close"
    return _misread(a, b, alike, lexicon)


def _misread(a: str, b: str, alike: float, lexicon: Lexicon) -> str:
    """Is `b` a damaged `a`, or simply another name that looks like it?"""
    known = (a in lexicon.known) + (b in lexicon.known)
    if known < 2 and look_alike(a, b):
        return "close"
    if known < 2 and _cut_short(a, b):
        return "shared"
    if not _one_slip(a, b) and alike < _NEAR:
        return "different"
    if known == 2 or _of_both_sexes(lexicon, a, b):
        return "rhyme"
    if not _one_slip(a, b) and min(len(a), len(b)) < _LONG:
        # Two letters of a short name are rather another name: Lakshmi, Lakshman.
        return "rhyme"
    if a[0] == b[0] or frozenset((a[0], b[0])) in _CONFUSED:
        return "close"
    # Another first letter makes another name more often than it makes a slip.
    return "close" if a[0] in b[:2] or b[0] in a[:2] else "rhyme"


def _one_slip(a: str, b: str) -> bool:
    """One letter more, less, other, or two that changed places."""
    return min(len(a), len(b)) >= 3 and OSA.distance(a, b, score_cutoff=1) <= 1


def _of_both_sexes(lexicon: Lexicon, a: str, b: str) -> bool:
    """Samir and Samira: hardly a slip, but often brother and sister."""
    if len(a) > len(b):
        a, b = b, a
    if b in lexicon.known and a not in lexicon.known:
        # `Sandr` is no name.
        return False
    return b.startswith(a) and b[len(a) :] in _OTHER_SEX


def _cut_short(a: str, b: str) -> bool:
    """`Somto` of Somtochukwu: long names are called by their beginning."""
    if len(a) > len(b):
        a, b = b, a
    return len(a) >= 4 and len(b) - len(a) >= 4 and b.startswith(a)


@lru_cache(maxsize=_KEPT)
def surname_level(lexicon: Lexicon, a: str, b: str) -> str:
    """How far two different surnames agree; '' where one is no family's name."""
    if a in additions.WEAK or b in additions.WEAK:
        return ""
    if lexicon.equivalent(a, b):
        return "variant"
    alike = JaroWinkler.normalized_similarity(a, b)
    if " " not in a and " " not in b:
        if alike < _UNLIKE_SURNAMES and not (a.endswith(b) or b.endswith(a)):
            # Most pairs: nothing below would find anything in them.
            return "different"
        plain_a, plain_b, ours, theirs = a, b, [a], [b]
    else:
        plain_a, plain_b = a.replace(" ", ""), b.replace(" ", "")
        ours, theirs = a.split(), b.split()
    if (
        plain_a == plain_b
        or sorted(ours) == sorted(theirs)
        or _one_house(plain_a, plain_b)
    ):
        return "variant"
    if _one_slip(a, b) or look_alike(plain_a, plain_b) or sound_alike(plain_a, plain_b):
        return "close"
    if len(ours) + len(theirs) > 2 and any(
        _one_family(lexicon, x, y) for x in ours for y in theirs
    ):
        return "part"
    if _begins_or_ends(plain_a, plain_b):
        return "part"
    return "close" if alike >= _NEAR or _same_frame(a, b, alike) else "different"


def _one_house(a: str, b: str) -> bool:
    """The same sound but for an article in front or a woman's ending behind."""
    (stems_a, bare_a), (stems_b, bare_b) = family_sounds(a), family_sounds(b)
    return not (stems_a.isdisjoint(stems_b) and bare_a.isdisjoint(bare_b))


def man_and_woman(a: str, b: str) -> bool:
    """Singh beside Kaur: two surnames that say no more than the sex."""
    weak = a in additions.WEAK and b in additions.WEAK
    return weak and (a in additions.WEAK_OF_MEN) != (b in additions.WEAK_OF_MEN)


def _one_family(lexicon: Lexicon, a: str, b: str) -> bool:
    """Two words of double surnames that are one."""
    if min(len(a), len(b)) <= 2:
        return False
    if a == b or lexicon.equivalent(a, b):
        return True
    return min(len(a), len(b)) >= 5 and (_one_slip(a, b) or guessed(a) == guessed(b))


def _begins_or_ends(a: str, b: str) -> bool:
    """`taylorreed` is Taylor's and Reed's: a double name without its hyphen."""
    if len(a) < len(b):
        a, b = b, a
    return len(b) >= 4 and len(a) - len(b) >= 4 and (a.startswith(b) or a.endswith(b))


def _same_frame(a: str, b: str, alike: float) -> bool:
    """The same consonants in the same order: vowels suffer most in foreign ears."""
    ours, theirs = _frame(a), _frame(b)
    return alike >= 0.8 and len(ours) >= 3 and ours == theirs


@lru_cache(maxsize=32_768)
def _frame(word: str) -> str:
    text = guessed(word)
    return text[:1] + "".join(c for c in text[1:] if c not in "aiu")


def whole_given(person: Features) -> str:
    """All given names as one word, in the order of the alphabet."""
    return "".join(sorted([person.given, *person.others.split()]))


def whole_surname(person: Features) -> str:
    """All surnames as one word, in the order of the alphabet."""
    return "".join(sorted(person.surname.split()))


def _orders(person: Features) -> list[list[str]]:
    """The whole name as it may have been written: a Mohammed in front again."""
    given = [person.given, *person.others.split()] if person.given else []
    surname = person.surname.split()
    found = [[*given, *surname]]
    if len(given) > 1 and (
        given[-1] in additions.CALLED_BY_THE_NEXT or len(given[-1]) == 1
    ):
        found.append([given[-1], *given[:-1], *surname])
    return found


def is_reordered(lexicon: Lexicon, left: Features, right: Features) -> bool:
    """Do the same three or more names stand in another order (patronymics)?"""
    if not (left.others or right.others or " " in left.surname):
        return False
    if left[:3] == right[:3]:
        return False
    orders, others = _orders(left), _orders(right)
    ours, theirs = orders[0], others[0]
    if len(ours) < 3 or sorted(ours) != sorted(theirs):
        return False
    if any(order in others for order in orders):
        return False
    moved = [a for a, b in zip(ours, theirs, strict=True) if a != b]
    # The halves of a family's double name may change places; fathers' names do not.
    patronymic = any(word in lexicon.known for word in moved)
    return patronymic and whole_given(left) != whole_surname(right)
