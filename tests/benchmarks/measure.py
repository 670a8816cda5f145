"""What processes cost: CPU seconds and peak memory, read from the kernel."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds and peak resident megabytes of one process."""

    cpu_s: float
    peak_mb: float


def cost_of(pid: int) -> Cost:
    """What a living process has used so far; zero for one that is gone."""
    with suppress(FileNotFoundError, ProcessLookupError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        # utime, stime, and those of children that were waited for.
        ticks = sum(int(fields[at]) for at in (11, 12, 13, 14))
        peak = 0.0
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                peak = int(line.split()[1]) / 1024
        return Cost(ticks / _TICKS, peak)
    return Cost(0.0, 0.0)


class ServerWatch:
    """CPU of a server whose processes come and go, sampled while a run lasts."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._start: dict[int, float] = {}
        self._last: dict[int, float] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> ServerWatch:
        self._start = {pid: cost_of(pid).cpu_s for pid in _named(self._name)}
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._look()
        self._ended.set()
        self._thread.join()

    @property
    def cpu_s(self) -> float:
        """CPU seconds since the watch began."""
        return sum(last - self._start.get(pid, 0.0) for pid, last in self._last.items())

    def _run(self) -> None:
        while not self._ended.wait(0.5):
            self._look()

    def _look(self) -> None:
        for pid in _named(self._name):
            self._last[pid] = cost_of(pid).cpu_s


def _named(name: str) -> Iterable[int]:
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            with suppress(OSError):
                if (path / "comm").read_text().strip() == name:
                    yield int(path.name)
