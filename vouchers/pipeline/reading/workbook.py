"""Reads XLSX through a child process that may neither eat memory nor run for ever."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from vouchers.domain.ids import ROWS_MAX
from vouchers.errors import BadFile
from vouchers.pipeline.reading.table import FileNotice, RawRow, Table, table_of

CHILD = Path(__file__).with_name("workbook_child.py")
#: Longest wait for one workbook.
SECONDS_MAX = 300

_REFUSALS = {
    "workbook_too_big": "The workbook is too big once unpacked. Save it as CSV UTF-8.",
    "not_a_workbook": "The file is not an Excel workbook, or it is damaged.",
    "no_visible_sheet": "The workbook has no visible sheet.",
    "too_many_rows": f"The sheet has more than {ROWS_MAX:,} rows. Split it.",
}


@contextmanager
def open_workbook(path: Path) -> Iterator[Table]:
    """The first visible sheet of a workbook as a table; raise BadFile when it is none.

    The child's rows go to a file without a name: it vanishes with this process, and
    nothing is taken from a workbook that cannot be read to its end.
    """
    with tempfile.TemporaryFile() as spool:
        end = _convert(path, spool)
        notices: list[FileNotice] = []
        if end["more"]:
            notices.append(
                FileNotice(
                    "several_sheets",
                    "Only the first sheet was read; the workbook has"
                    f" {end['more'] + 1}.",
                )
            )
        if end["hidden"]:
            notices.append(
                FileNotice(
                    "hidden_sheets", "Hidden sheets of the workbook were not read."
                )
            )
        if end["hidden_rows"]:
            notices.append(
                FileNotice(
                    "hidden_rows",
                    "The sheet has hidden rows (a filter?); they were read like all"
                    " others.",
                )
            )
        yield table_of(lambda: _records(spool), notices)


def _convert(path: Path, spool: IO[bytes]) -> dict[str, Any]:
    """Have the child write the rows to `spool`; gives its last word."""
    command = [sys.executable, "-I", str(CHILD), str(path.absolute()), str(ROWS_MAX)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=spool,
            stderr=subprocess.DEVNULL,
            env={},
            timeout=SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _refusal("workbook_too_big") from None
    end = _last_line(spool)
    if done.returncode != 0 or "refused" in end or "more" not in end:
        raise _refusal(str(end.get("refused", "workbook_too_big")))
    return end


def _refusal(code: str) -> BadFile:
    return BadFile(code, _REFUSALS[code])


def _last_line(spool: IO[bytes]) -> dict[str, Any]:
    size = spool.seek(0, 2)
    spool.seek(max(0, size - 4_096))
    lines = spool.read().splitlines()
    try:
        end = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return end if isinstance(end, dict) else {}


def _records(spool: IO[bytes]) -> Iterator[RawRow]:
    spool.seek(0)
    for line in spool:
        record = json.loads(line)
        if isinstance(record, list):
            yield RawRow(record[0], record[1])
