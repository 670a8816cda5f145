"""Decides whether a file looks wrong as a whole, so that a person sees it first.

Only counts are looked at: of keyed hashes, never of what they stand for. A count is
held against the size of the whole file, which is known from the start, so what was
crossed once stays crossed. Repeats are the exception: half a file of people who were
helped before is worth a look before the other half is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from schemas.scheme import Breaker

#: Values of one kind that are counted on: the most frequent ones. A value that is rarer
#: in every chunk than so many others is on too few rows to matter.
KEPT = 200


class Same(StrEnum):
    """What many rows may have in common that should be one household's own."""

    PHONE = "phone"
    EMAIL = "email"
    METER = "meter"
    BIRTH = "birth"
    DWELLING = "dwelling"


class StopReason(StrEnum):
    """What looks wrong about a file as a whole."""

    SAME_PHONE = "same_phone"  #: one phone number on many rows
    SAME_EMAIL = "same_email"  #: one e-mail address on many rows
    SAME_METER = "same_meter"  #: one meter on many rows
    SAME_BIRTH = "same_birth"  #: one birth date on many rows
    SAME_DWELLING = "same_dwelling"  #: one home, not listed as communal
    NO_BIRTHS = "no_births"  #: birth dates that nobody knew
    ROW_ERRORS = "row_errors"  #: many rows could not be read
    FAR_MORE_ROWS = "far_more_rows"  #: far more than this partner's files have had
    REPEATS = "repeats"  #: many are known from other rows or partners


_OF_SAME = {
    Same.PHONE: StopReason.SAME_PHONE,
    Same.EMAIL: StopReason.SAME_EMAIL,
    Same.METER: StopReason.SAME_METER,
    Same.BIRTH: StopReason.SAME_BIRTH,
    Same.DWELLING: StopReason.SAME_DWELLING,
}
_SENTENCES = {
    StopReason.SAME_PHONE: "{rows:,} of {of:,} rows have one and the same phone number",
    StopReason.SAME_EMAIL: "{rows:,} of {of:,} rows have one and the same e-mail"
    " address",
    StopReason.SAME_METER: "{rows:,} of {of:,} rows have one and the same meter",
    StopReason.SAME_BIRTH: "{rows:,} of {of:,} rows have one and the same birth date",
    StopReason.SAME_DWELLING: "{rows:,} of {of:,} rows have one and the same home,"
    " which is not listed as communal",
    StopReason.NO_BIRTHS: "{rows:,} of {of:,} rows have a birth date that only fills"
    " the cell, such as 01/01/1900",
    StopReason.ROW_ERRORS: "{rows:,} of {of:,} rows have to be corrected",
    StopReason.FAR_MORE_ROWS: "the file has {rows:,} rows; no earlier file of this"
    " partner had more than {of:,}",
    StopReason.REPEATS: "{rows:,} of the {of:,} rows looked at are people whom we know"
    " already, or may be",
}
#: What a person should ask before the file goes on.
_QUESTIONS = {
    StopReason.SAME_PHONE: "Is it a worker's or an office's phone? Then list it with"
    " `vouchers partners list-worker-phone`, and have the residents' own numbers sent.",
    StopReason.SAME_EMAIL: "Is it the partner's own address?",
    StopReason.SAME_METER: "Was a column filled down, or is it one landlord's supply?",
    StopReason.SAME_BIRTH: "Was a column filled down?",
    StopReason.SAME_DWELLING: "Is it a hostel, a care home, or a block whose flat"
    " numbers are missing? List a hostel with `vouchers partners list-communal`.",
    StopReason.NO_BIRTHS: "Without birth dates relatives cannot be told apart. Can the"
    " partner send them?",
    StopReason.ROW_ERRORS: "Are the columns the right ones?",
    StopReason.FAR_MORE_ROWS: "Did the partner mean to send so many?",
    StopReason.REPEATS: "Did another partner send the same list?",
}


@dataclass(frozen=True, slots=True)
class Stop:
    """One reason for which a file waits, with the numbers behind it."""

    reason: StopReason
    rows: int
    of: int
    #: So many rows were enough.
    limit: int

    @property
    def sentence(self) -> str:
        """The reason in words, without a full stop."""
        told = _SENTENCES[self.reason].format(rows=self.rows, of=self.of)
        return f"{told} (the limit is {self.limit:,})"

    @property
    def question(self) -> str:
        """What a person should find out before the file goes on."""
        return _QUESTIONS[self.reason]

    def as_json(self) -> dict[str, Any]:
        """The form kept with the batch: a code and numbers."""
        return {
            "reason": self.reason.value, "rows": self.rows, "of": self.of,
            "limit": self.limit,
        }  # fmt: skip

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Stop:
        """The stop that `as_json` wrote."""
        return cls(StopReason(kept["reason"]), kept["rows"], kept["of"], kept["limit"])


