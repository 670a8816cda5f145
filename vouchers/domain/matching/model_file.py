"""Writes numbers into the text of a matching model; every other word stays."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

#: Where a number stands: ("thresholds", "match"),
#: ("levels", "given", "same", "person").
Place = tuple[str, ...]
#: Versions are kept with each review and decision; a column has so many letters.
VERSION_MAX = 40
_NUMBER = r"[-+]?[0-9.][0-9._eE+-]*"


def edited(
    text: str,
    changes: Mapping[Place, float],
    *,
    version: str,
    notes: Sequence[str] = (),
) -> str:
    """The text with other numbers, another version, and notes above the version.

    Raises ValueError where a place is not a number of the file, or where the result
    would not read as exactly what was asked.
    """
    if not 0 < len(version) <= VERSION_MAX:
        raise ValueError(f"a version has 1 to {VERSION_MAX} letters")
    lines = text.splitlines(keepends=True)
    for place, value in changes.items():
        _set(lines, place, value)
    for at, line in enumerate(lines):
        if re.match(r"version\s*=", line):
            quoted = version.replace("\\", "").replace('"', "")
            lines[at] = f'version = "{quoted}"\n'
            lines[at:at] = [f"# {note}\n" for note in notes]
            break
    made = "".join(lines)
    if tomllib.loads(made) != _expected(tomllib.loads(text), changes, version):
        raise ValueError("the model's file is not written as we can edit it")
    return made


def next_version(version: str, mark: str, day: date) -> str:
    """A version made from another: its name, what was done to it, and when."""
    made = f"{version.partition('+')[0][: VERSION_MAX - 12]}+{mark}{day:%Y%m%d}"
    if version == made or version.startswith(f"{made}."):
        made += f".{int(version.rpartition('.')[2]) + 1 if '.' in version else 2}"
    return made


def _set(lines: list[str], place: Place, value: float) -> None:
    """Put a number where it stands, in a section's line or in a table on one line."""
    *section, key = place
    pattern = re.compile(rf"^(\s*{re.escape(key)}\s*=\s*)({_NUMBER})(.*)$", re.DOTALL)
    here: list[str] = []
    for at, line in enumerate(lines):
        if found := re.match(r"\s*\[([A-Za-z0-9_.]+)\]", line):
            here = found[1].split(".")
        elif here == section and (hit := pattern.match(line)):
            lines[at] = f"{hit[1]}{_number(value)}{hit[3]}"
            return
        elif here == section[:-1] and re.match(rf"\s*{section[-1]}\s*=\s*\{{", line):
            inner = rf"([{{,]\s*{re.escape(key)}\s*=\s*)({_NUMBER})"
            made, count = re.subn(inner, rf"\g<1>{_number(value)}", line, count=1)
            if count:
                lines[at] = made
                return
    raise ValueError(f"the model has no number {'.'.join(place)}")


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    # Six digits are plenty for a probability, and never 1e-06, which people misread.
    short = float(f"{value:.6g}")
    return f"{short:.12f}".rstrip("0") + ("0" if short == int(short) else "")


def _expected(
    data: dict[str, Any], changes: Mapping[Place, float], version: str
) -> dict[str, Any]:
    made = copy.deepcopy(data)
    for place, value in changes.items():
        inner = made
        for part in place[:-1]:
            inner = inner[part]
        inner[place[-1]] = float(_number(value)) if isinstance(value, float) else value
    made["version"] = version
    return made
