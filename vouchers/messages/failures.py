"""What Twilio's error codes mean for us: one table, and a careful default."""

from __future__ import annotations

from collections.abc import Mapping

from vouchers.domain.delivery import Failure

_C, _N, _O = Failure.CONFIGURATION, Failure.NUMBER, Failure.OPTED_OUT
_T, _F, _U = Failure.TEMPORARY, Failure.FILTERED, Failure.OURS

#: From the API's answers and from callbacks alike.
FAILURES: Mapping[int, Failure] = {
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

#: HTTP answers that say "too many at once": never processed, safe to try again.
THROTTLED = frozenset({20429, 429, 63017})


def failure_of(code: int | None) -> Failure:
    """The class of an error code; one we never heard of may pass, so: temporary."""
    return Failure.TEMPORARY if code is None else FAILURES.get(code, Failure.TEMPORARY)


def refusal_of(code: int) -> Failure:
    """The class of a refusal by the API: an unheard-of one needs a person.

    The API has read the request and said no; saying it again would not help.
    """
    return FAILURES.get(code, Failure.FILTERED)
