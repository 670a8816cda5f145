"""Whether the scheme's rules cover a row: codes of what stands in the way."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from schemas.row import MeterType, ResidentRow, SafeContact
from schemas.scheme import Scheme
from vouchers.domain import routing

#: Fault code -> sentence for the partner; the column is the second part.
FAULTS: dict[str, tuple[str, str]] = {
    "meter_not_covered": ("meter_type", "This scheme does not cover this meter type."),
    "supply_not_stated": (
        "days_left",
        "Say whether the home is off supply, or how many days are left.",
    ),
    "not_at_risk_yet": (
        "days_left",
        "The home is not close enough to running out for this scheme. Send the row"
        " again when it is.",
    ),
    "resident_not_told": (
        "resident_told",
        "The resident must be told how their data is used; then enter yes.",
    ),
    "household_too_large": ("household_size", "Please check the household size."),
    "no_network": (
        "energy_supplier",
        "No voucher we have can be used with this supplier or meter.",
    ),
    "no_contact_route": (
        "safe_contact",
        "We reach residents by text only. If a text that gives nothing away is safe on "
        "this number, enter sms_neutral; otherwise please help in another way.",
    ),
    "partner_not_ready": ("", "Your organisation has no signed agreement with us yet."),
    "partner_excluded": ("", "Your organisation cannot draw on this scheme."),
    "scheme_not_open": ("", "The scheme is not open on this date."),
}


class PartnerFacts(Protocol):
    """What is asked of the partner that hands in a row."""

    @property
    def agreement_on(self) -> date | None:
        """Day on which the agreement was signed."""

    @property
    def excluded(self) -> list[str]:
        """Slugs of schemes that this partner may not draw from."""


def faults(
    row: ResidentRow, scheme: Scheme, partner: PartnerFacts, *, today: date
) -> list[str]:
    """Codes of all rules that do not cover this row; empty when it is eligible."""
    found = partner_faults(scheme, partner, today=today)
    rules = scheme.eligibility
    if row.meter_type not in rules.meters:
        found.append("meter_not_covered")
    if not row.off_supply:
        prepay = row.meter_type in (MeterType.PREPAY_KEY, MeterType.PREPAY_SMART)
        most = rules.prepay_days_left_max if prepay else rules.other_days_left_max
        if row.days_left is None:
            found.append("supply_not_stated")
        elif row.days_left > most:
            found.append("not_at_risk_yet")
    if rules.resident_told and not row.resident_told:
        found.append("resident_not_told")
    if row.household_size > rules.household_size_max:
        found.append("household_too_large")
    if row.safe_contact is SafeContact.PARTNER_ONLY:
        # No channel of this release hands codes to workers.
        found.append("no_contact_route")
    if "meter_not_covered" not in found and (
        routing.network(
            meter_type=row.meter_type,
            supplier=row.energy_supplier,
            gas_supplier=row.gas_supplier,
            scheme=scheme,
        )
        is None
    ):
        found.append("no_network")
    return found


def partner_faults(scheme: Scheme, partner: PartnerFacts, *, today: date) -> list[str]:
    """Codes of what keeps a partner's whole file out of this scheme."""
    found = []
    if partner.agreement_on is None or partner.agreement_on > today:
        found.append("partner_not_ready")
    if scheme.scheme.slug in partner.excluded:
        found.append("partner_excluded")
    if not scheme.scheme.opens_on <= today <= scheme.scheme.closes_on:
        found.append("scheme_not_open")
    return found
