"""Learns the model's probabilities from pairs that nobody has labelled.

Expectation maximisation over three classes: one person, one household, unrelated. What
pairs at random agree on by chance comes from random pairs. How often a person's given
name or birth date is wrong is never learned: twins, and fathers and sons of one name,
look like one person with one bad field, and would teach it so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vouchers.domain.matching.levels import Numbers
from vouchers.domain.matching.model import FIELDS, Level, Model

Floats = npt.NDArray[np.float64]

PERSON, HOUSEHOLD, UNRELATED = 0, 1, 2
#: What is learned of people and households; of strangers everything is.
LEARNED = ("surname", "home", "mobile", "email", "meter")
#: How often these are wrong in a person's rows, and what a family shares of them, is
#: known beforehand. The second is never learned; the first only where asked for.
EXPERT = ("given", "born")
#: The model begun with counts as much as this many pairs of its class.
_PRIOR_PAIRS = 40.0
#: Each class has this much of a pair beforehand, so that none is ever impossible.
_CLASS_PAIRS = 0.1
#: Random pairs at a level that make their share trustworthy by itself.
_ENOUGH = 50
#: What is known of strangers counts this share of all pairs, so that no agreement is
#: ever called impossible because a file happens to hold none.
_STRANGERS = 0.05
#: Where the expert's rates are learned they weigh as much as this many pairs.
_EXPERT_PAIRS = 300.0
#: Housemates in proportion to people's second rows, from which they are held.
_LIVE_TOGETHER = 0.1
#: EM stops when a round improves the mean log likelihood of a pair by less.
_STILL = 1e-7
#: Of a handful of pairs, when it improves that of all together by less.
_STILL_ALL = 1e-3
_ROUNDS_MAX = 500
#: Rounds of learning strangers anew from what people and households leave.
_PASSES = 3


@dataclass(frozen=True, slots=True)
class Evidence:
    """Candidate pairs as patterns of levels, each with how many pairs show it."""

    #: One row a pattern, one column a field of FIELDS.
    levels: npt.NDArray[np.int8]
    #: Log of how common the agreeing names are, for strangers only.
    credit: Floats
    counts: Floats

    @property
    def pairs(self) -> float:
        """How many pairs there are."""
        return float(self.counts.sum())

    @classmethod
    def gather(cls, levels: dict[str, Numbers], credit: Floats) -> Evidence:
        """Pack pairs into patterns; credits are rounded to quarters of a unit."""
        columns = [levels[field].astype(np.int16) for field in FIELDS]
        steps = np.round(credit * 4).astype(np.int16)
        table = np.column_stack([*columns, steps])
        patterns, counts = np.unique(table, axis=0, return_counts=True)
        return cls(
            patterns[:, :-1].astype(np.int8),
            patterns[:, -1] / 4.0,
            counts.astype(np.float64),
        )

    def joined(self, other: Evidence) -> Evidence:
        """Both together, so that a large file can be looked at in pieces."""
        table = np.column_stack(
            [
                np.concatenate([self.levels, other.levels]).astype(np.int16),
                np.round(np.concatenate([self.credit, other.credit]) * 4),
            ]
        ).astype(np.int16)
        patterns, inverse = np.unique(table, axis=0, return_inverse=True)
        counts = np.bincount(
            inverse.ravel(), np.concatenate([self.counts, other.counts])
        ).astype(np.float64)
        return Evidence(patterns[:, :-1].astype(np.int8), patterns[:, -1] / 4.0, counts)


@dataclass(frozen=True, slots=True)
class Learned:
    """A model from evidence, and how learning went."""

    model: Model
    converged: bool
    rounds: int
    #: Objective after each round of the last pass; it never falls.
    history: tuple[float, ...]
    #: Expected pairs of one person, and of one household, among the candidates.
    person_pairs: float
    household_pairs: float
    #: Of these, pairs alike in neither given name nor birth date: real housemates, not
    #: people with one bad field.
    housemates: float = 0.0


def learn_any_file(
    model: Model,
    candidates: Evidence,
    strangers: Evidence,
    *,
    pairs: float,
    people: int,
) -> Learned:
    """Learn from a file that may or may not hold households.

    The expert's rates of wrong given names and birth dates are held where people live
    together. Where hardly anybody does there is nobody to confuse with a person whose
    name or birth date is wrong, and those rates are learned as well.
    """
    held = learn(model, candidates, strangers, pairs=pairs, people=people)
    if held.housemates > _LIVE_TOGETHER * max(held.person_pairs, 1.0):
        return held
    return learn(
        model, candidates, strangers, pairs=pairs, people=people,
        expert_pairs=_EXPERT_PAIRS,
    )  # fmt: skip


def learn(
    model: Model,
    candidates: Evidence,
    strangers: Evidence,
    *,
    pairs: float,
    people: int,
    expert_pairs: float | None = None,
) -> Learned:
    """Learn from candidate pairs and random ones out of `pairs` pairs of `people`.

    `expert_pairs` says how many pairs of one person the expert's error rates of given
    name and birth date weigh; None holds them, as a register of real people must.
    """
    state = _State(model, candidates, strangers, pairs, expert_pairs)
    priors = np.array([model.prior_person / people, model.prior_household / people])
    state.priors = np.array([*priors, 1.0 - priors.sum()])
    rounds = 0
    for _ in range(_PASSES + 1):
        state.learn_strangers()
        history: list[float] = []
        converged = False
        while len(history) < _ROUNDS_MAX and not converged:
            objective = state.expect()
            gain = objective - history[-1] if history else np.inf
            converged = bool(gain < max(_STILL * candidates.pairs, _STILL_ALL))
            history.append(objective)
            state.maximise()
        rounds += len(history)
    found = state.weight.sum(axis=0)
    return Learned(
        _as_model(model, state, people), converged, rounds, tuple(history),
        float(found[PERSON]), float(found[HOUSEHOLD]),
        float(state.weight[state.unlike, HOUSEHOLD].sum()),
    )  # fmt: skip


class _State:
    """Probabilities while they are learned; one column a class, one row a level.

    Of `swapped` the last row stands for 'not swapped', which is level 0 there.
    """

    def __init__(
        self,
        model: Model,
        candidates: Evidence,
        strangers: Evidence,
        pairs: float,
        expert_pairs: float | None,
    ) -> None:
        self.model = model
        self.candidates, self.strangers, self.pairs = candidates, strangers, pairs
        self.before = {field: _start(model, field) for field in FIELDS}
        self.tables = {field: table.copy() for field, table in self.before.items()}
        self.unlike = _alike_in_neither(model, candidates)
        self.priors = np.zeros(3)
        self.weight = np.zeros((len(candidates.counts), 3))
        #: Which column of which field is learned, and what its beginning weighs.
        self.learned = [(f, kind, _PRIOR_PAIRS) for f in LEARNED for kind in (0, 1)]
        self.learned.append(("swapped", PERSON, _PRIOR_PAIRS))
        if expert_pairs is not None:
            self.learned += [(field, PERSON, expert_pairs) for field in EXPERT]

    def expect(self) -> float:
        """Share every pattern out among the classes; give the objective."""
        seen = self.candidates
        logs = np.tile(np.log(self.priors), (len(seen.counts), 1))
        for at, field in enumerate(FIELDS):
            logs += self._rows(field)[seen.levels[:, at]]
        logs[:, UNRELATED] += seen.credit
        top = logs.max(axis=1)
        chances = np.exp(logs - top[:, None])
        total = chances.sum(axis=1)
        self.weight = chances / total[:, None] * seen.counts[:, None]
        objective = float(seen.counts @ (top + np.log(total)))
        # Pairs without a common key are taken for strangers.
        objective += (self.pairs - seen.pairs) * float(np.log(self.priors[UNRELATED]))
        for field, kind, known in self.learned:
            begun = known * self.before[field][:, kind]
            objective += float(begun @ np.log(self.tables[field][:, kind]))
        return objective + _CLASS_PAIRS * float(np.log(self.priors).sum())

    def maximise(self) -> None:
        """Set what is learned to what the classes show."""
        for field, kind, known in self.learned:
            begun = known * self.before[field][:, kind]
            shown = self._at(self.candidates, field, self.weight[:, kind]) + begun
            self.tables[field][:, kind] = shown / shown.sum()
        sums = self.weight[:, :2].sum(axis=0) + _CLASS_PAIRS
        whole = self.pairs + 3 * _CLASS_PAIRS
        self.priors = np.array([*sums, whole - sums.sum()]) / whole

    def learn_strangers(self) -> None:
        """What two people at random agree on: from random pairs where they show it.

        An agreement too rare to be seen in random pairs is a key, and all pairs that
        have it are candidates: what people and households leave of those is chance.
        """
        begun = bool(self.weight.any())
        for field in FIELDS:
            seen = self._at(self.strangers, field, self.strangers.counts)
            known = float(seen.sum())
            if not known:
                continue
            # Of all pairs this many have the field on both sides.
            whole = self.pairs * known / self.strangers.pairs
            share = seen / known
            rest = np.zeros(len(seen))
            if begun:
                close = self._at(self.candidates, field, self.weight[:, :2].sum(axis=1))
                share = np.maximum(share - close / whole, share * 0.05)
                rest = self._at(self.candidates, field, self.weight[:, UNRELATED])
            before = self.before[field][:, UNRELATED]
            rare = (rest + _STRANGERS * whole * before) / (whole * (1 + _STRANGERS))
            ceiling = (seen + 3.0) / known
            fresh = np.where(seen >= _ENOUGH, share, np.minimum(rare, ceiling))
            by_share = [level.by_share for level in self.model.levels[field]]
            by_share += [False] * (len(fresh) - len(by_share))
            self.tables[field][:, UNRELATED] = np.where(
                by_share, 1.0, np.maximum(fresh, 1e-12)
            )

    def _rows(self, field: str) -> Floats:
        """Logs of a field's table by level number."""
        logs: Floats = np.log(self.tables[field])
        if field == "swapped":
            return np.vstack([logs[-1:], logs[:-1]])
        return np.vstack([np.zeros((1, 3)), logs])

    def _at(self, seen: Evidence, field: str, weight: Floats) -> Floats:
        """How much weight each row of a table has; unknown values do not count."""
        size = len(self.before[field])
        at = seen.levels[:, FIELDS.index(field)]
        found = np.bincount(at, weight, minlength=size + 1).astype(np.float64)
        if field == "swapped":
            return np.append(found[1:size], found[0])
        return found[1 : size + 1]


