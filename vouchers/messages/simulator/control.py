"""What only a stand-in has: its record, its fault plan, its counts."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Protocol

from vouchers.messages.simulator.callbacks import Callbacks
from vouchers.messages.simulator.faults import FaultPlan
from vouchers.messages.simulator.http import Request, Response
from vouchers.messages.simulator.ledger import Accepted
from vouchers.messages.simulator.numbers import MAGIC


class Desk(Protocol):
    """One provider of a stand-in."""

    accepted: Accepted
    callbacks: Callbacks
    plan: FaultPlan
    requests: int


def control(desk: Desk, request: Request, name: str) -> Response:
    """Answer a question that no provider would be asked."""
    if name == "record" and request.method == "GET":
        lines = (json.dumps(held.line()) for held in desk.accepted.all())
        return Response(200, "\n".join(lines).encode())
    if name == "status" and request.method == "GET":
        return as_json(
            200,
            {
                "requests": desk.requests,
                "accepted": desk.accepted.count,
                "callbacks_waiting": desk.callbacks.waiting,
                "callbacks_delivered": desk.callbacks.delivered,
                "callbacks_given_up": desk.callbacks.given_up,
            },
        )
    if name == "numbers" and request.method == "GET":
        return as_json(200, {to: asdict(one) for to, one in MAGIC.items()})
    if name == "plan" and request.method in ("POST", "PUT"):
        try:
            desk.plan = FaultPlan.of(json.loads(request.body or b"{}"))
        except (ValueError, KeyError, TypeError) as fault:
            return as_json(400, {"message": str(fault)})
        return as_json(200, {})
    return as_json(404, {"message": "a stand-in has record, status, numbers, plan"})


def as_json(status: int, document: object) -> Response:
    """A JSON answer."""
    return Response(status, json.dumps(document).encode())
