"""Proves that news of a text ends in one state whatever order it comes in."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vouchers.domain.delivery import (
    BACKOFF_MAX_S,
    MESSAGE_RANK,
    STATE_OF_STATUS,
    TRIES_MAX,
    AttemptState,
    Evidence,
    Failure,
    Hours,
    Next,
    after_refusal,
    backoff_s,
    furthest,
    message_after,
    not_before,
    resend_wait_s,
    state_of,
)
from vouchers.domain.lifecycle import MESSAGE_MOVES, MessageState

STATUSES = ["accepted", "queued", "sending", "brand_new", *STATE_OF_STATUS]
DAY = Hours(time(7), time(22))


def heard(*statuses: str, start: MessageState = MessageState.SENDING) -> MessageState:
    """The state after these statuses, taken in one by one."""
    state = start
    for status in statuses:
        evidence = Evidence(
            1, AttemptState.ACCEPTED, "callback", sid="SM1", heard=state_of(status)
        )
        state = message_after(state, evidence, tries=1, message_id=1).state
    return state


@given(st.lists(st.sampled_from(STATUSES), min_size=1, max_size=5))
def test_any_order_of_callbacks_ends_in_the_same_state(statuses: list[str]) -> None:
    """Late, early, twice: the end is the same."""
    ends = {heard(*order) for order in permutations(statuses)}

    assert len(ends) == 1
    assert heard(*statuses, *statuses) in ends


@given(st.sampled_from(MessageState), st.lists(st.sampled_from(STATUSES), max_size=6))
def test_every_move_is_a_legal_one(start: MessageState, statuses: list[str]) -> None:
    """News never takes a text along a way that the table of moves does not show."""
    state = start
    for status in statuses:
        after = heard(status, start=state)
        assert after is state or after in MESSAGE_MOVES[state]
        state = after


def test_delivered_however_late_wins() -> None:
    """The phone has it: nothing said before or after changes that."""
    for other in STATUSES:
        assert heard(other, "delivered") is MessageState.DELIVERED
        assert heard("delivered", other) is MessageState.DELIVERED


@given(st.sampled_from(list(MESSAGE_RANK)), st.sampled_from(list(MESSAGE_RANK)))
def test_no_news_takes_a_text_back(one: MessageState, other: MessageState) -> None:
    """The rank only rises."""
    assert MESSAGE_RANK[furthest(one, [other])] >= MESSAGE_RANK[one]


@pytest.mark.parametrize("state", list(MessageState))
@pytest.mark.parametrize("news", [AttemptState.UNKNOWN, AttemptState.ABSENT])
def test_only_a_text_in_the_air_can_become_unknown_or_absent(
    state: MessageState, news: AttemptState
) -> None:
    """A guess never moves what evidence has settled."""
    after = message_after(state, Evidence(1, news, "none"), tries=1, message_id=1)

    if state not in (MessageState.SENDING, MessageState.UNKNOWN):
        assert after.state is state


@pytest.mark.parametrize(
    ("failure", "state"),
    [
        (Failure.CONFIGURATION, MessageState.QUEUED),
        (Failure.NUMBER, MessageState.FAILED),
        (Failure.OPTED_OUT, MessageState.FAILED),
        (Failure.TEMPORARY, MessageState.QUEUED),
        (Failure.FILTERED, MessageState.HELD),
        (Failure.OURS, MessageState.QUEUED),
    ],
)
def test_whose_fault_it_was_decides(failure: Failure, state: MessageState) -> None:
    """Each class of refusal has its consequence."""
    evidence = Evidence(1, AttemptState.REFUSED, "answer", failure=failure)

    after = message_after(MessageState.SENDING, evidence, tries=1, message_id=1)

    assert (after.state, after.reason) == (state, failure.value)


def test_tries_end_with_a_person() -> None:
    """After sixteen tries a text is held, not tried for ever."""
    assert after_refusal(Failure.OURS, tries=TRIES_MAX) is Next.HOLD
    assert after_refusal(Failure.NUMBER, tries=TRIES_MAX) is Next.GIVE_BACK
    absent = Evidence(1, AttemptState.ABSENT, "look_up")
    after = message_after(MessageState.UNKNOWN, absent, tries=TRIES_MAX, message_id=1)
    assert after.state is MessageState.HELD


@given(st.integers(1, 40), st.integers(0, 2**62))
def test_waits_grow_are_bounded_and_the_same_each_time(tries: int, number: int) -> None:
    """Between half the ceiling and the ceiling, by the text's own number."""
    wait_s = backoff_s(tries, number)

    assert wait_s == backoff_s(tries, number)
    ceiling = min(BACKOFF_MAX_S, 5.0 * 2 ** min(tries - 1, 16))
    assert ceiling / 2 <= wait_s <= ceiling


def test_sixteen_tries_outlast_an_hour() -> None:
    """A provider that turns texts away for an hour costs nobody their code."""
    assert sum(backoff_s(tries, 7) for tries in range(1, TRIES_MAX)) > 3_600


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (datetime(2026, 12, 7, 12, tzinfo=UTC), None),
        (
            datetime(2026, 12, 7, 6, 59, tzinfo=UTC),
            datetime(2026, 12, 7, 7, tzinfo=UTC),
        ),
        (
            datetime(2026, 12, 7, 22, 0, tzinfo=UTC),
            datetime(2026, 12, 8, 7, tzinfo=UTC),
        ),
        # Summer: 21:30 UTC is half past ten at night in London.
        (datetime(2026, 7, 7, 21, 30, tzinfo=UTC), datetime(2026, 7, 8, 6, tzinfo=UTC)),
        # The night the clocks go back has 25 hours.
        (
            datetime(2026, 10, 24, 22, 0, tzinfo=UTC),
            datetime(2026, 10, 25, 7, tzinfo=UTC),
        ),
    ],
)
def test_hours_are_local(now: datetime, opens: datetime | None) -> None:
    """What counts is the clock on the resident's wall."""
    expected = opens or now

    assert not_before(now, DAY, any_hour=False) == expected
    assert not_before(now, DAY, any_hour=True) == now


@given(st.integers(0, 2 * 365 * 24 * 60))
def test_an_opening_is_never_in_the_past_and_always_open(minutes: int) -> None:
    """Whatever the moment, the answer is one at which a text may go."""
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)

    opens = not_before(now, DAY, any_hour=False)

    assert opens >= now
    assert not_before(opens, DAY, any_hour=False) == opens


def test_a_resend_has_an_end_and_a_reason() -> None:
    """Passing failures only, and only as often as the scheme waits."""
    waits_s = (60.0, 600.0)

    def wait(failure: Failure, generation: int) -> float | None:
        return resend_wait_s(failure, generation=generation, waits_s=waits_s)

    assert [wait(Failure.TEMPORARY, n) for n in range(3)] == [60.0, 600.0, None]
    for failure in (Failure.NUMBER, Failure.OPTED_OUT, Failure.FILTERED):
        assert wait(failure, 0) is None
