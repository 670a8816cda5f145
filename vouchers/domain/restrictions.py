"""What a gift may be spent on, and for how long a voucher drawn on it can live."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Self

from vouchers.domain.reasons import Reason

_LISTS = ("regions", "outcodes", "partners", "meter_types", "need_bands")


@dataclass(frozen=True, slots=True)
class Request:
    """The facts of a referral that a gift may ask about."""

    region: str | None
    outcode: str
    partner_id: int
    meter_type: str
    need_band: int


@dataclass(frozen=True)
class Restrictions:
    """Who may be helped with a gift; an empty list asks nothing."""

    regions: frozenset[str] = frozenset()
    outcodes: frozenset[str] = frozenset()
    partners: frozenset[int] = frozenset()
    meter_types: frozenset[str] = frozenset()
    need_bands: frozenset[int] = frozenset()
    #: How many lists ask something; then how many values they leave, fewer is tighter.
    tightness: tuple[int, int] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        lists = [getattr(self, name) for name in _LISTS]
        asking = [values for values in lists if values]
        object.__setattr__(
            self, "tightness", (len(asking), -sum(len(values) for values in asking))
        )

    @classmethod
    def read(cls, stored: dict[str, Any]) -> Self:
        """From a contribution's stored JSON; ValueError for a list nobody knows."""
        unknown = stored.keys() - set(_LISTS)
        if unknown:
            raise ValueError(f"no restriction is called {', '.join(sorted(unknown))}")
        return cls(**{name: frozenset(values) for name, values in stored.items()})

    def stored(self) -> dict[str, list[Any]]:
        """As JSON for the contribution's row; lists that ask nothing are left out."""
        lists = {name: sorted(getattr(self, name)) for name in _LISTS}
        return {name: values for name, values in lists.items() if values}

    def covers(self, request: Request) -> bool:
        """Whether money under these restrictions may help with `request`."""
        return (
            (not self.regions or request.region in self.regions)
            and (not self.outcodes or request.outcode in self.outcodes)
            and (not self.partners or request.partner_id in self.partners)
            and (not self.meter_types or request.meter_type in self.meter_types)
            and (not self.need_bands or request.need_band in self.need_bands)
        )


def time_fault(
    *, starts_on: date | None, ends_on: date | None, today: date, least_days: int
) -> Reason | None:
    """Why a gift with these dates cannot give a useful voucher today, if so."""
    if starts_on is not None and today < starts_on:
        return Reason.RESTRICTED
    if ends_on is not None and ends_on < today + timedelta(days=least_days):
        return Reason.ENDS_TOO_SOON
    return None


def expires_on(
    *,
    today: date,
    valid_days: int,
    ends_on: date | None,
    unit_expires_on: date | None = None,
) -> date:
    """Last day of a voucher: its life, cut at the end of its money and of its unit."""
    last = today + timedelta(days=valid_days)
    return min(day for day in (last, ends_on, unit_expires_on) if day is not None)
