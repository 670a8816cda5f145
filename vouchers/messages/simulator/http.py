"""A small, fast HTTP/1.1: a server for clients that behave, and one client.

Not for the open internet; the stand-in listens on the loopback only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

_LIMIT = 1 << 20


@dataclass(slots=True)
class Request:
    """One request as it came."""

    method: str
    #: Path and query, raw.
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Response:
    """One answer; status 0 closes the connection without a word."""

    status: int
    body: bytes = b""
    #: Seconds to wait before answering.
    after_s: float = 0.0


DROP = Response(0)
Handler = Callable[[Request], Response]
_LINES = {status.value: status.phrase for status in HTTPStatus}


class HttpProtocol(asyncio.Protocol):
    """One connection: requests one after another, answers in the same order."""

    def __init__(
        self, handler: Handler, open_ones: set[HttpProtocol], latency_s: float = 0.0
    ) -> None:
        self._handler = handler
        self._open_ones = open_ones
        self._latency_s = latency_s
        self._buffer = b""
        self._busy = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open_ones.add(self)

    def connection_lost(self, _exc: Exception | None) -> None:
        """The other side is gone."""
        self._transport = None
        self._open_ones.discard(self)

    def abort(self) -> None:
        """Close the connection whatever is under way."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Collect bytes until a whole request is there."""
        self._buffer += data
        if len(self._buffer) > _LIMIT and self._transport:
            self._transport.close()
            return
        self._next()

    def _next(self) -> None:
        while not self._busy and self._transport:
            request = self._take()
            if request is None:
                return
            answer = self._handler(request)
            after_s = answer.after_s or self._latency_s
            if not after_s:
                self._answer(answer)
                continue
            self._busy = True
            loop = asyncio.get_running_loop()
            loop.call_later(after_s, self._answer_later, answer)

    def _answer_later(self, answer: Response) -> None:
        self._busy = False
        self._answer(answer)
        self._next()

    def _take(self) -> Request | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        size = int(headers.get("content-length", "0"))
        if len(self._buffer) < end + 4 + size:
            return None
        body = self._buffer[end + 4 : end + 4 + size]
        self._buffer = self._buffer[end + 4 + size :]
        method, target, _ = first.split(" ", 2)
        return Request(method, target, headers, body)

    def _answer(self, response: Response) -> None:
        transport = self._transport
        if transport is None:
            return
        if response.status == 0:
            transport.abort()
            return
        head = (
            f"HTTP/1.1 {response.status} {_LINES.get(response.status, '')}\r\n"
            "Content-Type: application/json\r\n"
            f"Content-Length: {len(response.body)}\r\n\r\n"
        )
        transport.write(head.encode("latin-1") + response.body)


class Poster:
    """One kept-alive connection on which callbacks are posted one after another."""

    def __init__(self, host: str, port: int, limit_s: float = 15.0) -> None:
        self._host = host
        self._port = port
        self._limit_s = limit_s
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, target: str, headers: str, body: bytes) -> int:
        """Post and give the status; OSError when there was no whole answer."""
        head = (
            f"POST {target} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n{headers}"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode("latin-1")
        fresh = self._streams is None
        try:
            # Not wait_for: before Python 3.12 it may swallow being cancelled.
            async with asyncio.timeout(self._limit_s):
                return await self._exchange(head + body)
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            self.close()
            if not fresh and isinstance(error, (OSError, EOFError)):
                # The server may close an idle connection at any time.
                return await self.post(target, headers, body)
            raise ConnectionError(type(error).__name__) from None

    async def _exchange(self, request: bytes) -> int:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = int(head.split(" ", 2)[1])
        for line in head.split("\r\n"):
            if line.startswith("content-length:"):
                await reader.readexactly(int(line.partition(":")[2]))
        if "connection: close" in head:
            self.close()
        return status

    def close(self) -> None:
        """Give the connection back."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
