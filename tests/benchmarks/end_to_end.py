"""Residents a second from dropped file to accepted message, on either database.

Run: python -m tests.benchmarks.end_to_end [--residents 20000 100000]
     [--databases sqlite postgresql] [--json]
PostgreSQL and Redis are taken from VOUCHERS_TEST_POSTGRES_URL and
VOUCHERS_TEST_REDIS_URL. The simulator and everything else run on this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, make_url, text

from tests.benchmarks.measure import ServerWatch, cost_of
from tests.end_to_end.installation import OWNER, fund, house, register, roomy_scheme
from tests.end_to_end.stack import Stack
from vouchers.cli.demo.files import Sample, write_partners
from vouchers.pipeline.accept import submit

#: Partners of a run and the share of residents that two of them hand in.
PARTNERS = 10
REPEATS = 0.15
#: Seconds without any progress after which a run is given up.
STALLED_S = 120.0


def main() -> None:
    """Read the command line, run each size on each database, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--residents", type=int, nargs="+", default=[20_000])
    parser.add_argument(
        "--databases",
        nargs="+",
        choices=["sqlite", "postgresql"],
        default=["sqlite", "postgresql"],
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--partners", type=int, default=PARTNERS)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    results = [
        run(database, residents, given.workers, given.threads, given.partners)
        for residents in given.residents
        for database in given.databases
    ]
    if given.json:
        print(json.dumps(results, indent=1))
    else:
        for result in results:
            show(result)


def run(
    database: str, residents: int, workers: int, threads: int, partners: int
) -> dict[str, Any]:
    """One run from empty tables to the sealed log; gives what it measured."""
    with (
        tempfile.TemporaryDirectory(prefix="vouchers-bench-") as folder,
        _database(database) as (database_url, broker_url),
        Stack(
            Path(folder),
            database_url=database_url,
            broker_url=broker_url,
            scheme=roomy_scheme(),
        ) as stack,
    ):
        sample = write_partners(
            Path(folder) / "files",
            seed=7,
            partners=partners,
            residents=residents,
            repeats=REPEATS,
            mistakes=0.01,
            today=date(2026, 12, 7),
        )
        stack.start_simulator("--delay", "0.2", "--connections", "64")
        register(stack, sample)
        fund(stack, pence=residents * 12_000)
        return _timed(stack, sample, database, workers, threads)


def _timed(
    stack: Stack, sample: Sample, database: str, workers: int, threads: int
) -> dict[str, Any]:
    started = time.monotonic()
    with ServerWatch("postgres") as postgres, ServerWatch("redis-server") as redis:
        if database == "sqlite":
            stack.start("run", "run")
        else:
            stack.start_web()
            stack.start("dispatch", "dispatch")
            for n in range(workers):
                stack.start(f"work{n}", "work", "--threads", str(threads))
        # Handed in from here: ten starts of the command line would be measured too.
        used = time.process_time()
        with house(stack) as ctx:
            for path in sample.files:
                submit(ctx, partner=path.parent.name, path=path, via="cli", actor=OWNER)
        submit_cpu_s = time.process_time() - used
        submitted = time.monotonic()
        _wait_until_settled(stack)
        ended = time.monotonic()
        costs = {name: cost_of(p.pid) for name, p in stack.processes.items()}
    rows = len(sample.truths)
    sent = len(stack.accepted())
    seconds = ended - started
    server_cpu = postgres.cpu_s + redis.cpu_s + submit_cpu_s
    return {
        "database": database,
        "rows": rows,
        "messages": sent,
        "seconds": round(seconds, 1),
        "rows_per_second": round(rows / seconds, 1),
        "submit_seconds": round(submitted - started, 1),
        "cpu_ms_per_row": round(
            1000 * (sum(c.cpu_s for c in costs.values()) + server_cpu) / rows, 2
        ),
        "cpu_s": {name: round(c.cpu_s, 1) for name, c in costs.items()}
        | {
            "submit": round(submit_cpu_s, 1),
            "postgres": round(postgres.cpu_s, 1),
            "redis": round(redis.cpu_s, 1),
        },
        "peak_mb": {name: round(c.peak_mb) for name, c in costs.items()},
        "steps": _steps(stack),
    }


