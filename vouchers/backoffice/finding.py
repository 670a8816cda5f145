"""One thing that the doctor looked at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    id: str
    #: ok, warn or bad.
    level: str
    sentence: str
    hints: tuple[str, ...] = ()
