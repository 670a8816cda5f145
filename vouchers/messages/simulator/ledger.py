"""What the stand-in has accepted, kept in memory and, if wished, in a file of lines."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Held:
    """One message as the provider holds it."""

    sid: str
    to: str
    sender: str
    body: str
    callback_url: str
    attempt_id: str | None
    at: float
    segments: int
    faults: list[str]
    status: str = "queued"
    error_code: int | None = None

    def line(self) -> dict[str, Any]:
        """The record's line for it."""
        return {
            "kind": "accepted",
            "sid": self.sid,
            "to": self.to,
            "from": self.sender,
            "body": self.body,
            "callback_url": self.callback_url,
            "attempt_id": self.attempt_id,
            "at": self.at,
            "segments": self.segments,
            "faults": self.faults,
        }


@dataclass(slots=True)
class Accepted:
    """Every accepted message; the newest `keep` of them can be asked for."""

    record: Path | None = None
    keep: int = 1_000_000
    count: int = 0
    _by_sid: dict[str, Held] = field(default_factory=dict)
    _by_number: dict[str, list[Held]] = field(default_factory=dict)
    _file: int | None = None
    _mark: str = field(default_factory=lambda: os.urandom(6).hex())

    def open(self) -> None:
        """Read back what an earlier run recorded, then go on where it ended."""
        if self.record is None:
            return
        if self.record.exists():
            for line in self.record.read_text(encoding="utf-8").splitlines():
                self._replay(json.loads(line))
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._file = os.open(self.record, flags, 0o600)

    def _replay(self, line: dict[str, Any]) -> None:
        if line["kind"] == "status":
            held = self._by_sid.get(line["sid"])
            if held is not None:
                held.status, held.error_code = line["status"], line["error_code"]
            return
        fields = {k: v for k, v in line.items() if k not in ("kind", "from")}
        self._remember(Held(sender=line["from"], **fields))

    def new_sid(self) -> str:
        """A number in Twilio's shape that no earlier run gave."""
        return f"SM{self._mark}{self.count:020x}"

    def add(self, held: Held) -> None:
        """Accept a message; it is in the record before anybody is told."""
        self._remember(held)
        self._write(held.line())

    def move(self, held: Held, status: str, error_code: int | None) -> None:
        """Note a new status."""
        held.status, held.error_code = status, error_code
        self._write(
            {
                "kind": "status",
                "sid": held.sid,
                "status": status,
                "error_code": error_code,
                "at": time.time(),
            }
        )

    def get(self, sid: str) -> Held | None:
        """The message with this number."""
        return self._by_sid.get(sid)

    def to(self, number: str | None) -> list[Held]:
        """Messages to a number, or all of them, newest first."""
        if number is None:
            return list(reversed(self._by_sid.values()))
        return list(reversed(self._by_number.get(number, [])))

    def all(self) -> Iterator[Held]:
        """All that are held, oldest first."""
        return iter(self._by_sid.values())

    def close(self) -> None:
        """Close the record."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _remember(self, held: Held) -> None:
        self.count += 1
        self._by_sid[held.sid] = held
        self._by_number.setdefault(held.to, []).append(held)
        if len(self._by_sid) > self.keep:
            oldest = self._by_sid.pop(next(iter(self._by_sid)))
            same = self._by_number[oldest.to]
            same.pop(0)
            if not same:
                del self._by_number[oldest.to]

    def _write(self, line: dict[str, Any]) -> None:
        if self._file is not None:
            os.write(self._file, json.dumps(line).encode() + b"\n")


_date: tuple[int, str] = (0, "")


def rfc_date(at: float) -> str:
    """A date as Twilio writes it; made once a second."""
    global _date
    if _date[0] != int(at):
        _date = (int(at), formatdate(int(at)).replace("-0000", "+0000"))
    return _date[1]