@dataclass(slots=True)
class Watch:
    """What was counted of a file so far."""

    #: Rows of the largest of the partner's latest files; None with too few of them.
    usual: int | None = None
    errors: int = 0
    unknown_births: int = 0
    #: kind -> keyed hash -> rows; only the most frequent ones.
    same: dict[Same, dict[int, int]] = field(default_factory=dict)

    def add(
        self, seen: Mapping[Same, Iterable[int]], *, unknown: int, errors: int
    ) -> None:
        """Count a chunk: hashes by kind, rows without a birth date, rows in error."""
        self.errors += errors
        self.unknown_births += unknown
        for kind, keys in seen.items():
            counted = Counter(self.same.get(kind, {}))
            counted.update(keys)
            self.same[kind] = dict(counted.most_common(KEPT))

    def most(self, kind: Same) -> int:
        """Rows that have the most frequent value of a kind."""
        return max(self.same.get(kind, {}).values(), default=0)

    def as_json(self) -> dict[str, Any]:
        """The form kept with the batch until it passed its gate."""
        return {
            "usual": self.usual,
            "errors": self.errors,
            "unknown_births": self.unknown_births,
            "same": {
                kind.value: list(keys.items()) for kind, keys in self.same.items()
            },
        }

    @classmethod
    def of_json(cls, kept: Mapping[str, Any] | None) -> Watch:
        """The watch that `as_json` wrote; an empty one for None."""
        kept = kept or {}
        return cls(
            usual=kept.get("usual"),
            errors=kept.get("errors", 0),
            unknown_births=kept.get("unknown_births", 0),
            same={
                Same(kind): {int(key): int(rows) for key, rows in keys}
                for kind, keys in kept.get("same", {}).items()
            },
        )


def usual_rows(rules: Breaker, earlier: Collection[int]) -> int | None:
    """The size that a partner's files have had; None while there are too few."""
    if len(earlier) < rules.usual_files_min:
        return None
    return max(earlier)


def watched(rules: Breaker, rows: int) -> bool:
    """Whether a file of so many rows can stop at all."""
    return rows >= rules.rows_min


def look_at_rows(
    rules: Breaker, watch: Watch, *, total: int, released: Collection[str] = ()
) -> list[Stop]:
    """Why a file of `total` rows should stop, by what its rows themselves show.

    Reasons in `released` were looked at by a person, who let the file go on.
    """
    if not watched(rules, total):
        return []
    return [stop for stop in _rows(rules, watch, total) if stop.reason not in released]


def _rows(rules: Breaker, watch: Watch, total: int) -> Iterator[Stop]:
    share = _least(rules.same_value_share, total)
    for kind, reason in _OF_SAME.items():
        # Of birth dates there are few: in a large file many people share one.
        limit = share if kind is Same.BIRTH else min(share, rules.same_value_rows)
        if (rows := watch.most(kind)) >= limit:
            yield Stop(reason, rows, total, limit)
    limit = _least(rules.no_birth_share, total)
    if watch.unknown_births >= limit:
        yield Stop(StopReason.NO_BIRTHS, watch.unknown_births, total, limit)
    limit = _least(rules.errors_share, total)
    # A file of which nothing was taken needs nobody to stop it.
    if limit <= watch.errors < total:
        yield Stop(StopReason.ROW_ERRORS, watch.errors, total, limit)
    if watch.usual is not None:
        limit = int(watch.usual * rules.rows_factor) + 1
        if total >= max(limit, rules.rows_min):
            yield Stop(StopReason.FAR_MORE_ROWS, total, watch.usual, limit)


def look_at_people(
    rules: Breaker,
    *,
    total: int,
    seen: int,
    repeats: int,
    released: Collection[str] = (),
) -> list[Stop]:
    """Why a file should stop, by how many of the rows matched so far are repeats."""
    limit = _least(rules.repeats_share, seen)
    enough = watched(rules, total) and seen >= rules.rows_min
    if StopReason.REPEATS in released or not enough or repeats < limit:
        return []
    return [Stop(StopReason.REPEATS, repeats, seen, limit)]


def _least(share: float, rows: int) -> int:
    """The fewest rows that are at least such a share."""
    whole = int(share * rows)
    return max(1, whole if whole >= share * rows else whole + 1)
