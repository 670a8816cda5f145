"""What every step is given: database, keys, clock and the way to the phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from vouchers.store import unit_of_work
from vouchers.store.sealing import Keyring
from vouchers.store.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class Context:
    """The world as a step may see it; settings stay outside."""

    engine: Engine
    keys: Keyring
    #: The business clock: aware UTC, read once a transaction.
    clock: Callable[[], datetime]
    #: Gives a provider's gateway, made late: see vouchers.messages.gateway. Raises
    #: ProviderNotSetUp where this process was not given the account.
    gateway: Callable[[str], Any]
    inbox: Path
    outbox: Path
    #: Where the provider's callbacks reach us, without a trailing slash.
    public_url: str
    #: Sends and other calls one process makes at a time.
    calls_at_once: int = 8
    extras: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def begin(
        self, *, actor: str = "system", urgent: bool = False, name: str = "unit"
    ) -> Iterator[UnitOfWork]:
        """One transaction; `name` is that of its crash points ("accept.chunk")."""
        with unit_of_work.begin(
            self.engine, now=self.clock(), actor=actor, urgent=urgent, name=name
        ) as uow:
            yield uow

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A snapshot to read from."""
        with unit_of_work.reading(self.engine) as conn:
            yield conn
