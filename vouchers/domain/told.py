"""Tells a decision in one sentence: where the money came from, or why it did not."""

from __future__ import annotations

from collections.abc import Mapping

from vouchers.domain.reasons import Reason

#: How a rule is told of a gift that was not drawn on.
_TOLD = {
    Reason.NO_MONEY: "had too little left",
    Reason.RESTRICTED: "is for other areas or groups",
    Reason.ENDS_TOO_SOON: "ends too soon",
    Reason.NEEDIER_IN_FLIGHT: "is kept for needier homes on their way",
}


def sentence(judged: Mapping[str, object], names: Mapping[int, str]) -> str:
    """In one sentence, why the money came from where it came, or did not come.

    `judged` is what `Decision.judged` stored; `names` tells how gifts are called.
    """

    def name(number: object) -> str:
        return names.get(int(str(number)), f"gift {number}")

    drawn = judged.get("drawn") or {}
    skipped = judged.get("skipped") or {}
    assert isinstance(drawn, Mapping) and isinstance(skipped, Mapping)
    parts = [f"{_pounds(pence)} from {name(gift)}" for gift, pence in drawn.items()]
    total, full = sum(drawn.values()), judged.get("full_pence")
    told = f"Granted {', '.join(parts)}" if parts else "Nothing granted"
    if parts and isinstance(full, int) and total < full:
        told += f" (of {_pounds(full)})"
    passed = [
        f"{name(gift)} {_TOLD.get(Reason(rule), rule)}"
        for rule, gifts in skipped.items()
        for gift in gifts
    ]
    return told + (f"; {', '.join(passed)}." if passed else ".")


def _pounds(pence: int) -> str:
    return f"£{pence // 100}.{pence % 100:02d}"
