"""The wording of a text to a resident, and what it costs in message parts."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from string import Formatter
from typing import Any

#: The 128 letters of GSM-7 without its escape.
GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: Letters behind the escape: two places each.
GSM7_EXTENSION = frozenset("^{}\\[~]|€\f")

#: Places in a text of one part, and in each part of a longer one.
GSM7_SINGLE, GSM7_JOINED = 160, 153
UCS2_SINGLE, UCS2_JOINED = 70, 67

#: Fields that a wording may have.
FIELDS = frozenset({"sender", "partner", "total", "codes", "shop", "until", "bring"})
#: Wordings that every language has.
TEMPLATES = ("award", "reminder", "expiry", "reissue", "neutral")
#: The language that is complete.
LAST_RESORT = "en"

_LOOK_ALIKES = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′ʼ`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u200a\u202f\t", " "),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", None),
        "…": "...",
        "•": "-",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
        "ı": "i",
        "œ": "oe",
        "Œ": "OE",
    }
)

#: What most texts are made of, checked at the speed of C.
_BASIC = re.compile(f"[{re.escape(''.join(sorted(GSM7)))}]*")
#: Letters that stay as they are in every language.
_PLAIN = re.compile(r"[A-Za-z0-9 .,:;()'?!/+&%\-£]*")

_LINK = re.compile(
    r"https?:|www\.|\b[a-z0-9-]+\.(?:com|org|net|uk|co|info|gov|ly|io)\b", re.IGNORECASE
)
#: What banks and fraudsters write; no wording of ours has it.
_BANK_WORDS = re.compile(
    r"\b(?:bank\w*|account\w*|password\w*|passcode\w*|pin|sort code|cvv|verif\w*|"
    r"log ?in|click|urgent\w*|immediately|suspend\w*|refund\w*|payment\w*|pay|owe\w*|"
    r"debt\w*|claim\w*|prize\w*|winner\w*|call us|reply)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Coded:
    """A voucher as a text names it."""

    code: str
    value_pence: int

    def __repr__(self) -> str:
        return f"Coded(value_pence={self.value_pence})"


@dataclass(frozen=True, slots=True)
class Wording:
    """What goes into a text beside its codes."""

    template: str
    language: str
    sender: str
    partner: str
    shop: str
    bring: str
    until: date


def render(wording: Wording, codes: Sequence[Coded]) -> str:
    """The text that a resident reads."""
    if not codes:
        raise ValueError("a text without a code says nothing")
    words = words_for(wording.language, wording.template)
    shape = words[wording.template]["one" if len(codes) == 1 else "many"]
    text: str = shape.format(
        sender=wording.sender,
        partner=wording.partner,
        total=pounds(sum(one.value_pence for one in codes)),
        codes=_list_codes(words, codes),
        shop=wording.shop,
        until=_day(words, wording.until),
        bring=wording.bring,
    )
    return sanitise(text, gsm7=bool(words["gsm7"]))


@lru_cache(maxsize=256)
def words_for(language: str, template: str) -> dict[str, Any]:
    """Wordings of a language: itself, else without its region, else English."""
    for wanted in (language.lower(), language.lower().partition("-")[0]):
        if re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{2,4})?", wanted):
            words = _read(wanted)
            if words is not None and template in words:
                return words
    last = _read(LAST_RESORT)
    if last is None or template not in last:
        raise ValueError(f"there is no wording {template}")
    return last


@cache
def _read(language: str) -> dict[str, Any] | None:
    source = files("vouchers.domain").joinpath("wordings", f"{language}.toml")
    if not source.is_file():
        return None
    return tomllib.loads(source.read_text(encoding="utf-8"))


def faults_of(words: dict[str, Any]) -> list[str]:
    """What is wrong with a language's wordings; each names the wording and why."""
    faults = []
    for template in TEMPLATES:
        for form in ("one", "many"):
            shape = words.get(template, {}).get(form)
            if shape is None:
                faults.append(f"{template}.{form} is missing")
                continue
            used = {name for _, name, _, _ in Formatter().parse(shape) if name}
            if unknown := used - FIELDS:
                faults.append(f"{template}.{form} has no such field: {unknown}")
            if not {"codes", "shop", "until"} <= used:
                faults.append(f"{template}.{form} lacks codes, shop or until")
            if template == "neutral" and used & {"sender", "partner"}:
                faults.append("neutral must not name anyone")
            if _LINK.search(shape) or _BANK_WORDS.search(shape):
                faults.append(f"{template}.{form} reads like a bank or has a link")
            letters = set(shape) - GSM7 - GSM7_EXTENSION
            if words.get("gsm7") and letters:
                faults.append(f"{template}.{form} is not GSM-7: {sorted(letters)}")
    return faults


