"""How well people are found again, without labels, on any CSV; peers beside it.

Run: python -m tests.benchmarks.matching --csv FILE [--link FILE2] [--json]
     [--versus splink] [--versus recordlinkage] [--held]
The file's columns stand in matching_file.py; matching_sets.py makes such files of
public sets. The model is trained on the file's own records by expectation maximisation,
never with cluster_id, and scored by the product's keys, levels, weights and guards.

  model      pairs at P >= 0.95, the shipped threshold, and the clusters they join: what
             a matcher without reviewers has to answer, so what peers are measured by
  automatic  the same without pairs that a guard sends to a person; those are not joined
  best       the threshold that would have been best, known only with the truth
--held keeps the expert's error rates of given names and birth dates as shipped, as
`vouchers matching train` always does; without it they are learned where hardly anybody
lives together, for then there is nobody to confuse.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.matching_figures import Result, Truth
from tests.benchmarks.matching_file import People, UnusableFile, read_people
from tests.benchmarks.measure import cost_of

PEERS = ("splink", "recordlinkage")


def main() -> None:
    """Read the command line, run ours and the peers, print one table or JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.matching",
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--csv", type=Path, required=True, metavar="FILE")
    parser.add_argument("--link", type=Path, metavar="FILE2")
    parser.add_argument("--versus", choices=PEERS, action="append", default=[])
    parser.add_argument("--held", action="store_true", help="see above")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    files = [asked.csv, *([asked.link] if asked.link else [])]
    try:
        first, count, has_truth = _looked_over(files)
    except UnusableFile as error:
        parser.exit(2, f"{error}\n")
    results = [
        _in_a_child(matcher, files, asked.held)
        for matcher in ("ours", *dict.fromkeys(asked.versus))
    ]
    report = {
        "files": [str(path) for path in files],
        "records": count,
        "linked_to": count - first if first else None,
        "results": results,
    }
    if asked.json:
        print(json.dumps(report, indent=1))
    else:
        _show(report, has_truth)
    if any("error" in one for one in results):
        sys.exit(1)


def _looked_over(files: list[Path]) -> tuple[int, int, bool]:
    """Whether the files can be used, before anything is started."""
    read = _read(files)
    has_truth = all(people.truth is not None for people in read)
    if not has_truth:
        print(
            "no column cluster_id: people are found, figures need the truth",
            file=sys.stderr,
        )
    return _first(read), sum(map(len, read)), has_truth


def _read(files: list[Path]) -> list[People]:
    clusters: dict[str, int] = {}
    return [read_people(path, clusters) for path in files]


def _first(read: list[People]) -> int:
    return len(read[0]) if len(read) > 1 else 0


def _in_a_child(matcher: str, files: list[Path], held: bool) -> dict[str, Any]:
    """Run one matcher in a process of its own, so that its memory is its own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(there, matcher, files, held))
    child.start()
    there.close()
    try:
        found: dict[str, Any] = here.recv()
    except EOFError:
        child.join()
        found = {"matcher": matcher, "error": f"ended with code {child.exitcode}"}
    child.join()
    return found


def _child(pipe: Any, matcher: str, files: list[Path], held: bool) -> None:
    """Read the files, run, send the result; errors become words."""
    try:
        result = _run(matcher, _read(files), held=held)
        result.peak_mb = cost_of(os.getpid()).peak_mb
        pipe.send(result.as_json())
    except ImportError as error:
        hint = f"{matcher} is not installed here: pip install {matcher} ({error})"
        pipe.send({"matcher": matcher, "error": hint})
    except Exception as error:
        if matcher == "ours":
            raise
        # A peer that cannot work with this file must not hide our own figures.
        pipe.send({"matcher": matcher, "error": f"{type(error).__name__}: {error}"})


def _run(matcher: str, read: list[People], *, held: bool) -> Result:
    from tests.benchmarks import matching_own, matching_peers

    first = _first(read)
    features = [one for people in read for one in people.features]
    known = [people.truth for people in read if people.truth is not None]
    truth = None
    if len(known) == len(read):
        truth = Truth(np.concatenate(known), first)
    if matcher == "ours":
        return matching_own.run(features, truth, first=first, held=held)
    filled = {name for people in read for name in people.filled}
    run = getattr(matching_peers, matcher)
    result: Result = run(features, filled, truth, first)
    return result


_HEADS = (
    ("model_clusters", "clusters at P >= .95"),
    ("model_pairs", "pairs at P >= .95"),
    ("automatic_clusters", "clusters, guards to review"),
    ("automatic_pairs", "pairs, guards to review"),
    ("best_clusters", "clusters at the best threshold"),
    ("best_pairs", "pairs at the best threshold"),
)


def _show(report: dict[str, Any], has_truth: bool) -> None:
    linked = report["linked_to"]
    print(f"{' + '.join(report['files'])}: {report['records']:,} records"
          + (f", linked to {linked:,} of them" if linked else ""))  # fmt: skip
    for one in report["results"]:
        print(f"\n{one['matcher']}")
        if "error" in one:
            print(f"  {one['error']}")
            continue
        if has_truth:
            print(f"  {'':34}{'precision':>10}{'recall':>10}{'F1':>10}")
        for name, words in _HEADS:
            if figures := one.get(name):
                print(
                    f"  {words:34}{figures['precision']:10.4f}"
                    f"{figures['recall']:10.4f}{figures['f1']:10.4f}"
                )
        if (share := one.get("records_to_review")) is not None:
            print(f"  records sent to review            {share:10.2%}")
        if (people := one.get("people_found")) is not None:
            print(f"  people found                      {people:10,}")
        if learned := one.get("learned"):
            words = "settled" if learned["converged"] else "NOT settled"
            print(
                f"  learning {words} after {learned['rounds']} rounds; error rates of "
                f"names and birth dates {learned['error_rates']}"
            )
        print(
            f"  {one['compared_pairs']:,} pairs compared, {one['seconds']:.1f} s, "
            f"{one['peak_mb']:,} MB at most"
        )


if __name__ == "__main__":
    main()
