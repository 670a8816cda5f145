"""Says in words what the bounds of matching leave out: crowded keys, long lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vouchers.domain.matching.keys import PROTECTED, STOP_WORD, KeyKind

#: Candidates that one row is compared with; those that share most keys come first.
CANDIDATES_MAX = 60

#: What a key of each kind is made of, as a person would say it.
KIND_WORDS: dict[KeyKind, str] = {
    KeyKind.BIRTH_SURNAME: "birth date and sound of the surname",
    KeyKind.BIRTH_INITIAL: "birth date and initial",
    KeyKind.POSTCODE_INITIAL: "postcode and initial",
    KeyKind.POSTCODE_NUMBER: "postcode and house number",
    KeyKind.MOBILE: "mobile",
    KeyKind.METER: "meter",
    KeyKind.SOUNDS_YEAR: "sounds of the names and year of birth",
    KeyKind.NAMES_OUTCODE: "names and postal district",
    KeyKind.DWELLING: "home",
    KeyKind.EMAIL: "email",
}
#: Kinds that only a mistake or a stand-in value can give to so many people.
PERSONAL = frozenset({KeyKind.MOBILE, KeyKind.METER, KeyKind.EMAIL, KeyKind.DWELLING})


def kind_of(number: int) -> KeyKind | None:
    """The kind behind a stored number, protected or not; None for a later version's."""
    try:
        return KeyKind(number % PROTECTED)
    except ValueError:
        return None


def kind_words(number: int) -> str:
    """What a key of this stored kind is made of."""
    kind = kind_of(number)
    return KIND_WORDS.get(kind, "another key") if kind else "another key"


def bound_details(match: Mapping[str, Any]) -> list[str]:
    """For `explain`: by what one row could not be looked up, and who was left out."""
    lines = [
        f"Not looked up by {kind_words(int(kind))}: more than {STOP_WORD} residents "
        "share it."
        for kind in match.get("crowded", ())
    ]
    if cut := match.get("cut"):
        lines.append(
            f"{cut} more residents share a key; only the {CANDIDATES_MAX} that share "
            "most were compared."
        )
    return lines
