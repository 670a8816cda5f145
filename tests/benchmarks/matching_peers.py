"""Runs peers on the same records: Splink 5 and recordlinkage, each as its guide says.

Both get the same cleaned values as our matcher (names folded, dates as eight digits,
phones as digits), for cleaning is not what is compared.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.benchmarks.matching_figures import Floats, Indices, Result, Truth
from vouchers.domain.matching.clusters import clusters
from vouchers.domain.matching.features import Features

#: The chance at which we join; theirs is the same.
_MATCH = 0.95
#: A pair that is no link by recordlinkage's own classifier counts as below that.
_COLUMNS = {
    "given_name": "given", "family_name": "surname", "date_of_birth": "born",
    "address": "address", "postcode": "postcode", "phone": "mobile", "email": "email",
}  # fmt: skip


def _table(features: Sequence[Features], first: int) -> Any:
    """One row a record; empty values are missing ones."""
    import pandas as pd

    rows = {
        "unique_id": range(len(features)),
        "given": [f.given or None for f in features],
        "surname": [f.surname or None for f in features],
        "born": [_iso(f.born) for f in features],
        "address": [
            " ".join(part for part in (f.flat, f.number, f.rest) if part) or None
            for f in features
        ],
        "postcode": [f.postcode or None for f in features],
        "mobile": [f.mobile or None for f in features],
        "email": [f.email or None for f in features],
        "side": [int(n >= first) for n in range(len(features))],
    }
    return pd.DataFrame(rows)


def _iso(born: int) -> str | None:
    text = f"{born:08}"
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if born else None


def _names(filled: set[str]) -> set[str]:
    return {_COLUMNS[name] for name in filled}


def splink(
    features: Sequence[Features], filled: set[str], truth: Truth | None, first: int
) -> Result:
    """Splink 5 in DuckDB, with the comparisons and training of its tutorial."""
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    logging.getLogger("splink").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore")
    began = time.perf_counter()
    there = _names(filled)
    table = _table(features, first)
    british = any(" " in f.postcode for f in features)
    comparisons = {
        "given": cl.NameComparison("given").configure(term_frequency_adjustments=True),
        "surname": cl.NameComparison("surname").configure(
            term_frequency_adjustments=True
        ),
        "born": cl.DateOfBirthComparison(
            "born", input_is_string=True, invalid_dates_as_null=False
        ),
        "address": cl.JaroWinklerAtThresholds("address", [0.9, 0.7]).configure(
            term_frequency_adjustments=True
        ),
        "postcode": cl.PostcodeComparison("postcode")
        if british
        else cl.LevenshteinAtThresholds("postcode", [1, 2]),
        "mobile": cl.DamerauLevenshteinAtThresholds("mobile", [1, 2]),
        "email": cl.EmailComparison("email").configure(term_frequency_adjustments=True),
    }
    rules = [
        ("given", "surname"), ("given", "born"), ("surname", "born"),
        ("surname", "postcode"), ("given", "postcode"), ("born", "postcode"),
        ("surname", "address"), ("given", "address"), ("born", "address"),
        ("mobile",), ("email",),
    ]  # fmt: skip
    usable = [rule for rule in rules if set(rule) <= there]
    settings = SettingsCreator(
        link_type="link_only" if first else "dedupe_only",
        comparisons=[c for name, c in comparisons.items() if name in there],
        blocking_rules_to_generate_predictions=[block_on(*rule) for rule in usable],
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=False,
    )
    api = DuckDBAPI()
    if first:
        given = [
            api.register(table[table.side == side], table_name=f"side{side}")
            for side in (0, 1)
        ]
    else:
        given = [api.register(table)]
    linker = Linker(given if first else given[0], settings, log_level=None)
    training = linker.training
    strict = [rule for rule in usable if "born" in rule or len(rule) == 1][:3]
    training.estimate_probability_two_random_records_match(
        [block_on(*rule) for rule in strict or usable[:1]], recall=0.7
    )
    training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    sessions = [("given", "surname"), ("born",), ("postcode",), ("mobile",), ("email",)]
    for rule in [one for one in sessions if set(one) <= there][:3]:
        training.estimate_parameters_using_expectation_maximisation(block_on(*rule))
    found = linker.inference.predict(threshold_match_probability=0.001)
    frame = found.as_pandas_dataframe()
    left = frame["unique_id_l"].to_numpy(np.int64)
    right = frame["unique_id_r"].to_numpy(np.int64)
    chances = frame["match_probability"].to_numpy(np.float64)
    return _result("splink", began, truth, left, right, chances, len(features))


def recordlinkage(
    features: Sequence[Features], filled: set[str], truth: Truth | None, first: int
) -> Result:
    """Recordlinkage with its unsupervised classifier (ECM) on the usual comparisons."""
    import recordlinkage as peer

    warnings.filterwarnings("ignore")
    began = time.perf_counter()
    there = _names(filled)
    table = _table(features, first).set_index("unique_id")
    sides = (table[table.side == 0], table[table.side == 1]) if first else (table,)
    indexer = peer.Index()
    rules = [
        ["given", "surname"], ["given", "born"], ["surname", "born"],
        ["surname", "postcode"], ["given", "postcode"], ["born", "postcode"],
        ["surname", "address"], ["given", "address"], ["born", "address"],
        ["mobile"], ["email"],
    ]  # fmt: skip
    for rule in rules:
        if set(rule) <= there:
            indexer.block(rule)
    pairs = indexer.index(*sides)
    compare = peer.Compare()
    for name in ("given", "surname", "address", "email"):
        if name in there:
            compare.string(name, name, method="jarowinkler", threshold=0.85, label=name)
    for name in ("born", "mobile", "postcode"):
        if name in there:
            compare.string(
                name, name, method="damerau_levenshtein", threshold=0.8, label=name
            )
    vectors = compare.compute(pairs, *sides)
    classifier = peer.ECMClassifier(binarize=None)
    classifier.fit(vectors)
    chances = classifier.prob(vectors).to_numpy(np.float64)
    left = vectors.index.get_level_values(0).to_numpy(np.int64)
    right = vectors.index.get_level_values(1).to_numpy(np.int64)
    return _result("recordlinkage", began, truth, left, right, chances, len(features))


def _result(
    matcher: str,
    began: float,
    truth: Truth | None,
    left: Indices,
    right: Indices,
    chances: Floats,
    count: int,
) -> Result:
    """Figures at the fixed threshold and at the best one, joined as ours are."""
    sure = chances >= _MATCH
    joined = clusters(count, left[sure], right[sure], chances[sure])
    result = Result(matcher, len(chances), time.perf_counter() - began)
    result.more["people_found"] = len(np.unique(joined))
    if truth is not None:
        pairs, at = truth.best_pairs(left, right, chances)
        best, joined_at = truth.best_clusters(left, right, chances)
        result.figures = {
            "model_pairs": truth.of_pairs(left[sure], right[sure]),
            "model_clusters": truth.of_clusters(joined),
            "best_pairs": pairs,
            "best_clusters": best,
        }
        result.more["best_thresholds"] = {"pairs": at, "clusters": joined_at}
    return result
