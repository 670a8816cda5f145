"""The part of a scheme's file that rules how residents are written to."""

from __future__ import annotations

from datetime import time
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Provider(StrEnum):
    """Who carries the texts; the account itself is set in the environment."""

    TWILIO = "twilio"
    NOTIFY = "notify"  #: GOV.UK Notify, for councils and the public service


class Texting(BaseModel):
    """Sender, pace, hours and patience of a scheme's text messages."""

    # The pattern looks ahead, which only this engine can.
    model_config = ConfigDict(extra="forbid", frozen=True, regex_engine="python-re")

    provider: Provider = Provider.TWILIO
    #: Who the text comes from on the phone's screen: letters, digits, spaces.
    sender: Annotated[str, Field(pattern=r"^(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}$")] = (
        "FuelFund"
    )
    #: The sender of neutral texts; the same for all, so that it gives nothing away.
    neutral_sender: Annotated[
        str, Field(pattern=r"^(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}$")
    ] = "Notice"
    #: Who the text says it is from.
    name: Annotated[str, Field(min_length=1, max_length=40)] = "FuelFund"
    #: Parts a second that the provider grants this sender.
    segments_per_second: Annotated[float, Field(gt=0)] = 10.0
    #: How many seconds of that may go at once.
    burst_s: Annotated[float, Field(ge=1)] = 30.0
    #: The most parts a message may cost; a longer one is held for a person.
    segments_max: Annotated[int, Field(ge=1, le=10)] = 6
    #: First codes go out between these local times.
    first_code_from: time = time(7, 0)
    first_code_until: time = time(22, 0)
    #: Homes off supply get their code at any hour.
    off_supply_any_hour: bool = True
    #: Reminders go out between these local times.
    reminder_from: time = time(9, 0)
    reminder_until: time = time(20, 0)
    #: How long evidence of a lost answer is awaited before the provider is asked.
    settle_after_s: Annotated[float, Field(ge=0)] = 900.0
    settle_after_urgent_s: Annotated[float, Field(ge=0)] = 180.0
    #: Waits before the same code is sent once more after a passing failure.
    resend_after_s: tuple[float, ...] = (1_800.0, 14_400.0)
    #: Households that may share one number before a person looks at it.
    households_per_number_max: Annotated[int, Field(ge=1)] = 3
