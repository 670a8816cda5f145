"""Turns what was recorded into sentences that a person can follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vouchers.domain.matching.bounds import bound_details
from vouchers.domain.reasons import SENTENCES, Reason

#: What each audit event means, in words; {names} are taken from the event.
EVENTS: dict[str, str] = {
    "referral.received": "The row was understood and taken.",
    "referral.checking": "It may be somebody we know: a person was asked.",
    "referral.matched": "We know who this is.",
    "referral.waiting": "Entitled, but it has to wait.",
    "referral.granted": "An award was granted.",
    "referral.declined": "No award was made.",
    "referral.withdrawn": "The request was taken back.",
    "batch.stopped": "The file was stopped for a person to look at it.",
    "batch.released": "A person let the file go on.",
    "batch.rejected": "A person ended the file.",
    "referral.held": "Our own code failed on it; it was set aside for a person.",
    "referral.contact_changed": "The way of contact changed to {safe_contact}.",
    "referral.rehoused": "It went along with the person to household {household}.",
    "referral.opened": "Its sealed data was opened. Reason: {reason}",
    "review.opened": "A review was opened ({review_kind}).",
    "review.decided": "The review was decided: {ruling}.",
    "review.undone": "The ruling was taken back.",
    "review.taken_up": "It asks the question of a row that was taken back.",
    "review.joined": "It joined a review that was open already.",
    "award.granted": "An award of {pence} was granted.",
    "award.ended": "Nothing of the award is left to use.",
    "voucher.issued": "A voucher was issued.",
    "voucher.live": "A code was bound to the voucher.",
    "voucher.expired": "The voucher's last day passed; its code ended.",
    "voucher.released": "The voucher's money went back to where it came from.",
    "voucher.redeemed": "The code was used at a shop.",
    "voucher.part_redeemed": "A part of the code's value was used.",
    "voucher.reversed": "A use was reversed by the network.",
    "message.queued": "A text was prepared.",
    "message.claimed": "A try to hand the text to the provider began.",
    "message.accepted": "The provider took the text.",
    "message.sent": "A carrier took the text.",
    "message.delivered": "The phone has the text.",
    "message.undelivered": "The carrier could not deliver the text.",
    "message.failed": "The provider refused the text for good.",
    "message.unknown": "The provider's answer was lost; evidence is sought.",
    "message.cancelled": "The text is not to be sent any more.",
    "message.held": "A person must look at the text.",
}

#: Keys of an event that say nothing a reader needs beside its sentence.
_SILENT = frozenset(
    {"actor", "at", "entity", "kind", "state", "transfers", "verdict", "vouchers",
     "voucher_state", "resident", "household", "new_resident", "left"}
)  # fmt: skip

_VERDICTS = {
    "match": "the same person as one we know",
    "review": "perhaps somebody we know",
    "new": "nobody we know",
}


def event_sentence(kind: str, body: Mapping[str, Any]) -> str:
    """What an audit event says, in one sentence."""
    plain = kind.replace(".", " ").replace("_", " ").capitalize() + "."
    pattern = EVENTS.get(kind, plain)
    words = {name: _word(name, value) for name, value in body.items()}
    try:
        return pattern.format_map(words)
    except KeyError:
        # The event lacks what its sentence would name: the plain form is still true.
        return plain


def event_details(body: Mapping[str, Any]) -> list[str]:
    """What else an audit event holds: the reason as a sentence, then numbers."""
    details: list[str] = []
    reason = body.get("reason")
    if isinstance(reason, str):
        details.append(reason_sentence(reason))
    if isinstance(body.get("verdict"), str):
        details.append(f"Decided: {_VERDICTS.get(body['verdict'], body['verdict'])}.")
    if body.get("left") is not None:
        details.append("This person moved out of the earlier household.")
    details += [
        f"{name.replace('_', ' ')}: {_word(name, value)}"
        for name, value in body.items()
        if name not in _SILENT and name != "reason" and value not in (None, [], {}, "")
    ]
    return details


def reason_sentence(code: str) -> str:
    """A reason code with its sentence."""
    try:
        return f"{SENTENCES[Reason(code)]} ({code})"
    except (ValueError, KeyError):
        return f"Reason: {code.replace('_', ' ')}."


def match_details(match: Mapping[str, Any], brought_by: Mapping[int, str]) -> list[str]:
    """How a person was recognised: each candidate with its score, part by part."""
    lines = [f"Model {match.get('model', '?')}."]
    lines += [f"Because: {_plain(why)}." for why in match.get("why", ())]
    for place, found in enumerate(match.get("candidates", ()), start=1):
        resident = int(found["resident_id"])
        partner = brought_by.get(resident)
        whose = f", first brought by {partner}" if partner else ""
        lines.append(
            f"Candidate {place}: resident {resident}{whose}; same person "
            f"{_share(found.get('person'))}, same household "
            f"{_share(found.get('household'))}."
        )
        lines.append("  " + parts_words(found.get("parts", ())))
    if not match.get("candidates"):
        lines.append("Nobody in the register looks like this person or shares a home.")
    return lines + bound_details(match)


def parts_words(parts: Iterable[Sequence[Any]]) -> str:
    """The parts of a score: field, how well it agrees, what that weighs."""
    told = []
    for part in parts:
        name, level, *weight = part
        amount = f" {float(weight[0]):+.1f}" if weight else ""
        told.append(f"{name} {str(level).replace('_', ' ')}{amount}")
    return "; ".join(told) or "no field could be compared"


def need_details(need: Mapping[str, Any]) -> list[str]:
    """A home's place in the order of need, and how it came about."""
    parts = ", ".join(_plain(part) for part in need.get("parts", ()))
    line = f"Need band {need.get('band', '?')} of 8, rank {need.get('rank', '?')}"
    return [f"{line}: {parts}." if parts else f"{line}."]


def money_details(judged: Mapping[str, Any], gifts: Mapping[int, str]) -> list[str]:
    """Which gifts paid, and which rule passed over each of the others."""
    lines = []
    for number, pence in dict(judged.get("drawn", {})).items():
        lines.append(f"{pounds(int(pence))} from {gifts.get(int(number), number)}.")
    for rule, numbers in dict(judged.get("skipped", {})).items():
        named = ", ".join(gifts.get(int(number), str(number)) for number in numbers)
        lines.append(f"Passed over {named}: {reason_sentence(rule)}")
    return lines


def cap_details(judged: Mapping[str, Any]) -> list[str]:
    """What an award's caps were judged on."""
    count = judged.get("count")
    if count is None:
        return []
    pence = judged.get("pence", judged.get("year_pence"))
    had = f" worth {pounds(int(pence))}" if isinstance(pence, int) else ""
    rules = judged.get("rules_version", judged.get("rules"))
    under = f"; rules version {rules}" if rules is not None else ""
    return [f"The household had {count} awards that count{had} before this{under}."]


def pounds(pence: int) -> str:
    """Pence as people read them."""
    sign = "-" if pence < 0 else ""
    whole, rest = divmod(abs(pence), 100)
    return f"{sign}£{whole:,}.{rest:02d}"


def _share(value: Any) -> str:
    return f"{float(value):.1%}" if isinstance(value, int | float) else "unknown"


def _plain(value: Any) -> str:
    return str(value).replace("_", " ")


def _word(name: str, value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and "pence" in name:
        return pounds(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{_plain(key)} {item}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value)
    return _plain(value)
