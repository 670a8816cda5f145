"""What the providers' error codes mean for us: two tables, and a careful default.

Codes of five digits are Twilio's own; Notify has words only, so its numbers are ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import IntEnum

import structlog

from vouchers.domain.delivery import Failure

log = structlog.get_logger()

_C, _N, _O = Failure.CONFIGURATION, Failure.NUMBER, Failure.OPTED_OUT
_T, _F, _U = Failure.TEMPORARY, Failure.FILTERED, Failure.OURS

#: Twilio's, from the API's answers and from callbacks alike.
TWILIO: Mapping[int, Failure] = {
    20001: _C,  # unknown parameters
    20003: _C,  # wrong account or token
    20008: _C,  # test credentials where live ones belong
    20404: _C,  # no such account
    21211: _N,  # no valid number
    21212: _C,  # sender is no valid number or name
    21408: _C,  # country not enabled
    21601: _C,  # sender cannot text
    21602: _C,  # no text given
    21603: _C,  # no sender given
    21604: _N,  # no number given
    21606: _C,  # sender is not ours
    21608: _C,  # trial account, number not verified
    21609: _C,  # callback URL is not valid
    21610: _O,  # replied STOP
    21611: _U,  # this sender's queue is full
    21612: _N,  # no route between sender and number
    21614: _N,  # not a mobile
    21617: _C,  # text too long
    21619: _C,  # no text, no media
    21635: _N,  # landline
    21703: _C,  # messaging service has no sender
    21705: _C,  # messaging service is not valid
    21711: _C,  # sender not in the messaging service
    30001: _U,  # queue overflow
    30002: _C,  # account suspended
    30003: _T,  # phone off or out of reach
    30004: _N,  # blocked on the phone's side
    30005: _N,  # number does not exist
    30006: _N,  # landline or carrier out of reach
    30007: _F,  # filtered by a carrier
    30008: _T,  # unknown
    30017: _T,  # carrier congested
    30018: _C,  # sender needs registration
    30034: _C,  # sender not registered
    30036: _U,  # waited longer than its validity
    30042: _C,  # generic sender name
    30450: _F,  # taken for message pumping
    63017: _U,  # account's rate exceeded
}


class NotifyCode(IntEnum):
    """Our numbers for what GOV.UK Notify says in words; they stand in our tables."""

    NO_UK_MOBILE = 4001
    INTERNATIONAL = 4002
    TRIAL_MODE = 4003
    TEAM_KEY = 4004
    TEMPLATE = 4005
    SENDER = 4006
    TOO_LONG = 4007
    OTHER_LETTERS = 4008
    FORM = 4009
    NOT_ALLOWED = 4010
    TOKEN = 4031
    CLOCK = 4032
    NO_SUCH_THING = 4041
    RATE = 4291
    DAY = 4292
    PERMANENT = 9001
    PASSING = 9002
    TECHNICAL = 9003
    NOT_VALID = 9004


#: Notify's, from the API's answers and from receipts alike.
NOTIFY: Mapping[int, Failure] = {
    NotifyCode.NO_UK_MOBILE: _N,
    NotifyCode.INTERNATIONAL: _N,
    NotifyCode.TRIAL_MODE: _C,  # the service is not live
    NotifyCode.TEAM_KEY: _C,  # a key for the team only
    NotifyCode.TEMPLATE: _C,  # not there, archived, or not the one field ((body))
    NotifyCode.SENDER: _C,  # this sender's id is not given or not the service's
    NotifyCode.TOO_LONG: _F,  # over 918 letters: never handed over
    NotifyCode.OTHER_LETTERS: _F,  # letters that would arrive as "?"
    NotifyCode.FORM: _C,  # a field is wrong that is not the number
    NotifyCode.NOT_ALLOWED: _C,  # the service may not send texts
    NotifyCode.TOKEN: _C,  # key revoked, or of another service
    NotifyCode.CLOCK: _C,  # our clock is over 30 seconds off
    NotifyCode.NO_SUCH_THING: _C,  # wrong address
    NotifyCode.RATE: _U,  # more than 3,000 a minute
    NotifyCode.DAY: _C,  # the day's limit: nothing more until midnight
    NotifyCode.PERMANENT: _N,  # wrong number, or the network refuses
    NotifyCode.PASSING: _T,  # phone off, no signal, inbox full
    NotifyCode.TECHNICAL: _U,  # lost between Notify and its carrier, not charged
    NotifyCode.NOT_VALID: _F,  # Notify's own checks stopped it after taking it
}

FAILURES: Mapping[int, Failure] = {**TWILIO, **NOTIFY}

#: Codes this process met that stand in no table, and how often; each try keeps its own.
UNHEARD_OF: Counter[int] = Counter()

#: HTTP answers that say "too many at once": never processed, safe to try again.
THROTTLED = frozenset({20429, 429, 63017})


def failure_of(code: int | None) -> Failure:
    """The class of an error code; one we never heard of may pass, so: temporary."""
    return Failure.TEMPORARY if code is None else _class(code, Failure.TEMPORARY)


def refusal_of(code: int) -> Failure:
    """The class of a refusal by the API: an unheard-of one needs a person.

    The API has read the request and said no; saying it again would not help.
    """
    return _class(code, Failure.FILTERED)


def _class(code: int, otherwise: Failure) -> Failure:
    known = FAILURES.get(code)
    if known is None:
        UNHEARD_OF[code] += 1
        log.warning("provider_code_unheard_of", code=code, kind=otherwise.value)
    return known or otherwise
