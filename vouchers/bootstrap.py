"""The only wiring: settings become an engine, keys, a clock, gateways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from config.settings import Settings
from vouchers import providers
from vouchers.pipeline.context import Context
from vouchers.store import migrations, model_in_use, sealing
from vouchers.store.engine import open_engine
from vouchers.store.sealing import Keyring
from vouchers.store.unit_of_work import begin


@dataclass(frozen=True)
class App:
    """Everything a process needs, made once at its start."""

    settings: Settings
    context: Context


def build(
    settings: Settings,
    *,
    clock: Callable[[], datetime] | None = None,
    gateway: Callable[[str], Any] | None = None,
    migrate: bool | None = None,
) -> App:
    """Open what `settings` name.

    An embedded installation makes its keys and tables on first use; a server's tables
    are made by `vouchers migrate` and its key file must exist. KeysMismatch is raised
    for a key file that belongs to another database, Refused for a matching model that
    is none.
    """
    if settings.embedded:
        # Sealed or not, the house is nobody else's business on this machine.
        settings.var.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = open_engine(settings.database, pool_size=settings.threads + 8)
    if settings.embedded and not settings.keys.exists():
        Keyring.create(settings.keys)
    keys = Keyring.load(settings.keys)
    model_in_use.use(settings.model_file)
    if settings.embedded if migrate is None else migrate:
        migrations.migrate(engine)
    now = clock or _clock(settings)
    with begin(engine, now=now(), name="start") as uow:
        sealing.check_fingerprints(uow.conn, keys)
    for folder in (settings.inbox_folder, settings.outbox_folder):
        folder.mkdir(parents=True, exist_ok=True)
    return App(
        settings,
        Context(
            engine=engine,
            keys=keys,
            clock=now,
            gateway=gateway or partial(providers.gateway, settings),
            inbox=settings.inbox_folder,
            outbox=settings.outbox_folder,
            public_url=settings.public_url.rstrip("/"),
            calls_at_once=max(8, settings.threads),
        ),
    )


def _clock(settings: Settings) -> Callable[[], datetime]:
    if settings.clock is None:
        return lambda: datetime.now(UTC)
    # Demos and benchmarks: the day stands still, the minutes pass.
    start = datetime.fromisoformat(settings.clock)
    started = datetime.now(UTC)
    return lambda: (start + (datetime.now(UTC) - started)).astimezone(UTC)
