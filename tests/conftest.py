"""Fixtures: the real store on SQLite and, where a server is named, on PostgreSQL."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import pytest
import structlog
from sqlalchemy import create_engine, make_url, text

from config.settings import Settings
from vouchers.bootstrap import App, build
from vouchers.pipeline.context import Context
from vouchers.store import migrations
from vouchers.store.engine import open_engine
from vouchers.store.sealing import Keyring

POSTGRES_URL = os.environ.get("VOUCHERS_TEST_POSTGRES_URL", "")
REDIS_URL = os.environ.get("VOUCHERS_TEST_REDIS_URL", "")
FULL = os.environ.get("VOUCHERS_TEST_SCALE") == "full"

# A slow machine is no fault of the code; in CI the same examples run each time.
hypothesis.settings.register_profile(
    "house",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("house")

#: A winter noon on a Monday: shops are open, texts may be sent.
NOON = datetime(2026, 12, 7, 12, 0, tzinfo=UTC)


class Clock:
    """A business clock that a test moves by hand."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """The present moment of the test."""
        return self.now

    def forward(self, **parts: float) -> None:
        """Let time pass: keyword arguments of timedelta."""
        self.now += timedelta(**parts)


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """A test that sets logging up leaves nothing of it to the next."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.raiseExceptions
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    yield
    structlog.reset_defaults()
    root.handlers[:], _, logging.raiseExceptions = before
    root.setLevel(before[1])
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks


@pytest.fixture
def clock() -> Clock:
    """Noon on a winter Monday."""
    return Clock()


@contextmanager
def postgres_database(template: str = "template0") -> Iterator[str]:
    """A PostgreSQL database of its own, dropped afterwards; gives its URL."""
    name = f"fv_{uuid.uuid4().hex[:12]}"
    server = make_url(POSTGRES_URL).set(drivername="postgresql+psycopg")
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.execute(text(f'create database "{name}" template "{template}"'))
    yield server.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as conn:
        conn.execute(text(f'drop database "{name}" with (force)'))
    admin.dispose()


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """A fresh, empty PostgreSQL database."""
    if not POSTGRES_URL:
        pytest.skip("VOUCHERS_TEST_POSTGRES_URL is not set")
    with postgres_database() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_with_tables() -> Iterator[str]:
    """A PostgreSQL database with tables, to be copied: migrating takes longer."""
    if not POSTGRES_URL:
        pytest.skip("VOUCHERS_TEST_POSTGRES_URL is not set")
    with postgres_database() as url:
        engine = open_engine(url)
        migrations.migrate(engine)
        engine.dispose()
        yield url


@pytest.fixture(scope="session")
def sqlite_with_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with tables, to be copied."""
    path = tmp_path_factory.mktemp("template") / "vouchers.sqlite"
    engine = open_engine(f"sqlite:///{path}")
    migrations.migrate(engine)
    engine.dispose()
    return path


@pytest.fixture
def redis_url() -> Iterator[str]:
    """A real Redis database of its own number, emptied before and after."""
    if not REDIS_URL:
        pytest.skip("VOUCHERS_TEST_REDIS_URL is not set")
    import redis

    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    url = f"{REDIS_URL.rstrip('/').rsplit('?')[0]}"
    url = url if url.count("/") > 2 else f"{url}/{8 + int(worker) % 8}"
    client = redis.Redis.from_url(url)
    client.flushdb()
    yield url
    client.flushdb()
    client.close()


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database: each test that asks runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'vouchers.sqlite'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with tables and nothing in them, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        path = tmp_path / "vouchers.sqlite"
        shutil.copy(request.getfixturevalue("sqlite_with_tables"), path)
        yield f"sqlite:///{path}"
    else:
        template = make_url(request.getfixturevalue("postgres_with_tables")).database
        with postgres_database(str(template)) as url:
            yield url


def settings_for(database_url: str, tmp_path: Path, **more: object) -> Settings:
    """Settings of a throw-away installation below `tmp_path`."""
    return Settings.model_validate(
        {"var": tmp_path / "var", "database_url": database_url, **more}
    )


@pytest.fixture
def app(migrated_url: str, tmp_path: Path, clock: Clock) -> Iterator[App]:
    """A whole installation with tables and keys, at noon, with nothing in it."""
    settings = settings_for(migrated_url, tmp_path)
    Keyring.create(settings.keys)
    built = build(settings, clock=clock, migrate=True)
    yield built
    built.context.engine.dispose()


@pytest.fixture
def ctx(app: App) -> Context:
    """What a step is given."""
    return app.context
