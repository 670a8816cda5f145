"""Learns the matching model from the rows that partners handed in; proposes a file.

Rows are learned from, not residents: of a resident only differing forms are kept, and
they would teach that people always change. Protected rows are left out. Nothing is used
by itself: the file lies beside the model in use until VOUCHERS_MODEL names it. It holds
probabilities only; how common which name is stays as listed, for a list of the names in
a register would tell who is in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, select

from vouchers.domain.calendar import local_date
from vouchers.domain.matching import learned_file
from vouchers.domain.matching.commonness import counted
from vouchers.domain.matching.features import Features, read_features
from vouchers.domain.matching.learned_file import Change
from vouchers.domain.matching.levels import Pairs, compare
from vouchers.domain.matching.model import Model
from vouchers.domain.matching.model_file import next_version
from vouchers.domain.matching.names import Lexicon
from vouchers.domain.matching.pairing import Indices, candidate_pairs, random_pairs
from vouchers.domain.matching.scoring import rarity
from vouchers.domain.matching.training import Evidence, learn
from vouchers.domain.roles import Duty, Person
from vouchers.errors import Refused
from vouchers.pipeline.context import Context
from vouchers.store import model_in_use, residents
from vouchers.store.tables.intake import referral

#: Fewer rows than these teach nothing that holds.
ROWS_MIN = 2_000
#: The newest so many are learned from: about 200 MB of memory.
ROWS_MAX = 100_000
#: Fewer pairs that share a key: hardly anybody was handed in twice.
PAIRS_MIN = 1_000
_CHUNK = 1_000
_PIECE = 50_000
_RANDOM = 60_000


@dataclass(frozen=True, slots=True)
class Trained:
    """What learning came to; `file` is None where nothing may be used."""

    model: str
    rows: int
    pairs: int
    converged: bool
    rounds: int
    person_pairs: int
    household_pairs: int
    changes: Sequence[Change]
    faults: Sequence[str]
    version: str | None = None
    file: Path | None = None


def train(
    ctx: Context, person: Person, out: Path | None, *, door: str = "cli"
) -> Trained:
    """Learn from the register's rows; write a new file (`out`: its name, or a folder).

    Without `out` the file lies beside the model in use. Raises Refused where the rows
    are too few, and where a file would be overwritten.
    """
    person.must(Duty.REVIEW)
    model, lexicon = model_in_use.model(), residents.shipped_lexicon()
    with ctx.reading() as conn:
        people = list(_rows(ctx, conn))
    if len(people) < ROWS_MIN:
        raise Refused(
            f"{len(people):,} rows are too few to learn from; it takes {ROWS_MIN:,}. "
            "The model in use stays."
        )
    # How common a name is here is needed to learn, in memory; it is not written down.
    lexicon = counted(lexicon, people)
    left, right = candidate_pairs(people, lexicon)
    if len(left) < PAIRS_MIN:
        raise Refused(
            f"only {len(left):,} pairs of rows have anything in common; it takes "
            f"{PAIRS_MIN:,}. The model in use stays."
        )
    chance = random_pairs(len(people), _RANDOM, np.random.default_rng(len(people)))
    learned = learn(
        model,
        _evidence(model, lexicon, people, left, right),
        _evidence(model, lexicon, people, *chance),
        pairs=len(people) * (len(people) - 1) / 2,
        people=len(people),
    )
    trained = Trained(
        model=model.version,
        rows=len(people),
        pairs=len(left),
        converged=learned.converged,
        rounds=learned.rounds,
        person_pairs=round(learned.person_pairs),
        household_pairs=round(learned.household_pairs),
        changes=learned_file.changes(model, learned, len(people)),
        faults=learned_file.faults(learned),
    )
    if trained.faults or not trained.changes:
        return trained
    return _written(ctx, person, trained, out, door)


def _rows(ctx: Context, conn: Connection) -> Iterator[Features]:
    """The newest rows, opened chunk by chunk; repeats and corrections left out."""
    before, left = None, ROWS_MAX
    while left > 0:
        query = select(referral.c.id, referral.c.row_sealed).where(
            referral.c.row_sealed.is_not(None),
            referral.c.protected.is_(False),
            referral.c.first_referral_id.is_(None),
        )
        if before is not None:
            query = query.where(referral.c.id < before)
        rows = conn.execute(
            query.order_by(referral.c.id.desc()).limit(min(_CHUNK, left))
        ).all()
        if not rows:
            return
        for number, sealed in rows:
            fields = json.loads(ctx.keys.open("referral.row_sealed", number, sealed))
            yield read_features({k: v for k, v in fields.items() if isinstance(v, str)})
        before, left = rows[-1].id, left - len(rows)


def _evidence(
    model: Model,
    lexicon: Lexicon,
    people: Sequence[Features],
    left: Indices,
    right: Indices,
) -> Evidence:
    """Levels of all pairs, packed piece by piece."""
    found: Evidence | None = None
    for at in range(0, len(left), _PIECE):
        piece = slice(at, at + _PIECE)
        pairs = Pairs(
            [people[n] for n in left[piece].tolist()],
            [people[n] for n in right[piece].tolist()],
        )
        levels = compare(model, lexicon, pairs)
        packed = Evidence.gather(levels, rarity(model, lexicon, pairs, levels))
        found = packed if found is None else found.joined(packed)
    assert found is not None
    return found


def _written(
    ctx: Context, person: Person, trained: Trained, out: Path | None, door: str
) -> Trained:
    """Write the proposal into a new file; what is there already stays."""
    day = local_date(ctx.clock())
    version = next_version(trained.model, "t", day)
    beside = model_in_use.place()
    place = out or beside.parent
    if place.is_dir():
        place = place / f"model-{version}.toml"
    made = learned_file.written(
        model_in_use.text(), trained.changes, version=version, day=day,
        rows=trained.rows, pairs=trained.pairs,
    )  # fmt: skip
    try:
        with place.open("x", encoding="utf-8") as stream:
            stream.write(made)
    except FileExistsError:
        raise Refused(f"{place} is there already: name another with --out") from None
    except OSError as error:
        raise Refused(f"{place} cannot be written: {error.strerror}") from None
    with ctx.begin(actor=person.actor(door), name="matching.train") as uow:
        uow.record(
            "matching.trained", 0, model=trained.model, version=version,
            rows=trained.rows, pairs=trained.pairs, moved=len(trained.changes),
        )  # fmt: skip
    return replace(trained, version=version, file=place)
