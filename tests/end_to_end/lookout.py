"""Watches an installation from outside: its database, its Redis, its logs."""

from __future__ import annotations

import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import redis
from sqlalchemy import MetaData, create_engine, make_url, select

from tests.end_to_end.stack import Stack


def values(database_url: str) -> Iterator[tuple[str, str]]:
    """Every value of every table as (table.column, text); bytes in two spellings."""
    engine = create_engine(database_url)
    tables = MetaData()
    with engine.connect() as conn:
        tables.reflect(conn)
        for table in tables.sorted_tables:
            places = [f"{table.name}.{one.name}" for one in table.c]
            for row in conn.execute(select(table)):
                for place, value in zip(places, row, strict=True):
                    if isinstance(value, str | bytes | memoryview | dict | list):
                        yield place, _spelled(value)
    engine.dispose()


def database_file(database_url: str) -> Iterator[tuple[str, str]]:
    """SQLite's own bytes: what a row was before a change may still lie there."""
    path = make_url(database_url).database
    if database_url.startswith("sqlite") and path:
        for part in ("", "-wal"):
            with suppress(FileNotFoundError):
                yield f"file{part}", Path(path + part).read_bytes().decode("latin-1")


def _spelled(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        raw = bytes(value)
        return f"{raw.decode('latin-1')}\n{raw.hex()}"
    return str(value)


#: A line of MONITOR: moment, database and client, then the command.
_OF_DATABASE = re.compile(r"[\d.]+ \[(\d+) ")


class RedisEar:
    """Hears every command that reaches a Redis database, and reads what it keeps."""

    def __init__(self, url: str) -> None:
        self.heard: list[str] = []
        # Nothing may come for a long while: that is no reason to stop listening.
        self._client = redis.Redis.from_url(url, socket_timeout=None)
        self._number = str(self._client.connection_pool.connection_kwargs["db"])
        self._monitor = self._client.monitor()
        self._monitor.__enter__()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        # Lines as they come: the client's own reader stumbles over those of scripts.
        with suppress(OSError, redis.RedisError):
            while True:
                told = self._monitor.connection.read_response()
                line = told.decode("utf-8", "replace")
                found = _OF_DATABASE.match(line)
                if found is not None and found[1] == self._number:
                    self.heard.append(line)

    def kept(self) -> Iterator[str]:
        """Every key and its value, of whatever type."""
        read = {
            b"string": self._client.get,
            b"hash": self._client.hgetall,
            b"set": self._client.smembers,
            b"list": lambda key: self._client.lrange(key, 0, -1),
            b"zset": lambda key: self._client.zrange(key, 0, -1, withscores=True),
            b"stream": self._client.xrange,
        }
        for key in self._client.scan_iter():
            kind: Any = self._client.type(key)
            if kind in read:
                yield f"{key!r} {read[kind](key)!r}"

    def close(self) -> None:
        """Hear no more."""
        with suppress(Exception):
            self._monitor.connection.disconnect()
        self._client.close()


def logs(stack: Stack) -> str:
    """All that the processes have printed so far."""
    return "\n".join(
        path.read_text(encoding="utf-8", errors="replace")
        for path in sorted(stack.folder.glob("*.log"))
    )


def unzipped(path: Path) -> str:
    """Every member of an archive as one text."""
    with zipfile.ZipFile(path) as archive:
        return "\n".join(
            archive.read(name).decode("utf-8", "replace") for name in archive.namelist()
        )
