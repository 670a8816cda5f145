"""The partners' page explains every code that a partner can meet, in the same words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vouchers.domain import eligibility
from vouchers.domain.asking import Answer
from vouchers.domain.intake import NOTICES, Fault, sentence
from vouchers.domain.outcomes import Word
from vouchers.pipeline.reading import workbook

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "vouchers/web/handbook/partners.md").read_text(encoding="utf-8")
#: Where a file as a whole is refused.
DOORS = (
    "vouchers/domain/intake/columns.py",
    "vouchers/pipeline/accept.py",
    "vouchers/pipeline/inbox.py",
    "vouchers/pipeline/reading/__init__.py",
    "vouchers/pipeline/reading/table.py",
    "vouchers/pipeline/reading/text.py",
)


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_of_a_row_is_explained(fault: Fault) -> None:
    """As the result file says it, with the heading left open."""
    assert f"| `{fault}` | {sentence(fault, column='The cell')} |" in PAGE


def test_every_rule_of_the_scheme_is_explained() -> None:
    """What the scheme's rules refuse is no less puzzling than a slip."""
    for code, (column, text) in eligibility.FAULTS.items():
        if column and code not in set(Fault):
            assert f"| `{code}` | {text} |" in PAGE
        else:
            assert f"`{code}`" in PAGE


def test_everything_taken_for_granted_is_explained() -> None:
    """Notices stand beside rows that were taken."""
    for code, text in NOTICES.items():
        assert f"| `{code}` | {text} |" in PAGE


def test_every_word_of_a_result_file_is_explained() -> None:
    """No word without its line."""
    for word in Word:
        assert f"| {word} |" in PAGE


def test_every_answer_to_a_question_is_explained() -> None:
    """What `check` can say stands on the page of those who ask."""
    for answer in Answer:
        assert f"| {answer} |" in PAGE


def test_every_refusal_of_a_whole_file_is_explained() -> None:
    """Each door's codes are found in its source."""
    codes = set(workbook._REFUSALS)
    for door in DOORS:
        source = (ROOT / door).read_text(encoding="utf-8")
        codes.update(re.findall(r'BadFile\(\s*"([a-z_]+)"', source))
        codes.update(re.findall(r'\bcode="([a-z_]+)"', source))
    assert {code for code in codes if f"`{code}`" not in PAGE} == set()
