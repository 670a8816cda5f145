"""Learning: known numbers come back, classes keep their places, it never worsens."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vouchers.domain.matching.model import FIELDS, Level, Model
from vouchers.domain.matching.training import (
    EXPERT,
    LEARNED,
    Evidence,
    Learned,
    learn,
    learn_any_file,
)
from vouchers.store.residents import shipped_model

PEOPLE = 20_000
PAIRS = PEOPLE * (PEOPLE - 1) / 2


def drawn(
    model: Model, sizes: tuple[int, int, int], seed: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Pairs of each class, every field drawn by the model; some fields unknown."""
    rng = np.random.default_rng(seed)
    levels = {field: [] for field in FIELDS}
    for kind, size in enumerate(sizes):
        for field in FIELDS:
            table = np.exp(model.tables[field][1:, kind])
            if field == "swapped":
                table = np.concatenate([[1 - table.sum()], table])
                levels[field].append(rng.choice(len(table), size, p=table))
                continue
            found = 1 + rng.choice(len(table), size, p=table / table.sum())
            found[rng.random(size) < 0.1] = 0
            levels[field].append(found)
    joined = {
        field: np.concatenate(parts).astype(np.int8) for field, parts in levels.items()
    }
    return joined, np.zeros(sum(sizes))


def plain(model: Model) -> Model:
    """The model without names' shares, each class of a field adding up to one."""
    shares = {"given": 0.004, "surname": 0.002, "home": 0.002}
    fields = {}
    for field, levels in model.levels.items():
        table = np.exp(model.tables[field][1:])
        for n, level in enumerate(levels):
            if level.by_share:
                table[n, 2] = shares[field]
        if field != "swapped":
            table /= table.sum(axis=0)
        fields[field] = tuple(
            replace(level, person=a, household=b, unrelated=c, by_share=False)
            for level, (a, b, c) in zip(levels, np.log(table).tolist(), strict=True)
        )
    return replace(model, levels=fields)


TRUE = plain(shipped_model())


def spoiled(model: Model, seed: int) -> Model:
    """The model with other numbers for what is learned of people and households."""
    rng = np.random.default_rng(seed)

    def other(field: str, levels: tuple[Level, ...]) -> tuple[Level, ...]:
        if field not in LEARNED:
            return levels
        factors = rng.uniform(0.6, 1.6, (len(levels), 2))
        values = np.exp([[lv.person, lv.household] for lv in levels]) * factors
        logs = np.log(values / values.sum(axis=0))
        return tuple(
            replace(lv, person=float(p), household=float(h))
            for lv, (p, h) in zip(levels, logs, strict=True)
        )

    return replace(
        model, levels={f: other(f, levels) for f, levels in model.levels.items()}
    )


def learned_from(
    sizes: tuple[int, int, int], seed: int, **how: float | None
) -> Learned:
    """What is learned from pairs of known classes, and the strangers' own evidence."""
    candidates = Evidence.gather(*drawn(TRUE, sizes, seed))
    strangers = Evidence.gather(*drawn(TRUE, (0, 0, 60_000), seed + 1))
    return learn(
        spoiled(TRUE, seed), candidates, strangers, pairs=PAIRS, people=PEOPLE, **how
    )


@given(seed=st.integers(0, 10_000))
@settings(max_examples=8, deadline=None)
def test_known_probabilities_come_back(seed: int) -> None:
    """From pairs drawn by known numbers those numbers are learned again."""
    found = learned_from((5_000, 5_000, 20_000), seed)
    assert found.converged
    assert found.person_pairs == pytest.approx(5_000, rel=0.03)
    # Some households look like strangers: all that they share is unknown.
    assert found.household_pairs == pytest.approx(5_000, rel=0.06)
    for field in LEARNED:
        wanted, shown = (
            np.exp(TRUE.tables[field][1:]),
            np.exp(found.model.tables[field][1:]),
        )
        assert np.abs(wanted[:, :2] - shown[:, :2]).max() < 0.04
    priors = np.exp(found.model.log_priors(PEOPLE))
    assert priors[0] == pytest.approx(5_000 / PAIRS, rel=0.03)


