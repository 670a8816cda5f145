"""The API itself: create, list and fetch messages as Twilio does, errors included."""

from __future__ import annotations

import asyncio
import base64
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from vouchers.messages.simulator.callbacks import Callbacks, twilio_letter
from vouchers.messages.simulator.control import as_json, control
from vouchers.messages.simulator.faults import Fault, FaultPlan
from vouchers.messages.simulator.http import (
    DROP,
    HttpProtocol,
    Request,
    Response,
)
from vouchers.messages.simulator.ledger import Accepted, Held, rfc_date
from vouchers.messages.simulator.notify import NotifyDesk, NotifyOptions
from vouchers.messages.simulator.numbers import MAGIC, behaviour_of

#: Form fields of CreateMessage in Twilio's description of its API.
_FIELDS = """
    To StatusCallback ApplicationSid MaxPrice ProvideFeedback Attempt ValidityPeriod
    ForceDelivery ContentRetention AddressRetention SmartEncoded PersistentAction
    TrafficType ShortenUrls ScheduleType SendAt SendAsMms ContentVariables RiskCheck
    From FallbackFrom MessagingServiceSid Body MediaUrl ContentSid
"""
FORM_FIELDS = frozenset(_FIELDS.split())

_E164 = re.compile(r"\+[1-9]\d{6,14}")
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")

ERRORS: dict[int, str] = {
    20001: "Unknown parameter",
    20003: "Authenticate",
    20404: "The requested resource was not found",
    20429: "Too Many Requests",
    20500: "An internal server error has occurred",
    21211: "Invalid 'To' Phone Number",
    21212: "Invalid 'From' Phone Number",
    21408: "Permission to send an SMS has not been enabled for the region",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21604: "A 'To' phone number is required.",
    21609: "Invalid 'StatusCallback' URL",
    21610: "Attempt to send to unsubscribed recipient",
    21611: "This 'From' number has exceeded the maximum number of queued messages",
    21614: "'To' number is not a valid mobile number",
    21617: "The concatenated message body exceeds the 1600 character limit.",
}


@dataclass(frozen=True, slots=True)
class SimulatorOptions:
    """How one stand-in is set up."""

    account_sid: str = "AC00000000000000000000000000000000"
    auth_token: str = "simulator-token"
    host: str = "127.0.0.1"
    #: 0 takes a free one.
    port: int = 0
    #: Accepted messages are appended here and read back at the next start.
    record: Path | None = None
    #: How many messages can be asked for; older ones are in the record only.
    keep: int = 1_000_000
    #: Seconds between accepted, sent and delivered.
    callback_delay_s: float = 0.05
    #: Seconds before every answer.
    latency_s: float = 0.0
    callback_connections: int = 8
    #: The second provider behind the same port.
    notify: NotifyOptions = field(default_factory=NotifyOptions)


