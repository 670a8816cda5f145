"""Why two ways of matching differ on a pair: what we say of it, worst first."""

from __future__ import annotations

from enum import StrEnum

from vouchers.domain.matching.model import Model
from vouchers.domain.matching.settlement import APART, DISTINCT, Edge


class Stand(StrEnum):
    """Where a pair stands with us that the second opinion sees otherwise."""

    MISSED = "missed"  #: we would join them too, and have not
    UNASKED = "unasked"  #: we would ask a person, and have not
    HOUSEHOLD = "household"  #: we take them for two people of one home
    STRANGERS = "strangers"  #: we take them for two people
    JOINED = "joined"  #: we took them for one person, and still would
    LOOSELY_JOINED = "loosely_joined"  #: we took them for one, and today would not
    RULED = "ruled"  #: a person said what they are
    ASKED = "asked"  #: a person is being asked


#: What is to be done about each, in words.
ADVICE: dict[Stand, str] = {
    Stand.MISSED: "no shared key brought them together, or the model is newer",
    Stand.UNASKED: "nobody was asked: look at both",
    Stand.HOUSEHOLD: "usual where a family shares name, home and phone",
    Stand.STRANGERS: "look at both if the evidence surprises you",
    Stand.JOINED: "the second opinion sees less than we do, or we see too much",
    Stand.LOOSELY_JOINED: "look at both: the model would not join them any more",
    Stand.RULED: "settled by a person",
    Stand.ASKED: "waits for a ruling",
}
#: What is listed, the most telling first; the others are counted only.
LISTED = (
    Stand.MISSED, Stand.LOOSELY_JOINED, Stand.UNASKED, Stand.STRANGERS, Stand.JOINED,
    Stand.HOUSEHOLD,
)  # fmt: skip


def kept_apart(
    model: Model,
    *,
    person: float,
    household: float,
    guarded: bool,
    must_see: bool,
    ruling: str | None,
    in_review: bool,
) -> Stand:
    """Where a pair stands that we keep apart."""
    if ruling in DISTINCT | APART:
        return Stand.RULED
    if in_review:
        return Stand.ASKED
    if person >= model.match and not guarded:
        return Stand.MISSED
    if person >= model.review or must_see:
        return Stand.UNASKED
    if household >= model.household:
        return Stand.HOUSEHOLD
    return Stand.STRANGERS


def joined(model: Model, *, person: float, guarded: bool, ruling: str | None) -> Stand:
    """Where a pair stands that we took for one person."""
    if ruling == Edge.SAME:
        return Stand.RULED
    still = person >= model.match and not guarded
    return Stand.JOINED if still else Stand.LOOSELY_JOINED
