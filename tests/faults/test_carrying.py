"""P8 for the carrying of jobs: whatever dies, each item is carried exactly once."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter

import pytest
import redis
from sqlalchemy import Engine, make_url, select, text

from config.settings import Settings
from tests.conftest import FULL
from tests.faults.harness import (
    DeafProxy,
    House,
    kill_at_random,
    own_postgres,
)
from tests.faults.synthetic import POISON
from vouchers.bootstrap import build
from vouchers.pipeline.context import Context
from vouchers.store.jobs import JobSpec
from vouchers.store.sealing import Keyring
from vouchers.store.tables.proof import audit_event
from vouchers.store.tables.work import job

pytestmark = pytest.mark.faults

ITEMS = 4_000 if FULL else 400
CHUNK = 20


def prepare(house: House, items: int = ITEMS, **more: str) -> Context:
    """Make the tables and record the jobs: every chunk of CHUNK items."""
    settings = Settings.model_validate(
        {
            "var": house.folder / "var",
            "database_url": house.database_url,
            "keys_file": house.folder / "var" / "keys.json",
        }
    )
    Keyring.create(settings.keys)
    ctx = build(settings, migrate=True).context
    with ctx.begin() as uow:
        uow.enqueue(
            *[
                JobSpec("accept", "first", items=range(n, min(n + CHUNK, items)))
                for n in range(0, items, CHUNK)
            ]
        )
    return ctx


def work(house: House, *words: str) -> subprocess.Popen:
    """Start a worker process with the synthetic steps."""
    return house.start("-m", "tests.faults.synthetic", *words)


def carried(engine: Engine) -> Counter[tuple[str, int]]:
    """How often each step was carried for each item, by the audit log."""
    with engine.connect() as conn:
        bodies = conn.scalars(
            select(audit_event.c.body).where(
                audit_event.c.kind.in_(("first.done", "second.done"))
            )
        ).all()
    found = [json.loads(body) for body in bodies]
    return Counter((one["kind"], one["entity"]) for one in found)


def assert_all_carried_once(house: House, ctx: Context, items: int = ITEMS) -> None:
    """Left alone, a worker ends what is left; then all is there exactly once."""
    # 3: done, and one item is held for a person.
    assert house.ended(work(house)) == 3, house.last_words()
    counts = carried(ctx.engine)
    wanted = {("first.done", n) for n in range(items)}
    wanted |= {("second.done", n) for n in range(items) if n != POISON}
    assert set(counts) == wanted
    assert set(counts.values()) == {1}
    with ctx.reading() as conn:
        rows = conn.execute(select(job.c.state, job.c["items"])).all()
    assert [row[1] for row in rows if row.state == "held"] == [[POISON]]
    assert {row.state for row in rows} == {"held", "done"}
    ctx.engine.dispose()


def wait_for_events(ctx: Context) -> None:
    """Wait until the first item was carried: the process is at work."""
    deadline = time.monotonic() + 60
    while not carried(ctx.engine):
        assert time.monotonic() < deadline, "nothing was ever carried"
        time.sleep(0.05)


def test_a_storm_of_kills_is_survived(house: House) -> None:
    """Two workers are killed over and over; left alone, all is done."""
    ctx = prepare(house)
    kills = kill_at_random(
        lambda: work(house, "stay"),
        workers=2,
        seconds=60 if FULL else 8,
        seed=20261207,
        between=(0.8, 2.5),
    )
    assert kills > 2
    assert_all_carried_once(house, ctx)


@pytest.mark.redis
def test_redis_flushed_in_mid_flow(postgres_url: str, redis_url: str, tmp_path) -> None:
    """FLUSHALL again and again while two workers carry costs time only."""
    house = House(tmp_path, postgres_url, redis_url)
    ctx = prepare(house)
    client = redis.Redis.from_url(redis_url)
    workers = [work(house) for _ in range(2)]
    try:
        while any(one.poll() is None for one in workers):
            client.flushdb()
            client.script_flush()
            time.sleep(0.3)
    finally:
        house.close()
    assert_all_carried_once(house, ctx)


@pytest.mark.postgres
def test_commits_whose_answer_is_lost(postgres_url: str, tmp_path) -> None:
    """The server commits, nobody hears of it, now and then: nothing doubles."""
    url = make_url(postgres_url)
    proxy = DeafProxy(url.host or "127.0.0.1", url.port or 5432, every=30)
    deaf = url.set(host="127.0.0.1", port=proxy.port, query={"sslmode": "disable"})
    straight = House(tmp_path, postgres_url)
    ctx = prepare(straight)
    house = House(tmp_path, deaf.render_as_string(hide_password=False))
    try:
        house.ended(work(house))
        assert proxy.swallowed > 3
        assert_all_carried_once(straight, ctx)
    finally:
        house.close()
        proxy.close()


@pytest.mark.postgres
def test_a_database_that_crashes_and_comes_back(tmp_path) -> None:
    """PostgreSQL stops without a checkpoint twice while workers carry; they go on."""
    with own_postgres() as server:
        if server is None:
            pytest.skip("no PostgreSQL programs to make a cluster with")
        house = House(tmp_path, server.url)
        ctx = prepare(house)
        process = work(house)
        try:
            wait_for_events(ctx)
            for _ in range(2):
                time.sleep(1)
                server.crash_and_restart()
            house.ended(process)
            ctx.engine.dispose()
            assert_all_carried_once(house, ctx)
        finally:
            house.close()


def test_a_process_told_to_stop_finishes_what_it_began(house: House) -> None:
    """SIGTERM: no job is left running behind, no lease has to be waited for."""
    ctx = prepare(house)
    process = work(house, "stay")
    wait_for_events(ctx)
    process.terminate()
    assert house.ended(process) in (0, 3), house.last_words()
    with ctx.reading() as conn:
        left = conn.execute(text("select count(*) from job where state = 'running'"))
        assert left.scalar_one() == 0
    assert_all_carried_once(house, ctx)
