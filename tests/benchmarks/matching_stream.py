"""Rows a second of the matcher against a large register, beside Splink.

Run: python -m tests.benchmarks.matching_stream [--registry 100000 1000000]
     [--databases sqlite postgresql] [--chunks 1 100 500 1000 10000]
     [--versus splink] [--keep FOLDER] [--json]
PostgreSQL is taken from VOUCHERS_TEST_POSTGRES_URL. The register is invented, sealed
and written by the store's own bulk writes, which takes minutes for a million: --keep
leaves it in FOLDER and on the server for the next run.

`matching` finds candidates, opens, compares and settles rows that were read before, and
writes nothing: that is what Splink's predict_between does with columns that were made
ready before, so these two are compared. `whole` is the deduplicate step from its
promise to its commit, reading included. CPU is that of this process and, of PostgreSQL,
of the one backend that serves it. Each database is measured by a fresh process, whose
peak memory is shown.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from tests.benchmarks import registry as harsh
from tests.benchmarks.stocked import NOON, SEED, resident_row, stocked
from tests.referrals import receive
from vouchers.pipeline.context import Context
from vouchers.store.engine import open_engine
from vouchers.store.sealing import Keyring

#: How often a chunk of each size is matched, and how often it is carried whole.
_TIMES = {1: (200, 60), 100: (30, 12), 500: (16, 8), 1_000: (10, 5), 10_000: (3, 1)}
_COLUMNS = ("median_ms", "p95_ms", "rows_per_second", "cpu_ms_per_row")


def main() -> None:
    """Read the command line, measure each register on each database, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--registry", type=int, nargs="+", default=[100_000])
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"],
                        choices=["sqlite", "postgresql"])  # fmt: skip
    parser.add_argument("--chunks", type=int, nargs="+", default=list(_TIMES))
    parser.add_argument("--versus", choices=["splink"])
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    results: list[dict[str, Any]] = []
    with _folder(given.keep) as folder:
        for size in given.registry:
            found = _ours(given.databases, size, given.chunks, folder, given.keep)
            if not given.json:
                print(f"register of {size:,} residents; load {os.getloadavg()[0]:.1f}")
                for result in found:
                    show(result)
            if given.versus:
                beside = _child("splink_stream", folder, size, *given.chunks)
                if not given.json:
                    show(beside)
                    compare(found, beside)
                found.append(beside)
            results += found
    if given.json:
        print(json.dumps(results, indent=1))


def _ours(
    databases: Sequence[str],
    size: int,
    chunks: Sequence[int],
    folder: Path,
    keep: Path | None,
) -> list[dict[str, Any]]:
    server = os.environ.get("VOUCHERS_TEST_POSTGRES_URL", "")
    if "postgresql" in databases and not server:
        raise SystemExit("set VOUCHERS_TEST_POSTGRES_URL, or --databases sqlite")
    found = []
    with stocked(
        databases, size, server=server, folder=folder, keep=keep is not None
    ) as (urls, keys_path):
        for database in databases:
            ids = _bring(urls[database], keys_path, size, chunks)
            plan = folder / "plan.json"
            plan.write_text(json.dumps(ids), encoding="utf-8")
            found.append(
                {"registry": size, "matcher": database}
                | _child("matching_child", urls[database], keys_path, plan)
            )
    return found


def _bring(
    url: str, keys_path: Path, size: int, chunks: Sequence[int]
) -> dict[int, dict[str, list[list[int]]]]:
    """Receive the rows to be matched; by chunk size the ids of each chunk."""
    engine = open_engine(url)
    ctx = Context(
        engine=engine, keys=Keyring.load(keys_path), clock=lambda: NOON,
        gateway=lambda: None, inbox=Path(), outbox=Path(), public_url="",
    )  # fmt: skip
    with ctx.reading() as conn:
        seen = int(conn.exec_driver_sql("select count(*) from referral").scalar_one())
    rows = (
        resident_row(row.record_id, row.fields)
        for row in harsh.arrivals(SEED, size, 10**9)
    )
    # Rows of an earlier run on a kept register are known by now.
    rows = islice(rows, seen, None)
    plan = {}
    for chunk in chunks:
        alone, whole = _TIMES.get(chunk, (5, 2))
        brought = [receive(ctx, *islice(rows, chunk)) for _ in range(max(alone, whole))]
        plan[chunk] = {"alone": brought[:alone], "whole": brought[:whole]}
    engine.dispose()
    return plan


def _child(module: str, *words: object) -> dict[str, Any]:
    """Measure in a process of its own, so that its memory is that of the work."""
    done = subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.{module}", *map(str, words)],
        stdout=subprocess.PIPE,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="vouchers-bench-") as folder:
        yield Path(folder)


def show(result: dict[str, Any]) -> None:
    """Print the figures of one matcher for people."""
    print(
        f"{result['matcher']}: cold start {result['cold_s']:.1f} s, "
        f"peak memory {result['peak_mb']:.0f} MB"
    )
    print(f"{'':32}" + "".join(f"{name:>16}" for name in _COLUMNS))
    for line in result["chunks"]:
        name = f"  {line['measure']}, {line['chunk']:,} rows"
        print(f"{name:32}" + "".join(f"{line[c]:>16,}" for c in _COLUMNS), flush=True)


def compare(ours: Sequence[dict[str, Any]], beside: dict[str, Any]) -> None:
    """Print how many times the other's rows a second ours are, matching alone."""
    theirs = {line["chunk"]: line["rows_per_second"] for line in beside["chunks"]}
    for result in ours:
        for line in result["chunks"]:
            if line["measure"] == "matching" and line["chunk"] in theirs:
                times = line["rows_per_second"] / max(theirs[line["chunk"]], 1)
                print(
                    f"{result['matcher']}, {line['chunk']:,} rows: {times:.1f} times "
                    f"{beside['matcher'].title()}'s rows a second"
                )


if __name__ == "__main__":
    main()
