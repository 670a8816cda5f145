"""The circuit breaker: which files look wrong as a whole, and which only look large."""

from __future__ import annotations

import pytest

from schemas.scheme import Breaker
from vouchers.domain.breaker import (
    KEPT,
    Same,
    Stop,
    StopReason,
    Watch,
    look_at_people,
    look_at_rows,
    usual_rows,
)

RULES = Breaker()


def watch(**kinds: int) -> Watch:
    """A watch in which one value of each named kind is on so many rows."""
    found = Watch()
    found.add(
        {Same(kind): [7] * rows for kind, rows in kinds.items()}, unknown=0, errors=0
    )
    return found


def reasons(seen: Watch, total: int, released: tuple[str, ...] = ()) -> list[str]:
    """Codes of the stops."""
    found = look_at_rows(RULES, seen, total=total, released=released)
    return [stop.reason.value for stop in found]


@pytest.mark.parametrize("kind", list(Same))
def test_one_value_on_many_rows_stops_a_file(kind: Same) -> None:
    """At 30% of the rows it stops, one row below it does not."""
    assert reasons(watch(**{kind: 60}), 200) == [f"same_{kind}"]
    assert reasons(watch(**{kind: 59}), 200) == []


def test_hundreds_of_rows_stop_a_file_of_any_size_but_not_for_a_birth_date() -> None:
    """In a city's file many people share a birth date, but not a phone."""
    assert reasons(watch(phone=300, birth=900), 1_250_000) == ["same_phone"]
    assert reasons(watch(phone=299), 1_250_000) == []


def test_small_files_never_stop() -> None:
    """Ninety-nine rows of one phone are a matter of their rows."""
    assert reasons(watch(phone=99), 99) == []
    assert look_at_people(RULES, total=99, seen=99, repeats=99) == []


def test_only_placeholder_births_stop_a_file() -> None:
    """Without birth dates relatives cannot be told apart."""
    seen = Watch(unknown_births=120)
    assert reasons(seen, 120) == ["no_births"]


def test_too_many_errors_stop_a_file_of_which_something_was_taken() -> None:
    """A file that is all wrong goes back as it is; nobody has to stop it."""
    assert reasons(Watch(errors=60), 120) == ["row_errors"]
    assert reasons(Watch(errors=120), 120) == []


def test_far_more_rows_than_usual_stop_a_file() -> None:
    """Usual is the largest of the latest files, once there are three."""
    assert usual_rows(RULES, [20, 30]) is None
    usual = usual_rows(RULES, [20, 30, 40])
    assert reasons(Watch(usual=usual), 201) == ["far_more_rows"]
    assert reasons(Watch(usual=usual), 200) == []
    assert reasons(Watch(usual=2), 99) == []


def test_repeats_stop_a_file_once_enough_rows_were_looked_at() -> None:
    """Half of those seen so far, not of the file: the other half waits."""
    assert look_at_people(RULES, total=900, seen=99, repeats=99) == []
    (found,) = look_at_people(RULES, total=900, seen=100, repeats=50)
    assert found == Stop(StopReason.REPEATS, 50, 100, 50)
    assert look_at_people(RULES, total=900, seen=100, repeats=49) == []


def test_what_a_person_let_go_on_does_not_stop_again() -> None:
    """Another reason still does."""
    seen = watch(phone=100, email=100)
    assert reasons(seen, 200, released=("same_phone",)) == ["same_email"]
    released = ("repeats",)
    assert (
        look_at_people(RULES, total=900, seen=200, repeats=200, released=released) == []
    )


def test_a_watch_is_kept_small_and_reads_as_it_was_written() -> None:
    """The most frequent values stay, whatever passes by; nothing else is kept."""
    seen = Watch()
    for chunk in range(20):
        strangers = range(1_000 * (chunk + 1), 1_000 * (chunk + 1) + 450)
        seen.add({Same.PHONE: [*strangers, *[7] * 50]}, unknown=1, errors=2)
    again = Watch.of_json(seen.as_json())
    assert (again.most(Same.PHONE), again.unknown_births, again.errors) == (
        1_000,
        20,
        40,
    )
    assert len(again.same[Same.PHONE]) == KEPT


def test_each_reason_has_a_sentence_and_a_question() -> None:
    """Whoever has to decide reads numbers, not codes."""
    for reason in StopReason:
        stop = Stop(reason, 60, 200, 50)
        assert "60" in stop.sentence
        assert "limit is 50" in stop.sentence
        assert stop.question.endswith((".", "?"))
