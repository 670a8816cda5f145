"""Reads what people ruled on pairs, with the scores that stood there; nobody's name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from vouchers.domain.matching.calibration import Ruled
from vouchers.domain.matching.rulings import Ruling
from vouchers.domain.matching.scoring import ALWAYS
from vouchers.domain.matching.settlement import ReviewKind
from vouchers.store.tables.identity import review

_R = review.c
#: Reviews in which it was asked whether two people are one.
_ABOUT_PEOPLE = (ReviewKind.PERSON, ReviewKind.SEVERAL)
_WHERE = (
    _R.state == "decided",
    # Of protected residents nothing is learned, not even in a count.
    _R.protected.is_(False),
    _R.kind.in_(_ABOUT_PEOPLE),
    _R.ruling.in_(list(Ruling)),
)


def ruled(conn: Connection, model: str) -> list[Ruled]:
    """One pair of each review decided under this version of the model."""
    rows = conn.execute(
        select(_R.candidates, _R.ruling, _R.same_as)
        .where(*_WHERE, _R.model == model)
        .order_by(_R.id)
    )
    return [_pair(row) for row in rows if row.candidates]


def other_versions(conn: Connection, model: str) -> dict[str, int]:
    """How many rulings stand under other versions, whose scores say something else."""
    rows = conn.execute(
        select(_R.model, func.count())
        .where(*_WHERE, _R.model != model)
        .group_by(_R.model)
        .order_by(_R.model)
    )
    return {row[0]: row[1] for row in rows}


def _pair(row: Any) -> Ruled:
    """The candidate that the ruling was about: the one named, else the likeliest."""
    same = row.ruling == Ruling.SAME_PERSON
    meant = row.candidates[0]
    if same:
        named = [c for c in row.candidates if int(c["resident_id"]) == row.same_as]
        meant = (named or [meant])[0]
    guards = int(meant["guards"])
    return Ruled(
        score=float(meant["person"]),
        same=same,
        guarded=guards > 0,
        must_see=bool(guards & int(ALWAYS)),
    )
