"""Local dates: what the wall says in London decides, also when clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime

from vouchers.domain.calendar import (
    end_of_day,
    in_window,
    leaves_window,
    local_date,
    start_of_day,
)


def test_half_past_eleven_at_night_in_summer_is_tomorrow_in_london() -> None:
    """A moment of UTC belongs to the day on the wall."""
    assert local_date(datetime(2027, 6, 1, 23, 30, tzinfo=UTC)) == date(2027, 6, 2)
    assert local_date(datetime(2026, 12, 7, 23, 30, tzinfo=UTC)) == date(2026, 12, 7)


def test_a_day_ends_at_its_last_local_second() -> None:
    """One hour earlier in UTC while summer time holds."""
    assert end_of_day(date(2027, 6, 1)) == datetime(2027, 6, 1, 22, 59, 59, tzinfo=UTC)
    assert start_of_day(date(2027, 6, 1)) == datetime(2027, 5, 31, 23, tzinfo=UTC)


def test_a_window_counts_dates_and_a_day_leaves_it_as_told() -> None:
    """The day after the last day inside is the first one outside."""
    first = date(2026, 3, 28)
    leaving = leaves_window(first, days=183)
    assert not in_window(first, today=leaving, days=183)
    assert in_window(first, today=date.fromordinal(leaving.toordinal() - 1), days=183)
