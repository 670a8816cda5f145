"""Reads one XLSX in a process of its own, under limits, and prints its rows as JSON.

It is run by path and imports nothing of ours: whatever a hostile workbook does, it
does it to a process that has no keys, no database and little memory.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any, NoReturn
from xml.etree import ElementTree

#: Room for the workbook, far above what a million honest rows need.
MEMORY_MAX = 3 << 30
SECONDS_MAX = 180
UNZIPPED_MAX = 600 << 20
FILES_MAX = 2_000
_BLOCK = 1 << 20
#: Longest tag that may lie across two blocks.
_OVERLAP = 400
_FORMULA = re.compile(rb"<(?:[A-Za-z0-9]+:)?f[\s>/]")
_ROW = re.compile(rb"<(?:[A-Za-z0-9]+:)?row[\s>/]")
_HIDDEN_ROW = re.compile(rb"<(?:[A-Za-z0-9]+:)?row\s[^>]*\bhidden=.(?:1|true)\b")
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_R_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
#: From here on Excel's numbers have lost digits.
_EXACT_BELOW = 10**15


def main(path: str, rows_max: int) -> None:
    """Print one JSON list a row, then an object that says how it ended."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_MAX, SECONDS_MAX))
    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_bomb(archive)
            name, part, hidden, more = _choose_sheet(archive)
            formulas, hidden_rows = _formulas(archive, part, rows_max)
        for row_no, cells in _rows(path, name, formulas):
            _say([row_no, cells])
        _say({"hidden": hidden, "more": more, "hidden_rows": hidden_rows})
    except SystemExit:
        raise
    except MemoryError:
        _refuse("workbook_too_big")
    except BaseException:  # The reader's own panics are no Exception.
        _refuse("not_a_workbook")


def _refuse(code: str) -> NoReturn:
    _say({"refused": code})
    sys.exit(0)


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")


def _refuse_bomb(archive: zipfile.ZipFile) -> None:
    entries = archive.infolist()
    if len(entries) > FILES_MAX or sum(e.file_size for e in entries) > UNZIPPED_MAX:
        _refuse("workbook_too_big")


def _choose_sheet(archive: zipfile.ZipFile) -> tuple[str, str, int, int]:
    """Name and part of the first visible worksheet; counts of hidden and of others."""
    book = _small_xml(archive, "xl/workbook.xml")
    links = _small_xml(archive, "xl/_rels/workbook.xml.rels")
    targets = {
        link.get("Id"): (link.get("Target", ""), link.get("Type", "")) for link in links
    }
    visible: list[tuple[str, str]] = []
    hidden = 0
    for sheet in (found for found in book.iter() if found.tag.endswith("}sheet")):
        target, kind = targets.get(sheet.get(_R_ID), ("", ""))
        if not kind.endswith("/worksheet"):
            continue
        if sheet.get("state", "visible") != "visible":
            hidden += 1
            continue
        part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        visible.append((sheet.get("name", ""), part))
    if not visible:
        _refuse("no_visible_sheet")
    return (*visible[0], hidden, len(visible) - 1)


def _small_xml(archive: zipfile.ZipFile, part: str) -> ElementTree.Element:
    with archive.open(part) as stream:
        text = stream.read(_BLOCK)
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        _refuse("not_a_workbook")
    return ElementTree.fromstring(text)


def _formulas(
    archive: zipfile.ZipFile, part: str, rows_max: int
) -> tuple[dict[tuple[int, int], str], bool]:
    """Formula of each cell that has one, and whether any row is hidden.

    The reader only gives cached values and knows nothing of what is shown.

    The sheet is searched as bytes first: parsing XML costs ten times as much and most
    workbooks have no formula.
    """
    found = hidden_rows = False
    rows = size = 0
    with archive.open(part) as stream:
        tail = b""
        while block := stream.read(_BLOCK):
            size += len(block)
            if size > UNZIPPED_MAX:
                _refuse("workbook_too_big")
            if b"<!DOCTYPE" in tail + block:
                _refuse("not_a_workbook")
            found = found or bool(_FORMULA.search(tail + block))
            hidden_rows = hidden_rows or bool(_HIDDEN_ROW.search(tail + block))
            rows += len(_ROW.findall(block))
            if rows > rows_max:
                _refuse("too_many_rows")
            tail = block[-_OVERLAP:]
    if not found:
        return {}, hidden_rows
    with archive.open(part) as stream:
        return dict(_formula_cells(stream)), hidden_rows


def _formula_cells(stream: Any) -> Iterator[tuple[tuple[int, int], str]]:
    rows: Any = None
    for event, element in ElementTree.iterparse(stream, ("start", "end")):
        name = element.tag.rpartition("}")[2]
        if event == "start":
            rows = element if name == "sheetData" else rows
        elif name == "c":
            for child in element:
                if child.tag.rpartition("}")[2] == "f":
                    yield _position(element.get("r", "")), (child.text or "")[:200]
        elif name == "row" and rows is not None:
            rows.clear()


def _position(reference: str) -> tuple[int, int]:
    found = _REFERENCE.fullmatch(reference)
    if not found:
        return (0, 0)
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - 64
    return int(found[2]), column - 1


def _rows(
    path: str, name: str, formulas: dict[tuple[int, int], str]
) -> Iterator[tuple[int, list[str]]]:
    import python_calamine

    sheet = python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_name(name)
    if sheet.start is None:
        return
    # Rows come from row 1 on, their cells from the first used column.
    before = [""] * sheet.start[1]
    by_row: dict[int, list[tuple[int, str]]] = {}
    for (row_no, column), formula in formulas.items():
        by_row.setdefault(row_no, []).append((column, formula))
    for row_no, values in enumerate(sheet.iter_rows(), start=1):
        cells = before + [_text(value) for value in values]
        for column, formula in by_row.get(row_no, ()):
            cells.extend([""] * (column + 1 - len(cells)))
            # With a blank, so that it never looks like the ="text" that Excel users
            # write by hand to keep a leading zero.
            cells[column] = f"= {formula}"
        yield row_no, cells


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if value.is_integer() and abs(value) < _EXACT_BELOW:
            return str(int(value))
        return f"{value:.2E}" if abs(value) >= _EXACT_BELOW else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
