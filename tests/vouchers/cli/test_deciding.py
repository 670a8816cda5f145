"""What operators and reviewers see in a terminal, at 80 columns and without colour."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

from rich.console import Console, RenderableType

from vouchers.backoffice.batches import Cause, File
from vouchers.backoffice.review_sheets import Compared, Line, Sheet, Side
from vouchers.cli import review_pages
from vouchers.cli.batches import _file
from vouchers.domain.matching.settlement import ReviewKind

NOON = datetime(2026, 12, 7, 12, 0, tzinfo=UTC)
LINE = Line(
    id=8_388_627, kind=ReviewKind.PERSON, state="open", partner="Birch Council",
    batch_id=4, row_no=19, need_band=2, off_supply=True, protected=False,
    opened_at=NOON - timedelta(hours=30), escalated=True, candidates=1, person=0.71,
    household=0.2899, ruling=None, decided_by=None,
)  # fmt: skip
SIDE = Side(
    resident_id=2_097_171,
    fields={"given_name": "Sarah", "family_name": "Patterson"},
    differing=("given_name",),
    compared=(
        Compared("given_name", "Hannah", "Sarah", True),
        Compared("family_name", "Patterson", "Patterson", False),
        Compared("mobile", "", "+447700900001", False),
    ),
    person=0.71,
    household=0.2899,
    speaks_for=("same date of birth",),
    speaks_against=("given names differ",),
    says_little=("same home",),
    questions=("Are these twins, or one person under two given names?",),
)


def drawn(parts: list[RenderableType]) -> str:
    """What a terminal of 80 columns without colours shows."""
    console = Console(file=io.StringIO(), width=80, no_color=True, highlight=False)
    for part in parts:
        console.print(part)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    return text


def test_the_queue_fits_a_narrow_terminal_and_names_the_next_command() -> None:
    """One line a review, how late it is, how sure the matcher was."""
    text = drawn(review_pages.queue([LINE], 12, 3, now=NOON))
    row = next(line for line in text.splitlines() if "8388627" in line)
    assert row.split() == [
        "8388627", "known?", "71%,", "29%", "2", "off", "30", "h", "late", "Birch",
        "Council", "4/19",
    ]  # fmt: skip
    assert "12 wait, 3 of them too long" in text
    assert "vouchers reviews show 8388627" in text


def test_a_difference_has_a_sign_beside_its_colour() -> None:
    """It reads without colours: what differs, what agrees, what one side lacks."""
    text = drawn(review_pages.sheet(Sheet(LINE, SIDE.fields, (SIDE,), joined=(7,))))
    signs = {line[:13].strip(): line.split()[2] for line in text.splitlines()
             if line.startswith(("given", "family"))}  # fmt: skip
    assert signs == {"given name": "≠", "family name": "="}
    assert "mobile       ·  –" in text
    assert "71% the same person, 29% another of the same household" in text
    assert "Are these twins" in text
    assert "1 other row waits for the same ruling" in text
    assert "vouchers reviews decide 8388627 --ruling" in text


def test_a_stopped_file_shows_why_what_to_ask_and_both_ways_on() -> None:
    """Numbers, a question, and one command for each answer."""
    cause = Cause(
        "same_phone", "60 of 120 rows have one phone", "Is it an office's?", 60, 120,
        36, False,
    )  # fmt: skip
    found = File(3, "elm-homes", "stopped", 120, 120, 0, 0, NOON, NOON, (cause,), 2)
    text = drawn(_file(found))
    assert "60 of 120 rows have one phone" in text
    assert "Is it an office's?" in text
    assert "vouchers batches release 3" in text
    assert "vouchers batches reject 3" in text
