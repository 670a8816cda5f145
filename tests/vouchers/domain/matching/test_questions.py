"""Cautions of the matcher are put to a reviewer as questions."""

from __future__ import annotations

from vouchers.domain.matching.questions import questions
from vouchers.domain.matching.scoring import GUARD_WORDS


def test_every_guard_is_a_question() -> None:
    """Whatever the matcher is careful about, a person reads what to find out."""
    for guard in GUARD_WORDS:
        (question,) = questions(int(guard))
        assert "?" in question
    assert questions(0) == []
