"""Measures Splink on the same rows and register; started by `matching_stream`.

Splink is no part of the project: `pip install splink` first. It is given what it is
best at: a register in memory, columns made ready before, a trained model, both cores.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any

from tests.benchmarks import registry as harsh
from tests.benchmarks.matching_child import line
from tests.benchmarks.measure import cost_of
from tests.benchmarks.stocked import SEED

#: A table of people from a file, columns as Splink compares them.
READY = """
create table {name} as select record_id as unique_id, lower(given_name) as given,
    lower(family_name) as surname, date_of_birth as born, postcode,
    split_part(postcode, ' ', 1) as outcode,
    regexp_extract(address_line_1 || ' ' || address_line_2, '[0-9]+') as number,
    nullif(mobile, '') as mobile, nullif(email, '') as email,
    nullif(meter_number, '') as meter, left(lower(given_name), 1) as initial
from read_csv('{path}', header = true, all_varchar = true)
"""
#: As our match keys, as far as equality in SQL can say them.
_BLOCKS = (
    ("born", "initial"), ("born", "surname"), ("postcode", "initial"),
    ("postcode", "number"), ("mobile",), ("email",), ("meter",),
    ("given", "surname", "outcode"),
)  # fmt: skip
_REPEATS = {1: 20, 100: 12, 500: 12, 1_000: 8, 10_000: 3}


def main(folder: Path, size: int, chunks: list[int]) -> None:
    """Load, train, predict chunk by chunk; print one JSON document."""
    logging.disable(logging.WARNING)
    rows = sum(chunk * _REPEATS.get(chunk, 5) for chunk in chunks)
    files = folder / f"people-{size}-{rows}"
    if not (files / "rows.csv").exists():
        files.mkdir(parents=True, exist_ok=True)
        harsh.write_rows(files / "registry.csv", harsh.residents(SEED, size))
        harsh.write_rows(files / "rows.csv", harsh.arrivals(SEED, size, rows))
    begun = time.monotonic()
    import duckdb

    con = duckdb.connect(":memory:")
    con.execute(READY.format(name="register", path=files / "registry.csv"))
    cold_s = time.monotonic() - begun
    con.execute(READY.format(name="arrivals", path=files / "rows.csv"))
    linker, register, api = trained(con)
    lines, at = [], 0
    for chunk in chunks:
        spent = []
        for _ in range(_REPEATS.get(chunk, 5)):
            name = f"chunk_{at}"
            con.execute(
                f"create table {name} as select * from arrivals limit {chunk}"
                f" offset {at}"
            )
            at += chunk
            used, started = time.process_time(), time.perf_counter()
            pairs = linker.inference.predict_between(
                register, api.register(name), threshold_match_probability=0.05
            )
            pairs.as_record_list()
            spent.append((time.perf_counter() - started, time.process_time() - used))
            pairs.drop_table_from_database_and_remove_from_cache()
        lines.append(line("matching", chunk, spent))
    peak = cost_of(os.getpid()).peak_mb
    print(
        json.dumps(
            {"registry": size, "matcher": "splink", "cold_s": cold_s, "peak_mb": peak,
             "chunks": lines}
        )
    )  # fmt: skip


def trained(con: Any) -> tuple[Any, Any, Any]:
    """A linker trained on the tables `register` and `arrivals`, the first, the API."""
    import splink.comparison_library as cl
    from splink import Linker, SettingsCreator, block_on
    from splink.backends.duckdb import DuckDBAPI

    api = DuckDBAPI(connection=con)
    register = api.register("register")
    names = [
        cl.JaroWinklerAtThresholds(name, [0.9, 0.7]).configure(
            term_frequency_adjustments=True
        )
        for name in ("given", "surname")
    ]
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=[
            *names,
            cl.LevenshteinAtThresholds("born", [1, 2]),
            *(cl.ExactMatch(n) for n in ("postcode", "mobile", "email", "meter")),
        ],
        blocking_rules_to_generate_predictions=[block_on(*rule) for rule in _BLOCKS],
    )
    linker = Linker([register, api.register("arrivals")], settings)
    for name in ("given", "surname"):
        linker.table_management.compute_tf_table(name)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e5)
    for rule in (("mobile",), ("meter",)):
        linker.training.estimate_parameters_using_expectation_maximisation(
            block_on(*rule)
        )
    return linker, register, api


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), [int(word) for word in sys.argv[3:]])
