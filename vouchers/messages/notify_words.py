"""GOV.UK Notify's words in our numbers, and the texts that it cannot carry."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from vouchers.domain.texts import GSM7, GSM7_EXTENSION
from vouchers.messages.failures import NotifyCode, refusal_of
from vouchers.messages.gateway import Outcome, Refused, Throttled, Unknown

#: Letters of a text; six parts of a plain one.
LETTERS_MAX = 918
#: The one field that the customer's template must be.
TEMPLATE = re.compile(r"\(\(\s*body\s*\)\)", re.IGNORECASE)

#: Numbers for the words that a text can end with, in receipts and look-ups.
CODE_OF_STATUS: Mapping[str, NotifyCode] = {
    "permanent-failure": NotifyCode.PERMANENT,
    "temporary-failure": NotifyCode.PASSING,
    "technical-failure": NotifyCode.TECHNICAL,
    "validation-failed": NotifyCode.NOT_VALID,
}

_UK_MOBILE = re.compile(r"\+447\d{9}")
#: Kept as they are: GSM-7 and what Welsh needs beyond it.
_KEPT = GSM7 | GSM7_EXTENSION | frozenset("ÂâÊêÎîÔôÛûŴŵŶŷÁáÍíÓóÚúÝýËëÏïŸÿẀẁẂẃẄẅỲỳ")
#: Replaced by a look-alike.
_REPLACED = frozenset("‘’“”–—…\u00a0\u200b")

#: Only for answers of one type, and only to sort them: the words may change, so what
#: matches none of them is held for a person.
_HINTS: tuple[tuple[str, NotifyCode], ...] = (
    ("trial mode", NotifyCode.TRIAL_MODE),
    ("team-only", NotifyCode.TEAM_KEY),
    ("international", NotifyCode.INTERNATIONAL),
    ("landline", NotifyCode.NO_UK_MOBILE),
    ("sms_sender_id", NotifyCode.SENDER),
    ("character count", NotifyCode.TOO_LONG),
    ("too long", NotifyCode.TOO_LONG),
    ("personalisation", NotifyCode.TEMPLATE),
    ("template", NotifyCode.TEMPLATE),
    ("not allowed", NotifyCode.NOT_ALLOWED),
)


def unfit(to: str, body: str) -> NotifyCode | None:
    """Why a text is not handed over at all; None when it may be.

    Notify would write "?" for a letter it does not know, and answer "accepted".
    """
    if not _UK_MOBILE.fullmatch(to):
        return NotifyCode.NO_UK_MOBILE
    if len(body) > LETTERS_MAX:
        return NotifyCode.TOO_LONG
    if not all(map(_arrives, set(body))):
        return NotifyCode.OTHER_LETTERS
    return None


def _arrives(letter: str) -> bool:
    bare = unicodedata.normalize("NFD", letter)[:1]
    return letter in _KEPT or letter in _REPLACED or bare in GSM7


def outcome_of(status: int, document: Any) -> Outcome:
    """What an HTTP error means: read and refused, turned away, or nobody knows."""
    if status >= 500 or status == 408:
        return Unknown(f"Http{status}")
    errors = _errors(document)
    if status == 429:
        if any(kind == "TooManyRequestsError" for kind, _ in errors):
            return refused(NotifyCode.DAY)
        return Throttled(NotifyCode.RATE)
    return refused(_code(status, errors))


def refused(code: int) -> Refused:
    """A refusal by this number."""
    return Refused(int(code), refusal_of(int(code)))


def _code(status: int, errors: list[tuple[str, str]]) -> int:
    words = " ".join(said for _, said in errors).lower()
    if status in (401, 403):
        return NotifyCode.CLOCK if "clock" in words else NotifyCode.TOKEN
    if status == 404 or status < 400:
        return NotifyCode.NO_SUCH_THING
    if status != 400:
        return status
    for kind, said in errors:
        if kind == "InvalidPhoneError" or said.startswith("phone_number "):
            return NotifyCode.NO_UK_MOBILE
    if any(kind == "ValidationError" for kind, _ in errors):
        return NotifyCode.FORM
    return next((code for hint, code in _HINTS if hint in words), status)


def _errors(document: Any) -> list[tuple[str, str]]:
    """(type, words) of each error in an answer; never leaves this file."""
    found = document.get("errors") if isinstance(document, dict) else None
    return [
        (str(one.get("error")), str(one.get("message")))
        for one in (found if isinstance(found, list) else [])
        if isinstance(one, dict)
    ]