@given(
    seed=st.integers(0, 10_000),
    sizes=st.tuples(
        st.integers(0, 3_000), st.integers(0, 3_000), st.integers(1, 10_000)
    ),
    expert=st.sampled_from([None, 300.0]),
)
@settings(max_examples=20, deadline=None)
def test_learning_never_worsens_and_classes_never_change_places(
    seed: int, sizes: tuple[int, int, int], expert: float | None
) -> None:
    """Each round explains the pairs at least as well; people stay people."""
    found = learned_from(sizes, seed, expert_pairs=expert)
    steps = np.diff(found.history)
    assert (steps >= -1e-6 * np.abs(found.history[0])).all()
    tables = {field: np.exp(found.model.tables[field][1:]) for field in FIELDS}
    same = {field: table[0] for field, table in tables.items()}
    assert same["given"][0] > same["given"][1]
    assert same["born"][0] > same["born"][1] > same["born"][2]
    for field in ("surname", "home"):
        assert same[field][0] > same[field][2]


def test_the_experts_rates_stay_unless_asked_for() -> None:
    """Held, nothing is learned of how often names and birth dates are wrong."""
    found = learned_from((5_000, 1_000, 5_000), 5)
    for field in EXPERT:
        assert np.allclose(found.model.tables[field][:, :2], TRUE.tables[field][:, :2])


def test_a_household_is_the_experts_even_where_rates_are_learned() -> None:
    """What a family shares of given names and birth dates is never learned."""
    found = learned_from((5_000, 1_000, 5_000), 5, expert_pairs=300.0)
    for field in EXPERT:
        assert np.allclose(found.model.tables[field][:, 1], TRUE.tables[field][:, 1])
        assert np.isclose(np.exp(found.model.tables[field][1:, 0]).sum(), 1)


def spoiled_births(sizes: tuple[int, int, int]) -> Evidence:
    """Pairs of which a third of the people have a wrong birth date."""
    levels, credit = drawn(TRUE, sizes, 21)
    wrong = np.arange(sizes[0]) % 3 == 0
    levels["born"][: sizes[0]][wrong] = TRUE.number("born", "different")
    return Evidence.gather(levels, credit)


def test_where_nobody_lives_together_wrong_birth_dates_are_learned() -> None:
    """A file of people without families shows how often its dates are wrong."""
    found = learn_any_file(
        TRUE,
        spoiled_births((5_000, 50, 10_000)),
        Evidence.gather(*drawn(TRUE, (0, 0, 60_000), 4)),
        pairs=PAIRS,
        people=PEOPLE,
    )
    wrong = found.model.tables["born"][TRUE.number("born", "different"), 0]
    assert np.exp(wrong) == pytest.approx(1 / 3, abs=0.06)


def test_where_people_live_together_the_experts_rates_hold() -> None:
    """Families in the file: a wrong birth date may be a father's or a twin's."""
    found = learn_any_file(
        TRUE,
        spoiled_births((2_000, 5_000, 10_000)),
        Evidence.gather(*drawn(TRUE, (0, 0, 60_000), 4)),
        pairs=PAIRS,
        people=PEOPLE,
    )
    assert found.housemates > 3_000
    assert np.allclose(found.model.tables["born"][:, 0], TRUE.tables["born"][:, 0])


def test_twins_are_not_taken_for_people_with_a_wrong_given_name() -> None:
    """A register of many twins and few second rows keeps its people and households."""
    levels, credit = drawn(TRUE, (300, 4_000, 5_000), 3)
    twins = slice(300, 1_300)
    levels["born"][twins] = TRUE.number("born", "same")
    levels["given"][twins] = TRUE.number("given", "different")
    levels["home"][twins] = TRUE.number("home", "same")
    found = learn(
        TRUE,
        Evidence.gather(levels, credit),
        Evidence.gather(*drawn(TRUE, (0, 0, 60_000), 4)),
        pairs=PAIRS,
        people=PEOPLE,
    )
    assert found.person_pairs < 500


def test_pieces_of_evidence_join_to_the_whole() -> None:
    """A large register is looked at in pieces, and learns the same."""
    levels, credit = drawn(TRUE, (500, 500, 1_000), 9)
    parts = [
        Evidence.gather({f: v[at] for f, v in levels.items()}, credit[at])
        for at in (slice(0, 700), slice(700, None))
    ]
    whole, joined = Evidence.gather(levels, credit), parts[0].joined(parts[1])
    assert np.array_equal(whole.levels, joined.levels)
    assert np.array_equal(whole.counts, joined.counts)
    assert whole.pairs == 2_000


def test_without_any_pair_the_model_stays_and_is_no_failure() -> None:
    """Nothing to learn from leaves what was known."""
    none = Evidence.gather(*drawn(TRUE, (0, 0, 0), 1))
    found = learn(TRUE, none, none, pairs=1.0, people=1)
    for field in LEARNED:
        assert np.allclose(found.model.tables[field], TRUE.tables[field], atol=1e-6)
