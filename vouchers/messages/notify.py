"""GOV.UK Notify as our gateway, spoken to directly and under one limit for each call.

Its official client is built on a library that limits each read but never a whole call,
tells a lost answer from a refusal only by the cause of an exception, and logs the
provider's words. So the four calls we make are made here, with what Twilio's client
brings along already; of an answer only a number, and of an exception only its class,
leave this file.

A text is one template of the customer's, `((body))` and nothing else. Anything else
would be taken, paid for, and arrive without a code, so it is read before the first.
"""

from __future__ import annotations

import asyncio
import atexit
import hmac
import json
import os
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from vouchers.errors import GatewayUnavailable
from vouchers.messages.bulk import BulkLoop
from vouchers.messages.failures import NotifyCode
from vouchers.messages.gateway import (
    NEVER_REACHED,
    Accepted,
    Found,
    Outcome,
    OutgoingMessage,
    Throttled,
    Unknown,
    always,
)
from vouchers.messages.notify_words import (
    CODE_OF_STATUS,
    TEMPLATE,
    outcome_of,
    refused,
    unfit,
)

if TYPE_CHECKING:
    from aiohttp import ClientSession

API_URL = "https://api.notifications.service.gov.uk"
#: Seconds that the provider's clock and ours may differ.
CLOCK_SKEW_S = 120.0
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_KEY = re.compile(rf"(?:.*-)?({_UUID})-({_UUID})")


