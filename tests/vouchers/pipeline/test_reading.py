"""CSV files: any encoding and delimiter, bad rows alone, numbers as in Excel."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.partner_files import HEADER, csv_text, row
from vouchers.errors import BadFile
from vouchers.pipeline.reading import RawRow, open_table


def rows_of(path: Path, data: bytes) -> tuple[list[RawRow], list[str]]:
    """Rows and notice codes of a file with these bytes."""
    path.write_bytes(data)
    with open_table(path) as table:
        return list(table.rows()), [notice.code for notice in table.notices]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a test's file lies."""
    return tmp_path / "a.csv"


PLAIN = csv_text([row(1, town="Ystrad"), row(2)])


def test_a_plain_file_gives_its_rows_numbered_from_two(file: Path) -> None:
    """The header is row 1, as in Excel."""
    rows, notices = rows_of(file, PLAIN.encode())
    assert [(each.row_no, each.cells[0]) for each in rows] == [
        (2, "T00001"),
        (3, "T00002"),
    ]
    assert notices == []


@pytest.mark.parametrize(
    ("encoding", "noticed"),
    [
        ("utf-8", False),
        ("utf-8-sig", False),
        ("utf-16", True),
        ("utf-16-le", True),
        ("utf-16-be", True),
        ("cp1252", True),
    ],
)
def test_encodings_by_fixed_rules(file: Path, encoding: str, noticed: bool) -> None:
    """Accents survive each encoding that Excel writes; all but UTF-8 are noted."""
    text = csv_text([row(1, given_name="Zoë", family_name="O’Brien")])
    rows, notices = rows_of(file, text.encode(encoding))
    assert rows[0].cells[1:3] == ["Zoë", "O’Brien"]
    assert ("encoding" in notices) is noticed


