"""What an award is worth: the values of its vouchers by household, network and date."""

from __future__ import annotations

from datetime import date

from schemas.scheme import Prices, Scheme


def household_class(size: int, scheme: Scheme) -> str:
    """The class of a household of `size` people; the smallest class takes the rest."""
    fitting = [
        (people, name)
        for name, people in scheme.household_classes.items()
        if people <= size
    ]
    if fitting:
        return max(fitting)[1]
    return min((people, name) for name, people in scheme.household_classes.items())[1]


def in_effect(scheme: Scheme, day: date) -> Prices | None:
    """The price list of a day: the latest of those that cover its month."""
    covering = [
        prices
        for prices in scheme.prices
        if prices.effective_from <= day and day.month in prices.months
    ]
    return max(covering, key=lambda prices: prices.effective_from, default=None)


def plan(
    scheme: Scheme, *, network: str, household_size: int, day: date
) -> tuple[int, ...]:
    """Voucher values of a full award, in pence; empty when the list has no price."""
    prices = in_effect(scheme, day)
    if prices is None or network not in prices.pence:
        return ()
    by_class = prices.pence[network]
    return by_class.get(household_class(household_size, scheme), ())


def listed_values(scheme: Scheme, network: str) -> tuple[int, ...]:
    """Every voucher value that the file names for a network, largest first."""
    values = {
        value
        for prices in scheme.prices
        for parts in prices.pence.get(network, {}).values()
        for value in parts
    }
    return tuple(sorted(values, reverse=True))


def largest_award(scheme: Scheme, household_size: int | None = None) -> int:
    """The most that one award can be, over all networks and seasons, in pence."""
    wanted = None if household_size is None else household_class(household_size, scheme)
    return max(
        (
            sum(parts)
            for prices in scheme.prices
            for by_class in prices.pence.values()
            for name, parts in by_class.items()
            if wanted is None or name == wanted
        ),
        default=0,
    )


def most_vouchers(scheme: Scheme) -> int:
    """The most vouchers that one full award consists of."""
    return max(
        len(parts)
        for prices in scheme.prices
        for by_class in prices.pence.values()
        for parts in by_class.values()
    )
