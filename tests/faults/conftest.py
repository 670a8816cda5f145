"""Installations to break."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import FULL
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
