"""How each provider's callback is written, and the numbers that are kept of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from schemas.texting import Provider
from vouchers.messages.notify import code_of_status
from vouchers.store.callbacks import Reported

#: Fields of a callback.
FIELDS_MAX = 100
#: Words of a status: the providers' own are shorter.
STATUS_MAX = 24
SID_MAX = 64

Params = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Form:
    """One provider's callbacks."""

    provider: Provider
    #: Header that says whose it is, in lower case.
    signature: bytes
    #: Fields of a body; ValueError when it is none.
    params: Callable[[bytes], list[tuple[str, str]]]
    #: Numbers and codes of it, given the attempt in the address; None if it is not one.
    read: Callable[[Params, str | None], Reported | None]

    @property
    def path(self) -> str:
        """Where the provider finds us."""
        return f"/callbacks/{self.provider.value}"


def _twilio_params(body: bytes) -> list[tuple[str, str]]:
    return parse_qsl(
        body.decode("utf-8"), keep_blank_values=True, max_num_fields=FIELDS_MAX
    )


def _read_twilio(params: Params, attempt: str | None) -> Reported | None:
    fields = dict(params)
    sid = fields.get("MessageSid") or fields.get("SmsSid") or ""
    status = fields.get("MessageStatus") or fields.get("SmsStatus") or ""
    if not sid.isalnum() or not status.replace("_", "").isalpha():
        return None
    return _reported(attempt, sid, status, _number(fields.get("ErrorCode")))


def _notify_params(body: bytes) -> list[tuple[str, str]]:
    try:
        document = json.loads(body)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(document, dict) or len(document) > FIELDS_MAX:
        raise ValueError("a receipt is one object")
    return [(k, one) for k, one in document.items() if isinstance(one, str)]


def _read_notify(params: Params, _attempt: str | None) -> Reported | None:
    fields = dict(params)
    sid, status = fields.get("id", ""), fields.get("status", "")
    if not sid.replace("-", "").isalnum() or not status.replace("-", "").isalpha():
        return None
    # The reference is ours, sent along with the text.
    return _reported(fields.get("reference"), sid, status, code_of_status(status))


def _reported(
    attempt: str | None, sid: str, status: str, code: int | None
) -> Reported | None:
    if len(sid) > SID_MAX or len(status) > STATUS_MAX:
        return None
    return Reported(_number(attempt), sid, status, code)


def _number(text: str | None) -> int | None:
    if not text or not text.isascii() or not text.isdigit() or len(text) > 18:
        return None
    return int(text)


FORMS = {
    form.path: form
    for form in (
        Form(Provider.TWILIO, b"x-twilio-signature", _twilio_params, _read_twilio),
        Form(Provider.NOTIFY, b"authorization", _notify_params, _read_notify),
    )
}
