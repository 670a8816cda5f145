"""Every gateway of the house behind one face, each pointed at its own stand-in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vouchers.domain.delivery import Failure
from vouchers.messages.failures import NotifyCode
from vouchers.messages.gateway import (
    Found,
    Outcome,
    OutgoingMessage,
    Refused,
    Throttled,
)
from vouchers.messages.notify import NotifyGateway
from vouchers.messages.simulator import (
    RunningSimulator,
    SimulatorOptions,
    run_in_thread,
)
from vouchers.messages.simulator.callbacks import sign
from vouchers.messages.simulator.notify import NotifyOptions
from vouchers.messages.twilio import TwilioGateway

TO = "+447700900123"
WORDS = "6337 1234 5678"
TOKEN = "not-to-be-seen-token"
#: Invented ids: of a service, its key, a template, a sender.
SERVICE = "11111111-1111-4111-8111-111111111111"
SECRET = "22222222-2222-4222-8222-222222222222"
TEMPLATE = "00000000-0000-4000-8000-000000000003"
SENDER = "44444444-4444-4444-8444-444444444444"
SENDERS = {"FuelFund": SENDER}
KEY = f"house-{SERVICE}-{SECRET}"
LIMIT_S = 1.0
URL = "https://vouchers.example/callbacks"

Provider = TwilioGateway | NotifyGateway


@dataclass
class House:
    """One gateway, its stand-in, and how this provider says things."""

    name: str
    simulator: RunningSimulator
    open: Callable[..., Provider]
    #: Whether texts go one by one or many at once.
    bulk: bool
    #: Plans that make the provider refuse, and the answer each must get.
    refusals: Sequence[tuple[dict[str, Any], Outcome]]
    throttled: Throttled
    #: URL, fields and signature of a true callback.
    callback: Callable[[int, str, str], tuple[str, list[tuple[str, str]], str]]
    #: What nobody may ever see.
    secrets: Sequence[str]
    #: Its own record under this name.
    desk: str

    def __post_init__(self) -> None:
        self.gateway = self.open()

    def plan(self, fault: str, **more: Any) -> None:
        """Let the next request meet a fault."""
        self.simulator.plan(
            provider=self.desk, script=[{"fault": fault}], stall_s=3.0, **more
        )

    def send(self, *texts: OutgoingMessage) -> list[Outcome]:
        """Hand texts over in this gateway's way."""
        if self.bulk:
            return self.gateway.send_many(texts)
        return [self.gateway.send(one) for one in texts]

    def find(self, number: int, to: str = TO, **more: Any) -> list[Found]:
        """Ask what became of a try, in the last hour."""
        since = more.pop("since", datetime.fromtimestamp(time.time()).astimezone())
        return self.gateway.find(
            attempt_id=number,
            to=to,
            since=since,
            body_contains=more.pop("words", WORDS),
        )

    def accepted(self) -> list[Mapping[str, Any]]:
        """What the provider's own record holds."""
        return self.simulator.accepted(self.desk)

    @property
    def requests(self) -> int:
        """Texts that were posted, taken or not."""
        server = self.simulator.server
        return (server.notify if self.desk == "notify" else server).requests


def text(number: int = 1, to: str = TO, body: str = f"Code {WORDS}") -> OutgoingMessage:
    """A text of ours."""
    url = f"http://127.0.0.1:9/callbacks/twilio?a={number}"
    return OutgoingMessage(number, to, body, "FuelFund", url)


def twilio_open(simulator: RunningSimulator) -> Callable[..., Provider]:
    """The real Twilio client with a short patience."""

    def made(url: str | None = None, secret: str = TOKEN) -> TwilioGateway:
        return TwilioGateway(
            account_sid="AC" + "0" * 32,
            auth_token=secret,
            api_url=url or simulator.url,
            call_limit_s=LIMIT_S,
        )

    return made


def notify_open(simulator: RunningSimulator) -> Callable[..., Provider]:
    """The real Notify client with a short patience."""

    def made(url: str | None = None, secret: str = SECRET) -> NotifyGateway:
        return NotifyGateway(
            api_key=f"house-{SERVICE}-{secret}",
            template_id=TEMPLATE,
            sender_id=SENDERS.get,
            callback_token=TOKEN,
            api_url=url or simulator.url,
            call_limit_s=LIMIT_S,
        )

    return made


