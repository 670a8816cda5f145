"""Reads the matching model: thresholds, priors, what each agreement is worth."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

#: Fields in the order in which levels are kept; `swapped` replaces given and surname.
FIELDS = ("given", "surname", "swapped", "born", "home", "mobile", "email", "meter")

#: Level 0 of every field: one side is unknown, nothing is learned.
MISSING = 0

Weights = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Level:
    """One way in which a field can agree, with its log probability in each class."""

    name: str
    person: float
    household: float
    unrelated: float
    words: str
    #: The chance agreement is as likely as the name is common.
    by_share: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """Numbers of the model that are no probabilities of agreement."""

    rare_given: float
    rare_surname: float
    rare_place: float
    phone_dwellings: int
    phone_surnames: int
    door_surnames: int
    door_people: int
    generation_years: int
    window_days: int
    names_alone: float


@dataclass(frozen=True)
class Model:
    """The whole model as read from one version of its file."""

    version: str
    match: float
    review: float
    household: float
    prior_person: float
    prior_household: float
    registry_min: int
    limits: Limits
    levels: dict[str, tuple[Level, ...]]

    @cached_property
    def tables(self) -> dict[str, Weights]:
        """Per field three log probabilities for each level; row 0 means missing."""
        return {
            field: np.array(
                [(0.0, 0.0, 0.0)]
                + [(lv.person, lv.household, lv.unrelated) for lv in levels]
            )
            for field, levels in self.levels.items()
        }

    def number(self, field: str, name: str) -> int:
        """The number by which a level of a field is kept."""
        return self._numbers[field, name]

    @cached_property
    def _numbers(self) -> dict[tuple[str, str], int]:
        return {
            (field, level.name): i
            for field, levels in self.levels.items()
            for i, level in enumerate(levels, start=1)
        }

    def log_priors(self, registry_size: int) -> Weights:
        """Log prior of the three classes against a registry of this many residents."""
        size = max(registry_size, self.registry_min)
        person, household = self.prior_person / size, self.prior_household / size
        logs: Weights = np.log([person, household, 1 - person - household])
        return logs


def parse_model(text: str) -> Model:
    """Read the text of `model.toml`; a missing field is an error at once."""
    data = tomllib.loads(text)
    return Model(
        version=data["version"],
        match=data["thresholds"]["match"],
        review=data["thresholds"]["review"],
        household=data["thresholds"]["household"],
        prior_person=data["prior"]["person"],
        prior_household=data["prior"]["household"],
        registry_min=data["prior"]["registry_min"],
        limits=Limits(**data["limits"]),
        levels={field: _levels(data["levels"][field]) for field in FIELDS},
    )


def _levels(table: dict[str, dict[str, Any]]) -> tuple[Level, ...]:
    """Turn one field's table into levels, probabilities into logarithms."""
    found = []
    for name, row in table.items():
        by_share = row["unrelated"] == "share"
        found.append(
            Level(
                name,
                math.log(row["person"]),
                math.log(row["household"]),
                0.0 if by_share else math.log(row["unrelated"]),
                row["words"],
                by_share,
            )
        )
    return tuple(found)
