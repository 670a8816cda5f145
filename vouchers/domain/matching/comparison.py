"""Compares the rows of a chunk with people we know and with each other, all at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vouchers.domain.matching.features import Features
from vouchers.domain.matching.levels import Pairs
from vouchers.domain.matching.model import Model
from vouchers.domain.matching.names import Lexicon
from vouchers.domain.matching.scoring import Scores, score
from vouchers.domain.matching.verdicts import Candidate

#: Below this a pair is not evidence of anything.
_TELLING = 0.0003


@dataclass(frozen=True, slots=True)
class Question:
    """One row and with whom it has to be compared."""

    features: Features
    #: Residents of the register that share a key with it.
    known: Sequence[int]
    #: Positions of earlier rows of the same chunk that share a key with it.
    earlier: Sequence[int]
    #: Its home is listed as communal by a partner.
    communal: bool = False
    #: Its phone is listed as a worker's.
    worker_phone: bool = False


@dataclass(slots=True)
class Answer:
    """A row's candidates, from the register and from earlier rows."""

    known: list[Candidate] = field(default_factory=list)
    #: By position in the chunk; `resident_id` is the position as well.
    earlier: list[Candidate] = field(default_factory=list)
    communal: bool = False


def compare_chunk(
    model: Model,
    lexicon: Lexicon,
    questions: Sequence[Question],
    faces: Mapping[int, Sequence[Features]],
    *,
    registry_size: int,
) -> list[Answer]:
    """Score every row against its candidates; of each person the best face counts."""
    left: list[Features] = []
    right: list[Features] = []
    owner: list[tuple[int, int, bool]] = []
    communal: list[bool] = []
    shared_phone: list[bool] = []
    answers: list[Answer] = []
    for n, question in enumerate(questions):
        others = [(rid, f, True) for rid in question.known for f in faces[rid]]
        others += [(m, questions[m].features, False) for m in question.earlier]
        hostel = question.communal or _is_crowded(model, question.features, others)
        lent = question.worker_phone or _is_lent(model, question.features, others)
        answers.append(Answer(communal=hostel))
        for number, face, is_known in others:
            left.append(question.features)
            right.append(face)
            owner.append((n, number, is_known))
            communal.append(hostel)
            shared_phone.append(lent)
    pairs = Pairs(
        left,
        right,
        communal=np.array(communal, dtype=np.bool_),
        shared_phone=np.array(shared_phone, dtype=np.bool_),
    )
    scores = score(model, lexicon, pairs, registry_size=registry_size)
    for (n, number, is_known), i in _best(scores, owner).items():
        candidate = _candidate(model, scores, i, number)
        (answers[n].known if is_known else answers[n].earlier).append(candidate)
    return answers


def _best(
    scores: Scores, owner: Sequence[tuple[int, int, bool]]
) -> dict[tuple[int, int, bool], int]:
    """Of each row and person the pair that looks most like one person or one home.

    Most pairs are nobody to each other and decide nothing: they are left out.
    """
    telling = (scores.person >= _TELLING) | (scores.household >= _TELLING)
    best: dict[tuple[int, int, bool], int] = {}
    for i in np.flatnonzero(telling | scores.must_see).tolist():
        known = best.setdefault(owner[i], i)
        if known != i and _rank(scores, i) > _rank(scores, known):
            best[owner[i]] = i
    return best


def _rank(scores: Scores, i: int) -> tuple[bool, float, float]:
    """A face without a warning is a better likeness than one with."""
    free = not scores.guards[i]
    return free, float(scores.person[i]), float(scores.household[i])


def _candidate(model: Model, scores: Scores, i: int, number: int) -> Candidate:
    return Candidate(
        number,
        float(scores.person[i]),
        float(scores.household[i]),
        scores.parts(model, i),
        int(scores.guards[i]),
        bool(scores.must_see[i]),
    )


def _is_crowded(
    model: Model, row: Features, others: Sequence[tuple[int, Features, bool]]
) -> bool:
    """So many surnames or people at one door that it is a hostel or a shared house."""
    door = row.dwelling
    if _share_a_phone(row, others) >= model.limits.phone_surnames:
        return True
    if not door or len(others) + 1 < model.limits.door_surnames:
        return False
    at_door = [f for _, f, _ in others if f.dwelling == door]
    if len(at_door) + 1 < model.limits.door_surnames:
        return False
    surnames = {f.surname for f in at_door if f.surname} | {row.surname}
    if len(surnames) >= model.limits.door_surnames:
        return True
    people = {(f.given, f.born) for f in at_door} | {(row.given, row.born)}
    # A large family has one surname; unlike people have several.
    return len(people) >= model.limits.door_people and len(surnames) > 2


def _share_a_phone(row: Features, others: Sequence[tuple[int, Features, bool]]) -> int:
    """How many surnames one building has on this phone: an office's, a warden's."""
    if not row.mobile or not (row.number or row.rest):
        return 0
    building = row.mobile, row.postcode, row.number or row.rest
    surnames = {
        f.surname
        for _, f, _ in others
        if (f.mobile, f.postcode, f.number or f.rest) == building
        and f.surname
        # The same person under a mistyped surname is nobody else.
        and f.given != row.given
        and (not row.born or f.born != row.born)
    }
    return len(surnames | {row.surname})


def _is_lent(
    model: Model, row: Features, others: Sequence[tuple[int, Features, bool]]
) -> bool:
    """A phone that more homes name than one person ever has: a support worker's."""
    if not row.mobile or len(others) < model.limits.phone_dwellings:
        return False
    homes = {f.dwelling or f.postcode for _, f, _ in others if f.mobile == row.mobile}
    homes.add(row.dwelling or row.postcode)
    return len(homes) > model.limits.phone_dwellings


def rows_sharing_keys(
    keys: Sequence[Sequence[tuple[int, int]]], *, at_most: int
) -> list[list[int]]:
    """For each row the earlier rows of the chunk that share one of its keys."""
    seen: dict[tuple[int, int], list[int]] = defaultdict(list)
    found: list[list[int]] = []
    for n, row_keys in enumerate(keys):
        shared: set[int] = set()
        for key in row_keys:
            holders = seen[key]
            # The same stop-word rule as for the register.
            if len(holders) <= at_most:
                shared.update(holders)
            holders.append(n)
        found.append(sorted(shared))
    return found
