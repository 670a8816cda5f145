"""What Splink makes of the harsh registry, rows and goals that `matching_harsh` uses.

Splink is no part of the project: `pip install splink` first. It is given columns made
ready and a model trained on these very people; a row's best pair counts as automatic
from P 0.95 on, every pair from P 0.05 on as shown to a reviewer.
"""

from __future__ import annotations

import logging
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks import splink_stream
from tests.benchmarks.registry import Row, arrivals, residents, write_rows

#: The same thresholds as the shipped model's.
_MATCH, _REVIEW = 0.95, 0.05


def run(seed: int, registered: int, count: int) -> dict[str, Any]:
    """Link one registry with its rows; gives the figures that goals are set for."""
    logging.disable(logging.WARNING)
    people = {row.record_id: row for row in residents(seed, registered)}
    rows = [row for row in arrivals(seed, registered, count) if row.kind != "again"]
    started = time.perf_counter()
    pairs = _pairs(people, rows)
    shown: dict[str, list[tuple[float, str]]] = {}
    for pair in pairs:
        ids = pair["unique_id_l"], pair["unique_id_r"]
        known, coming = sorted(ids, reverse=True)
        shown.setdefault(coming, []).append((pair["match_probability"], known))
    spent_s = time.perf_counter() - started
    return {**_figures(people, rows, shown), "seconds in all": round(spent_s, 1)}


def _pairs(people: dict[str, Row], rows: list[Row]) -> list[dict[str, Any]]:
    import duckdb

    with tempfile.TemporaryDirectory(prefix="splink-") as folder:
        con = duckdb.connect(":memory:")
        con.execute("set enable_progress_bar = false")
        for name, found in (("register", people.values()), ("arrivals", rows)):
            path = Path(folder) / f"{name}.csv"
            write_rows(path, iter(found))
            con.execute(splink_stream.READY.format(name=name, path=path))
        linker, register, api = splink_stream.trained(con)
        found = linker.inference.predict_between(
            register, api.register("arrivals"), threshold_match_probability=_REVIEW
        )
        listed: list[dict[str, Any]] = found.as_record_list()
        return listed


def _figures(
    people: dict[str, Row],
    rows: list[Row],
    shown: dict[str, list[tuple[float, str]]],
) -> dict[str, Any]:
    known = {row.person_id for row in people.values()}
    right = wrong = housemates = found = asked = 0
    for row in rows:
        ranked = sorted(shown.get(row.record_id, ()), reverse=True)
        true = [p for p, rid in ranked if people[rid].person_id == row.person_id]
        found += bool(true)
        if ranked and ranked[0][0] >= _MATCH:
            other = people[ranked[0][1]]
            right += other.person_id == row.person_id
            wrong += other.person_id != row.person_id
            housemates += (
                other.person_id != row.person_id
                and other.household_id == row.household_id
            )
        else:
            asked += bool(ranked)
    repeats = sum(row.person_id in known for row in rows)
    return {
        "matcher": "splink",
        "rows": len(rows),
        "repeats": repeats,
        "automatic": right + wrong,
        "automatic precision": round(right / max(1, right + wrong), 4),
        "matched automatically": round(right / repeats, 4),
        "found (automatic or in review)": round(found / repeats, 4),
        "of these, who is it": round(asked / len(rows), 4),
        "of one household taken for one": housemates,
    }
