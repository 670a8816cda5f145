"""The hard cases of matching: what the shipped model says of each pair of rows."""

from __future__ import annotations

import pytest

from tests.vouchers.domain.matching.hard_cases import (
    BEGIN,
    END,
    PAGE,
    Case,
    agrees,
    cases,
    judged,
    model,
    page,
)

#: Cases that we ask about although the answer is clear: the safe side, to be won.
ASKED: frozenset[str] = frozenset()


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_hard_case(case: Case) -> None:
    """Each pair gets the verdict that a careful person would give."""
    found = judged()[case.name]
    if case.name in ASKED:
        assert found.person == "R"
    else:
        assert agrees(case, found), found


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_it_does_not_matter_which_row_came_first(case: Case) -> None:
    """The verdict on the person and on the household is the same, turned round."""
    there, back = judged()[case.name], judged(turned=True)[case.name]
    assert there[:2] == back[:2]


def test_same_and_different_are_never_confused() -> None:
    """No case that is one person is called two, and none that is two is called one."""
    confused = {("M", "D"), ("D", "M"), ("R", "M")}
    assert [
        c.name for c in cases() if (c.person, judged()[c.name].person) in confused
    ] == []


def test_every_verdict_is_told_in_words() -> None:
    """Whoever is asked, or asks later, reads what the verdict rests on."""
    assert [
        c.name for c in cases() if c.person != "D" and not judged()[c.name].words
    ] == []


def test_the_handbook_prints_the_table() -> None:
    """What people read is what is tested; the module prints it anew."""
    text = PAGE.read_text(encoding="utf-8")
    assert text.partition(BEGIN)[2].partition(END)[0] == f"\n{page()}\n"


def test_the_handbook_names_the_models_thresholds() -> None:
    """The chances from which a machine decides stand in the page as in the model."""
    text = PAGE.read_text(encoding="utf-8")
    assert f"| {model().match:.0%} or more" in text
    assert f"| under {model().review:.0%} |" in text


def test_no_two_cases_have_one_name() -> None:
    """A case is spoken of by its name."""
    names = [case.name for case in cases()]
    assert len(names) == len(set(names)) >= 130
