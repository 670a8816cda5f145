"""Knows which matching model this process uses: the shipped one, or the owner's."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from vouchers.domain.matching.model import Model, parse_model
from vouchers.errors import Refused

_SHIPPED = Path(str(files("vouchers.domain.matching") / "model.toml"))
#: The file that settings name; empty: the shipped one.
_named: list[Path] = []


@cache
def model() -> Model:
    """The model in use; its version is stored with every decision."""
    return parse_model(text())


def text() -> str:
    """Its file, as people wrote it."""
    return place().read_text(encoding="utf-8")


def place() -> Path:
    """Where its file lies."""
    return _named[0] if _named else _SHIPPED


def use(named: Path | None) -> Model:
    """Use this file's model in this process from now on; None: the shipped one.

    Raises Refused where it is no model, or one with other levels than this version's.
    """
    before = list(_named)
    shipped = _levels(parse_model(_SHIPPED.read_text(encoding="utf-8")))
    try:
        _named[:] = [named] if named is not None else []
        model.cache_clear()
        if _levels(model()) != shipped:
            raise ValueError("its levels are not those of this version of the program")
    except (OSError, KeyError, TypeError, ValueError) as error:
        _named[:] = before
        model.cache_clear()
        raise Refused(f"{named} is no matching model: {error}") from None
    return model()


def _levels(found: Model) -> dict[str, list[str]]:
    return {
        field: [level.name for level in levels]
        for field, levels in found.levels.items()
    }
