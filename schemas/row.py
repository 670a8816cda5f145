"""An accepted row in clean form: what a partner told us about one resident."""

from __future__ import annotations

import json
from datetime import date
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class MeterType(StrEnum):
    """How a home pays for its energy."""

    PREPAY_KEY = "prepay_key"  #: key, card or token meter
    PREPAY_SMART = "prepay_smart"  #: smart meter in prepay mode
    CREDIT = "credit"  #: pays by bill
    HEAT_NETWORK = "heat_network"  #: heat comes through a pipe
    OFF_GRID = "off_grid"  #: oil, bottled gas, coal, wood


class SafeContact(StrEnum):
    """How a resident may be reached without putting them in danger."""

    SMS_OK = "sms_ok"  #: an ordinary text
    SMS_NEUTRAL = "sms_neutral"  #: a text that gives nothing away
    PARTNER_ONLY = "partner_only"  #: through the worker only
    NONE = "none"  #: no contact at all


class Action(StrEnum):
    """What a row wants of us."""

    ADD = "add"  #: a new referral
    CORRECT = "correct"  #: better data for an earlier one
    WITHDRAW = "withdraw"  #: an earlier one is no longer wanted


class ResidentRow(BaseModel):
    """One row as understood; field names are the CSV's column names."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    reference: str
    given_name: str
    family_name: str
    date_of_birth: date | None
    address_line_1: str
    address_line_2: str = ""
    town: str = ""
    #: Normal form, with one space: "SW1A 1AA".
    postcode: str
    uprn: str | None = None
    meter_type: MeterType
    #: Canonical name from the scheme's alias table.
    energy_supplier: str
    gas_supplier: str | None = None
    #: MPAN (13 digits) or MPRN (6 to 10); None where none was given.
    meter_number: str | None = None
    worker: str
    resident_told: bool
    off_supply: bool
    days_left: int | None = None
    #: E.164.
    mobile: str | None = None
    email: str | None = None
    household_size: int = 1
    language: str = "en"
    children_under_5: bool = False
    over_65: bool = False
    medical: bool = False
    medical_device: bool = False
    #: One of the scheme's reason codes; free text is not collected.
    reason: str | None = None
    safe_contact: SafeContact = SafeContact.SMS_OK
    separate_household: bool = False
    text_any_time: bool = False
    action: Action = Action.ADD

    @property
    def outcode(self) -> str:
        """First half of the postcode: the only part that is kept in clear."""
        return self.postcode.split(" ", 1)[0]

    def pack(self) -> bytes:
        """Compact JSON without blanks, to be sealed."""
        return self.model_dump_json(exclude_defaults=True).encode()

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """The row that `pack` wrote."""
        return cls.model_validate_json(packed)


class Identity(BaseModel):
    """What is known of a person, packed into one sealed blob per resident."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    given_name: str
    family_name: str
    date_of_birth: date | None = None
    address_line_1: str = ""
    address_line_2: str = ""
    town: str = ""
    postcode: str = ""
    uprn: str | None = None
    mobile: str | None = None
    email: str | None = None
    meter_number: str | None = None
    #: Other values seen on later referrals: {"mobile": [...], "family_name": [...]}.
    others: dict[str, list[str]] = {}

    def pack(self) -> bytes:
        """Compact JSON without blanks, to be sealed."""
        shown: dict[str, Any] = self.model_dump(mode="json", exclude_defaults=True)
        return json.dumps(shown, separators=(",", ":")).encode()

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """The identity that `pack` wrote."""
        return cls.model_validate_json(packed)

    @classmethod
    def of(cls, row: ResidentRow) -> Self:
        """What one row says of a person."""
        return cls(**{name: getattr(row, name) for name in IDENTITY_FIELDS})


#: Fields that an identity takes over from a row.
IDENTITY_FIELDS = tuple(name for name in Identity.model_fields if name != "others")