def _wait_until_settled(stack: Stack) -> None:
    """Until no job is left, every message was accepted and the log is sealed."""
    engine = create_engine(_engine_url(stack))
    left_sql = text(
        "select (select count(*) from job where state in ('ready', 'running')"
        " and kind not in ('results.write'))"
        " + (select count(*) from audit_pending)"
        " + (select count(*) from message where state in"
        " ('queued', 'sending', 'unknown'))"
        " + (select count(*) from callback where applied = 0)"
    )
    done_sql = text("select max(id) from audit_event")
    quiet, last, moved = 0, -1, time.monotonic()
    while quiet < 3:
        with engine.connect() as conn:
            left = conn.execute(left_sql).scalar_one()
            done = conn.execute(done_sql).scalar_one()
        quiet = quiet + 1 if left == 0 else 0
        if done != last:
            last, moved = done, time.monotonic()
        if time.monotonic() - moved > STALLED_S:
            raise SystemExit(f"nothing moved for {STALLED_S:.0f} s; {left} left")
        time.sleep(0.3)
    engine.dispose()


def _steps(stack: Stack) -> dict[str, dict[str, float]]:
    """Busy seconds and rows a second of each kind of job, from the job table."""
    engine = create_engine(_engine_url(stack))
    spent: dict[str, list[float]] = {}
    spans: dict[str, list[float]] = {}
    with engine.connect() as conn:
        for row in conn.execute(
            text(
                "select kind, items, claimed_at, finished_at from job"
                " where state = 'done' and claimed_at is not null"
            )
        ):
            items = row.items if isinstance(row.items, list) else json.loads(row.items)
            claimed, finished = _seconds(row.claimed_at), _seconds(row.finished_at)
            seconds = finished - claimed
            span = spans.setdefault(row.kind, [claimed, finished])
            span[0], span[1] = min(span[0], claimed), max(span[1], finished)
            total = spent.setdefault(row.kind, [0.0, 0.0])
            total[0] += seconds
            total[1] += len(items)
    engine.dispose()
    start = min(first for first, _ in spans.values())
    return {
        kind: {
            "from_s": round(spans[kind][0] - start, 1),
            "until_s": round(spans[kind][1] - start, 1),
            "busy_seconds": round(seconds, 2),
            "rows": rows,
            "rows_per_busy_second": round(rows / seconds) if seconds else 0,
        }
        for kind, (seconds, rows) in sorted(spent.items())
    }


def _seconds(moment: Any) -> float:
    if isinstance(moment, str):
        from datetime import datetime

        return datetime.fromisoformat(moment).timestamp()
    return float(moment.timestamp())


def _engine_url(stack: Stack) -> str:
    given = stack.environ["VOUCHERS_DATABASE_URL"]
    return given or f"sqlite:///{stack.folder / 'var' / 'vouchers.sqlite'}"


@contextmanager
def _database(kind: str) -> Iterator[tuple[str, str]]:
    if kind == "sqlite":
        yield "", "memory"
        return
    server = make_url(os.environ["VOUCHERS_TEST_POSTGRES_URL"])
    server = server.set(drivername="postgresql+psycopg")
    redis_url = os.environ["VOUCHERS_TEST_REDIS_URL"].rstrip("/")
    name = f"bench_{uuid.uuid4().hex[:10]}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.execute(text(f'create database "{name}"'))
    try:
        url = server.set(database=name).render_as_string(hide_password=False)
        yield url, redis_url if redis_url.count("/") > 2 else f"{redis_url}/15"
    finally:
        with admin.connect() as conn:
            conn.execute(text(f'drop database "{name}" with (force)'))
        admin.dispose()


def show(result: dict[str, Any]) -> None:
    """Print one run for people."""
    print(
        f"{result['database']}: {result['rows']:,} rows, {result['messages']:,} "
        f"messages in {result['seconds']} s = {result['rows_per_second']} rows/s; "
        f"{result['cpu_ms_per_row']} ms CPU a row"
    )
    print(f"  CPU s: {result['cpu_s']}")
    print(f"  peak MB: {result['peak_mb']}")
    for kind, step in result["steps"].items():
        print(
            f"  {kind:18} {step['from_s']:>6} to {step['until_s']:>6} s"
            f"  {step['rows']:>9,.0f} rows  {step['busy_seconds']:>8} s busy"
            f"  {step['rows_per_busy_second']:>7,} rows/s"
        )


if __name__ == "__main__":
    main()
