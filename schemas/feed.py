"""A network's file of what became of its codes: its headings, and a line."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Heading = Annotated[str, Field(min_length=1, max_length=60)]


class LineType(StrEnum):
    """What a network says of a code."""

    REDEEM = "redeem"  #: used for the amount, as far as it was meant to be
    PARTIAL = "partial"  #: used for the amount; the rest can still be used
    REVERSED = "reversed"  #: a use was taken back at the till
    REFUNDED = "refunded"  #: a use was paid back later
    CANCELLED = "cancelled"  #: the code itself was made void
    EXPIRED = "expired"  #: the code ended unused, or with an unused rest


class AmountUnit(StrEnum):
    """In what the network counts money."""

    POUNDS = "pounds"  #: 49.00
    PENCE = "pence"  #: 4900


class FeedProfile(BaseModel):
    """Headings and words of one network's file; capitals and blanks do not matter."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    code: Heading = "code"
    #: Our own voucher number, for networks that never send the code back.
    voucher: Heading = "voucher"
    transaction: Heading = "transaction id"
    type: Heading = "type"
    amount: Heading = "amount"
    balance: Heading = "balance"
    date: Heading = "date"
    #: Read in turn by strptime after ISO 8601; without an offset, local to the scheme.
    date_formats: tuple[str, ...] = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y")
    amounts_in: AmountUnit = AmountUnit.POUNDS
    #: The network's words for the types that are not called as here.
    types: dict[str, LineType] = Field(default_factory=dict)


class FeedLine(BaseModel):
    """One line as understood; amounts are in pence and never negative."""

    # The text of an error would hold the code.
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    #: As an editor counts it: the heading is line 1.
    number: int
    code: str | None
    voucher_id: int | None
    transaction_id: str = Field(min_length=1, max_length=80)
    type: LineType
    amount_pence: int = Field(ge=0, le=10_000_000)
    balance_pence: int | None = Field(ge=0, le=10_000_000)
    at: datetime
