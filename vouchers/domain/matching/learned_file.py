"""Says what a learned model changes, and writes it into the words of a model's file."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from vouchers.domain.matching.model import FIELDS, Model, parse_model
from vouchers.domain.matching.model_file import Place, edited
from vouchers.domain.matching.training import EXPERT, Learned

#: A number is written anew when it moved by more than this share of itself.
_MOVED = 0.05
#: A class needs so many pairs, expected, before anything is learned of it.
PERSON_PAIRS_MIN = 200
HOUSEHOLD_PAIRS_MIN = 100
#: What a row's chance to be somebody known, or to have known housemates, may become.
_PERSON_PRIOR = (0.01, 0.6)
_HOUSEHOLD_PRIOR = (0.03, 2.0)
_CLASSES = ("person", "household", "unrelated")


@dataclass(frozen=True, slots=True)
class Change:
    """One number of the model: where it stands, what it was, what it becomes."""

    place: Place
    old: float
    new: float


def changes(old: Model, learned: Learned, rows: int) -> list[Change]:
    """Every number that learning from `rows` rows moved, in the file's order."""
    found = []
    priors = (
        ("person", old.prior_person, learned.person_pairs / rows, _PERSON_PRIOR),
        (
            "household", old.prior_household, 2 * learned.household_pairs / rows,
            _HOUSEHOLD_PRIOR,
        ),
    )  # fmt: skip
    for name, before, after, (low, high) in priors:
        found.append(Change(("prior", name), before, min(max(after, low), high)))
    for field in FIELDS:
        for was, now in zip(
            old.levels[field], learned.model.levels[field], strict=True
        ):
            for kind in _CLASSES:
                if kind == "unrelated" and was.by_share:
                    continue
                before, after = (
                    math.exp(getattr(was, kind)),
                    math.exp(getattr(now, kind)),
                )
                found.append(Change(("levels", field, was.name, kind), before, after))
    return [one for one in found if abs(one.new - one.old) > _MOVED * one.old]


def faults(learned: Learned) -> list[str]:
    """Why this model must not be used; nothing if it may."""
    found = []
    if not learned.converged:
        found.append(f"learning did not settle in {learned.rounds:,} rounds")
    if learned.person_pairs < PERSON_PAIRS_MIN:
        found.append(
            f"only about {learned.person_pairs:,.0f} pairs look like one person; "
            f"{PERSON_PAIRS_MIN:,} are needed"
        )
    if learned.household_pairs < HOUSEHOLD_PAIRS_MIN:
        found.append(
            f"only about {learned.household_pairs:,.0f} pairs look like one household; "
            f"{HOUSEHOLD_PAIRS_MIN:,} are needed"
        )
    homes = learned.model.levels["home"]
    if max(homes, key=lambda level: level.household).name != "same":
        found.append("what looks like households does not share homes")
    for field in FIELDS:
        if field in (*EXPERT, "swapped"):
            continue
        same = learned.model.levels[field][0]
        if not same.by_share and same.person <= same.unrelated:
            found.append(f"two strangers would share their {field} like one person")
    return found


def written(
    text: str,
    moved: Sequence[Change],
    *,
    version: str,
    day: date,
    rows: int,
    pairs: int,
) -> str:
    """The model's file with the moved numbers, each line with its mark.

    Raises ValueError where the file would not read as exactly these numbers.
    """
    mark = f"[learned] {day.isoformat()} from {rows:,} rows, {pairs:,} candidate pairs"
    made = edited(
        text,
        {one.place: one.new for one in moved},
        version=version,
        notes=[f"{mark}: {len(moved)} numbers moved; names and people: none."],
    )
    plain = parse_model(made)
    marked = {one.place[1:3] for one in moved if one.place[0] == "levels"}
    made = _marked(made, marked, mark)
    if parse_model(made) != plain:
        raise ValueError("the model's file is not written as we can edit it")
    return made


def _marked(text: str, marked: set[Place], mark: str) -> str:
    """Say of each level whose numbers moved where they come from now."""
    lines = text.splitlines(keepends=True)
    field = ""
    for at, line in enumerate(lines):
        if section := re.match(r"\s*\[(?:levels\.)?([A-Za-z0-9_]+)\]", line):
            field = section[1]
        row = re.match(r"\s*(\w+)\s*=\s*\{", line)
        if row and (field, row[1]) in marked:
            old = r'why = "(?:\[learned\][^;"]*; before )?'
            lines[at] = re.sub(old, f'why = "{mark}; before ', line)
    return "".join(lines)