class NotifyGateway:
    """A service of GOV.UK Notify as our gateway: one client on a thread of its own."""

    def __init__(
        self,
        *,
        api_key: str,
        template_id: str,
        sender_id: Callable[[str], str | None],
        callback_token: str,
        api_url: str | None = None,
        call_limit_s: float = 10.0,
        concurrency: int = 32,
    ) -> None:
        parts = _KEY.fullmatch(api_key.strip())
        if parts is None:
            raise ValueError("an API key ends with two ids: the service's and its own")
        self.call_limit_s = call_limit_s
        self._service_id, self._secret = parts.groups()
        self._template_id = template_id
        self._sender_id = sender_id
        self._callback_token = callback_token
        self._api_url = (api_url or API_URL).rstrip("/")
        self._concurrency = concurrency
        #: Version of the template that was read and is as it must be.
        self._template_version: int | None = None
        self._bulk: BulkLoop[ClientSession] | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"NotifyGateway(service_id={self._service_id!r})"

    def send(self, message: OutgoingMessage) -> Outcome:
        """Hand over one message from this thread."""
        return self.send_many([message])[0]

    def send_many(
        self,
        messages: Sequence[OutgoingMessage],
        *,
        may_start: Callable[[], bool] = always,
    ) -> list[Outcome]:
        """Hand over many, at most `concurrency` of this process at once."""
        if not messages:
            return []
        return self._loop().hand_over(messages, may_start, self._send_one)

    def find(
        self, *, attempt_id: int, to: str, since: datetime, body_contains: str
    ) -> list[Found]:
        """Ask by our reference; number, time and words must fit as well.

        Another house may send through the same service, and count as we do.
        """
        loop = self._loop()
        listed = loop.run(self._look_up(loop.client, str(attempt_id)))
        earliest = since.timestamp() - CLOCK_SKEW_S
        return [
            Found(
                sid=str(one["id"]),
                status=str(one.get("status")),
                error_code=code_of_status(str(one.get("status"))),
            )
            for one in listed
            if one.get("reference") == str(attempt_id)
            and _digits(one.get("phone_number"))[-10:] == _digits(to)[-10:]
            and body_contains in str(one.get("body"))
            and _seconds(one.get("created_at")) >= earliest
        ]

    def verify_callback(
        self,
        *,
        url: str,  # noqa: ARG002
        params: Sequence[tuple[str, str]],  # noqa: ARG002
        signature: str | None,
    ) -> bool:
        """Check the bearer token; Notify signs nothing, so it is all there is."""
        if not signature or not self._callback_token:
            return False
        expected = f"Bearer {self._callback_token}".encode()
        return hmac.compare_digest(expected, signature.encode("utf-8", "replace"))

    def close(self) -> None:
        """End the thread and its connections."""
        with self._lock:
            bulk, self._bulk = self._bulk, None
        if bulk is not None:
            bulk.close()

    def _close_quietly(self) -> None:
        # At the end of the process nobody is left to be told.
        with suppress(Exception):
            self.close()

    def _loop(self) -> BulkLoop[ClientSession]:
        with self._lock:
            if self._bulk is None or self._bulk.pid != os.getpid():
                self._reading = asyncio.Lock()
                self._bulk = BulkLoop(
                    "notify-bulk", self._open, _close, self._concurrency
                )
                atexit.register(self._close_quietly)
            return self._bulk

    def _open(self) -> ClientSession:
        from aiohttp import ClientSession, ClientTimeout, TCPConnector

        return ClientSession(
            connector=TCPConnector(limit=self._concurrency),
            timeout=ClientTimeout(total=None),
        )

    async def _send_one(
        self, session: ClientSession, message: OutgoingMessage
    ) -> Outcome:
        from aiohttp import ClientConnectorError

        sender = self._sender_id(message.sender)
        if (code := unfit(message.to, message.body)) is not None:
            return refused(code)
        if sender is None:
            # Without an id Notify would take its usual sender, whose name may tell
            # what a neutral text must not.
            return refused(NotifyCode.SENDER)
        form = {
            "phone_number": message.to,
            "template_id": self._template_id,
            "personalisation": {"body": message.body},
            "reference": str(message.attempt_id),
            "sms_sender_id": sender,
        }
        posting = False
        try:
            async with asyncio.timeout(self.call_limit_s):
                if (wrong := await self._read_template(session)) is not None:
                    return wrong
                posting = True
                status, document = await self._call(
                    session, "POST", "/v2/notifications/sms", form
                )
        except ClientConnectorError:
            # No connection was made, so nothing can have been taken.
            return Throttled(NEVER_REACHED)
        except Exception as error:
            # Time limit, reset, unreadable answer: whatever it was, it may be there.
            if not posting:
                return Throttled(NEVER_REACHED)
            return Unknown(type(error).__name__)
        return self._answer(status, document)

    def _answer(self, status: int, document: Any) -> Outcome:
        if not 200 <= status < 300:
            return outcome_of(status, document)
        made = document if isinstance(document, dict) else {}
        template = made.get("template")
        used = template.get("version") if isinstance(template, dict) else None
        if used is not None and used != self._template_version:
            # Somebody has edited it: it is read again before the next text.
            self._template_version = None
        return Accepted(str(made["id"]), "created") if "id" in made else Unknown("NoId")

    async def _read_template(self, session: ClientSession) -> Outcome | None:
        """None when the template is what it must be, else what becomes of the text."""
        async with self._reading:
            if self._template_version is not None:
                return None
            path = f"/v2/template/{self._template_id}"
            status, document = await self._call(session, "GET", path)
            if status != 200:
                answer = outcome_of(status, document)
                # Nothing was handed over yet, so nothing can be unknown.
                unsure = isinstance(answer, Unknown)
                return Throttled(NEVER_REACHED) if unsure else answer
            found = document if isinstance(document, dict) else {}
            fits = TEMPLATE.fullmatch(str(found.get("body", "")).strip())
            if found.get("type") != "sms" or not fits:
                return refused(NotifyCode.TEMPLATE)
            self._template_version = int(found.get("version") or 0)
            return None

    async def _look_up(
        self, session: ClientSession, reference: str
    ) -> list[dict[str, Any]]:
        path = f"/v2/notifications?template_type=sms&reference={reference}"
        try:
            async with asyncio.timeout(self.call_limit_s):
                status, document = await self._call(session, "GET", path)
        except Exception as error:
            raise GatewayUnavailable(error=type(error).__name__) from None
        listed = document.get("notifications") if isinstance(document, dict) else None
        if status != 200 or not isinstance(listed, list):
            raise GatewayUnavailable(error=f"Http{status}")
        return [one for one in listed if isinstance(one, dict) and "id" in one]

    async def _call(
        self,
        session: ClientSession,
        method: str,
        path: str,
        form: Mapping[str, Any] | None = None,
    ) -> tuple[int, Any]:
        """Status and document of one call; a body that is no JSON is no document."""
        import jwt

        token = jwt.encode(
            {"iss": self._service_id, "iat": int(time.time())},
            self._secret,
            algorithm="HS256",
        )
        async with session.request(
            method,
            self._api_url + path,
            data=None if form is None else json.dumps(form).encode(),
            headers={
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/json",
                "User-Agent": "fuel-vouchers",
            },
            # A redirected text would be a text to somebody else's machine.
            allow_redirects=False,
        ) as answer:
            body = await answer.read()
        try:
            return answer.status, json.loads(body)
        except ValueError:
            return answer.status, None


def code_of_status(status: str) -> int | None:
    """Our number for a status that means failure; None for one that does not."""
    code = CODE_OF_STATUS.get(status)
    return None if code is None else int(code)


async def _close(session: ClientSession) -> None:
    await session.close()


def _digits(text: object) -> str:
    return "".join(filter(str.isdigit, str(text)))


def _seconds(text: object) -> float:
    """A moment as Notify writes it; one that cannot be read is now."""
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return time.time()


_shared: dict[tuple[int, str, str | None], NotifyGateway] = {}
_shared_lock = threading.Lock()


def shared_gateway(*, api_key: str, api_url: str | None, **more: Any) -> NotifyGateway:
    """The gateway of this process for one service; threads share it."""
    key = (os.getpid(), api_key, api_url)
    with _shared_lock:
        if key not in _shared:
            _shared[key] = NotifyGateway(api_key=api_key, api_url=api_url, **more)
        return _shared[key]
