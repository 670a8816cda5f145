"""Opens a partner's CSV or XLSX as a stream of rows, numbered as Excel shows them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vouchers.errors import BadFile
from vouchers.pipeline.reading.table import FileNotice, RawRow, Table
from vouchers.pipeline.reading.text import open_text
from vouchers.pipeline.reading.workbook import open_workbook

__all__ = ["FileNotice", "RawRow", "Table", "open_table"]

#: What files that are no tables begin with. What a file is called counts for nothing.
_ZIP = b"PK\x03\x04"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_OTHERS = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"{\\rtf",
    b"\x1f\x8b",
    b"Rar!",
)


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """A file as a table; raise BadFile, whose code says why it is none."""
    with path.open("rb") as stream:
        head = stream.read(8)
    if head.startswith(_OLD_OFFICE):
        raise BadFile(
            "old_or_protected_workbook",
            "This is an old .xls file, or it has a password. Save it as .xlsx without"
            " a password, or as CSV UTF-8.",
        )
    if head.startswith(_OTHERS):
        raise BadFile(
            "not_a_table", "This is neither a CSV file nor an Excel workbook."
        )
    if head.startswith(_ZIP):
        with open_workbook(path) as table:
            if path.suffix.lower() != ".xlsx":
                table.notices.append(
                    FileNotice("workbook_by_content", "Read as an Excel workbook.")
                )
            yield table
        return
    with open_text(path) as table:
        yield table
