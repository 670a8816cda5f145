"""The stand-in on a thread of this process, or as a process until told to stop."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from vouchers.messages.simulator.faults import FaultPlan
from vouchers.messages.simulator.server import SimulatorOptions, SimulatorServer


@dataclass(slots=True)
class RunningSimulator:
    """A stand-in at work on a thread; stop it when done."""

    server: SimulatorServer
    _loop: asyncio.AbstractEventLoop
    _thread: threading.Thread

    @property
    def url(self) -> str:
        """Base URL to point the real client at."""
        return f"http://{self.server.options.host}:{self.server.port}"

    def accepted(self, provider: str = "twilio") -> list[dict[str, Any]]:
        """Every accepted message, as the record has it, oldest first."""
        return read_record(self.url, provider)

    def plan(self, *, provider: str = "twilio", **plan: Any) -> None:
        """Follow another fault plan from now on."""
        post_plan(self.url, plan, provider)

    def stop(self) -> None:
        """Stop it and wait."""
        asyncio.run_coroutine_threadsafe(self.server.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


def run_in_thread(
    options: SimulatorOptions | None = None, plan: FaultPlan | None = None
) -> RunningSimulator:
    """Start a stand-in on a thread of its own; it listens when this returns."""
    server = SimulatorServer(options or SimulatorOptions(), plan or FaultPlan())
    loop = asyncio.new_event_loop()
    thread = threading.Thread(
        target=loop.run_forever, name="twilio-simulator", daemon=True
    )
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
    return RunningSimulator(server, loop, thread)


def run_forever(
    options: SimulatorOptions,
    plan: FaultPlan,
    port_file: Path | None = None,
    notify_plan: FaultPlan | None = None,
) -> None:
    """Be the process: listen, write the port, stop at SIGTERM or SIGINT."""
    asyncio.run(_run(SimulatorServer(options, plan, notify_plan), port_file))


async def _run(server: SimulatorServer, port_file: Path | None) -> None:
    await server.start()
    if port_file is not None:
        # Whole or not at all: somebody waits for this file.
        draft = port_file.with_suffix(".tmp")
        draft.write_text(f"{server.port}\n", encoding="ascii")
        draft.replace(port_file)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
    await server.stop()


def read_record(url: str, provider: str = "twilio") -> list[dict[str, Any]]:
    """What a stand-in anywhere has accepted."""
    with urlopen(_desk(url, provider) + "/record", timeout=30) as answer:
        return [json.loads(line) for line in answer.read().splitlines()]


def read_status(url: str, provider: str = "twilio") -> dict[str, int]:
    """Counts of a stand-in anywhere."""
    with urlopen(_desk(url, provider) + "/status", timeout=30) as answer:
        status: dict[str, int] = json.load(answer)
        return status


def post_plan(url: str, plan: dict[str, Any], provider: str = "twilio") -> None:
    """Give a stand-in anywhere another fault plan."""
    body = json.dumps(plan).encode()
    request = Request(_desk(url, provider) + "/plan", data=body, method="POST")
    with urlopen(request, timeout=30):
        pass


def _desk(url: str, provider: str) -> str:
    return f"{url}/_simulator" + ("/notify" if provider == "notify" else "")
