"""What commands that look print: whole on a narrow terminal too."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console, RenderableType

from vouchers.cli import look

ACCOUNT: dict[str, Any] = {
    "batch": 7,
    "partner": "harbour-homes",
    "state": "finished",
    "rows_total": 5,
    "held": 0,
    "words": dict.fromkeys(look.WORDS, 0)
    | {"to_correct": 2, "delivered": 1, "not_delivered": 1, "not_granted": 1},
}


def printed(parts: list[RenderableType], width: int) -> str:
    """What a terminal of this width shows."""
    out = io.StringIO()
    console = Console(file=out, width=width)
    for part in parts:
        console.print(part)
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 80, 140])
def test_a_status_loses_no_column_however_narrow_the_terminal(width: int) -> None:
    """Whose file it is and every count stand there at 60 columns as at 140."""
    document = {
        "batches": [ACCOUNT],
        "rows": ACCOUNT["words"],
        "unread": 0,
        "unaccounted": 0,
        "held": 0,
    }
    said = printed(look._all(document, width), width)
    for word in ("harbour-homes", "finished", "correct", "delivered", "granted"):
        assert word in said
    assert "…" not in said


def test_counted_faults_are_explained_be_they_of_form_or_of_rules() -> None:
    """A code alone would send the reader to the handbook."""
    assert look._meaning("postcode_invalid").startswith("The cell is not")
    assert "close enough" in look._meaning("not_at_risk_yet")
    assert look._meaning("no_such_code") == "no_such_code"


def test_a_refused_file_says_why() -> None:
    """A partner who looks up the batch must not find a row of zeros."""
    account = ACCOUNT | {
        "file": "jan.csv", "refused": "no_rows", "received_at": None,
        "unread": None, "unaccounted": None, "faults": {},
    }  # fmt: skip
    assert "no_rows" in printed(look._one(account), 80)
