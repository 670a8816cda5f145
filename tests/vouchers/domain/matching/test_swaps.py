"""Names in each other's column: to the letter, nearly, or one of the two."""

from __future__ import annotations

import numpy as np

from vouchers.domain.matching.swaps import crosswise


def test_names_swapped_to_the_letter_nearly_and_by_half() -> None:
    """A typo does not hide a swap; one name in the other's column is only half one."""
    given = ["jack", "jack", "ashleigh", "anna", "kelly"], [
        "stubbs", "stubs", "maddison", "maria", "",
    ]  # fmt: skip
    surname = ["stubbs", "stubbs", "quilliam", "fox", ""], [
        "jack", "jack", "ashleigh", "fox", "kelly",
    ]  # fmt: skip
    exact, rough, half = crosswise(given, surname, np.arange(5))
    assert exact.tolist() == [True, False, False, False, False]
    assert rough.tolist() == [False, True, False, False, False]
    assert half.tolist() == [False, False, True, False, True]


def test_two_unknown_names_are_no_swap() -> None:
    """Nothing in both columns agrees with nothing."""
    exact, rough, half = crosswise(([""], [""]), ([""], [""]), np.arange(1))
    assert not exact.any()
    assert not rough.any()
    assert not half.any()
