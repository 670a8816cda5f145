"""The frame around commands: documents, amounts, failures that give nothing away."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import typer

from vouchers.cli import money, tables
from vouchers.cli.frame import Answer, Exit, Frame, carry, keep_token, to_json
from vouchers.domain.roles import Role


def test_numbers_that_would_be_rounded_are_text() -> None:
    """Numbers beyond 2**53 are written as text, all others as numbers."""
    told = json.loads(to_json({"big": 1 << 53, "small": (1 << 53) - 1}))

    assert told == {"big": str(1 << 53), "small": (1 << 53) - 1}


def test_moments_paths_and_words_are_plain() -> None:
    """Whatever a command finds out is one plain document."""
    at = datetime(2026, 12, 7, 12, tzinfo=UTC)

    told = json.loads(
        to_json([at, date(2026, 12, 7), Path("a/b"), Role.OWNER, b"\x01", (1, 2)])
    )

    assert told == [
        "2026-12-07T12:00:00+00:00",
        "2026-12-07",
        "a/b",
        "owner",
        "01",
        [1, 2],
    ]


def test_a_foreign_error_is_told_by_class_and_place(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The text of an error that is not ours may hold a person: it is not shown."""

    def fail() -> Answer:
        raise ValueError("Ngozi Okafor, +447700900123")

    assert carry(Frame(json=True), fail) == Exit.FAILED

    said = capsys.readouterr()
    assert "Okafor" not in said.out + said.err
    assert "ValueError" in said.err


def test_a_token_is_written_for_this_user_only(tmp_path: Path) -> None:
    """A kept token is readable by its owner and by nobody else."""
    kept = keep_token(tmp_path / "deep" / "token", "fv_x")

    assert kept.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("typed", "pence"),
    [("1", 100), ("1250.50", 125_050), ("£1,250", 125_000), ("0.05", 5)],
)
def test_pounds_as_people_type_them(typed: str, pence: int) -> None:
    """Amounts are read to the penny, with or without commas and a pound sign."""
    assert money.to_pence(typed) == pence


@pytest.mark.parametrize("typed", ["", "-5", "1.5", "1,25", "12.345", "1e3", "£"])
def test_what_is_no_amount_is_refused(typed: str) -> None:
    """An amount that could be meant in two ways is not guessed."""
    with pytest.raises(typer.BadParameter):
        money.to_pence(typed)


def test_debug_shows_where_it_failed_and_no_more(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The places of a failure are shown; what its text says of a person is not."""
    person = "Ngozi Okafor"

    def fail() -> Answer:
        raise ValueError(f"cannot read {person}")

    assert carry(Frame(debug=True), fail) == Exit.FAILED

    said = "".join(capfd.readouterr())
    assert "test_frame.py" in said
    assert person not in said


def test_any_document_can_be_drawn() -> None:
    """A command that draws nothing of its own is still readable."""
    drawn = tables.of_document(
        {"ok": True, "rows": [{"name": "a", "amount_pence": 5600}]}
    )

    assert len(drawn) == 2
    assert tables.of_document([]) != []
