"""A whole installation as its operator starts it: real processes, HTTP and files."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
#: The installed command, as its users call it.
VOUCHERS = [str(Path(sys.executable).with_name("vouchers"))]


class Stack:
    """Processes around one database, one broker and one simulator, below `folder`."""

    def __init__(
        self,
        folder: Path,
        *,
        database_url: str = "",
        broker_url: str = "memory",
        clock: str = "2026-12-07T12:00:00+00:00",
        scheme: str | None = None,
        **more: str,
    ) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.record = folder / "simulator.jsonl"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.web_port = _free_port()
        self.environ = {
            **_clean(os.environ),
            "PYTHONPATH": str(ROOT),
            "VOUCHERS_VAR": str(folder / "var"),
            "VOUCHERS_DATABASE_URL": database_url,
            "VOUCHERS_BROKER_URL": broker_url,
            "VOUCHERS_CLOCK": clock,
            "VOUCHERS_WEB_PORT": str(self.web_port),
            "VOUCHERS_PUBLIC_URL": f"http://127.0.0.1:{self.web_port}",
            "VOUCHERS_LOG": "json",
            **more,
        }
        if scheme is not None:
            path = folder / "scheme.toml"
            path.write_text(scheme, encoding="utf-8")
            self.environ["VOUCHERS_SCHEME"] = str(path)

    def __enter__(self) -> Stack:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, name: str, *command: str, **environ: str) -> None:
        """Start a process of ours that stays; its output goes to NAME.log."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*VOUCHERS, *command],
                env={**self.environ, **environ},
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )

    def start_simulator(self, *more: str) -> str:
        """Start the stand-in for Twilio and point everything else at it."""
        port_file = self.folder / "simulator.port"
        port_file.unlink(missing_ok=True)
        with (self.folder / "simulator.log").open("ab") as log:
            self.processes["simulator"] = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "vouchers.messages.simulator",
                    "--port-file",
                    str(port_file),
                    "--record",
                    str(self.record),
                    *more,
                ],
                env=self.environ,
                stdout=log,
                stderr=log,
            )
        wait_for(port_file.exists, "the simulator's port")
        url = f"http://127.0.0.1:{port_file.read_text().strip()}"
        self.environ["VOUCHERS_TWILIO_API_URL"] = url
        return url

    def start_web(self) -> None:
        """Start what listens for callbacks, and wait until it does."""
        self.start("web", "web")
        wait_for(lambda: _listens(self.web_port), "the web process")

    def run(self, *command: str, fine: tuple[int, ...] = (0,)) -> str:
        """Run a command to its end; AssertionError unless its exit code is `fine`."""
        done = subprocess.run(
            [*VOUCHERS, *command],
            env=self.environ,
            capture_output=True,
            text=True,
            cwd=self.folder,
            check=False,
        )
        assert done.returncode in fine, (
            f"vouchers {' '.join(command)}: exit {done.returncode}\n"
            f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        )
        return done.stdout

    def ask(self, *command: str, fine: tuple[int, ...] = (0,)) -> Any:
        """Run a command with --json and give its document."""
        return json.loads(self.run(*command, "--json", fine=fine))

    def kill(self, name: str) -> None:
        """End a process as a power cut would."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def stop(self) -> None:
        """Ask every process to end, then insist."""
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes = {}

    def accepted(self) -> list[dict[str, Any]]:
        """What the simulator's own record says it took."""
        if not self.record.exists():
            return []
        with self.record.open(encoding="utf-8") as lines:
            told = (json.loads(line) for line in lines)
            return [line for line in told if line["kind"] == "accepted"]


def wait_for(true: Any, what: str, *, seconds: float = 60.0) -> None:
    """Wait until `true()`; AssertionError naming `what` after `seconds`."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.05)


def _clean(environ: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the caller's installation; and compiled files may be written."""
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith("VOUCHERS_") and name != "PYTHONDONTWRITEBYTECODE"
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
