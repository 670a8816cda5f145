"""Why a referral was not granted or has to wait, with the sentence a partner reads."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Codes stored with a decision; never a person's words."""

    ALREADY_RECEIVED = "already_received"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    NOTHING_TO_CORRECT = "nothing_to_correct"
    NOTHING_TO_WITHDRAW = "nothing_to_withdraw"
    TOO_LATE_TO_CORRECT = "too_late_to_correct"
    TOO_LATE_TO_WITHDRAW = "too_late_to_withdraw"
    ALREADY_SUPPORTED = "already_supported"
    CAP_AWARDS = "cap_awards"
    CAP_PENCE = "cap_pence"
    GRANTED_IN_PART = "granted_in_part"
    NOT_ELIGIBLE = "not_eligible"
    NO_NETWORK = "no_network"
    SCHEME_CLOSED = "scheme_closed"
    FAILED_HERE = "failed_here"
    DISCARDED = "discarded"
    IDENTITY = "identity"
    NO_MONEY = "no_money"
    NO_CONTACT_ROUTE = "no_contact_route"
    RESTRICTED = "restricted"
    NO_STOCK = "no_stock"
    NEEDIER_IN_FLIGHT = "needier_in_flight"
    NEEDIER_FIRST = "needier_first"
    ENDS_TOO_SOON = "ends_too_soon"
    SCHEME_PAUSED = "scheme_paused"
    FILE_CHECKED = "file_checked"
    FILE_REJECTED = "file_rejected"


#: What a partner reads; it names no other partner and no other person.
SENTENCES: dict[Reason, str] = {
    Reason.ALREADY_RECEIVED: "We already have this request from you, so nothing was"
    " changed.",
    Reason.CORRECTED: "You sent a correction, which took its place.",
    Reason.WITHDRAWN: "You withdrew this request.",
    Reason.NOTHING_TO_CORRECT: "There is no open request with this reference. To ask"
    " for a voucher, leave the action blank and send the row again.",
    Reason.NOTHING_TO_WITHDRAW: "There is no open request with this reference. Look"
    " whether the reference is right.",
    Reason.TOO_LATE_TO_CORRECT: "The voucher was already granted, so nothing was"
    " changed. If the number is wrong, tell us.",
    Reason.TOO_LATE_TO_WITHDRAW: "The voucher was already granted, so it was not taken"
    " back. Tell us if it has to be.",
    Reason.ALREADY_SUPPORTED: "This household is already supported.",
    Reason.CAP_AWARDS: "This household has had all the awards the scheme allows.",
    Reason.CAP_PENCE: "This household has had all the money the scheme allows.",
    Reason.GRANTED_IN_PART: "The fund ran low: this is part of the usual amount.",
    Reason.NOT_ELIGIBLE: "The scheme's rules do not cover this request.",
    Reason.NO_NETWORK: "No voucher we have can be used with this supplier or meter.",
    Reason.SCHEME_CLOSED: "The scheme is closed.",
    Reason.FAILED_HERE: "We could not process this row. We are looking at it.",
    Reason.DISCARDED: "We could not process this request. Please talk to us.",
    Reason.IDENTITY: "We are checking some details.",
    Reason.NO_MONEY: "The fund is used up for now. The request keeps its place.",
    Reason.NO_CONTACT_ROUTE: "We have no safe way to reach this resident.",
    Reason.RESTRICTED: "The money left is for other areas or groups.",
    Reason.NO_STOCK: "We are waiting for more vouchers.",
    Reason.NEEDIER_IN_FLIGHT: "People in greater need are being served first.",
    Reason.NEEDIER_FIRST: "People in greater need are being served first.",
    Reason.ENDS_TOO_SOON: "The money left would end before the voucher could be used.",
    Reason.SCHEME_PAUSED: "The scheme is paused. The request keeps its place.",
    Reason.FILE_CHECKED: "We are checking this file before its rows go on.",
    Reason.FILE_REJECTED: "Something about this file as a whole looked wrong, so we did"
    " not go on with it. Talk to us, and send the request again.",
}
