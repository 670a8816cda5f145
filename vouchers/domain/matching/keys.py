"""Under which keys a person is found again: texts that the store hashes."""

from __future__ import annotations

from enum import IntEnum

from vouchers.domain.matching.features import Features
from vouchers.domain.matching.names import Lexicon, soundex


class KeyKind(IntEnum):
    """What a match key is made of; the number is stored beside the hash."""

    BIRTH_SURNAME = 1  #: birth date with day and month sorted, sound of the surname
    BIRTH_INITIAL = 2  #: birth date with day and month sorted, initial
    POSTCODE_INITIAL = 3  #: postcode, initial
    POSTCODE_NUMBER = 4  #: postcode, house number
    MOBILE = 5  #: the whole number
    METER = 6  #: meter point or serial number
    SOUNDS_YEAR = 7  #: sounds of both names, year of birth
    NAMES_OUTCODE = 8  #: both names in sorted order, first half of the postcode
    DWELLING = 9  #: UPRN, or postcode, flat and number
    EMAIL = 10  #: the whole address


#: Added to the kind of a protected person's keys: they meet nobody else's, by design.
PROTECTED = 32

#: A key that more residents share than this says nothing; it is ignored and counted.
STOP_WORD = 400


def match_keys(features: Features, lexicon: Lexicon) -> list[tuple[KeyKind, str]]:
    """All keys of one person; a key with a part missing is left out."""
    given, surname = features.given, features.surname
    day, initial = _sorted_birth(features.born), features.given[:1]
    sounds = "".join(sorted((soundex(given), soundex(surname))))
    names = "|".join(sorted((lexicon.canonical(given), lexicon.canonical(surname))))
    every = (
        (KeyKind.BIRTH_SURNAME, _joined(day, soundex(surname))),
        (KeyKind.BIRTH_INITIAL, _joined(day, initial)),
        (KeyKind.POSTCODE_INITIAL, _joined(features.postcode, initial)),
        (KeyKind.POSTCODE_NUMBER, _joined(features.postcode, features.number)),
        (KeyKind.MOBILE, features.mobile),
        (KeyKind.EMAIL, features.email),
        (KeyKind.METER, features.meter),
        (KeyKind.SOUNDS_YEAR, _joined(given and surname and sounds, day[:4])),
        (KeyKind.NAMES_OUTCODE, _joined(given and surname and names, features.outcode)),
        (KeyKind.DWELLING, features.dwelling),
    )
    return [(kind, words) for kind, words in every if words]


def _joined(*parts: str) -> str:
    """The parts as one text; '' as soon as one is unknown."""
    return "|".join(parts) if all(parts) else ""


def dwelling_key(features: Features) -> tuple[KeyKind, str] | None:
    """The key of the home, as partners' communal listings name it."""
    if not features.dwelling:
        return None
    return KeyKind.DWELLING, features.dwelling


def _sorted_birth(born: int) -> str:
    """`19850307` and `19850703` give one text: day and month are often swapped."""
    if not born:
        return ""
    year, month, day = born // 10000, born // 100 % 100, born % 100
    return f"{year}{min(month, day):02}{max(month, day):02}"


def wide_keys(features: Features, lexicon: Lexicon) -> list[tuple[str, str]]:
    """More keys than a register can afford: for comparing a whole file with itself.

    They find people whose row lacks what most keys of the register are made of; what
    they cost is bounded by leaving out whatever too many people share.
    """
    given, surname, born = features.given, features.surname, str(features.born or "")
    first, last = lexicon.canonical(given), lexicon.canonical(surname)
    sounds = [soundex(given), soundex(surname)]
    box = features.email.partition("@")[0]
    every = (
        ("born", born),
        ("born sorted", "".join(sorted(born))),
        ("sounds", given and surname and "".join(sorted(sounds))),
        ("names", given and surname and "|".join(sorted((first, last)))),
        ("given, year", _joined(first, born[:4])),
        ("given, day", _joined(first, born[4:])),
        ("surname, year", _joined(sounds[1], born[:4])),
        ("surname, day", _joined(sounds[1], born[4:])),
        ("given, month", _joined(first, born[:6])),
        ("surname, given", _joined(surname[:4], given[:3])),
        ("home", features.postcode),
        ("postcode, surname", _joined(features.postcode, sounds[1])),
        ("postcode, year", _joined(features.postcode, born[:4])),
        ("street, given", _joined(features.rest, sounds[0])),
        ("street, surname", _joined(features.rest, sounds[1])),
        ("street, year", _joined(features.rest, born[:4])),
        ("street", _joined(features.rest, features.number)),
        ("box", box),
        ("box begins", box[:6] if len(box) >= 6 else ""),
        ("box ends", box[-6:] if len(box) >= 6 else ""),
    )
    own = [(kind.name, words) for kind, words in match_keys(features, lexicon)]
    return own + [(kind, words) for kind, words in every if words]
