"""Many calls at once from one process: a loop on a thread, with its open client."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

from vouchers.messages.gateway import NotCalled, Outcome, OutgoingMessage

T = TypeVar("T")
C = TypeVar("C")


class BulkLoop(Generic[C]):
    """An event loop on its own thread, with the one asynchronous client it serves."""

    client: C
    slots: asyncio.Semaphore

    def __init__(
        self,
        name: str,
        open_client: Callable[[], C],
        close_client: Callable[[C], Awaitable[None]],
        concurrency: int,
    ) -> None:
        self.pid = os.getpid()
        self._concurrency = concurrency
        self._close_client = close_client
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name=name, daemon=True
        )
        self._thread.start()
        self.run(self._open(open_client))

    async def _open(self, open_client: Callable[[], C]) -> None:
        self.client = open_client()
        self.slots = asyncio.Semaphore(self._concurrency)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work` on the loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def hand_over(
        self,
        messages: Sequence[OutgoingMessage],
        may_start: Callable[[], bool],
        send_one: Callable[[C, OutgoingMessage], Awaitable[Outcome]],
    ) -> list[Outcome]:
        """Send all, at most `concurrency` of this process at once, answers in order."""
        return self.run(self._send_all(messages, may_start, send_one))

    async def _send_all(
        self,
        messages: Sequence[OutgoingMessage],
        may_start: Callable[[], bool],
        send_one: Callable[[C, OutgoingMessage], Awaitable[Outcome]],
    ) -> list[Outcome]:
        waiting = iter(enumerate(messages))
        outcomes: list[Outcome] = [NotCalled()] * len(messages)

        async def carry() -> None:
            for place, message in waiting:
                async with self.slots:
                    if may_start():
                        outcomes[place] = await send_one(self.client, message)

        carriers = min(self._concurrency, len(messages))
        await asyncio.gather(*(carry() for _ in range(carriers)))
        return outcomes

    def close(self) -> None:
        """Close the client, then end the thread."""
        self.run(self._drop_client())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        self._loop.close()

    async def _drop_client(self) -> None:
        await self._close_client(self.client)
