"""POST /check: a partner's program asks before it hands a resident in.

The question stands in the body, the token in a header, nothing in the address; answers
are kept by nobody on the way.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from vouchers.backoffice import check, people
from vouchers.domain.intake.asked import plain_texts
from vouchers.errors import BadFile, NotAllowed, NotFound, Refused, TooMany
from vouchers.pipeline.context import Context

#: How the audit log names this door.
DOOR = "api"
#: Bytes of a question; the longest honest one has under two thousand.
BODY_MAX = 16_384
_FIELDS = {"resident", "partner", "scheme"}


def door(ctx: Context) -> Callable[[Request], Awaitable[JSONResponse]]:
    """POST {"resident": {...}, "partner": ..., "scheme": ...} with a bearer token."""

    async def endpoint(request: Request) -> JSONResponse:
        """One question, one answer."""
        body = await _body(request)
        if body is None:
            return _failed(413, "TooLong", "a question is about one resident")
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        # In a thread: an answer waits for its beat, and others must not.
        return await asyncio.to_thread(_respond, ctx, token, body)

    return endpoint


def _respond(ctx: Context, token: str, body: bytes) -> JSONResponse:
    try:
        with ctx.reading() as conn:
            person = people.identify(conn, token)
    except NotAllowed:
        return _failed(401, "NotAllowed", "send your token as Authorization: Bearer")
    try:
        asked = _question(body)
        found = check.ask(
            ctx,
            person,
            partner=asked.get("partner"),
            scheme=asked.get("scheme"),
            given=plain_texts(asked["resident"]),
            door=DOOR,
        )
    except TooMany as error:
        wait_s = max(1, int((error.again_at - ctx.clock()).total_seconds()) + 1)
        answer = _failed(429, "TooMany", str(error))
        answer.headers["retry-after"] = str(wait_s)
        return answer
    except NotAllowed as error:
        return _failed(403, "NotAllowed", str(error))
    except BadFile as error:
        return _failed(422, "Unreadable", str(error))
    except (Refused, NotFound) as error:
        return _failed(422, type(error).__name__, str(error))
    return _answered(200, check.document_of(found))


def _question(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused("the body is not JSON that we can read") from None
    if not isinstance(asked, dict) or "resident" not in asked or set(asked) - _FIELDS:
        raise Refused('the body is {"resident": {...}}, with "partner" and "scheme"')
    for name in ("partner", "scheme"):
        if not isinstance(asked.get(name), str | None):
            raise Refused(f"{name} is an id")
    return asked


def _failed(status: int, kind: str, words: str) -> JSONResponse:
    return _answered(status, {"error": {"kind": kind, "message": words}})


def _answered(status: int, document: dict[str, Any]) -> JSONResponse:
    return JSONResponse(document, status, headers={"cache-control": "no-store"})


async def _body(request: Request) -> bytes | None:
    """The body, or None as soon as it is too long."""
    taken = bytearray()
    try:
        async for piece in request.stream():
            taken += piece
            if len(taken) > BODY_MAX:
                return None
    except ClientDisconnect:
        return None
    return bytes(taken)
