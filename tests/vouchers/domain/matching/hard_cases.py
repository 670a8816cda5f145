"""Reads the table of hard cases, judges its pairs, and prints the handbook's page.

Run by itself it writes the table into `vouchers/web/handbook/matching.md`.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vouchers.domain.matching.comparison import Question, compare_chunk
from vouchers.domain.matching.features import Features, read_features
from vouchers.domain.matching.levels import Pairs
from vouchers.domain.matching.model import Model, parse_model
from vouchers.domain.matching.names import Lexicon, parse_lexicon
from vouchers.domain.matching.scoring import score
from vouchers.domain.matching.settlement import Arrival, Register, settle
from vouchers.domain.matching.verdicts import Candidate, Verdict, words

TABLE = Path(__file__).with_name("hard_cases.toml")
#: Where the handbook keeps the table, between two marks.
PAGE = Path("vouchers/web/handbook/matching.md")
BEGIN, END = "<!-- table of hard cases -->", "<!-- end of the table -->"
FIELDS = ("given_name", "family_name", "date_of_birth", "address_line_1", "postcode",
          "mobile")  # fmt: skip
MORE = {"line2": "address_line_2", "meter": "meter_number", "uprn": "uprn",
        "email": "email"}  # fmt: skip
STANDS_FOR = {"P": "+447700900001", "Q": "+447700900865", "M": "1200023305967",
              "N": "E10BG12345"}  # fmt: skip
#: How big a register the pairs meet in.
REGISTER = 100_000

Row = dict[str, str]


class Case(NamedTuple):
    """Two rows, what a careful person says of them, and what partners have listed."""

    group: str
    name: str
    a: Row
    b: Row
    person: str
    household: str
    listed: str


class Judgement(NamedTuple):
    """What the shipped model says of a case."""

    person: str
    household: str
    words: tuple[str, ...]


@cache
def cases() -> tuple[Case, ...]:
    """Every case of the table, in its order."""
    data = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return tuple(
        _case(group["title"], line)
        for group in data["group"]
        for line in group["cases"]
    )


def _case(group: str, line: list[str]) -> Case:
    name, a, b, verdict, *listed = line
    person, household = verdict.split("/")
    first = read_row(a, {})
    return Case(
        group, name, first, read_row(b, first), person, household, *(listed or [""])
    )


def read_row(text: str, other: Row) -> Row:
    """Turn `Anna|Fox|...` into a row; `~` is taken from the other row."""
    values = [STANDS_FOR.get(value, value) for value in text.split("|")]
    row = {
        name: other[name] if value == "~" else value
        for name, value in zip(FIELDS, values, strict=False)
    }
    for extra in values[len(FIELDS) :]:
        name, _, value = extra.partition("=")
        row[MORE[name]] = STANDS_FOR.get(value, value)
    return row


@cache
def model() -> Model:
    """The model as shipped."""
    return parse_model(_text("model.toml"))


@cache
def lexicon() -> Lexicon:
    """The names as shipped."""
    return parse_lexicon(_text("names.toml"))


def _text(name: str) -> str:
    return (files("vouchers.domain.matching") / name).read_text(encoding="utf-8")


def judge(case: Case, *, turned: bool = False) -> Judgement:
    """What becomes of row b when row a is known; `turned` swaps the two."""
    a, b = read_features(case.a), read_features(case.b)
    if turned:
        a, b = b, a
    question = Question(
        b, [1], [], communal=case.listed == "communal",
        worker_phone=case.listed == "worker's phone",
    )  # fmt: skip
    answers = compare_chunk(
        model(), lexicon(), [question], {1: [a]}, registry_size=REGISTER
    )
    register = Register(home={1: 1}, members={1: {1}}, supported={1})
    arrival = Arrival(2, case.listed == "protected", case.listed == "separate")
    (outcome,) = settle(model(), [arrival], answers, register)
    # Pairs that share nothing are not even candidates.
    candidate = next(iter(answers[0].known), Candidate(1, 0.0, 0.0, ()))
    said = tuple(words(model(), candidate))
    asked = outcome.verdict is Verdict.REVIEW
    if asked and outcome.review == "household":
        return Judgement("D", "?", said)
    if outcome.verdict is Verdict.NEW:
        return Judgement("D", "S" if outcome.household_id == 1 else "N", said)
    return Judgement("R" if asked else "M", _home(a, b, case), said)


def _home(a: Features, b: Features, case: Case) -> str:
    """Where one person may be meant: is it the same home, by its level?"""
    levels = score(
        model(), lexicon(), Pairs([a], [b], communal=np.array([False])),
        registry_size=REGISTER,
    ).levels["home"]  # fmt: skip
    level = "" if not levels[0] else model().levels["home"][int(levels[0]) - 1].name
    if case.listed == "communal" or level not in ("same", *MOVED):
        return "?"
    return "S" if level == "same" else "N"


#: Levels of the home that mean that a person lives elsewhere.
MOVED = ("different", "outcode", "postcode", "flat_differs")


def agrees(case: Case, found: Judgement) -> bool:
    """Is this what the table wants? Its ? wants no more than not to be joined."""
    if found.person != case.person:
        return False
    if case.household == "?":
        return found.household != "S"
    return found.household == case.household


def page() -> str:
    """The table as the handbook prints it."""
    lines: list[str] = []
    group = ""
    for case in cases():
        if case.group != group:
            group = case.group
            lines += ["", f"### {group}", "", "| case | the one | the other | is |",
                      "|---|---|---|---|"]  # fmt: skip
        listed = f" ({case.listed})" if case.listed else ""
        lines.append(
            f"| {case.name}{listed} | {_shown(case.a)} | {_difference(case)} "
            f"| {case.person}/{case.household} |"
        )
    return "\n".join([*lines, ""])


_SHORT = {
    "given_name": "given name", "family_name": "surname", "date_of_birth": "birth date",
    "address_line_1": "address", "address_line_2": "second line", "mobile": "phone",
    "meter_number": "meter", "uprn": "UPRN", "email": "e-mail",
}  # fmt: skip


def _shown(row: Row) -> str:
    """A row in one line; phones and meters by their letters."""
    parts = [f"{row['given_name']} {row['family_name']}".strip() or "no name"]
    parts += [
        _value(name, row[name])
        for name in (*FIELDS[2:], *MORE.values())
        if row.get(name)
    ]
    return ", ".join(parts)


def _difference(case: Case) -> str:
    """What the second row has that the first has not."""
    names = (*FIELDS, *MORE.values())
    differing = [n for n in names if case.a.get(n, "") != case.b.get(n, "")]
    told = [
        f"{_SHORT.get(n, n)} {_plain(n, case.b[n])}"
        if case.b.get(n)
        else f"no {_SHORT.get(n, n)}"
        for n in differing
    ]
    return "; ".join(told) or "the same"


def _value(name: str, value: str) -> str:
    """A value with its field's name where it does not speak for itself."""
    own = name in ("mobile", "meter_number", "uprn")
    return f"{_SHORT[name]} {_plain(name, value)}" if own else value


def _plain(name: str, value: str) -> str:
    """A phone or meter by its letter, anything else as written."""
    letters = {v: k for k, v in STANDS_FOR.items()}
    return letters.get(value, value.strip()) if name in _SHORT else value


def write_page() -> None:
    """Put the table into the handbook, between its two marks."""
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(f"{head}{BEGIN}\n{page()}\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    write_page()
