"""Measures the matcher in a process of its own; started by `matching_stream`."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

_STARTED = time.monotonic()

from sqlalchemy import Connection, select, text  # noqa: E402

from config.queues import Lane  # noqa: E402
from tests.benchmarks.measure import cost_of  # noqa: E402
from tests.benchmarks.stocked import NOON  # noqa: E402
from vouchers.domain.matching.settlement import Arrival  # noqa: E402
from vouchers.pipeline import deduplicate  # noqa: E402
from vouchers.pipeline.context import Context  # noqa: E402
from vouchers.store import claims  # noqa: E402
from vouchers.store.engine import open_engine  # noqa: E402
from vouchers.store.jobs import ClaimedJob  # noqa: E402
from vouchers.store.listed import among  # noqa: E402
from vouchers.store.sealing import Keyring  # noqa: E402
from vouchers.store.tables.intake import referral  # noqa: E402


def main(url: str, keys_path: Path, plan_path: Path) -> None:
    """Match and carry the chunks of a plan; print one JSON document."""
    plan = json.loads(plan_path.read_text(encoding="utf-8"))
    # One connection: its backend is the one whose CPU is counted.
    engine = open_engine(url, pool_size=1)
    ctx = Context(
        engine=engine, keys=Keyring.load(keys_path), clock=lambda: NOON,
        gateway=lambda: None, inbox=Path(), outbox=Path(), public_url="",
    )  # fmt: skip
    first = next(iter(plan.values()))["alone"][0]
    with ctx.reading() as conn:
        backend = _backend(conn)
        _match(ctx, conn, _read(ctx, conn, first))
    cold_s = time.monotonic() - _STARTED
    lines = []
    for chunk, ids in plan.items():
        size = int(chunk)
        reading, matching = [], []
        with ctx.reading() as conn:
            for some in ids["alone"]:
                reading.append(_timed(lambda s=some: _read(ctx, conn, s), 0))
                ready = _read(ctx, conn, some)
                matching.append(_timed(lambda r=ready: _match(ctx, conn, r), backend))
        lines += [
            line("reading", size, reading), line("matching", size, matching)
        ]  # fmt: skip
    for chunk, ids in plan.items():
        jobs = _claim(ctx, ids["whole"])
        whole = [
            _timed(lambda j=job: deduplicate.handle(ctx, j), backend) for job in jobs
        ]
        lines.append(line("whole", int(chunk), whole))
    peak = cost_of(os.getpid()).peak_mb
    print(json.dumps({"cold_s": cold_s, "peak_mb": peak, "chunks": lines}))


def _read(
    ctx: Context, conn: Connection, ids: Sequence[int]
) -> list[deduplicate.Reading]:
    rows = conn.execute(
        select(referral.c.id, referral.c.row_sealed, referral.c.protected).where(
            among(conn, referral.c.id, ids)
        )
    ).all()
    return [deduplicate.read(ctx.keys, row) for row in rows]


def _match(
    ctx: Context, conn: Connection, ready: Sequence[deduplicate.Reading]
) -> None:
    arrivals = [Arrival(one.id, one.protected, separate=False) for one in ready]
    deduplicate.recognise(conn, ctx.keys, arrivals, ready, now=NOON)


def _claim(ctx: Context, chunks: Sequence[Sequence[int]]) -> list[ClaimedJob]:
    """Claim the jobs of these chunks, out of all that were promised."""
    wanted = {tuple(ids) for ids in chunks}
    jobs = []
    while len(jobs) < len(wanted):
        with ctx.begin() as uow:
            job = claims.claim(
                uow.conn, queues=["deduplicate"], lanes=[Lane.BULK], worker="bench"
            )
            if job is None:
                raise SystemExit("a chunk's job is gone")
            if tuple(job.items) in wanted:
                # A slow machine must not lose its lease over the figures.
                far = text("update job set lease_until = '2099-01-01' where id = :id")
                uow.conn.execute(far, {"id": job.id})
                jobs.append(job)
    return jobs


def _backend(conn: Connection) -> int:
    if conn.dialect.name != "postgresql":
        return 0
    return int(conn.execute(text("select pg_backend_pid()")).scalar_one())


def _timed(work: Callable[[], Any], backend: int) -> tuple[float, float]:
    """Wall and CPU seconds of one piece of work."""
    served = cost_of(backend).cpu_s if backend else 0.0
    used, begun = time.process_time(), time.perf_counter()
    work()
    wall, cpu = time.perf_counter() - begun, time.process_time() - used
    return wall, cpu + (cost_of(backend).cpu_s - served if backend else 0.0)


def line(
    measure: str, chunk: int, spent: Sequence[tuple[float, float]]
) -> dict[str, Any]:
    """The figures of one measure: (wall, CPU) seconds of each chunk of `chunk` rows."""
    walls = sorted(wall for wall, _ in spent)
    median = walls[len(walls) // 2]
    return {
        "measure": measure,
        "chunk": chunk,
        "median_ms": round(1000 * median, 1),
        "best_ms": round(1000 * walls[0], 1),
        "p95_ms": round(1000 * walls[min(int(len(walls) * 0.95), len(walls) - 1)], 1),
        "rows_per_second": round(chunk / median),
        "cpu_ms_per_row": round(
            1000 * sum(c for _, c in spent) / len(spent) / chunk, 3
        ),
    }


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
