"""Holds the register against an independent second opinion and lists where they differ.

Protected residents are left out: nobody's list may show that they are there. So are
residents whom a person merged into another: that was somebody's word, not the model's.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from vouchers.backoffice.second_opinion import Opinion, Pair, SecondOpinion
from vouchers.domain.matching import disagreement
from vouchers.domain.matching.disagreement import LISTED, Stand
from vouchers.domain.matching.features import FIELDS, Features
from vouchers.domain.matching.levels import Pairs
from vouchers.domain.matching.scoring import score
from vouchers.domain.matching.verdicts import Candidate, words
from vouchers.domain.roles import Duty, Person
from vouchers.pipeline.context import Context
from vouchers.store import model_in_use, registry, residents
from vouchers.store.tables.identity import resident

#: Residents that are opened at a time.
CHUNK = 2_000
#: Pairs that are scored our way, surest first: most of them are families or settled.
_LOOK_AT = 20_000


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two residents, or two forms of one, on which the opinions differ."""

    left: int
    right: int
    stand: Stand
    advice: str
    #: Chance that they are one person: theirs, ours, and ours for one household.
    splink: float
    person: float
    household: float
    why: tuple[str, ...]
    #: Only when asked for: what is known of both, by field.
    opened: tuple[dict[str, str], dict[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    """What the second opinion came to."""

    residents: int
    rows: int
    compared: int
    would_join: int
    would_part: int
    #: How the pairs that were looked at stand with us.
    stands: Mapping[Stand, int]
    looked_at: int
    listed: Sequence[Disagreement]


def audit(
    ctx: Context,
    person: Person,
    *,
    door: str,
    limit: int = 20,
    memory: str = "2GB",
    opened: bool = False,
) -> Audit:
    """Ask Splink about the whole register; that it ran, and for whom, is recorded.

    `opened` shows names and addresses of the pairs that are listed, and records whose.
    Needs about 200 MB of memory and up to 3 MB more for each 1,000 residents; more than
    `memory` is refused, never written to a disk.
    """
    person.must(Duty.REVIEW)
    if opened:
        person.must(Duty.OPEN_SEALED)
    second = SecondOpinion(memory=memory)
    try:
        with ctx.reading() as conn:
            people = _fill(ctx, conn, second)
            opinion = second.ask(limit=_LOOK_AT)
            found = _disagreements(ctx, conn, opinion)
            listed = _chosen(found, limit)
            if opened:
                listed = _with_names(ctx, conn, listed)
    finally:
        second.close()
    stands = {stand: sum(one.stand is stand for one in found) for stand in Stand}
    with ctx.begin(actor=person.actor(door), name="matching.audit") as uow:
        uow.record(
            "matching.audited", 0, residents=people, compared=opinion.compared,
            would_join=opinion.would_join, would_part=opinion.would_part,
            opened=_ids(listed) if opened else [],
        )  # fmt: skip
    return Audit(
        residents=people,
        rows=second.rows,
        compared=opinion.compared,
        would_join=opinion.would_join,
        would_part=opinion.would_part,
        stands={stand: count for stand, count in stands.items() if count},
        looked_at=len(found),
        listed=listed,
    )


def _ids(listed: Sequence[Disagreement]) -> list[int]:
    return sorted({rid for one in listed for rid in (one.left, one.right)})


def _fill(ctx: Context, conn: Connection, second: SecondOpinion) -> int:
    """Open the register piece by piece into the second opinion's memory."""
    people = 0
    for ids in _chunks(conn):
        known, _ = residents.load(conn, ctx.keys, ids)
        second.add([(rid, one.faces) for rid, one in sorted(known.items())])
        people += len(known)
    return people


def _chunks(conn: Connection) -> Iterator[list[int]]:
    after = -1
    while True:
        ids = list(
            conn.scalars(
                select(resident.c.id)
                .where(
                    resident.c.id > after,
                    resident.c.protected.is_(False),
                    resident.c.merged_into.is_(None),
                    resident.c.identity_sealed.is_not(None),
                )
                .order_by(resident.c.id)
                .limit(CHUNK)
            )
        )
        if not ids:
            return
        yield ids
        after = ids[-1]


def _disagreements(
    ctx: Context, conn: Connection, opinion: Opinion
) -> list[Disagreement]:
    """Score the pairs our way, and say where each stands with us."""
    pairs = [*opinion.joins, *opinion.parts]
    people = {rid for pair in pairs for rid, _ in (pair.left, pair.right)}
    known, _ = residents.load(conn, ctx.keys, people)
    rulings = residents.rulings(conn, people)
    in_review = {rid for rid, one in known.items() if one.provisional}
    faces = {rid: one.faces for rid, one in known.items()}
    found = []
    for pair, ours in zip(pairs, _scored(conn, pairs, faces), strict=True):
        a, b = sorted((pair.left[0], pair.right[0]))
        stand = _stand(ours, rulings.get((a, b)), a, b, in_review)
        found.append(
            Disagreement(
                left=a,
                right=b,
                stand=stand,
                advice=disagreement.ADVICE[stand],
                splink=pair.chance,
                person=ours.person,
                household=ours.household,
                why=tuple(words(model_in_use.model(), ours)),
            )
        )
    return found


def _scored(
    conn: Connection, pairs: Sequence[Pair], faces: Mapping[int, Sequence[Features]]
) -> list[Candidate]:
    """Our own word on each pair of rows, in one pass."""
    model = model_in_use.model()
    left = [faces[rid][at] for rid, at in (pair.left for pair in pairs)]
    right = [faces[rid][at] for rid, at in (pair.right for pair in pairs)]
    scores = score(
        model,
        residents.shipped_lexicon(),
        Pairs(left, right),
        registry_size=registry.registry_size(conn),
    )
    return [
        Candidate(
            resident_id=pair.right[0],
            person=float(scores.person[i]),
            household=float(scores.household[i]),
            parts=scores.parts(model, i),
            guards=int(scores.guards[i]),
            must_see=bool(np.asarray(scores.must_see)[i]),
        )
        for i, pair in enumerate(pairs)
    ]


def _stand(
    ours: Candidate, ruling: str | None, a: int, b: int, in_review: Collection[int]
) -> Stand:
    model = model_in_use.model()
    if a == b:
        return disagreement.joined(
            model, person=ours.person, guarded=bool(ours.guards), ruling=ruling
        )
    return disagreement.kept_apart(
        model,
        person=ours.person,
        household=ours.household,
        guarded=bool(ours.guards),
        must_see=ours.must_see,
        ruling=ruling,
        in_review=a in in_review or b in in_review,
    )


def _chosen(found: Sequence[Disagreement], limit: int) -> list[Disagreement]:
    """The most telling ones first; what a person settled or is asked is left out."""
    told = [one for one in found if one.stand in LISTED]
    told.sort(key=lambda one: (LISTED.index(one.stand), -one.person, one.left))
    return told[:limit]


def _with_names(
    ctx: Context, conn: Connection, listed: Sequence[Disagreement]
) -> list[Disagreement]:
    plain = residents.open_identities(conn, ctx.keys, _ids(listed))
    fields = {rid: _fields(json.loads(packed)) for rid, packed in plain.items()}
    return [
        replace(one, opened=(fields.get(one.left, {}), fields.get(one.right, {})))
        for one in listed
    ]


def _fields(packed: dict[str, Any]) -> dict[str, str]:
    return {name: str(packed[name]) for name in FIELDS if packed.get(name)}
