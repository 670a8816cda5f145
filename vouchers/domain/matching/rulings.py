"""The words in which a person settles a review, and the reasons to give."""

from __future__ import annotations

from enum import StrEnum

from vouchers.domain.reasons import Reason

#: Refusals that rest on who somebody was taken for, or lives with.
RESTED_ON_IDENTITY = (Reason.ALREADY_SUPPORTED, Reason.CAP_AWARDS, Reason.CAP_PENCE)


class Ruling(StrEnum):
    """What a person may say of a row in review."""

    SAME_PERSON = "same_person"  #: it is that resident
    SAME_HOUSEHOLD = "same_household"  #: somebody else, of that household
    DIFFERENT = "different"  #: somebody else, with a household of their own
    SEPARATE_HOUSEHOLD = "separate_household"  #: the same door, another household


class RulingReason(StrEnum):
    """On what the ruling rests; free text is not collected."""

    RECORDS_AGREE = "records_agree"  #: what we hold speaks for itself
    PARTNER_CONFIRMED = "partner_confirmed"  #: the worker was asked
    RESIDENT_CONFIRMED = "resident_confirmed"  #: the resident was asked
    RELATIVES = "relatives"  #: twins, parent and child, namesakes in one family
    NEW_TENANT = "new_tenant"  #: the people before have moved out
    SHARED_HOUSE = "shared_house"  #: rooms, lodgers, a hostel
    TYPING_ERROR = "typing_error"  #: one of the rows was mistyped
    MISTAKE = "mistake"  #: takes back an earlier ruling