def has_link(text: str) -> bool:
    """Whether a phone would make a link of something in `text`."""
    return bool(_LINK.search(text))


def _list_codes(words: dict[str, Any], codes: Sequence[Coded]) -> str:
    if len(codes) == 1:
        return str(words["one_code"].format(code=grouped(codes[0].code)))
    return str(words["between_codes"]).join(
        words["nth_code"].format(
            n=n,
            count=len(codes),
            value=pounds(one.value_pence),
            code=grouped(one.code),
        )
        for n, one in enumerate(codes, start=1)
    )


def grouped(code: str) -> str:
    """A code in fours, as it is typed at the counter."""
    return " ".join(code[at : at + 4] for at in range(0, len(code), 4))


def pounds(pence: int) -> str:
    """An amount as people say it: "£49", "£49.50"."""
    whole, rest = divmod(pence, 100)
    return f"£{whole}.{rest:02d}" if rest else f"£{whole}"


def _day(words: dict[str, Any], day: date) -> str:
    return f"{day.day} {words['months'][day.month - 1]} {day.year}"


def sanitise(text: str, *, gsm7: bool = True) -> str:
    """Plain letters for look-alikes; with `gsm7` also for accents it does not have.

    One curly quote would more than double what a text costs.
    """
    if _PLAIN.fullmatch(text):
        return text
    text = unicodedata.normalize("NFC", text).translate(_LOOK_ALIKES)
    if not gsm7:
        return text
    return "".join(
        letter
        if letter in GSM7 or letter in GSM7_EXTENSION
        else _without_accent(letter)
        for letter in text
    )


def _without_accent(letter: str) -> str:
    parts = unicodedata.normalize("NFKD", letter)
    base = "".join(part for part in parts if not unicodedata.combining(part))
    # A letter of another script stays: two parts more are better than a wrong name.
    return base if base and all(part in GSM7 for part in base) else letter


def segments(text: str) -> int:
    """How many parts the text is sent in, packed as strictly as networks do.

    Neither an escape pair nor a surrogate pair is cut in two by the end of a part.
    """
    if _BASIC.fullmatch(text):
        return _count(len(text), GSM7_SINGLE, GSM7_JOINED)
    if all(letter in GSM7 or letter in GSM7_EXTENSION for letter in text):
        sizes = [2 if letter in GSM7_EXTENSION else 1 for letter in text]
        return _pack(sizes, GSM7_SINGLE, GSM7_JOINED)
    sizes = [2 if ord(letter) > 0xFFFF else 1 for letter in text]
    return _pack(sizes, UCS2_SINGLE, UCS2_JOINED)


def _count(places: int, single: int, joined: int) -> int:
    return 1 if places <= single else -(-places // joined)


def _pack(sizes: Sequence[int], single: int, joined: int) -> int:
    total = sum(sizes)
    if total <= single or total == len(sizes):
        return _count(total, single, joined)
    parts, left = 1, joined
    for size in sizes:
        if size > left:
            parts, left = parts + 1, joined
        left -= size
    return parts
