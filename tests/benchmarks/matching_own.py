"""Runs the product's matcher on a file: keys, levels, learning, weights, guards."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from tests.benchmarks.matching_figures import Floats, Indices, Result, Truth
from vouchers.domain.matching.clusters import clusters
from vouchers.domain.matching.commonness import counted
from vouchers.domain.matching.features import Features
from vouchers.domain.matching.levels import Numbers, Pairs, compare
from vouchers.domain.matching.model import FIELDS, Model, parse_model
from vouchers.domain.matching.names import Lexicon, parse_lexicon
from vouchers.domain.matching.pairing import candidate_pairs, random_pairs
from vouchers.domain.matching.scoring import judge, rarity, weigh
from vouchers.domain.matching.training import Evidence, Learned, learn, learn_any_file

#: Pairs compared at a time; bounds memory.
_PIECE = 100_000
_RANDOM = 60_000


@dataclass(slots=True)
class Compared:
    """Pairs with the level of every field, and how common what they share is."""

    left: Indices
    right: Indices
    levels: dict[str, Numbers]
    credit: Floats


def run(
    people: list[Features],
    truth: Truth | None,
    *,
    first: int = 0,
    held: bool = False,
) -> Result:
    """Train on the people, score them; `held` keeps the expert's rates as they are."""
    began = time.perf_counter()
    model = parse_model(_data("model.toml"))
    lexicon = counted(parse_lexicon(_data("names.toml")), people)
    pairs = _compared(
        model, lexicon, people, *candidate_pairs(people, lexicon, first=first)
    )
    learned = _learned(model, lexicon, people, pairs, first, held=held)
    chances = weigh(
        learned.model, pairs.levels, pairs.credit, registry_size=len(people)
    )
    guarded, must_see = _guarded(learned.model, lexicon, people, pairs, chances)
    person = chances[:, 0]
    automatic = (person >= model.match) & ~guarded
    asked = ((person >= model.review) | must_see) & ~automatic
    alone = person >= model.match
    found = {
        name: clusters(len(people), pairs.left[mask], pairs.right[mask], person[mask])
        for name, mask in (("model", alone), ("automatic", automatic))
    }
    result = Result("ours", len(person), time.perf_counter() - began)
    rates = learned.model.tables["born"][:, 0], model.tables["born"][:, 0]
    is_held = np.allclose(*rates)
    result.more = {
        "learned": {
            "converged": learned.converged, "rounds": learned.rounds,
            "person_pairs": round(learned.person_pairs),
            "household_pairs": round(learned.household_pairs),
            "housemates": round(learned.housemates),
            "error_rates": "held" if is_held else "learned",
        },
        "records_to_review": _share_asked(len(people), first, pairs, automatic, asked),
        "people_found": len(np.unique(found["model"])),
    }  # fmt: skip
    if truth is not None:
        _add_figures(
            result,
            truth,
            pairs,
            person,
            {"model": alone, "automatic": automatic},
            found,
        )
    return result


def _data(name: str) -> str:
    return (files("vouchers.domain.matching") / name).read_text(encoding="utf-8")


def _compared(
    model: Model,
    lexicon: Lexicon,
    people: list[Features],
    left: Indices,
    right: Indices,
) -> Compared:
    """Compare piece by piece; of a pair nine small numbers are kept."""
    levels: dict[str, list[Numbers]] = {field: [] for field in FIELDS}
    credit: list[Floats] = []
    for at in range(0, max(len(left), 1), _PIECE):
        piece = slice(at, at + _PIECE)
        side = Pairs(_picked(people, left[piece]), _picked(people, right[piece]))
        found = compare(model, lexicon, side)
        credit.append(rarity(model, lexicon, side, found))
        for field in FIELDS:
            levels[field].append(found[field])
    return Compared(
        left, right,
        {field: np.concatenate(parts) for field, parts in levels.items()},
        np.concatenate(credit),
    )  # fmt: skip


def _picked(people: list[Features], at: Indices) -> list[Features]:
    return [people[n] for n in at.tolist()]


def _learned(
    model: Model,
    lexicon: Lexicon,
    people: list[Features],
    pairs: Compared,
    first: int,
    *,
    held: bool,
) -> Learned:
    count = len(people)
    total = first * (count - first) if first else count * (count - 1) / 2
    rng = np.random.default_rng(20261121)
    # Of a few people each pair need not be looked at a hundred times.
    wanted = int(min(_RANDOM, 20 * total)) if total else 0
    strangers = random_pairs(count, wanted, rng, first=first) if wanted else (
        pairs.left[:0], pairs.right[:0],
    )  # fmt: skip
    chance = _compared(model, lexicon, people, *strangers)
    evidence = (
        Evidence.gather(pairs.levels, pairs.credit),
        Evidence.gather(chance.levels, chance.credit),
    )
    how = learn if held else learn_any_file
    return how(model, *evidence, pairs=max(total, 1.0), people=count)


def _guarded(
    model: Model,
    lexicon: Lexicon,
    people: list[Features],
    pairs: Compared,
    chances: Floats,
) -> tuple[Numbers, Numbers]:
    """Which pairs a person must judge; only where anything is likely at all."""
    guarded = np.zeros(len(chances), dtype=np.bool_)
    must_see = np.zeros(len(chances), dtype=np.bool_)
    near = np.flatnonzero(chances[:, 0] + chances[:, 1] >= model.review)
    for at in range(0, len(near), _PIECE):
        piece = near[at : at + _PIECE]
        side = Pairs(
            _picked(people, pairs.left[piece]), _picked(people, pairs.right[piece])
        )
        levels = {field: pairs.levels[field][piece] for field in FIELDS}
        scores = judge(model, lexicon, side, levels, chances[piece])
        guarded[piece] = scores.guards > 0
        must_see[piece] = scores.must_see
    return guarded, must_see


def _share_asked(
    count: int, first: int, pairs: Compared, automatic: Numbers, asked: Numbers
) -> float:
    """Share of records that a reviewer would see as they arrive in the file's order.

    Of a pair the later record is the question; of a link the record of the first file.
    """
    row = pairs.left if first else np.maximum(pairs.left, pairs.right)
    settled = np.zeros(count, dtype=np.bool_)
    settled[row[automatic]] = True
    open_rows = np.unique(row[asked])
    rows = first or count
    return round(float((~settled[open_rows]).sum()) / rows, 5)


def _add_figures(
    result: Result,
    truth: Truth,
    pairs: Compared,
    person: Floats,
    masks: dict[str, Numbers],
    found: dict[str, Indices],
) -> None:
    for name, mask in masks.items():
        result.figures[f"{name}_pairs"] = truth.of_pairs(
            pairs.left[mask], pairs.right[mask]
        )
        result.figures[f"{name}_clusters"] = truth.of_clusters(found[name])
    best, at = truth.best_pairs(pairs.left, pairs.right, person)
    joined, joined_at = truth.best_clusters(pairs.left, pairs.right, person)
    result.figures |= {"best_pairs": best, "best_clusters": joined}
    result.more["best_thresholds"] = {"pairs": at, "clusters": joined_at}
    covered = truth.of_pairs(pairs.left, pairs.right)
    result.more["true_pairs_compared"] = round(covered.recall, 5)
