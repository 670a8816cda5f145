"""Where a pair stands with us decides what a second opinion on it is worth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vouchers.domain.matching.disagreement import (
    ADVICE,
    LISTED,
    Stand,
    joined,
    kept_apart,
)
from vouchers.domain.matching.model import parse_model

MODEL = parse_model(
    Path("vouchers/domain/matching/model.toml").read_text(encoding="utf-8")
)
STRANGERS: dict[str, Any] = {
    "person": 0.0, "household": 0.0, "guarded": False, "must_see": False,
    "ruling": None, "in_review": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "stand"),
    [
        ({}, Stand.STRANGERS),
        ({"household": 0.9}, Stand.HOUSEHOLD),
        ({"person": 0.99}, Stand.MISSED),
        ({"person": 0.99, "guarded": True}, Stand.UNASKED),
        ({"person": 0.5, "household": 0.5}, Stand.UNASKED),
        ({"household": 0.9, "must_see": True}, Stand.UNASKED),
        ({"person": 0.99, "in_review": True}, Stand.ASKED),
        ({"person": 0.99, "ruling": "different"}, Stand.RULED),
        ({"person": 0.99, "ruling": "same_household"}, Stand.RULED),
        ({"person": 0.99, "ruling": "undone"}, Stand.MISSED),
    ],
)
def test_a_pair_that_we_keep_apart(facts: dict[str, Any], stand: Stand) -> None:
    """A person's word first, then whether anybody should have been asked."""
    assert kept_apart(MODEL, **{**STRANGERS, **facts}) is stand


def test_a_pair_that_we_joined() -> None:
    """Today's model may see it otherwise than the one that joined them."""
    assert joined(MODEL, person=0.99, guarded=False, ruling=None) is Stand.JOINED
    for facts in ({"person": 0.9, "guarded": False}, {"person": 0.99, "guarded": True}):
        assert joined(MODEL, ruling=None, **facts) is Stand.LOOSELY_JOINED
    assert joined(MODEL, person=0.1, guarded=False, ruling="same") is Stand.RULED


def test_every_stand_has_its_advice_and_settled_ones_are_not_listed() -> None:
    """Nobody is asked again about what a person said."""
    assert set(ADVICE) == set(Stand)
    assert set(Stand) - set(LISTED) == {Stand.RULED, Stand.ASKED}
