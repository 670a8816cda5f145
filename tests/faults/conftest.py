"""Installations to break."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from tests.conftest import FULL, POSTGRES_URL, REDIS_URL, postgres_database
from tests.faults.broken import Broken, broken_house
from tests.faults.harness import House


@pytest.fixture(
    params=["embedded", pytest.param("servers", marks=pytest.mark.postgres)]
)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """SQLite with the in-process broker, and PostgreSQL with Redis."""
    if request.param == "embedded":
        made = House(tmp_path, f"sqlite:///{tmp_path / 'vouchers.sqlite'}")
    elif not FULL:
        pytest.skip("VOUCHERS_TEST_SCALE=full breaks the servers, too")
    else:
        made = House(
            tmp_path,
            request.getfixturevalue("postgres_url"),
            request.getfixturevalue("redis_url"),
        )
    yield made
    made.close()


@pytest.fixture(scope="module")
def broken_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broken]:
    """One installation on PostgreSQL and Redis for all tests of a file."""
    if not (POSTGRES_URL and REDIS_URL):
        pytest.skip("VOUCHERS_TEST_POSTGRES_URL and _REDIS_URL are not both set")
    folder = tmp_path_factory.mktemp("broken")
    with (
        postgres_database() as database_url,
        redis_database() as broker_url,
        broken_house(folder, database_url=database_url, broker_url=broker_url) as made,
    ):
        yield made


@pytest.fixture(
    scope="module",
    params=["embedded", pytest.param("servers", marks=pytest.mark.postgres)],
)
def broken(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Broken]:
    """One installation for all tests of a file, each of which brings its own work."""
    if request.param == "servers":
        yield request.getfixturevalue("broken_servers")
        return
    with broken_house(tmp_path_factory.mktemp("broken")) as made:
        yield made


@contextmanager
def redis_database() -> Iterator[str]:
    """A Redis database that no other test uses now, emptied before and after."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    url = f"{REDIS_URL.rstrip('/')}/{4 + int(worker) % 4}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
        yield url
        client.flushdb()
