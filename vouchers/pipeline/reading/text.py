"""Reads CSV as a stream: Excel's encodings and delimiters, one bad row at a time."""

from __future__ import annotations

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from vouchers.domain.intake import known_count
from vouchers.domain.intake.faults import Fault
from vouchers.errors import BadFile
from vouchers.pipeline.reading.table import (
    HEADER_ROWS,
    FileNotice,
    RawRow,
    Table,
    table_of,
)

DELIMITERS = (",", ";", "\t", "|")
#: Longest line that is looked at: more than Excel's longest cell (32,767).
LINE_MAX = 100_000
#: Lines and characters of one record before its quote is taken to be left open.
RECORD_LINES_MAX = 60
RECORD_MAX = 120_000
_BLOCK = 1 << 20


@contextmanager
def open_text(path: Path) -> Iterator[Table]:
    """A CSV file as a table; raise BadFile when it is none."""
    notices: list[FileNotice] = []
    encoding = _encoding(path, notices)
    with path.open("r", encoding=encoding, errors="replace", newline="") as stream:
        start = _after_separator_line(stream)
        delimiter = start.delimiter or _delimiter(stream, start.position)
        if delimiter != ",":
            named = {"\t": "tabs", ";": "semicolons", "|": "bars"}.get(delimiter, "it")
            notices.append(
                FileNotice("delimiter", f"The cells are separated by {named}.")
            )

        def records() -> Iterator[RawRow]:
            stream.seek(start.position)
            return _records(stream, delimiter)

        yield table_of(records, notices)


# ---------------------------------------------------------------- encoding


def _encoding(path: Path, notices: list[FileNotice]) -> str:
    """The encoding by fixed rules: byte-order mark, else UTF-8, else Windows-1252.

    Nothing is guessed: a guess once turned pounds into Polish letters.
    """
    with path.open("rb") as stream:
        head = stream.read(4)
        if not head:
            raise BadFile("empty_file", "The file is empty.")
        if head.startswith(codecs.BOM_UTF8):
            return "utf-8-sig"
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            notices.append(FileNotice("encoding", "The file was read as UTF-16."))
            return "utf-16"
        if len(head) == 4 and head[1] == head[3] == 0 != head[0]:
            notices.append(FileNotice("encoding", "The file was read as UTF-16."))
            return "utf-16-le"
        if len(head) == 4 and head[0] == head[2] == 0 != head[1]:
            notices.append(FileNotice("encoding", "The file was read as UTF-16."))
            return "utf-16-be"
        stream.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while block := stream.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            notices.append(
                FileNotice(
                    "encoding",
                    "The file was read as Windows-1252. Save it as 'CSV UTF-8' if"
                    " letters look wrong.",
                )
            )
            return "cp1252"
    return "utf-8"


# ---------------------------------------------------------------- delimiter


class _Start:
    """Where the table begins, and the delimiter that a `sep=` line names."""

    def __init__(self, position: int, delimiter: str | None) -> None:
        self.position = position
        self.delimiter = delimiter


def _after_separator_line(stream: io.TextIOWrapper) -> _Start:
    begin = stream.tell()
    line = stream.readline(LINE_MAX).strip("\r\n\ufeff")
    if line.lower().strip('"').startswith("sep=") and len(line.strip('"')) == 5:
        # Excel does not show this line, so it has no row number.
        return _Start(stream.tell(), line.strip('"')[4])
    return _Start(begin, None)


def _delimiter(stream: io.TextIOWrapper, position: int) -> str:
    """The delimiter under which most of our columns are found in one row."""

    def known(delimiter: str) -> int:
        stream.seek(position)
        first = islice(_records(stream, delimiter), HEADER_ROWS)
        return max((known_count(record.cells) for record in first), default=0)

    return max(DELIMITERS, key=known)


# ---------------------------------------------------------------- records


class _TooLong(Exception):
    """A record goes on and on: its quotation mark was never closed."""


class _LongLine(str):
    """Stands for a line that is longer than any row can be."""


class _Lines:
    """Physical lines, remembered for as long as their record is being read."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        self._stream = stream
        self._back: deque[str] = deque()
        self._taken: list[str] = []
        self._size = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else self._read()
        if not line:
            raise StopIteration
        self._taken.append(line)
        self._size += len(line)
        if isinstance(line, _LongLine) or (
            len(self._taken) > 1
            and (self._size > RECORD_MAX or len(self._taken) > RECORD_LINES_MAX)
        ):
            raise _TooLong
        return line

    def _read(self) -> str:
        line = self._stream.readline(LINE_MAX)
        if len(line) < LINE_MAX or line.endswith(("\n", "\r")):
            return line
        while rest := self._stream.readline(LINE_MAX):
            if rest.endswith(("\n", "\r")):
                break
        return _LongLine(" ")

    def begin_record(self) -> None:
        """Forget the lines of the record before."""
        self._taken.clear()
        self._size = 0

    def first_alone(self) -> str:
        """The first line of the record; the others will be read again."""
        self._back.extendleft(reversed(self._taken[1:]))
        return self._taken[0]

    @property
    def cut_off(self) -> bool:
        """Whether the record's last line ends without a line break."""
        return bool(self._taken) and not self._taken[-1].endswith(("\n", "\r"))


def _records(stream: io.TextIOWrapper, delimiter: str) -> Iterator[RawRow]:
    """Every record with its number as Excel counts it, blank ones too."""
    lines = _Lines(stream)
    reader = _reader(lines, delimiter)
    narrowest = 0
    row_no = 0
    while True:
        lines.begin_record()
        row_no += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _TooLong):
            # Read the first line by itself and go on with the next: one open
            # quotation mark must not swallow its neighbours.
            yield _alone(lines.first_alone(), row_no, delimiter)
            reader = _reader(lines, delimiter)
            continue
        if lines.cut_off and 0 < len(cells) < narrowest:
            yield RawRow(row_no, cells, Fault.UNFINISHED_ROW)
            continue
        # Some write no blank cells at a row's end: the file's own habit is the rule.
        if len(cells) > 1:
            narrowest = min(narrowest or len(cells), len(cells))
        yield RawRow(row_no, cells)


def _reader(lines: Iterator[str], delimiter: str) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)


def _alone(line: str, row_no: int, delimiter: str) -> RawRow:
    if isinstance(line, _LongLine):
        return RawRow(row_no, [], Fault.ROW_TOO_LONG)
    cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    try:
        list(_reader(iter([line]), delimiter))
    except csv.Error as error:
        if "unexpected end" in str(error):
            return RawRow(row_no, cells, Fault.UNCLOSED_QUOTE)
    # A quotation mark inside a cell, as in 5" pipe: read as it stands.
    return RawRow(row_no, cells)