def _alike_in_neither(model: Model, seen: Evidence) -> npt.NDArray[np.bool_]:
    """Patterns in which neither given name nor birth date agrees: two people."""
    born = [model.number("born", name) for name in ("year", "different", "generation")]
    dates = np.isin(seen.levels[:, FIELDS.index("born")], born)
    names = seen.levels[:, FIELDS.index("given")] == model.number("given", "different")
    return np.asarray(dates & names)


def _start(model: Model, field: str) -> Floats:
    """A field's probabilities in the model begun with."""
    table: Floats = np.exp(model.tables[field][1:])
    if field == "swapped":
        return np.vstack([table, 1.0 - table.sum(axis=0)])
    return table


def _as_model(model: Model, state: _State, people: int) -> Model:
    """The model with what was learned; words and thresholds stay."""

    def level(field: str, n: int, old: Level) -> Level:
        logs = np.log(state.tables[field][n])
        if field == "swapped":
            # Not being swapped is no evidence in the model: its share is paid here.
            logs -= np.log(state.tables[field][-1])
        person, household, unrelated = logs.tolist()
        return replace(
            old, person=person, household=household,
            unrelated=0.0 if old.by_share else unrelated,
        )  # fmt: skip

    return replace(
        model,
        prior_person=float(state.priors[PERSON]) * people,
        prior_household=float(state.priors[HOUSEHOLD]) * people,
        registry_min=1,
        levels={
            field: tuple(level(field, n, old) for n, old in enumerate(levels))
            for field, levels in model.levels.items()
        },
    )
