"""What was recorded becomes sentences, and unknown things are still told."""

from __future__ import annotations

import pytest

from vouchers.domain import telling


def test_a_known_event_has_its_sentence() -> None:
    """An event's words are filled with what it holds, pence as pounds."""
    told = telling.event_sentence("award.granted", {"pence": 5600})

    assert told == "An award of £56.00 was granted."


def test_an_unknown_event_is_told_plainly() -> None:
    """A kind that nobody wrote a sentence for is read out as it is."""
    assert telling.event_sentence("voucher.sung_to", {}) == "Voucher sung to."


def test_an_event_that_lacks_a_word_is_told_plainly() -> None:
    """A sentence whose gap cannot be filled falls back to the kind."""
    assert telling.event_sentence("award.granted", {}) == "Award granted."


def test_a_reason_is_a_sentence_with_its_code() -> None:
    """Details open with the reason as the partner reads it, and its code."""
    [line] = telling.event_details({"reason": "no_money", "state": "waiting"})

    assert line.startswith("The fund is used up for now.")
    assert line.endswith("(no_money)")


def test_a_match_shows_every_part_of_its_score() -> None:
    """Each candidate is told with its score, its parts and who first brought them."""
    match = {
        "model": "m1",
        "why": ["strong_fields_agree"],
        "candidates": [
            {
                "resident_id": "7",
                "person": 0.987,
                "household": 0.5,
                "parts": [["surname", "exact", 4.25], ["birth", "day_month", -1.0]],
            }
        ],
    }

    assert telling.match_details(match, {7: "calder-council"}) == [
        "Model m1.",
        "Because: strong fields agree.",
        "Candidate 1: resident 7, first brought by calder-council; same person 98.7%, "
        "same household 50.0%.",
        "  surname exact +4.2; birth day month -1.0",
    ]


def test_nobody_alike_is_said_as_well() -> None:
    """A row without candidates says so: nothing was left out."""
    told = telling.match_details({"model": "m1", "candidates": []}, {})

    assert told[-1].startswith("Nobody in the register looks like this person")


def test_each_gift_that_was_passed_over_has_its_rule() -> None:
    """P10: who paid how much, and the rule that passed over each other gift."""
    judged = {"drawn": {"1": 5600}, "skipped": {"restricted": [2]}}

    assert telling.money_details(judged, {1: "redress", 2: "west"}) == [
        "£56.00 from redress.",
        "Passed over west: The money left is for other areas or groups. (restricted)",
    ]


def test_need_names_its_parts() -> None:
    """The band, the rank and what led to them."""
    told = telling.need_details({"band": 1, "rank": 10, "parts": ["off_supply"]})

    assert told == ["Need band 1 of 8, rank 10: off supply."]


@pytest.mark.parametrize(
    ("pence", "words"), [(0, "£0.00"), (123_456, "£1,234.56"), (-5, "-£0.05")]
)
def test_pence_read_as_pounds(pence: int, words: str) -> None:
    """Whole pence become pounds with two places and a sign in front."""
    assert telling.pounds(pence) == words
