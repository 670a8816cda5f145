"""The model's file changes in its numbers and its version, and in nothing else."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vouchers.domain.matching.model import parse_model
from vouchers.domain.matching.model_file import edited, next_version

TEXT = Path("vouchers/domain/matching/model.toml").read_text(encoding="utf-8")
DATA = tomllib.loads(TEXT)


def numbers(data: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Where the file has numbers."""
    if isinstance(data, dict):
        return [p for k, v in data.items() for p in numbers(v, (*path, k))]
    return [path] if isinstance(data, int | float) else []


def test_a_threshold_and_a_level_change_and_every_comment_stays() -> None:
    """One line each, the version's line, and the note above it."""
    changes = {
        ("thresholds", "match"): 0.9,
        ("levels", "given", "same", "person"): 0.81,
    }
    made = edited(TEXT, changes, version="v2", notes=["match 0.95 -> 0.9"])
    old, new = set(TEXT.splitlines()), set(made.splitlines())
    assert len(new - old) == 4
    assert "# match 0.95 -> 0.9" in new
    assert {line for line in old if line.startswith("#")} <= new
    model = parse_model(made)
    assert (model.match, model.version) == (0.9, "v2")


@given(st.sampled_from(numbers(DATA)), st.floats(1e-7, 0.999))
def test_any_number_can_be_written_and_reads_back(
    place: tuple[str, ...], value: float
) -> None:
    """To six digits, and no other number moves."""
    if place[0] == "limits":
        return
    made = tomllib.loads(edited(TEXT, {place: value}, version="v2"))
    inner = made
    for part in place:
        inner = inner[part]
    assert inner == pytest.approx(value, rel=1e-5, abs=1e-12)


@pytest.mark.parametrize(
    "place", [("thresholds", "macth"), ("levels", "given", "same", "words"), ("x", "y")]
)
def test_a_place_without_a_number_is_refused(place: tuple[str, ...]) -> None:
    """Nothing is added, and no word becomes a number."""
    with pytest.raises(ValueError, match="no number"):
        edited(TEXT, {place: 0.5}, version="v2")


def test_versions_tell_where_they_come_from_and_fit_their_column() -> None:
    """A second one of the same day is another."""
    day = date(2026, 12, 7)
    first = next_version("2026-11-three-classes-1", "c", day)
    assert first == "2026-11-three-classes-1+c20261207"
    second = next_version(first, "c", day)
    third = next_version(second, "c", day)
    assert len({first, second, third}) == 3
    assert len(next_version("x" * 60, "c", day)) <= 40
    assert len(next_version(next_version("x" * 60, "c", day), "c", day)) <= 40
