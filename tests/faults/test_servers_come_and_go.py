"""P8: PostgreSQL crashes and Redis is emptied while rows are on their way."""

from __future__ import annotations

import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import redis

from tests.conftest import FULL
from tests.end_to_end.stack import wait_for
from tests.faults.broken import WORK, Broken, broken_house
from tests.faults.harness import own_postgres
from tests.faults.promises import assert_kept

pytestmark = pytest.mark.faults

FILES = 60 if FULL else 12
CRASHES = 6 if FULL else 2
ROWS = 12


def two_workers(broken: Broken) -> list[BaseProcess]:
    """Two workers carry the first files; texts have begun to go out."""
    broken.be_rich()
    for _ in range(FILES // 2):
        broken.hand_in(broken.rows(ROWS))
    workers = [broken.start(*WORK) for _ in range(2)]
    wait_for(broken.stack.accepted, "the first text")
    return workers


def told_to_stop(broken: Broken, workers: list[BaseProcess]) -> None:
    """They are still there, and end as they should."""
    assert [one.exitcode for one in workers] == [None, None], broken.last_words()
    for one in workers:
        one.terminate()
    broken.join()


@pytest.mark.postgres
def test_a_database_that_crashes_in_mid_flow(tmp_path: Path) -> None:
    """PostgreSQL stops without a checkpoint, again and again; the workers go on."""
    with own_postgres() as server:
        if server is None:
            pytest.skip("no PostgreSQL programs to make a cluster with")
        with broken_house(tmp_path, database_url=server.url) as broken:
            workers = two_workers(broken)
            for _ in range(CRASHES):
                server.crash_and_restart()
                for _ in range(FILES // 2 // CRASHES):
                    broken.hand_in(broken.rows(ROWS))
                time.sleep(0.5)
            told_to_stop(broken, workers)
            broken.finish()
            assert_kept(broken)


@pytest.mark.redis
def test_a_redis_that_is_emptied_in_mid_flow(
    postgres_url: str, redis_url: str, tmp_path: Path
) -> None:
    """Every signal is lost, again and again; the workers find their work anyway."""
    client = redis.Redis.from_url(redis_url)
    with broken_house(
        tmp_path, database_url=postgres_url, broker_url=redis_url
    ) as broken:
        workers = two_workers(broken)
        for _ in range(FILES // 2):
            client.flushdb()
            client.script_flush()
            broken.hand_in(broken.rows(ROWS))
            time.sleep(0.1)
        told_to_stop(broken, workers)
        broken.finish()
        assert_kept(broken)
