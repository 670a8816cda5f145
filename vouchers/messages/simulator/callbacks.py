"""Status callbacks, in order or not, by a few kept-alive connections."""

from __future__ import annotations

import asyncio
import base64
import hmac
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from vouchers.messages.simulator.faults import Fault, FaultPlan
from vouchers.messages.simulator.http import Poster
from vouchers.messages.simulator.ledger import Accepted, Held
from vouchers.messages.simulator.numbers import Behaviour

#: Posts of one callback before the provider gives it up.
TRIES = 6


def sign(token: str, url: str, params: list[tuple[str, str]]) -> str:
    """Twilio's signature: HMAC-SHA1 over the URL and the sorted parameters."""
    text = url + "".join(name + value for name, value in sorted(params))
    mac = hmac.digest(token.encode(), text.encode(), "sha1")
    return base64.b64encode(mac).decode()


#: Headers and body of one callback: of a message, its new status and error code.
Letter = Callable[[Held, str, int | None], tuple[str, bytes]]


def every(_status: str) -> bool:
    """Each status is told."""
    return True


@dataclass(slots=True)
class Callbacks:
    """Waits as long as a carrier would, then tells the sender what became of a text."""

    letter: Letter
    accepted: Accepted
    #: Seconds until "sent", and from one status to the next.
    delay_s: float
    connections: int = 8
    #: Whether the sender hears of a status at all.
    told: Callable[[str], bool] = every
    delivered: int = 0
    given_up: int = 0
    _due: asyncio.Queue[tuple[Held, str, int | None, int]] = field(init=False)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        """Open for work in the running loop."""
        self._due = asyncio.Queue()
        self._tasks = [
            asyncio.ensure_future(self._post()) for _ in range(self.connections)
        ]

    async def stop(self) -> None:
        """Drop what is still due."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def plan(self, held: Held, behaviour: Behaviour, plan: FaultPlan, key: str) -> None:
        """Schedule what this message's carrier will report."""
        fault = plan.of_callback(key, held.to)
        if fault is not None:
            held.faults.append(fault)
        steps = [
            (status, behaviour.error_code if status != "sent" else None)
            for status in behaviour.statuses
        ]
        extra_s = plan.late_s if fault is Fault.CALLBACK_LATE else 0.0
        loop = asyncio.get_running_loop()
        # Truth moves on in order; only the news of it may be late, twice or reversed.
        for turn, step in enumerate(steps, start=1):
            loop.call_later(turn * self.delay_s, self.accepted.move, held, *step)
        if fault is Fault.CALLBACK_NEVER or not held.callback_url:
            return
        if fault is Fault.CALLBACK_DISORDER:
            steps.reverse()
        times = 2 if fault is Fault.CALLBACK_TWICE else 1
        for turn, (status, code) in enumerate(steps, start=1):
            for _ in range(times if self.told(status) else 0):
                due = (held, status, code, TRIES)
                wait_s = turn * self.delay_s + extra_s
                loop.call_later(wait_s, self._due.put_nowait, due)

    @property
    def waiting(self) -> int:
        """Callbacks due and not yet posted."""
        return self._due.qsize()

    async def _post(self) -> None:
        posters: dict[str, Poster] = {}
        while True:
            held, status, code, tries = await self._due.get()
            parts = urlsplit(held.callback_url)
            poster = posters.get(parts.netloc)
            if poster is None:
                poster = Poster(parts.hostname or "", parts.port or 80)
                posters[parts.netloc] = poster
            headers, body = self.letter(held, status, code)
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            try:
                answer = await poster.post(target, headers, body)
            except OSError:
                answer = 0
            if 200 <= answer < 300:
                self.delivered += 1
            elif tries > 1 and (answer == 0 or answer >= 500):
                wait_s = 0.2 * 2 ** (TRIES - tries) * (1 + random.random())
                due = (held, status, code, tries - 1)
                loop = asyncio.get_running_loop()
                loop.call_later(wait_s, self._due.put_nowait, due)
            else:
                self.given_up += 1


def twilio_letter(account_sid: str, auth_token: str) -> Letter:
    """Callbacks as Twilio writes and signs them."""

    def write(held: Held, status: str, code: int | None) -> tuple[str, bytes]:
        params = [
            ("AccountSid", account_sid),
            ("ApiVersion", "2010-04-01"),
            ("From", held.sender),
            ("MessageSid", held.sid),
            ("MessageStatus", status),
            ("SmsSid", held.sid),
            ("SmsStatus", status),
            ("To", held.to),
            # Twilio sends empty fields too; a checker that drops them fails.
            ("ErrorMessage", ""),
        ]
        if code is not None:
            params.append(("ErrorCode", str(code)))
        mark = sign(auth_token, held.callback_url, params)
        headers = (
            f"X-Twilio-Signature: {mark}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
        )
        return headers, urlencode(params).encode()

    return write
