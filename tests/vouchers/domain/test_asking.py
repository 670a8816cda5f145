"""Limits of questions: never passed, always let go, and the moment told holds."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from vouchers.domain.asking import (
    BEAT_S,
    HOUR_SLOTS,
    SLOT_S,
    Answer,
    Answered,
    Limit,
    Own,
    slot_of,
    turned_away,
    wait_s,
)

NOON = datetime(2026, 12, 7, 12, 0, tzinfo=UTC)
NOW = slot_of(NOON)
counts = st.dictionaries(st.integers(NOW - 400, NOW), st.integers(0, 9), max_size=30)
limits = st.lists(
    st.builds(Limit, st.integers(1, 60), st.sampled_from([HOUR_SLOTS, 288])),
    min_size=1, max_size=4,
)  # fmt: skip


def test_an_hour_is_counted_back_from_now() -> None:
    """What was asked an hour and a slot ago does not count any more."""
    hour = Limit(2, HOUR_SLOTS)
    assert turned_away({NOW - 12: 2}, [hour], NOON) is None
    assert turned_away({NOW - 11: 1}, [hour], NOON) is None
    away = turned_away({NOW - 11: 1, NOW: 1}, [hour], NOON)
    assert away is not None
    assert away.again_at == datetime(2026, 12, 7, 12, 5, tzinfo=UTC)


@given(counts, limits)
def test_the_moment_that_is_told_is_the_first_that_lets_one_in(
    asked: dict[int, int], several: list[Limit]
) -> None:
    """At that moment a question passes; one slot before, it did not."""
    away = turned_away(asked, several, NOON)
    if away is None:
        return
    assert away.again_at > NOON
    assert turned_away(asked, several, away.again_at) is None
    before = datetime.fromtimestamp(away.again_at.timestamp() - SLOT_S, UTC)
    assert turned_away(asked, several, max(before, NOON)) is not None


@given(limits, st.lists(st.integers(0, 700), max_size=200))
def test_no_window_ever_holds_more_than_its_limit(
    several: list[Limit], gaps: list[int]
) -> None:
    """However the questions come, those let in keep every limit."""
    let_in: dict[int, int] = {}
    moment = NOON.timestamp()
    for gap in gaps:
        moment += gap
        now = datetime.fromtimestamp(moment, UTC)
        if turned_away(let_in, several, now) is None:
            let_in[slot_of(now)] = let_in.get(slot_of(now), 0) + 1
        for limit in several:
            inside = [n for s, n in let_in.items() if s > slot_of(now) - limit.slots]
            assert sum(inside) <= limit.most


@given(st.floats(0, 30))
def test_answers_leave_on_a_beat(elapsed: float) -> None:
    """Waiting ends on a whole beat and is shorter than one, but for the first."""
    wait = wait_s(elapsed)
    assert 0 <= wait <= BEAT_S
    beats = (elapsed + wait) / BEAT_S
    assert beats >= 1 - 1e-9
    assert abs(beats - round(beats)) < 1e-6


def test_a_sentence_says_all_that_may_be_said() -> None:
    """A date where there is one, and the partner's own request."""
    own = Own("T1", date(2026, 12, 3), "not_granted")
    assert Answered(Answer.ALREADY_SUPPORTED, date(2026, 12, 21), own=own).sentence == (
        "Already supported. Next eligible on 21/12/2026. You handed this resident in on"
        " 03/12/2026 as T1: not granted."
    )
    assert "No next date" in Answered(Answer.ALREADY_SUPPORTED).sentence
