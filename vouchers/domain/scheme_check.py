"""What is wrong with a scheme file: rules under which money could never be spent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from schemas.row import MeterType
from schemas.scheme import Alphabet, CheckDigit, DeliveredBy, Network, Scheme, Supply
from schemas.texting import Provider
from vouchers.domain import codes, prices
from vouchers.domain.allocation import PARTS_MAX
from vouchers.domain.need import BANDS
from vouchers.domain.restrictions import Restrictions

#: Fewer free symbols than this and codes could be guessed, or run out.
FREE_DIGITS_MIN, FREE_SYMBOLS_MIN = 10, 7

#: 918 letters: what GOV.UK Notify takes of a text.
NOTIFY_PARTS_MAX = 6

#: So many rows of one home may be a family that was sent one by one.
FAMILY_ROWS = 10


def faults(scheme: Scheme) -> list[str]:
    """Each fault as "rule: what is wrong"; empty when every penny could be spent."""
    return [
        *_dates(scheme),
        *_routing(scheme),
        *(
            fault
            for name, network in scheme.networks.items()
            for fault in _network(name, network)
        ),
        *_prices(scheme),
        *_gaps(scheme),
        *_limits(scheme),
        *_texting(scheme),
    ]


def gift_faults(
    scheme: Scheme,
    restrictions: Restrictions,
    *,
    pence: int,
    starts_on: date | None,
    ends_on: date | None,
    today: date,
) -> list[str]:
    """Why part of a gift could never be spent under these rules."""
    found = []
    least = scheme.validity.least_days
    first = max(day for day in (starts_on, today, scheme.scheme.opens_on) if day)
    if first > scheme.scheme.closes_on:
        found.append("dates: the gift starts after the scheme closes")
    if ends_on is not None and ends_on < first + timedelta(days=least):
        found.append(
            f"validity.least_days: the gift ends on {ends_on}, but a voucher must be "
            f"usable for {least} days"
        )
    covered = [str(meter) for meter in scheme.eligibility.meters]
    if restrictions.meter_types and restrictions.meter_types.isdisjoint(covered):
        found.append("eligibility.meters: none of the gift's meter types is covered")
    if not restrictions.need_bands <= set(BANDS):
        found.append("need: bands go from 1 to 8")
    smallest = min(
        value
        for name in scheme.networks
        for value in prices.listed_values(scheme, name) or (pence + 1,)
    )
    if pence < smallest:
        found.append(
            f"prices: the smallest voucher is {smallest} pence, the gift is {pence}"
        )
    return found


def version_faults(after: Scheme, in_use: Mapping[str, int]) -> list[str]:
    """Why money on codes could never move again under a new version of the rules.

    `in_use` counts, by network, the vouchers that can still be used or released.
    """
    return [
        f"networks.{name}: {vouchers:,} of its vouchers can still be used; keep it "
        "until they have ended, and route its suppliers elsewhere"
        for name, vouchers in sorted(in_use.items())
        if name not in after.networks
    ]


def _dates(scheme: Scheme) -> Iterator[str]:
    if scheme.scheme.closes_on < scheme.scheme.opens_on:
        yield "scheme.closes_on: the scheme closes before it opens"


def _routing(scheme: Scheme) -> Iterator[str]:
    routing = scheme.routing
    targets = {
        "routing.no_prepay": routing.no_prepay,
        "routing.unknown": routing.unknown,
    } | {
        f"routing.suppliers.{slug}": supplier.network
        for slug, supplier in routing.suppliers.items()
    }
    for rule, network in targets.items():
        if network not in scheme.networks:
            yield f"{rule}: there is no network {network!r}"
    seen: dict[str, str] = {}
    for slug, supplier in routing.suppliers.items():
        for spelling in (slug, supplier.name, *supplier.aliases):
            key = spelling.lower().strip()
            if seen.setdefault(key, slug) != slug:
                yield (
                    f"routing.suppliers.{slug}: {spelling!r} already means {seen[key]}"
                )


def _network(name: str, network: Network) -> Iterator[str]:
    rule = f"networks.{name}"
    if network.supply in (Supply.ORDER, Supply.ORDER_FILE):
        yield f"{rule}.supply: {network.supply} is not available in this release"
    if network.delivered_by is DeliveredBy.ISSUER:
        yield f"{rule}.delivered_by: our codes are delivered by us"
    if network.least_pence > network.most_pence:
        yield f"{rule}.least_pence: more than most_pence"
    if network.check is CheckDigit.MOD97 and network.alphabet is not Alphabet.DIGITS:
        yield f"{rule}.check: mod97 is for digits"
    symbols = codes.symbols_of(network.alphabet)
    if any(symbol not in symbols for symbol in network.prefix):
        yield f"{rule}.prefix: holds symbols that its codes do not have"
    free = codes.free_symbols(network)
    least = FREE_DIGITS_MIN if network.alphabet is Alphabet.DIGITS else FREE_SYMBOLS_MIN
    if free < least:
        yield f"{rule}.code_length: only {free} free symbols; {least} are needed"


def _prices(scheme: Scheme) -> Iterator[str]:
    for listed in scheme.prices:
        for name, by_class in listed.pence.items():
            network = scheme.networks.get(name)
            if network is None:
                yield f"prices.{listed.name}: there is no network {name!r}"
                continue
            for group, parts in by_class.items():
                rule = f"prices.{listed.name}.{name}.{group}"
                if group not in scheme.household_classes:
                    yield f"{rule}: there is no such household class"
                yield from _parts(rule, parts, network)


def _parts(rule: str, parts: tuple[int, ...], network: Network) -> Iterator[str]:
    for value in sorted(set(parts)):
        if value > network.most_pence:
            yield f"{rule}: {value} is above most_pence {network.most_pence}"
        if value < network.least_pence:
            yield f"{rule}: {value} is below least_pence {network.least_pence}"
    if len(set(parts)) > 1:
        yield f"{rule}: the vouchers of an award are equal parts"
    if len(parts) > PARTS_MAX:
        yield f"{rule}: more than {PARTS_MAX} vouchers do not fit a text"
    if len(parts) > -(-sum(parts) // network.most_pence):
        yield f"{rule}: fewer vouchers would do"


def _gaps(scheme: Scheme) -> Iterator[str]:
    """Months in which somebody who is eligible would have no price."""
    used = {supplier.network for supplier in scheme.routing.suppliers.values()}
    used.add(scheme.routing.unknown)
    prepay = {MeterType.PREPAY_KEY, MeterType.PREPAY_SMART}
    if not prepay.intersection(scheme.eligibility.meters):
        used = set()
    if set(scheme.eligibility.meters) - prepay:
        used.add(scheme.routing.no_prepay)
    missing: set[str] = set()
    for day in _months(scheme.scheme.opens_on, scheme.scheme.closes_on):
        listed = prices.in_effect(scheme, day)
        if listed is None:
            missing.add(f"prices: no list covers {day:%B %Y}")
            continue
        for network in used & scheme.networks.keys():
            for group in scheme.household_classes:
                if group not in listed.pence.get(network, {}):
                    missing.add(
                        f"prices.{listed.name}: no price for {group} on {network}"
                    )
    yield from sorted(missing)


def _months(first: date, last: date) -> Iterator[date]:
    day = first
    while day <= last:
        yield day
        day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _limits(scheme: Scheme) -> Iterator[str]:
    if min(scheme.household_classes.values()) != 1:
        yield "household_classes: one of them begins at one person"
    sizes = list(scheme.household_classes.values())
    if len(set(sizes)) < len(sizes):
        yield "household_classes: two begin at the same number of people"
    if scheme.need.soon_days >= scheme.need.later_days:
        yield "need.soon_days: must be fewer than later_days"
    validity = scheme.validity
    if validity.least_days_off_supply > validity.least_days:
        yield "validity.least_days_off_supply: more than least_days"
    for name, network in scheme.networks.items():
        if network.valid_days < validity.least_days:
            yield f"networks.{name}.valid_days: fewer than validity.least_days"
        if any(
            days >= network.valid_days for days in scheme.reminders.days_before_expiry
        ):
            yield f"reminders.days_before_expiry: before a {name} voucher is sent"
    breaker = scheme.breaker
    if breaker.same_value_share * breaker.rows_min < FAMILY_ROWS:
        yield (
            "breaker.same_value_share: of a file of rows_min rows, "
            f"fewer than {FAMILY_ROWS} would do: one large family would stop it"
        )
    if breaker.same_value_rows < FAMILY_ROWS:
        yield "breaker.same_value_rows: one large family would stop a file"
    if scheme.caps.between_days > scheme.caps.awards_window_days:
        yield "caps.between_days: longer than awards_window_days"
    if scheme.caps.awards_window_days > scheme.caps.year_days:
        yield "caps.awards_window_days: longer than year_days"


def _texting(scheme: Scheme) -> Iterator[str]:
    texting = scheme.messages
    if texting.provider is Provider.NOTIFY and texting.segments_max > NOTIFY_PARTS_MAX:
        yield f"messages.segments_max: Notify takes {NOTIFY_PARTS_MAX} at the most"
