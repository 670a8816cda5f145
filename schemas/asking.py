"""The scheme file's section about questions: how often a partner may ask."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Times = Annotated[int, Field(ge=1, le=1_000_000)]


class Asking(BaseModel):
    """How often anybody may ask whether a resident would be supported."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    #: One person, in an hour and in a day.
    person_hour: Times = 20
    person_day: Times = 80
    #: All people of one partner together.
    partner_hour: Times = 60
    partner_day: Times = 300
