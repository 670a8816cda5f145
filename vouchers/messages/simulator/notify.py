"""GOV.UK Notify's API: send a text, look it up by reference, read the template."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from vouchers.messages.simulator.callbacks import Callbacks, Letter
from vouchers.messages.simulator.control import as_json
from vouchers.messages.simulator.faults import Fault, FaultPlan
from vouchers.messages.simulator.http import DROP, Request, Response
from vouchers.messages.simulator.ledger import Accepted, Held
from vouchers.messages.simulator.notify_form import (
    REFUSALS,
    arrives,
    fault_of,
    token_fault,
)
from vouchers.messages.simulator.numbers import Behaviour

PAGE = 250
_ENDS = frozenset(
    {"delivered", "permanent-failure", "temporary-failure", "technical-failure"}
)
USUAL = Behaviour("sending, then delivered", statuses=("sending", "delivered"))
#: Numbers with a will of their own: 001 to 003 are Notify's, the rest are ours.
NUMBERS: Mapping[str, Behaviour] = {
    "7700900001": USUAL,
    "7700900002": Behaviour("wrong", statuses=("sending", "permanent-failure")),
    "7700900003": Behaviour("off", statuses=("sending", "temporary-failure")),
    "7700900004": Behaviour("lost", statuses=("sending", "technical-failure")),
    "7700900005": Behaviour("no receipt at all", statuses=()),
    "7700900006": Behaviour(
        "the phone comes back", statuses=("temporary-failure", "delivered")
    ),
}
#: Smoke tests' numbers: answered like others, and nothing is kept or reported.
SMOKE = frozenset({"7700900000", "7700900111", "7700900222"})


@dataclass(frozen=True, slots=True)
class NotifyOptions:
    """How the service is set up, on Notify's own pages in life."""

    api_key: str = (
        "stand-in-00000000-0000-4000-8000-000000000001"
        "-00000000-0000-4000-8000-000000000002"
    )
    template_id: str = "00000000-0000-4000-8000-000000000003"
    template: str = "((body))"
    callback_url: str = "http://127.0.0.1:8400/callbacks/notify"
    callback_token: str = "simulator-notify-token"
    #: Accepted texts are appended here and read back at the next start.
    record: Path | None = None
    keep: int = 1_000_000


