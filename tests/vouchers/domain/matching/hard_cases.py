"""Reads the table of hard cases, judges its pairs, and prints the handbook's page.

Run by itself it writes the table into `vouchers/web/handbook/matching.md`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from vouchers.domain.matching.comparison import Answer, Question, compare_chunk
from vouchers.domain.matching.features import read_features
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
    return judge_all((case,), turned=turned)[0]


@cache
def judged(*, turned: bool = False) -> dict[str, Judgement]:
    """The judgement of every case of the table, by its name."""
    found = judge_all(cases(), turned=turned)
    return {case.name: one for case, one in zip(cases(), found, strict=True)}


def judge_all(wanted: Sequence[Case], *, turned: bool = False) -> list[Judgement]:
    """Judge many cases, each by itself, all compared at once."""
    rows = [(read_features(case.a), read_features(case.b)) for case in wanted]
    if turned:
        rows = [(b, a) for a, b in rows]
    questions = [
        Question(
            b, [n], [], communal=case.listed == "communal",
            worker_phone=case.listed == "worker's phone",
        )
        for n, (case, (_, b)) in enumerate(zip(wanted, rows, strict=True), start=1)
    ]  # fmt: skip
    faces = {n: [a] for n, (a, _) in enumerate(rows, start=1)}
    answers = compare_chunk(
        model(), lexicon(), questions, faces, registry_size=REGISTER
    )
    pairs = Pairs([a for a, _ in rows], [b for _, b in rows])
    homes = score(model(), lexicon(), pairs, registry_size=REGISTER).levels["home"]
    names = ["", *(level.name for level in model().levels["home"])]
    return [
        _verdict(case, n, answer, names[int(home)])
        for n, (case, answer, home) in enumerate(
            zip(wanted, answers, homes, strict=True), start=1
        )
    ]


def _verdict(case: Case, known: int, answer: Answer, home: str) -> Judgement:
    """One case settled against a register of one person."""
    register = Register(home={known: known}, members={known: {known}},
                        supported={known})  # fmt: skip
    arrival = Arrival(0, case.listed == "protected", case.listed == "separate")
    (outcome,) = settle(model(), [arrival], [answer], register)
    # Pairs that share nothing are not even candidates.
    candidate = next(iter(answer.known), Candidate(known, 0.0, 0.0, ()))
    said = tuple(words(model(), candidate))
    asked = outcome.verdict is Verdict.REVIEW
    if asked and outcome.review == "household":
        return Judgement("D", "?", said)
    if outcome.verdict is Verdict.NEW:
        return Judgement("D", "S" if outcome.household_id == known else "N", said)
    if case.listed == "communal" or home not in ("same", *MOVED):
        return Judgement("R" if asked else "M", "?", said)
    return Judgement("R" if asked else "M", "S" if home == "same" else "N", said)


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
