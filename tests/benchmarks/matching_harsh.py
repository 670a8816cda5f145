"""What the shipped matching model makes of a harsh British registry.

Run: python -m tests.benchmarks.matching_harsh [--residents 100000] [--rows 20000]
     [--seeds 1 2 3] [--versus splink] [--json] [--show 'missed' --examples 10]
Rows meet the registry in chunks by the product's own keys, scores, guards and rules of
settlement; only the database is left out. After each chunk a reviewer who knows the
truth has answered every question. All homes of the registry have had help, so that
every question about a household that can be asked is asked.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from itertools import islice
from typing import Any

from tests.benchmarks import splink_harsh
from tests.benchmarks.harsh_register import InMemory
from tests.benchmarks.harsh_tally import Tally
from tests.benchmarks.registry import arrivals, residents
from vouchers.store.residents import shipped_model

CHUNK = 500
#: Numbers of new rows start here, far from those of residents.
FIRST = 1_000_000_000


def main() -> None:
    """Read the command line, run each seed, print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--residents", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--versus", choices=["splink"])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--show", default="", help="print rows of this outcome")
    parser.add_argument("--examples", type=int, default=10)
    given = parser.parse_args()
    for seed in given.seeds:
        result, tally = run(seed, given.residents, given.rows)
        if given.versus:
            result["versus"] = splink_harsh.run(seed, given.residents, given.rows)
        if given.json:
            print(json.dumps(result))
            continue
        show(result, tally)
        for row, outcome in tally.examples.get(given.show, [])[: given.examples]:
            print("\n", row.kind, row.damage, row.tag, row.home, row.fields)
            for c in outcome.candidates[:2]:
                print("   ", c.person, c.household, c.guards, c.parts)


def run(seed: int, registered: int, rows: int) -> tuple[dict[str, Any], Tally]:
    """Meet one registry with its rows; gives figures and the tally behind them."""
    started = time.perf_counter()
    known = InMemory()
    known.fill(residents(seed, registered))
    filled_s = time.perf_counter() - started
    tally = Tally()
    coming = arrivals(seed, registered, rows)
    number, spent_s = FIRST, 0.0
    while chunk := list(islice(coming, CHUNK)):
        started = time.perf_counter()
        for row, outcome in known.meet(chunk, number):
            tally.add(row, outcome, known)
        spent_s += time.perf_counter() - started
        number += len(chunk)
    result = {
        "model": shipped_model().version,
        "seed": seed,
        "residents": registered,
        **tally.figures(),
        "candidates a row": round(known.compared / max(1, rows), 1),
        "seconds to fill": round(filled_s, 1),
        "seconds to match": round(spent_s, 1),
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    return result, tally


def show(result: dict[str, Any], tally: Tally) -> None:
    """Print the figures, then repeats by damage, then why people were asked."""
    for name, value in result.items():
        print(f"{name:36} {value}")
    print(
        f"\n{'repeats by damage':18} {'all':>6} {'matched':>8} {'asked':>7} {'lost':>6}"
    )
    for kind, n in sorted(tally.by_damage.items(), key=lambda kv: -sum(kv[1].values())):
        asked = n["asked, shown"] + n["asked, not shown"]
        lost = n["missed"] + n["merged: took for another"]
        print(f"{kind:18} {sum(n.values()):6} {n['matched']:8} {asked:7} {lost:6}")
    print("\nasked who it is, because")
    for why, count in tally.asked_because.most_common(16):
        print(f"{count:6}  {why}")


if __name__ == "__main__":
    main()
