"""What a learned model changes, and how its file says so."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import pytest

from vouchers.domain.matching.learned_file import Change, changes, written
from vouchers.domain.matching.model import parse_model
from vouchers.domain.matching.training import Learned
from vouchers.store import model_in_use

DAY = date(2026, 11, 21)
PLACE = ("levels", "mobile", "same", "person")


def file(text: str, *moved: Change, day: date = DAY) -> str:
    """The file with these numbers."""
    return written(text, moved, version="ours-2", day=day, rows=5_000, pairs=900)


def test_a_number_that_moves_is_marked_and_the_others_stay() -> None:
    """The line says day, rows and where the number came from before."""
    text = model_in_use.text()
    made = file(text, Change(PLACE, 0.75, 0.7))
    old, new = parse_model(text), parse_model(made)
    assert new.version == "ours-2"
    assert math.exp(new.levels["mobile"][0].person) == pytest.approx(0.7)
    assert new.levels["home"] == old.levels["home"]
    (line,) = [ln for ln in made.splitlines() if 'words = "same mobile"' in ln]
    assert line.endswith(
        'why = "[learned] 2026-11-21 from 5,000 rows, 900 candidate pairs; before '
        '[census]" }'
    )
    assert made.count("[learned]") == 2


def test_a_number_learned_twice_keeps_where_it_first_came_from() -> None:
    """The mark says the newest learning and the origin, however often."""
    once = file(model_in_use.text(), Change(PLACE, 0.75, 0.7))
    twice = file(once, Change(PLACE, 0.7, 0.6), day=date(2026, 11, 22))
    (line,) = [ln for ln in twice.splitlines() if 'words = "same mobile"' in ln]
    assert line.count("[learned]") == 1
    assert "2026-11-22" in line
    assert "; before [census]" in line


def test_small_moves_are_left_out_and_priors_stay_within_reason() -> None:
    """A twentieth is noise; a row is never almost surely somebody known."""
    model = model_in_use.model()
    levels = dict(model.levels)
    same, *rest = levels["mobile"]
    moved = replace(same, person=same.person + 0.01, household=same.household + 1)
    levels["mobile"] = (moved, *rest)
    learned = Learned(replace(model, levels=levels), True, 9, (), 9_000.0, 600.0)
    found = {one.place: one.new for one in changes(model, learned, rows=10_000)}
    assert ("levels", "mobile", "same", "household") in found
    assert PLACE not in found
    assert found["prior", "person"] == 0.6
    assert found["prior", "household"] == pytest.approx(0.12)
