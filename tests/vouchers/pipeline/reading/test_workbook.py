"""XLSX files: read in a limited process; formulas, bombs, hidden sheets are named."""

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from tests.partner_files import HEADER, row
from vouchers.errors import BadFile
from vouchers.pipeline.reading import Table, open_table

SHEET = "xl/worksheets/sheet1.xml"


def write(sheet: Any, rows: list[dict[str, Any]], *, top: int = 0) -> None:
    """Fill a sheet with the header and rows from a line on."""
    sheet.write_row(top, 0, HEADER)
    for n, values in enumerate(rows, start=top + 1):
        for place, name in enumerate(HEADER):
            value = values.get(name, "")
            if isinstance(value, str) and value.startswith("="):
                sheet.write_formula(n, place, value, None, "cached")
            elif isinstance(value, str):
                sheet.write_string(n, place, value)
            else:
                sheet.write(n, place, value)


def workbook(path: Path, *rows: dict[str, Any], top: int = 0) -> Path:
    """A workbook of one sheet."""
    with xlsxwriter.Workbook(path, {"default_date_format": "dd/mm/yy"}) as book:
        write(book.add_worksheet("Referrals"), list(rows), top=top)
    return path


def cells(table: Table, name: str) -> list[str]:
    """One column of a table."""
    return [each.cells[HEADER.index(name)] for each in table.rows()]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a test's workbook lies."""
    return tmp_path / "a.xlsx"


def test_rows_are_numbered_as_excel_shows_them(file: Path) -> None:
    """Lines above the table and blank ones inside count."""
    workbook(file, row(1), {}, row(3), top=3)
    with open_table(file) as table:
        assert table.layout.header_row == 4
        assert [each.row_no for each in table.rows()] == [5, 7]
        # A second walk gives the same.
        assert cells(table, "reference") == ["T00001", "T00003"]


def test_numbers_and_dates_come_as_a_person_reads_them(file: Path) -> None:
    """A mobile kept as a number, a date kept as a date, a tick kept as true."""
    values = row(1) | {
        "mobile": 7700900123,
        "date_of_birth": date(1980, 12, 31),
        "household_size": 3.0,
        "off_supply": True,
        "reference": 1234567890123456789,
    }
    workbook(file, values)
    with open_table(file) as table:
        assert cells(table, "mobile") == ["7700900123"]
        assert cells(table, "date_of_birth") == [date(1980, 12, 31).isoformat()]
        assert cells(table, "household_size") == ["3"]
        assert cells(table, "off_supply") == ["yes"]
        assert cells(table, "reference") == ["1.23E+18"]


def test_a_formula_is_seen_though_the_reader_gives_its_value(file: Path) -> None:
    """The cell comes as a formula, so that the row is returned."""
    workbook(file, row(1), row(2) | {"given_name": '="A"&"nn"'}, row(3))
    with open_table(file) as table:
        names = cells(table, "given_name")
    assert names[1].startswith("= ")
    assert not names[0].startswith("=")


def test_hidden_sheets_are_ignored_and_the_first_visible_is_read(file: Path) -> None:
    """Both are noted, so that nobody wonders where the rows went."""
    with xlsxwriter.Workbook(file) as book:
        hidden = book.add_worksheet("Old")
        write(hidden, [row(9)])
        first = book.add_worksheet("New")
        write(first, [row(1)])
        write(book.add_worksheet("More"), [row(2)])
        first.activate()
        first.set_first_sheet()
        hidden.hide()
    with open_table(file) as table:
        assert cells(table, "reference") == ["T00001"]
        assert [each.code for each in table.notices] == [
            "several_sheets",
            "hidden_sheets",
        ]


def test_a_table_may_begin_in_any_column(file: Path) -> None:
    """Cells keep their place under Excel's letters."""
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 2, HEADER)
        values = row(1)
        sheet.write_row(1, 2, [values[name] for name in HEADER])
    with open_table(file) as table:
        assert table.layout.index["reference"] == 2
        assert next(table.rows()).cells[2] == "T00001"


def test_a_workbook_called_csv_is_read_by_its_content(tmp_path: Path) -> None:
    """What a file is called counts for nothing; the sender is told."""
    path = workbook(tmp_path / "a.xlsx", row(1)).rename(tmp_path / "a.csv")
    with open_table(path) as table:
        assert cells(table, "reference") == ["T00001"]
        assert [each.code for each in table.notices] == ["workbook_by_content"]


def rewritten(path: Path, part: str, content: bytes) -> Path:
    """The workbook with one part of it replaced."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = content
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(name, body)
    return path


def refused(path: Path) -> str:
    """Code with which a workbook is refused."""
    with pytest.raises(BadFile) as caught, open_table(path):
        pass
    return caught.value.code


def test_a_zip_bomb_is_refused_before_it_is_opened(file: Path) -> None:
    """What a workbook unpacks to is counted first."""
    workbook(file, row(1))
    with (
        zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/media/bomb.bin", "w", force_zip64=True) as part,
    ):
        for _ in range(620):
            part.write(bytes(1 << 20))
    assert refused(file) == "workbook_too_big"


def test_a_sheet_with_a_cell_at_the_end_of_the_world_is_refused(file: Path) -> None:
    """A dense reader would want 400 GB for it: the child dies, we do not."""
    workbook(file, row(1))
    with zipfile.ZipFile(file) as archive:
        sheet = archive.read(SHEET)
    far = (
        b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>'
    )
    sheet = sheet.replace(b"</sheetData>", far + b"</sheetData>")
    assert refused(rewritten(file, SHEET, sheet)) == "workbook_too_big"


@pytest.mark.parametrize(
    ("part", "content", "code"),
    [
        (SHEET, b"<worksheet><sheetData><row", "not_a_workbook"),
        ("xl/workbook.xml", b"<!DOCTYPE x [<!ENTITY a 'b'>]><w/>", "not_a_workbook"),
        (SHEET, b"<!DOCTYPE x [<!ENTITY a 'b'>]><worksheet/>", "not_a_workbook"),
        ("xl/workbook.xml", b"<workbook/>", "no_visible_sheet"),
    ],
)
def test_damaged_and_hostile_workbooks_are_refused_by_name(
    file: Path, part: str, content: bytes, code: str
) -> None:
    """Broken XML and entities end as a sentence, not as an accident."""
    workbook(file, row(1))
    assert refused(rewritten(file, part, content)) == code


def test_an_empty_sheet_is_an_empty_file(file: Path) -> None:
    """A workbook without a single cell."""
    with xlsxwriter.Workbook(file) as book:
        book.add_worksheet()
    assert refused(file) == "empty_file"


def test_hidden_rows_are_read_and_said_to_be(file: Path) -> None:
    """Whoever filtered a sheet may think that only what is shown was handed in."""
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet("Referrals")
        write(sheet, [row(1), row(2)])
        sheet.set_row(2, None, None, {"hidden": True})
    with open_table(file) as table:
        assert [notice.code for notice in table.notices] == ["hidden_rows"]
        assert cells(table, "reference") == ["T00001", "T00002"]
