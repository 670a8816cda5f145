"""What every reader gives: a layout, notices about the file, and a stream of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile

from vouchers.domain.ids import ROWS_MAX
from vouchers.domain.intake import Layout, known_count, match_header
from vouchers.domain.intake.columns import letters
from vouchers.errors import BadFile

#: Rows among which the header is looked for: people put a title above it.
HEADER_ROWS = 10


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as it stands in the file."""

    #: As Excel counts it: the header is usually 1.
    row_no: int
    cells: list[str]
    #: Code of what makes the row unreadable as a whole.
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class FileNotice:
    """Something about a file that was read all the same: its sender should know."""

    code: str
    text: str
    #: Excel's letters of the columns meant. A heading may be anything, even a name,
    #: so only letters are kept in clear.
    columns: tuple[str, ...] = ()

    def kept(self) -> dict[str, object]:
        """What is remembered of it with the batch."""
        return {"code": self.code, "columns": list(self.columns)}


@dataclass(slots=True)
class Table:
    """An open file of rows."""

    layout: Layout
    #: Every record from the top, blank ones and the header too; may be asked again.
    records: Callable[[], Iterator[RawRow]]
    notices: list[FileNotice] = field(default_factory=list)

    def rows(self) -> Iterator[RawRow]:
        """The rows below the header, without blank ones; from the top each time."""
        for record in self.records():
            if record.row_no <= self.layout.header_row:
                continue
            if record.row_no > ROWS_MAX:
                raise BadFile(
                    "too_many_rows",
                    f"The file has more than {ROWS_MAX:,} rows. Split it.",
                )
            if record.fault or any(cell.strip() for cell in record.cells):
                yield record


def table_of(
    records: Callable[[], Iterator[RawRow]], notices: list[FileNotice]
) -> Table:
    """Find the header among the first rows."""
    top = takewhile(lambda record: record.row_no <= HEADER_ROWS, records())
    first = [record for record in top if any(map(str.strip, record.cells))]
    if not first:
        raise BadFile("empty_file", "The file is empty.")
    best = max(first, key=lambda record: known_count(record.cells))
    layout = match_header(best.cells, header_row=best.row_no)
    if best is not first[0]:
        notices.append(
            FileNotice(
                "header_lower_down",
                f"The column names were found in row {best.row_no}; what stands above"
                " was not read.",
            )
        )
    _note_unknown(layout, notices)
    return Table(layout, records, notices)


def _note_unknown(layout: Layout, notices: list[FileNotice]) -> None:
    named_places = [place for place in layout.unknown if layout.header[place].strip()]
    if not named_places:
        return
    named = ", ".join(
        f"'{layout.header[place].strip()}' ({letters(place)})"
        for place in named_places[:10]
    )
    notices.append(
        FileNotice(
            "unknown_column",
            f"Not one of our columns, so not read: {named}.",
            tuple(letters(place) for place in named_places),
        )
    )
