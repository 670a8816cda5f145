"""The model in use: the shipped one, or a file that the owner names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from vouchers.errors import Refused
from vouchers.store import model_in_use, residents


@pytest.fixture(autouse=True)
def _shipped_again() -> Iterator[None]:
    """No other test meets the model of this one."""
    yield
    model_in_use.use(None)


def test_a_named_file_is_used_everywhere(tmp_path: Path) -> None:
    """Its numbers and its version are those that decisions keep."""
    shipped = model_in_use.model()
    place = tmp_path / "ours.toml"
    place.write_text(
        model_in_use.text().replace(shipped.version, "ours-1").replace(
            "match = 0.95", "match = 0.97"
        )
    )  # fmt: skip
    model_in_use.use(place)
    assert residents.shipped_model().version == "ours-1"
    assert residents.shipped_model().match == 0.97
    assert model_in_use.place() == place
    assert model_in_use.use(None).version == shipped.version


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: "version = ",
        lambda text: text.replace("flat_lost = {", "flat_gone = {"),
        lambda text: text.replace('unrelated = "share"', 'unrelated = "shares"'),
    ],
)
def test_what_is_no_model_is_refused_and_nothing_changes(
    tmp_path: Path, spoil: object
) -> None:
    """An empty file, broken words, other levels: the model in use stays."""
    before = model_in_use.model()
    place = tmp_path / "broken.toml"
    place.write_text(spoil(model_in_use.text()))  # type: ignore[operator]
    with pytest.raises(Refused, match="is no matching model"):
        model_in_use.use(place)
    assert model_in_use.model() == before


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A slip in the name is told at the start, not at the first row."""
    with pytest.raises(Refused, match=r"none\.toml is no matching model"):
        model_in_use.use(tmp_path / "none.toml")
