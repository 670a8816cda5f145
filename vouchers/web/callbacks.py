"""The door for the providers' callbacks: check whose they are, keep numbers, answer.

The answer comes after the commit, or not at all: the provider asks again. Callbacks
that arrive together share one transaction. Nothing of a person is kept or logged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import parse_qsl

import structlog
from starlette.types import Receive, Scope, Send

from vouchers.errors import ProviderNotSetUp
from vouchers.messages.gateway import Gateway
from vouchers.pipeline.context import Context
from vouchers.pipeline.record_delivery import JOB
from vouchers.store import callbacks
from vouchers.store.callbacks import Reported
from vouchers.web.callback_forms import FORMS, Form

log = structlog.get_logger()

HTTP_NO_CONTENT = 204
#: Bytes of a callback; Twilio's have under one thousand.
BODY_MAX = 16_384
#: Seconds in which callbacks gather for one commit.
GATHER_S = 0.02
#: Callbacks in one commit.
BATCH_MAX = 500
#: Callbacks waiting for a commit; more are turned away and come again.
WAITING_MAX = 10_000

_Waiting = tuple[Reported, "asyncio.Future[None]"]


class CallbackDoor:
    """Takes callbacks in and writes them down in batches."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._waiting: asyncio.Queue[_Waiting] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._gateways: dict[str, Gateway] = {}

    async def open(self) -> None:
        """Begin to take callbacks."""
        self._waiting = asyncio.Queue(WAITING_MAX)
        self._writer = asyncio.create_task(self._write_batches(self._waiting))

    async def close(self) -> None:
        """Take no more; who is not answered will come again."""
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """POST /callbacks/PROVIDER, as a plain ASGI application."""
        headers: list[tuple[bytes, bytes]] = []
        status: int | None
        if scope["method"] != "POST":
            status, headers = 405, [(b"allow", b"POST")]
        else:
            status = await self._take(scope, receive)
        if status is None:
            return
        if status != HTTP_NO_CONTENT:
            headers.append((b"content-length", b"0"))
        await send(
            {"type": "http.response.start", "status": status, "headers": headers}
        )
        await send({"type": "http.response.body"})

    async def _take(self, scope: Scope, receive: Receive) -> int | None:
        """Keep one callback; gives the status to answer, None if nobody listens."""
        form = FORMS[scope["path"]]
        body = await _body(receive)
        if body is None:
            return None
        if len(body) > BODY_MAX:
            return 413
        try:
            params = form.params(body)
            asked = dict(parse_qsl(scope["query_string"].decode("ascii")))
        except ValueError:
            return 400
        try:
            signed = self._is_signed(form, scope, params)
        except ProviderNotSetUp:
            return 404
        if not signed:
            log.warning("callback_refused", reason="signature", route=form.path)
            return 403
        reported = form.read(params, asked.get("a"))
        if reported is None:
            return 400
        waiting = self._waiting
        if waiting is None or waiting.full():
            return 503
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.put_nowait((reported, done))
        try:
            await done
        except Exception:
            return 503
        return HTTP_NO_CONTENT

    def _is_signed(
        self, form: Form, scope: Scope, params: Sequence[tuple[str, str]]
    ) -> bool:
        gateway = self._gateways.get(form.provider)
        if gateway is None:
            gateway = self._gateways[form.provider] = self._ctx.gateway(form.provider)
        # Behind a proxy the request's own idea of its URL is wrong: ours is configured.
        path: bytes = scope.get("raw_path") or scope["path"].encode()
        query: bytes = scope["query_string"]
        url = self._ctx.public_url + path.decode("latin-1")
        if query:
            url += f"?{query.decode('latin-1')}"
        signature = next(
            (value for name, value in scope["headers"] if name == form.signature), b""
        )
        return gateway.verify_callback(
            url=url, params=params, signature=signature.decode("latin-1")
        )

    async def _write_batches(self, waiting: asyncio.Queue[_Waiting]) -> None:
        while True:
            batch = [await waiting.get()]
            await asyncio.sleep(GATHER_S)
            while len(batch) < BATCH_MAX and not waiting.empty():
                batch.append(waiting.get_nowait())
            reported = [one for one, _ in batch]
            try:
                await asyncio.to_thread(self._write, reported)
            except Exception as error:
                log.error("callbacks_not_kept", error_class=type(error).__name__)
                _answer(batch, error)
            else:
                _answer(batch, None)

    def _write(self, reported: Sequence[Reported]) -> None:
        with self._ctx.begin(name="callbacks") as uow:
            callbacks.add(uow, reported)
            uow.enqueue(JOB)


async def _body(receive: Receive) -> bytes | None:
    """The body, cut soon after it is too long; None when the caller hung up."""
    taken = bytearray()
    while len(taken) <= BODY_MAX:
        piece = await receive()
        if piece["type"] == "http.disconnect":
            return None
        taken += piece.get("body", b"")
        if not piece.get("more_body"):
            break
    return bytes(taken)


def _answer(batch: Sequence[_Waiting], error: Exception | None) -> None:
    for _, done in batch:
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
