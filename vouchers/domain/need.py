"""How urgent a home's need is: a band of eight, and a rank to order by."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.scheme import Need as NeedRules

#: Bands one and two are for homes off supply; waiting never leads into them.
OFF_SUPPLY_BANDS = (1, 2)
BANDS = range(1, 9)
#: Room between bands, for order inside one.
_STEP = 10
#: The neediest rank that waiting still moves up: the band above is not off supply.
LOWEST_TO_MOVE = (max(OFF_SUPPLY_BANDS) + 2) * _STEP


@dataclass(frozen=True, slots=True)
class Need:
    """A home's place in the order of need; the parts say how it came about."""

    band: int
    #: Lower is needier; ties go by time of receipt.
    rank: int
    parts: tuple[str, ...]


def assess(
    *,
    off_supply: bool,
    days_left: int | None,
    medical_device: bool,
    medical: bool,
    child_under_5: bool,
    over_65: bool,
    rules: NeedRules,
) -> Need:
    """Place a home by what is left on the meter and who lives there.

    Somebody vulnerable lifts a home over others with as many days left; a medical
    device that needs power puts it first in its band.
    """
    parts: list[str] = []
    if off_supply:
        band, part = 2, "off_supply"
    elif days_left is not None and days_left <= rules.soon_days:
        band, part = 4, "days_soon"
    elif days_left is not None and days_left <= rules.later_days:
        band, part = 6, "days_later"
    else:
        band, part = 8, "days_rest"
    parts.append(part)
    vulnerable = {
        "medical_device": medical_device,
        "medical": medical,
        "child_under_5": child_under_5,
        "over_65": over_65,
    }
    parts += [name for name, holds in vulnerable.items() if holds]
    if any(vulnerable.values()):
        band -= 1
    return Need(band, rank_in(band, first=medical_device), tuple(parts))


def rank_in(band: int, *, first: bool = False) -> int:
    """The rank of a home in `band`; `first` puts it before the others there."""
    return band * _STEP + (0 if first else 1)


def band_of(rank: int) -> int:
    """The band that a rank lies in."""
    return rank // _STEP


def after_waiting(rank: int) -> int:
    """The rank of a home that has waited long: one band up, never into off supply."""
    return rank - _STEP if rank >= LOWEST_TO_MOVE else rank