def test_bytes_that_no_rule_reads_stay_in_their_row(file: Path) -> None:
    """One broken character makes one bad cell, not a bad file."""
    data = PLAIN.encode().replace(b"Example", b"Ex\x81mple", 1)
    rows, _ = rows_of(file, data)
    assert "\ufffd" in rows[0].cells[2]
    assert len(rows) == 2


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_delimiters_by_counting_known_columns(file: Path, delimiter: str) -> None:
    """Whichever separates our columns is the delimiter; it is noted."""
    rows, notices = rows_of(file, PLAIN.replace(",", delimiter).encode())
    assert len(rows[0].cells) == len(HEADER)
    assert notices == ["delimiter"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_sep_line_names_the_delimiter_and_has_no_row_number(
    file: Path, encoding: str
) -> None:
    """Excel hides that line, so the header below it is row 1."""
    text = "sep=;\r\n" + PLAIN.replace(",", ";")
    rows, _ = rows_of(file, text.encode(encoding))
    assert [each.row_no for each in rows] == [2, 3]


def test_line_breaks_in_quoted_cells_do_not_shift_row_numbers(file: Path) -> None:
    """A cell of two lines is one row in Excel; blank rows keep their number."""
    text = csv_text([row(1, address_line_1="Flat 1\nHigh Street"), row(2)])
    lines = text.split("\r\n")
    rows, _ = rows_of(file, "\r\n".join([*lines[:2], "", *lines[2:]]).encode())
    assert [(each.row_no, each.cells[0]) for each in rows] == [
        (2, "T00001"),
        (4, "T00002"),
    ]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system(file: Path, line_end: str) -> None:
    """Unix, Windows and old Macs."""
    rows, _ = rows_of(file, PLAIN.replace("\r\n", line_end).encode())
    assert len(rows) == 2


def test_an_open_quote_does_not_swallow_its_neighbours(file: Path) -> None:
    """The row with the open quotation mark is returned; all others are read."""
    text = csv_text([row(n) for n in range(1, 6)]).replace("2 High", '"2 High')
    rows, _ = rows_of(file, text.encode())
    assert [(each.row_no, each.fault) for each in rows] == [
        (2, None),
        (3, "unclosed_quote"),
        (4, None),
        (5, None),
        (6, None),
    ]


def test_a_quote_inside_a_cell_is_read_as_it_stands(file: Path) -> None:
    """5" pipe is no quotation."""
    rows, _ = rows_of(file, PLAIN.replace("1 High", '1 5" High').encode())
    assert rows[0].fault is None
    assert '5" High' in rows[0].cells[4]


def test_a_file_cut_off_in_its_last_row_gives_that_row_back(file: Path) -> None:
    """A half-written last line is one row to send again."""
    text = csv_text([row(n) for n in range(1, 4)])
    rows, _ = rows_of(file, text[: text.rindex("High")].encode())
    assert [each.fault for each in rows] == [None, None, "unfinished_row"]


def test_a_whole_last_row_needs_no_line_break(file: Path) -> None:
    """Many programs leave the last line break out."""
    rows, _ = rows_of(file, PLAIN.rstrip().rstrip(",").encode() + b",,")
    assert [each.fault for each in rows] == [None, None]


def test_a_line_beyond_all_measure_is_one_bad_row(file: Path) -> None:
    """An over-long line is skipped over without being kept."""
    text = PLAIN.replace("T00001", "T" * 5_000_000)
    rows, _ = rows_of(file, text.encode())
    assert [(each.row_no, each.fault) for each in rows] == [
        (2, "row_too_long"),
        (3, None),
    ]


def test_nul_bytes_stay_in_their_row(file: Path) -> None:
    """A NUL neither ends the file nor makes it another encoding."""
    rows, _ = rows_of(file, PLAIN.encode().replace(b"Annb", b"A\0nb"))
    assert rows[0].cells[1] == "A\0nb"
    assert len(rows) == 2


def test_a_title_above_the_header_is_skipped_with_a_notice(file: Path) -> None:
    """People put a heading above; row numbers stay Excel's."""
    rows, notices = rows_of(file, ("Referrals January\r\n\r\n" + PLAIN).encode())
    assert [each.row_no for each in rows] == [4, 5]
    assert notices == ["header_lower_down"]


def test_foreign_columns_are_noted_by_letter(file: Path) -> None:
    """What is kept in clear of a heading is where it stands, never what it says."""
    file.write_text(csv_text([row(1)], [*HEADER, "Ann Example"]))
    with open_table(file) as table:
        (notice,) = table.notices
    assert notice.code == "unknown_column"
    assert notice.kept() == {"code": "unknown_column", "columns": ["Q"]}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\n\n\n", "empty_file"),
        (b"\xef\xbb\xbf", "empty_file"),
        (b"%PDF-1.7 ...", "not_a_table"),
        (b"\x89PNG\r\n", "not_a_table"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old_or_protected_workbook"),
        (b"PK\x03\x04 no workbook", "not_a_workbook"),
        (b"Ann,Example,1980\n", "no_header"),
        (b"reference,first name\nT1,Ann\n", "missing_column"),
        (b"reference,ref\n", "repeated_column"),
        (("x," * 300).encode(), "too_many_columns"),
    ],
)
def test_what_is_no_table_of_ours_is_refused_by_name(
    file: Path, data: bytes, code: str
) -> None:
    """A fault of the file has a code and a sentence, whatever the file is called."""
    file.write_bytes(data)
    with pytest.raises(BadFile) as caught, open_table(file):
        pass
    assert caught.value.code == code
    assert str(caught.value).endswith(".")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400), st.booleans())
def test_arbitrary_bytes_are_rows_or_a_named_refusal(
    file: Path, data: bytes, with_header: bool
) -> None:
    """Whatever stands in a file, reading it never fails in another way."""
    start = (",".join(HEADER) + "\n").encode() if with_header else b""
    try:
        rows, _ = rows_of(file, start + data)
    except BadFile as bad:
        assert bad.code
        return
    numbers = [each.row_no for each in rows]
    assert numbers == sorted(set(numbers))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(st.text('ab",\n\r ;', max_size=8), min_size=2, max_size=5),
        max_size=8,
    )
)
def test_what_csv_writes_is_read_back_cell_by_cell(
    file: Path, cells: list[list[str]]
) -> None:
    """Quotes, commas and line breaks in cells survive; blank rows keep numbers."""
    import csv

    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(HEADER)
    writer.writerows(cells)
    rows, _ = rows_of(file, out.getvalue().encode())
    expected = [
        (number, line)
        for number, line in enumerate(cells, start=2)
        if any(cell.strip() for cell in line)
    ]
    assert [(each.row_no, each.cells) for each in rows] == expected


def test_memory_does_not_grow_with_the_files_length(file: Path) -> None:
    """A file fifty times as long is read within the same room."""

    def peak(rows: int) -> int:
        line = csv_text([row(1)]).split("\r\n")[1] + "\r\n"
        with file.open("w") as stream:
            stream.write(",".join(HEADER) + "\r\n")
            for _ in range(rows):
                stream.write(line)
        tracemalloc.start()
        with open_table(file) as table:
            assert sum(1 for _ in table.rows()) == rows
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    short, long = peak(2_000), peak(100_000)
    assert long < short + 1_000_000
    assert long < 8_000_000
