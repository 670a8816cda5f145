"""The list of crash points is the list of crash points in the code, neither more."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.faults.harness import HOUSE
from vouchers import crashpoints

#: Opens a unit for others, with the name that they give.
PASSES_ON = {"vouchers/pipeline/context.py", "vouchers/store/unit_of_work.py"}
#: `Engine.begin`, which has no name.
NO_UNITS = {"vouchers/store/migrations/__init__.py"}


def calls(function: str) -> Iterator[tuple[str, ast.Call]]:
    """Every call of a function in the product, with its file and line."""
    for room in ("vouchers", "workers"):
        for path in sorted((HOUSE / room).rglob("*.py")):
            short = path.relative_to(HOUSE).as_posix()
            if short in PASSES_ON | NO_UNITS:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                    if called == function:
                        yield f"{short}:{node.lineno}", node


def opens_unit(call: ast.Call) -> bool:
    """Whether a `begin(...)` is ours: a nested function may be called so, too."""
    return isinstance(call.func, ast.Attribute) or bool(call.args or call.keywords)


def name_of(call: ast.Call) -> object:
    """The name that a unit is given; None where it is none or not written out."""
    given = next((one.value for one in call.keywords if one.arg == "name"), None)
    return given.value if isinstance(given, ast.Constant) else None


def test_every_unit_of_work_is_on_the_list() -> None:
    """Each `begin` names its unit in plain letters, and every name is known."""
    units = {where: name_of(call) for where, call in calls("begin") if opens_unit(call)}
    nameless = [where for where, name in units.items() if name is None]
    assert nameless == [], "give the unit a name, written out"

    known = crashpoints.UNITS | crashpoints.BY_HAND | crashpoints.NEVER_COMMITTED
    assert set(units.values()) == known, (
        "name it in vouchers/crashpoints.py, and what runs by itself a scene"
        " in tests/faults/scenes.py"
    )


def test_every_other_place_is_on_the_list() -> None:
    """What `crashpoint` is called with is what the list has, word by word."""
    found = {
        call.args[0].value
        for _, call in calls("crashpoint")
        if isinstance(call.args[0], ast.Constant)
    }
    assert found == crashpoints.PLACES


@pytest.mark.parametrize("apart", ["BY_HAND", "NEVER_COMMITTED", "PLACES"])
def test_no_unit_is_listed_twice(apart: str) -> None:
    """A unit runs by itself or is an act of a person, not both."""
    assert not crashpoints.UNITS & getattr(crashpoints, apart)