class NotifyDesk:
    """One service with one template, one key and one address for receipts."""

    def __init__(
        self, options: NotifyOptions, plan: FaultPlan, callback_delay_s: float
    ) -> None:
        self.options = options
        self.plan = plan
        self.template = options.template
        self.template_version = 1
        self.callback_url = options.callback_url
        self.accepted = Accepted(options.record, options.keep)
        self.callbacks = Callbacks(
            notify_letter(options.callback_token),
            self.accepted,
            callback_delay_s,
            told=_ENDS.__contains__,
        )
        self.requests = 0
        self._by_reference: dict[str | None, list[str]] = {}

    def open(self) -> None:
        """Read back what an earlier run recorded."""
        self.accepted.open()
        for held in self.accepted.all():
            self._by_reference.setdefault(held.attempt_id, []).append(held.sid)
        self.callbacks.start()

    async def close(self) -> None:
        """Receipts still due are never sent."""
        await self.callbacks.stop()
        self.accepted.close()

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        path, _, query = request.target.partition("?")
        wrong = token_fault(
            request.headers.get("authorization", ""), self.options.api_key
        )
        if wrong is not None:
            return error(wrong)
        if path == "/v2/notifications/sms" and request.method == "POST":
            return self._create(request)
        if path == "/v2/notifications" and request.method == "GET":
            return self._list(dict(parse_qsl(query)))
        held = self.accepted.get(path.removeprefix("/v2/notifications/"))
        if held is not None and request.method == "GET":
            return as_json(200, self._shape(held))
        if path == f"/v2/template/{self.options.template_id}":
            return as_json(200, self._template_shape())
        return error("nothing_here")

    def _create(self, request: Request) -> Response:
        self.requests += 1
        try:
            form = json.loads(request.body)
        except ValueError:
            form = None
        if not isinstance(form, dict):
            return error("required")
        if (name := fault_of(form, self.options.template_id)) is not None:
            return error(name)
        to, reference = form["phone_number"], form.get("reference")
        key = reference or to
        fault = self.plan.of_answer(key, to)
        if (turned_away := self._before(fault)) is not None:
            return turned_away
        words = form["personalisation"]["body"]
        body = arrives(self.template.replace("((body))", words))
        held = Held(
            sid=str(uuid.uuid4()),
            to=to,
            sender=str(form.get("sms_sender_id")),
            body=body,
            callback_url=self.callback_url,
            attempt_id=reference,
            at=time.time(),
            segments=1 if len(body) <= 160 else -(-len(body) // 153),
            faults=[fault] if fault else [],
            status="created",
        )
        if to[-10:] not in SMOKE:
            self.callbacks.plan(held, NUMBERS.get(to[-10:], USUAL), self.plan, key)
            self.accepted.add(held)
            self._by_reference.setdefault(reference, []).append(held.sid)
        if fault is Fault.ERROR_AFTER:
            return _internal_error()
        if fault is Fault.DROP_AFTER:
            return DROP
        if fault is Fault.STALL_AFTER:
            return Response(0, after_s=self.plan.stall_s)
        return as_json(201, self._created(held))

    def _before(self, fault: Fault | None) -> Response | None:
        """The answer of a fault that keeps the text from being accepted."""
        if fault is Fault.REFUSE:
            return error(self.plan.refuse_with)
        if fault is Fault.THROTTLE:
            return error("rate")
        if fault is Fault.ERROR_BEFORE:
            return _internal_error()
        if fault is Fault.DROP_BEFORE:
            return DROP
        if fault is Fault.STALL_BEFORE:
            return Response(0, after_s=self.plan.stall_s)
        return None

    def _list(self, query: dict[str, str]) -> Response:
        if query.keys() - {"reference", "template_type", "status", "older_than"}:
            return error("additional")
        if "reference" in query:
            sids = self._by_reference.get(query["reference"], [])
            found = [held for sid in sids if (held := self.accepted.get(sid))]
        else:
            found = list(self.accepted.all())
        newest = [self._shape(held) for held in reversed(found)][:PAGE]
        links = {"current": "http://127.0.0.1/v2/notifications"}
        return as_json(200, {"notifications": newest, "links": links})

    def _created(self, held: Held) -> dict[str, Any]:
        return {
            "id": held.sid,
            "reference": held.attempt_id,
            "content": {"body": held.body, "from_number": "FuelFund"},
            "uri": f"http://127.0.0.1/v2/notifications/{held.sid}",
            "template": self._template_of(),
            "scheduled_for": None,
        }

    def _shape(self, held: Held) -> dict[str, Any]:
        """A text as Notify's JSON shows it."""
        lines = {f"line_{n}": None for n in range(1, 7)}
        at = moment(held.at)
        return {
            "id": held.sid,
            "reference": held.attempt_id,
            "email_address": None,
            "phone_number": held.to,
            **lines,
            "postcode": None,
            "type": "sms",
            "status": held.status,
            "template": self._template_of(),
            "body": held.body,
            "subject": None,
            "created_at": at,
            "sent_at": None if held.status == "created" else at,
            "completed_at": at if held.status in _ENDS else None,
            "scheduled_for": None,
        }

    def _template_of(self) -> dict[str, Any]:
        number = self.options.template_id
        return {
            "id": number,
            "version": self.template_version,
            "uri": f"http://127.0.0.1/v2/template/{number}",
        }

    def _template_shape(self) -> dict[str, Any]:
        return {
            "id": self.options.template_id,
            "name": "Voucher",
            "type": "sms",
            "version": self.template_version,
            "body": self.template,
            "subject": None,
            "personalisation": {"body": {"required": True}},
        }


def notify_letter(token: str) -> Letter:
    """Receipts as Notify writes them, with the bearer token it was given."""

    def write(held: Held, status: str, _code: int | None) -> tuple[str, bytes]:
        at = moment(held.at)
        document = {
            "id": held.sid,
            "reference": held.attempt_id,
            "to": held.to,
            "status": status,
            "created_at": at,
            "completed_at": at,
            "sent_at": at,
            "notification_type": "sms",
            "template_id": str(uuid.UUID(int=3)),
            "template_version": 1,
        }
        headers = f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        return headers, json.dumps(document).encode()

    return write


def moment(at: float) -> str:
    """A moment as Notify writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def error(name: str) -> Response:
    """A refusal as Notify words it."""
    status, kind, words = REFUSALS[name]
    errors = [{"error": kind, "message": words}]
    return as_json(status, {"status_code": status, "errors": errors})


def _internal_error() -> Response:
    errors = [{"error": "Exception", "message": "Internal server error"}]
    return as_json(500, {"status_code": 500, "errors": errors})
