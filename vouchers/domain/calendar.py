"""Local dates: windows, expiries and seasons count the days that people live by."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

#: The zone of every scheme that does not name another.
LONDON = ZoneInfo("Europe/London")


def local_date(moment: datetime, zone: ZoneInfo = LONDON) -> date:
    """The date on the wall at `moment`."""
    return moment.astimezone(zone).date()


def end_of_day(day: date, zone: ZoneInfo = LONDON) -> datetime:
    """The last second of a local day, as a UTC moment: 23:59:59 there."""
    return datetime.combine(day, time(23, 59, 59), zone).astimezone(UTC)


def start_of_day(day: date, zone: ZoneInfo = LONDON) -> datetime:
    """The first second of a local day, as a UTC moment."""
    return datetime.combine(day, time(0), zone).astimezone(UTC)


def in_window(day: date, *, today: date, days: int) -> bool:
    """Whether `day` lies in the rolling window of `days` dates that ends today."""
    return today - timedelta(days=days) < day <= today


def leaves_window(day: date, *, days: int) -> date:
    """The first date on which `day` no longer lies in a rolling window of `days`."""
    return day + timedelta(days=days)