def twilio_callback(
    number: int, sid: str, status: str
) -> tuple[str, list[tuple[str, str]], str]:
    """Twilio signs the very address and every field."""
    url = f"{URL}/twilio?a={number}"
    fields = [("MessageSid", sid), ("MessageStatus", status), ("To", TO)]
    return url, fields, sign(TOKEN, url, fields)


def notify_callback(
    number: int, sid: str, status: str
) -> tuple[str, list[tuple[str, str]], str]:
    """Notify shows the token it was given."""
    fields = [("id", sid), ("reference", str(number)), ("status", status)]
    return f"{URL}/notify", fields, f"Bearer {TOKEN}"


def notify_options(**more: Any) -> NotifyOptions:
    """A service that this house's key opens."""
    return NotifyOptions(api_key=KEY, callback_url="", callback_token=TOKEN, **more)


def kinds(outcomes: Sequence[Outcome]) -> list[str]:
    """Classes of answers, for short."""
    return [type(one).__name__ for one in outcomes]


def _twilio_refusals() -> list[tuple[dict[str, Any], Outcome]]:
    told = {
        21211: Failure.NUMBER,
        21610: Failure.OPTED_OUT,
        21408: Failure.CONFIGURATION,
        20003: Failure.CONFIGURATION,
        30450: Failure.FILTERED,
        21611: Failure.OURS,
        29_999: Failure.FILTERED,
    }
    return [({"refuse_code": code}, Refused(code, kind)) for code, kind in told.items()]


def _notify_refusals() -> list[tuple[dict[str, Any], Outcome]]:
    told = {
        "not_a_mobile": (NotifyCode.NO_UK_MOBILE, Failure.NUMBER),
        "too_few_digits": (NotifyCode.NO_UK_MOBILE, Failure.NUMBER),
        "international": (NotifyCode.INTERNATIONAL, Failure.NUMBER),
        "trial_mode": (NotifyCode.TRIAL_MODE, Failure.CONFIGURATION),
        "team_key": (NotifyCode.TEAM_KEY, Failure.CONFIGURATION),
        "template": (NotifyCode.TEMPLATE, Failure.CONFIGURATION),
        "personalisation": (NotifyCode.TEMPLATE, Failure.CONFIGURATION),
        "sender": (NotifyCode.SENDER, Failure.CONFIGURATION),
        "required": (NotifyCode.FORM, Failure.CONFIGURATION),
        "not_allowed": (NotifyCode.NOT_ALLOWED, Failure.CONFIGURATION),
        "too_long": (NotifyCode.TOO_LONG, Failure.FILTERED),
        "token": (NotifyCode.TOKEN, Failure.CONFIGURATION),
        "clock": (NotifyCode.CLOCK, Failure.CONFIGURATION),
        "nothing_here": (NotifyCode.NO_SUCH_THING, Failure.CONFIGURATION),
        "day_limit": (NotifyCode.DAY, Failure.CONFIGURATION),
        "brand_new": (400, Failure.FILTERED),
        "teapot": (418, Failure.FILTERED),
    }
    return [
        ({"refuse_with": name}, Refused(int(code), kind))
        for name, (code, kind) in told.items()
    ]


NAMES = ("twilio one by one", "twilio many at once", "notify one by one", "notify many")


@contextmanager
def house(name: str) -> Iterator[House]:
    """A gateway by its name, with a provider that reports nothing by itself."""
    simulator = run_in_thread(
        SimulatorOptions(
            auth_token=TOKEN, callback_delay_s=3600.0, notify=notify_options()
        )
    )
    notify = name.startswith("notify")
    made = House(
        name=name,
        simulator=simulator,
        open=(notify_open if notify else twilio_open)(simulator),
        bulk="many" in name,
        refusals=_notify_refusals() if notify else _twilio_refusals(),
        throttled=Throttled(NotifyCode.RATE if notify else 20429),
        callback=notify_callback if notify else twilio_callback,
        secrets=(TOKEN, SECRET, TO, TO[3:], WORDS),
        desk="notify" if notify else "twilio",
    )
    try:
        yield made
    finally:
        made.gateway.close()
        simulator.stop()
