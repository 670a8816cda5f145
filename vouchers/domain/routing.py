"""Which network's voucher works for a home: by meter type, then by energy supplier."""

from __future__ import annotations

from dataclasses import dataclass

from rapidfuzz import fuzz, process

from schemas.row import MeterType
from schemas.scheme import Scheme, plain_name

#: What a worker writes who does not know the supplier; it is a legal answer.
UNKNOWN = "unknown"
_UNKNOWN_WORDS = {"unknown", "notknown", "dontknow", "unsure", "notsure"}
_PREPAY = {MeterType.PREPAY_KEY, MeterType.PREPAY_SMART}
#: How alike a name must be to be offered as "did you mean".
_ALIKE = 70


@dataclass(frozen=True, slots=True)
class SupplierFound:
    """The supplier's canonical slug, or the name that was perhaps meant."""

    slug: str | None
    suggestion: str | None = None


def supplier(text: str, scheme: Scheme) -> SupplierFound:
    """Look a supplier's name up in the alias table; never guess, only suggest."""
    wanted = plain_name(text)
    if wanted in _UNKNOWN_WORDS:
        return SupplierFound(UNKNOWN)
    names = scheme.routing.spellings
    if wanted in names:
        return SupplierFound(names[wanted])
    best = process.extractOne(wanted, names.keys(), scorer=fuzz.ratio)
    if best is None or best[1] < _ALIKE:
        return SupplierFound(None)
    return SupplierFound(None, scheme.routing.suppliers[names[best[0]]].name)


def network(
    *, meter_type: str, supplier: str, gas_supplier: str | None, scheme: Scheme
) -> str | None:
    """The network whose voucher this home can use, or None when there is none.

    The electricity supplier routes, because without power nothing works; the gas
    supplier is asked only when the other is unknown.
    """
    routing = scheme.routing
    if meter_type not in _PREPAY:
        return routing.no_prepay
    for name in (supplier, gas_supplier):
        if name is not None and name in routing.suppliers:
            return routing.suppliers[name].network
    return routing.unknown if supplier == UNKNOWN else None
