"""A network's file is read as it comes from Excel, and what makes no sense is named."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.feed import AmountUnit, FeedLine, FeedProfile, LineType
from vouchers.errors import BadFile
from vouchers.pipeline.reading_feed import Unreadable, read_lines

ZONE = ZoneInfo("Europe/London")
HEAD = "Code,Transaction ID,Type,Amount,Balance,Date\n"


def read(text, profile=None, encoding="utf-8"):
    """The lines of a file with this text."""
    return list(read_lines(text.encode(encoding), profile or FeedProfile(), ZONE))


def test_a_line_is_understood():
    """Blanks in the code, a pound sign, a local British date in summer."""
    [line] = read(
        HEAD
        + "6331 0000-0000 0001,T1,REDEEM,£1,049.00,,1/7/2026 13:30\n".replace(
            "£1,049.00", '"£1,049.00"'
        )
    )

    assert line == FeedLine(
        number=2,
        code="6331000000000001",
        voucher_id=None,
        transaction_id="T1",
        type=LineType.REDEEM,
        amount_pence=104_900,
        balance_pence=None,
        at=datetime(2026, 7, 1, 12, 30, tzinfo=UTC),
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_delimiter_and_encoding_are_found_out(delimiter, encoding):
    """Networks save their sheets in every way there is."""
    text = (HEAD + "1,T1,redeem,£5,,2026-12-08\n").replace(",", delimiter)

    [line] = read(text, encoding=encoding)

    assert line.amount_pence == 500


def test_headings_are_found_whatever_their_order_and_spelling():
    """Capitals, blanks and underscores do not matter."""
    [line] = read("DATE,amount,TYPE,transaction_id,CODE\n2026-12-08,5,partial,T1,9\n")

    assert (line.code, line.type) == ("9", LineType.PARTIAL)


def test_a_network_s_own_words_and_pence():
    """The scheme's file says what the network calls things."""
    profile = FeedProfile(
        code="Barcode",
        transaction="Ref",
        types={"Cashed": LineType.REDEEM},
        amounts_in=AmountUnit.PENCE,
    )

    [line] = read(
        "Barcode,Ref,Type,Amount,Date\n7,R9,CASHED,4900,2026-12-08\n", profile
    )

    assert (line.type, line.amount_pence) == (LineType.REDEEM, 4900)


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (",T1,redeem,5,,2026-12-08", "names no code"),
        ("1,,redeem,5,,2026-12-08", "transaction_id"),
        ("1,T1,borrowed,5,,2026-12-08", "type"),
        ("1,T1,redeem,five,,2026-12-08", "not a number"),
        ("1,T1,redeem,NaN,,2026-12-08", "not a number"),
        ("1,T1,redeem,0.005,,2026-12-08", "parts of a penny"),
        ("1,T1,redeem,-5,,2026-12-08", "negative"),
        ("1,T1,redeem,99999999999,,2026-12-08", "too large"),
        ("1,T1,redeem,5,,someday", "date"),
        ("1", "type"),
    ],
)
def test_a_line_that_makes_no_sense_is_named_with_its_reason(cells, why):
    """By its number as an editor shows it; the next line is read all the same."""
    bad, good = read(HEAD + cells + "\n1,T2,redeem,5,,2026-12-08\n")

    assert isinstance(bad, Unreadable)
    assert bad.number == 2
    assert why in bad.why
    assert isinstance(good, FeedLine)


def test_what_ended_needs_no_amount():
    """`expired` and `cancelled` speak of whatever is left."""
    lines = read(HEAD + "1,T1,expired,,,2026-12-08\n2,T2,cancelled,,,2026-12-08\n")

    assert [line.amount_pence for line in lines] == [0, 0]


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(content):
    """Anything is a file of lines or is refused as a file."""
    try:
        lines = list(read_lines(content, FeedProfile(), ZONE))
    except BadFile:
        return
    assert all(isinstance(line, (FeedLine, Unreadable)) for line in lines)


@given(st.text(max_size=200))
def test_no_text_below_the_headings_breaks_the_reader(text):
    """Every line is understood or named."""
    try:
        lines = read(HEAD + text.replace("\x00", ""))
    except (BadFile, UnicodeEncodeError):
        return
    assert all(isinstance(line, (FeedLine, Unreadable)) for line in lines)