class SimulatorServer:
    """One Twilio account behind a port, and a service of GOV.UK Notify beside it."""

    def __init__(
        self,
        options: SimulatorOptions,
        plan: FaultPlan,
        notify_plan: FaultPlan | None = None,
    ) -> None:
        self.options = options
        self.plan = plan
        self.accepted = Accepted(options.record, options.keep)
        self.callbacks = Callbacks(
            twilio_letter(options.account_sid, options.auth_token),
            self.accepted,
            options.callback_delay_s,
            options.callback_connections,
        )
        self.notify = NotifyDesk(
            options.notify, notify_plan or FaultPlan(), options.callback_delay_s
        )
        self.requests = 0
        self.port = 0
        self._met: dict[str, int] = {}
        login = f"{options.account_sid}:{options.auth_token}".encode()
        self._login = "Basic " + base64.b64encode(login).decode()
        self._base = f"/2010-04-01/Accounts/{options.account_sid}/Messages"
        self._server: asyncio.Server | None = None
        self._open_ones: set[HttpProtocol] = set()

    async def start(self) -> None:
        """Listen."""
        self.accepted.open()
        self.callbacks.start()
        self.notify.open()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: HttpProtocol(self.handle, self._open_ones, self.options.latency_s),
            self.options.host,
            self.options.port,
            backlog=1024,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening; callbacks still due are never sent."""
        if self._server is not None:
            self._server.close()
            # A client may keep its connection open for as long as it likes.
            for connection in list(self._open_ones):
                connection.abort()
        await self.callbacks.stop()
        self.accepted.close()
        await self.notify.close()

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        path, _, query = request.target.partition("?")
        if path.startswith("/v2/"):
            return self.notify.handle(request)
        if path.startswith("/_simulator/notify/"):
            return control(
                self.notify, request, path.removeprefix("/_simulator/notify/")
            )
        if path.startswith("/_simulator/"):
            return control(self, request, path.removeprefix("/_simulator/"))
        if request.headers.get("authorization") != self._login:
            return error(401, 20003)
        if path == f"{self._base}.json":
            if request.method == "POST":
                return self._create(request)
            if request.method == "GET":
                return self._list(dict(parse_qsl(query)))
        elif path.startswith(f"{self._base}/") and request.method == "GET":
            sid = path.removeprefix(f"{self._base}/").removesuffix(".json")
            held = self.accepted.get(sid)
            if held is not None:
                return as_json(200, self._shape(held))
        return error(404, 20404)

    def _create(self, request: Request) -> Response:
        self.requests += 1
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        fault_code = fault_of(form)
        if fault_code is not None:
            return error(400, fault_code)
        to, callback_url = form["To"], form.get("StatusCallback", "")
        behaviour = behaviour_of(to)
        if behaviour.refused is not None:
            return error(400, behaviour.refused)
        key = callback_url or to
        met = self._met[to] = self._met.get(to, 0) + 1 if to in MAGIC else 1
        fault = behaviour.first if behaviour.first and met == 1 else None
        fault = fault or self.plan.of_answer(key, to)
        if (turned_away := self._before(fault)) is not None:
            return turned_away
        held = Held(
            sid=self.accepted.new_sid(),
            to=to,
            sender=form.get("From") or form["MessagingServiceSid"],
            body=form.get("Body", ""),
            callback_url=callback_url,
            attempt_id=dict(parse_qsl(urlsplit(callback_url).query)).get("a"),
            at=time.time(),
            segments=segments_of(form.get("Body", "")),
            faults=[fault] if fault else [],
        )
        # The callbacks' fault is part of the record, so it is decided first.
        self.callbacks.plan(held, behaviour, self.plan, key)
        self.accepted.add(held)
        if fault is Fault.ERROR_AFTER:
            return error(500, 20500)
        if fault is Fault.DROP_AFTER:
            return DROP
        if fault is Fault.STALL_AFTER:
            return Response(0, after_s=self.plan.stall_s)
        return as_json(201, self._shape(held))

    def _before(self, fault: Fault | None) -> Response | None:
        """The answer of a fault that keeps the message from being accepted."""
        if fault is Fault.REFUSE:
            return error(400, self.plan.refuse_code)
        if fault is Fault.THROTTLE:
            return error(429, 20429)
        if fault is Fault.ERROR_BEFORE:
            return error(500, 20500)
        if fault is Fault.DROP_BEFORE:
            return DROP
        if fault is Fault.STALL_BEFORE:
            return Response(0, after_s=self.plan.stall_s)
        return None

    def _list(self, query: dict[str, str]) -> Response:
        size = max(1, min(1000, int(query.get("PageSize", "50"))))
        page = int(query.get("Page", "0"))
        matching = [
            held
            for held in self.accepted.to(query.get("To"))
            if query.get("From") in (None, held.sender)
        ]
        shown = matching[page * size : (page + 1) * size]

        def uri(number: int) -> str:
            return f"{self._base}.json?PageSize={size}&Page={number}"

        more = len(matching) > (page + 1) * size
        return as_json(
            200,
            {
                "messages": [self._shape(held) for held in shown],
                "page": page,
                "page_size": size,
                "start": page * size,
                "end": max(page * size + len(shown) - 1, 0),
                "uri": uri(page),
                "first_page_uri": uri(0),
                "next_page_uri": uri(page + 1) if more else None,
                "previous_page_uri": uri(page - 1) if page else None,
            },
        )

    def _shape(self, held: Held) -> dict[str, object]:
        """A message as Twilio's JSON shows it."""
        uri = f"{self._base}/{held.sid}"
        service = held.sender if _SERVICE.fullmatch(held.sender) else None
        date = rfc_date(held.at)
        return {
            "account_sid": self.options.account_sid,
            "api_version": "2010-04-01",
            "body": held.body,
            "date_created": date,
            "date_sent": None if held.status == "queued" else date,
            "date_updated": date,
            "direction": "outbound-api",
            "error_code": held.error_code,
            "error_message": None,
            "from": None if service else held.sender,
            "messaging_service_sid": service,
            "num_media": "0",
            "num_segments": "0" if service else str(held.segments),
            "price": None,
            "price_unit": "GBP",
            "sid": held.sid,
            "status": held.status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": held.to,
            "uri": f"{uri}.json",
        }


def fault_of(form: dict[str, str]) -> int | None:
    """The error code of a form that Twilio would not take."""
    to, sender, body = form.get("To"), form.get("From"), form.get("Body")
    service, callback = form.get("MessagingServiceSid"), form.get("StatusCallback")
    checks = (
        (20001, not form.keys() <= FORM_FIELDS),
        (21604, not to),
        (21603, not sender and not service),
        (21602, not body and not form.get("ContentSid")),
        (21211, not _E164.fullmatch(to or "")),
        (21212, bool(sender) and not _is_sender(sender or "")),
        (21617, len(body or "") > 1600),
        (21609, callback is not None and not _is_callback(callback)),
    )
    return next((code for code, wrong in checks if wrong), None)


def _is_sender(sender: str) -> bool:
    return bool(_E164.fullmatch(sender) or _NAME.fullmatch(sender))


def _is_callback(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return parts.scheme in ("http", "https") and bool(host) and "_" not in host


def segments_of(body: str) -> int:
    """A rough count for `num_segments`: a check on ours must not be a copy of it."""
    narrow = body.isascii() or not set(body) - set("£éèàùìòÇØøÅåÆæßÉÄÖÑÜäöñü") - {
        c for c in body if c.isascii()
    }
    single, joined = (160, 153) if narrow else (70, 67)
    return 1 if len(body) <= single else -(-len(body) // joined)


def error(status: int, code: int) -> Response:
    """An error as Twilio words it."""
    return as_json(
        status,
        {
            "code": code,
            "message": ERRORS.get(code, "Refused"),
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": status,
        },
    )
