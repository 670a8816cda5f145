"""Twilio's official client, kept on a short lead: our time limits, no hidden retries.

Twilio's own client hangs for ever by default, its asynchronous half ignores the limit
it is given, and its exceptions may hold the number in their text. So each call runs
under a limit of ours, nothing is ever sent twice by a library, and of an exception only
its class and code leave this file.
"""

from __future__ import annotations

import asyncio
import atexit
import hmac
import logging
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from vouchers.errors import GatewayUnavailable
from vouchers.messages.bulk import BulkLoop
from vouchers.messages.failures import THROTTLED, refusal_of
from vouchers.messages.gateway import (
    NEVER_REACHED,
    Accepted,
    Found,
    Outcome,
    OutgoingMessage,
    Refused,
    Throttled,
    Unknown,
    always,
)

if TYPE_CHECKING:
    from twilio.base.exceptions import TwilioException
    from twilio.request_validator import RequestValidator
    from twilio.rest import Client

#: Messages looked at when the provider is asked what it has for one number.
LOOK_UP_MAX = 50
#: Seconds that the provider's clock and ours may differ.
CLOCK_SKEW_S = 120.0


class TwilioGateway:
    """A Twilio account as our gateway.

    All goes through one asynchronous client on a thread of its own: it costs a third of
    the plain one's CPU, a limit holds for the whole of a call, and no connection pool
    logs the address of a look-up, which has the number in it.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        api_url: str | None = None,
        call_limit_s: float = 10.0,
        concurrency: int = 32,
    ) -> None:
        self.call_limit_s = call_limit_s
        self._account_sid = account_sid
        self._auth_token = auth_token
        self._api_url = api_url
        self._concurrency = concurrency
        self._bulk: BulkLoop[Client] | None = None
        self._lock = threading.Lock()
        # At INFO it would write numbers into the log.
        logging.getLogger("twilio.http_client").setLevel(logging.WARNING)
        logging.getLogger("twilio.async_http_client").setLevel(logging.WARNING)

    def __repr__(self) -> str:
        return f"TwilioGateway(account_sid={self._account_sid!r})"

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
        self,
        *,
        attempt_id: int,  # noqa: ARG002
        to: str,
        since: datetime,
        body_contains: str,
    ) -> list[Found]:
        """Ask Twilio by number; its own filter by date would drop queued ones."""
        loop = self._loop()
        listed = loop.run(self._look_up(loop.client, to))
        earliest = since.timestamp() - CLOCK_SKEW_S
        return [
            Found(
                sid=str(one.sid),
                status=str(getattr(one.status, "value", one.status)),
                error_code=_whole(one.error_code),
            )
            for one in listed
            if one.body is not None
            and body_contains in one.body
            and (one.date_created or datetime.now(UTC)).timestamp() >= earliest
        ]

    def verify_callback(
        self, *, url: str, params: Sequence[tuple[str, str]], signature: str | None
    ) -> bool:
        """Check Twilio's signature over the public URL and every parameter."""
        if not signature or not urlsplit(url).scheme:
            return False
        fields = _Params(params)
        # As we gave the URL, so it was signed; the validator's own way tries ports too.
        expected = self._validator.compute_signature(url, fields)
        if hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
            return True
        return bool(self._validator.validate(url, fields, signature))

    def _close_quietly(self) -> None:
        # At the end of the process nobody is left to be told.
        with suppress(Exception):
            self.close()

    def close(self) -> None:
        """End the thread and its connections."""
        with self._lock:
            bulk, self._bulk = self._bulk, None
        if bulk is not None:
            bulk.close()

    @cached_property
    def _validator(self) -> RequestValidator:
        from twilio.request_validator import RequestValidator

        return RequestValidator(self._auth_token)

    def _new_client(self, http: Any) -> Client:
        from twilio.rest import Client

        client = Client(self._account_sid, self._auth_token, http_client=http)
        if self._api_url:
            client.api.base_url = self._api_url.rstrip("/")
        return client

    def _open(self) -> Client:
        from twilio.http.async_http_client import AsyncTwilioHttpClient

        # Retries would post a message twice: Twilio has no idempotency key.
        return self._new_client(AsyncTwilioHttpClient(max_retries=None))

    def _loop(self) -> BulkLoop[Client]:
        with self._lock:
            if self._bulk is None or self._bulk.pid != os.getpid():
                self._bulk = BulkLoop(
                    "twilio-bulk", self._open, _close, self._concurrency
                )
                atexit.register(self._close_quietly)
            return self._bulk

    async def _look_up(self, client: Client, to: str) -> list[Any]:
        try:
            async with asyncio.timeout(self.call_limit_s):
                found: list[Any] = await client.messages.list_async(
                    to=to, limit=LOOK_UP_MAX, page_size=LOOK_UP_MAX
                )
        except Exception as error:
            raise GatewayUnavailable(error=_class_of(error)) from None
        return found

    async def _send_one(self, client: Client, message: OutgoingMessage) -> Outcome:
        from aiohttp import ClientConnectorError
        from twilio.base.exceptions import TwilioException

        call = client.messages.create_async(
            to=message.to,
            from_=message.sender,
            body=message.body,
            status_callback=message.callback_url,
        )
        try:
            async with asyncio.timeout(self.call_limit_s):
                made = await call
        except TwilioException as error:
            return _refusal(error)
        except ClientConnectorError:
            # No connection was made, so nothing can have been taken.
            return Throttled(NEVER_REACHED)
        except Exception as error:
            # Time limit, reset, unreadable answer: whatever it was, it may be there.
            return Unknown(_class_of(error))
        status = getattr(made.status, "value", made.status)
        return Accepted(str(made.sid), str(status)) if made.sid else Unknown("NoSid")


def warm_up() -> None:
    """Load the provider's library now, in one thread.

    It imports itself in circles: two threads that load it at once on their first call
    make one of them fail.
    """
    import twilio.http.async_http_client
    import twilio.request_validator
    import twilio.rest  # noqa: F401


async def _close(client: Client) -> None:
    await client.http_client.close()


class _Params:
    """Form fields in the shape that Twilio's validator takes repeated names from."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def __iter__(self) -> Any:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def getall(self, name: str) -> list[str]:
        return self._values[name]


def _refusal(error: TwilioException) -> Outcome:
    """What an HTTP error means: read and refused, turned away, or nobody knows."""
    status = int(getattr(error, "status", 0) or 0)
    code = _whole(getattr(error, "code", None)) or status
    if status == 429 or code in THROTTLED:
        return Throttled(code)
    if 400 <= status < 500 and status != 408:
        return Refused(code, refusal_of(code))
    return Unknown(f"Http{status}")


def _whole(value: object) -> int | None:
    try:
        return int(str(value)) if value is not None else None
    except ValueError:
        return None


def _class_of(error: BaseException) -> str:
    """An exception's class: its text may hold a number."""
    return type(error).__name__


_shared: dict[tuple[int, str, str, str | None], TwilioGateway] = {}
_shared_lock = threading.Lock()


def shared_gateway(
    *, account_sid: str, auth_token: str, api_url: str | None
) -> TwilioGateway:
    """The gateway of this process for one account; threads share it."""
    key = (os.getpid(), account_sid, auth_token, api_url)
    with _shared_lock:
        if key not in _shared:
            _shared[key] = TwilioGateway(
                account_sid=account_sid, auth_token=auth_token, api_url=api_url
            )
        return _shared[key]
