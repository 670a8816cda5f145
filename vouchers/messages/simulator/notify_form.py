"""What GOV.UK Notify takes and refuses, in its words, and what arrives of a text."""

from __future__ import annotations

import base64
import hmac
import json
import re
import time
import unicodedata
import uuid
from collections.abc import Mapping
from typing import Any

#: (HTTP status, type, words) of each refusal.
REFUSALS: Mapping[str, tuple[int, str, str]] = {
    "not_a_mobile": (400, "ValidationError", "phone_number Not a UK mobile number"),
    "too_few_digits": (400, "ValidationError", "phone_number Not enough digits"),
    "required": (400, "ValidationError", "template_id is a required property"),
    "additional": (400, "ValidationError", "Additional properties are not allowed"),
    "not_an_id": (400, "ValidationError", "template_id is not a valid UUID"),
    "international": (
        400, "BadRequestError", "Cannot send to international mobile numbers",
    ),
    "trial_mode": (
        400,
        "BadRequestError",
        "Can't send to this recipient when service is in trial mode - see the pages",
    ),
    "team_key": (
        400,
        "BadRequestError",
        "Can't send to this recipient using a team-only API key",
    ),
    "template": (400, "BadRequestError", "Template not found"),
    "personalisation": (400, "BadRequestError", "Missing personalisation: body"),
    "sender": (
        400,
        "BadRequestError",
        "sms_sender_id does not exist in database for service id",
    ),
    "too_long": (
        400,
        "BadRequestError",
        "Content for template has a character count greater than the limit of 918",
    ),
    "not_allowed": (
        400, "BadRequestError", "Service is not allowed to send text messages",
    ),
    "brand_new": (400, "BadRequestError", "Words that nobody has written before"),
    "token": (403, "AuthError", "Invalid token: API key not found"),
    "clock": (
        403,
        "AuthError",
        "Error: Your system clock must be accurate to within 30 seconds",
    ),
    "nothing_here": (404, "NoResultFound", "No result found"),
    "rate": (
        429,
        "RateLimitError",
        "Exceeded rate limit for key type LIVE of 3000 requests per 60 seconds",
    ),
    "day_limit": (
        429, "TooManyRequestsError", "Exceeded send limits (250000) for today",
    ),
    "teapot": (418, "Brewing", "A status of its own"),
}  # fmt: skip

LETTERS_MAX = 918
FIELDS = frozenset(
    ["phone_number", "template_id", "personalisation", "reference", "sms_sender_id"]
)
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡§¿ÄÖÑÜäöñüà"
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ^{}\\[~]|€"
)
_WELSH = frozenset("ÂâÊêÎîÔôÛûŴŵŶŷ")
_LOOK_ALIKES = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", " ": " "}
)


def fault_of(form: Mapping[str, Any], template_id: str) -> str | None:
    """The name of the refusal that a form would meet."""
    number = str(form.get("phone_number") or "")
    digits = re.sub(r"\D", "", number)
    personalisation = form.get("personalisation")
    body = personalisation.get("body") if isinstance(personalisation, dict) else None
    checks = (
        ("additional", not form.keys() <= FIELDS),
        ("required", not {"phone_number", "template_id"} <= form.keys()),
        ("not_an_id", not is_id(form.get("template_id"))),
        ("too_few_digits", len(digits) < 11),
        ("international", not digits.startswith(("44", "07"))),
        ("not_a_mobile", not re.fullmatch(r"(?:44|0)7\d{9}", digits)),
        ("template", form.get("template_id") != template_id),
        ("sender", "sms_sender_id" in form and not is_id(form["sms_sender_id"])),
        ("personalisation", not isinstance(body, str)),
        ("too_long", len(body or "") > LETTERS_MAX),
    )
    return next((name for name, wrong in checks if wrong), None)


def is_id(value: object) -> bool:
    """Whether this is a UUID, written as Notify writes them."""
    try:
        return isinstance(value, str) and str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False


def arrives(body: str) -> str:
    """What a phone would show: unknown letters become "?" and nobody is told."""
    return "".join(map(_letter, body.translate(_LOOK_ALIKES)))


def _letter(letter: str) -> str:
    if letter in _GSM or letter in _WELSH:
        return letter
    bare = unicodedata.normalize("NFD", letter)[:1]
    return bare if bare in _GSM else "?"


def token_fault(header: str, api_key: str) -> str | None:
    """The name of what is wrong with a bearer token; None when it opens the door."""
    service, secret = api_key[-73:-37], api_key[-36:]
    try:
        head, claims, mark = header.removeprefix("Bearer ").split(".")
        expected = hmac.digest(secret.encode(), f"{head}.{claims}".encode(), "sha256")
        said = json.loads(_decoded(claims))
        if not hmac.compare_digest(_decoded(mark), expected) or said["iss"] != service:
            return "token"
        return None if abs(time.time() - said["iat"]) <= 30 else "clock"
    except (ValueError, KeyError, TypeError):
        return "token"


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
