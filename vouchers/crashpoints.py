"""Named places where a test may kill this process: nothing may depend on luck."""

from __future__ import annotations

import os
import signal
from pathlib import Path

_seen: dict[str, int] = {}


def crashpoint(name: str) -> None:
    """Die by SIGKILL here if VOUCHERS_CRASH_AT says `name` or `name:n` (the nth pass).

    Without that variable this is one dictionary look-up. VOUCHERS_CRASH_LOG names a
    file to which each passed point is appended, so that a suite can prove coverage.
    """
    wanted = os.environ.get("VOUCHERS_CRASH_AT")
    log = os.environ.get("VOUCHERS_CRASH_LOG")
    if wanted is None and log is None:
        return
    _seen[name] = _seen.get(name, 0) + 1
    if log is not None and _seen[name] == 1:
        with Path(log).open("a", encoding="utf-8") as stream:
            stream.write(f"{name}\n")
    if wanted is None:
        return
    point, _, nth = wanted.partition(":")
    if point == name and _seen[name] == int(nth or 1):
        os.kill(os.getpid(), signal.SIGKILL)
