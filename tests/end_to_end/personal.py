"""What nobody may find: everything in the partners' files by which a person is known.

Left out, because a hit would prove nothing: names of under five letters, names that
are words of our own program, dates written as bare digits (our numbers look the same).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path

from tests.end_to_end.outside import _CODE
from tests.end_to_end.stack import ROOT
from vouchers.pipeline import reading

Row = Mapping[str, str]

_WORD = re.compile(r"[^\W\d_]{5,}")
_DIGITS = re.compile(r"\d(?:[ ()+.-]{0,2}\d){8,}")
_POSTCODE = re.compile(
    r"(?<![a-z\d])[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}(?![a-z\d])", re.IGNORECASE
)
_DATES = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d([-/.])\d\d\1\d\d|\d{1,2}([-/.])\d{1,2}\2(?:19|20)\d\d)"
    r"(?!\d)"
)
_ADDRESS = re.compile(r"(?<!\d)\d+ [a-z]+ [a-z]+", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
_REFERENCE = re.compile(r"(?<![a-z\d])[a-z]{2}\d{5}(?![a-z\d])", re.IGNORECASE)
_ESCAPED = re.compile(r"\\u([0-9a-f]{4})")


@dataclass
class Secrets:
    """Everything of the input in the form in which texts are searched for it."""

    names: set[str] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)
    postcodes: set[str] = field(default_factory=set)
    births: set[date] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)
    references: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    #: Names that are not looked for.
    skipped: set[str] = field(default_factory=set)

    def add(self, row: Row) -> None:
        """Learn what one row of a partner's file says of a person and a worker."""
        named = " ".join(row.get(f"{which}_name", "") for which in ("given", "family"))
        for word in re.findall(r"[^\W\d_]+", f"{named} {row.get('worker', '')}"):
            usual = len(word) < 5 or word.lower() in words_of_ours()
            (self.skipped if usual else self.names).add(word.lower())
        digits = re.sub(r"\D", "", row.get("mobile", ""))
        if len(digits) >= 10:
            self.phones.add(digits[-10:])
        if _POSTCODE.fullmatch(row.get("postcode", "")):
            self.postcodes.add(row["postcode"].replace(" ", "").lower())
        if born := _date(row.get("date_of_birth", "")):
            self.births.add(born)
        self.addresses |= {_.lower() for _ in _ADDRESS.findall(row["address_line_1"])}
        if row.get("email"):
            self.emails.add(row["email"].lower())
        if _REFERENCE.fullmatch(row["reference"]):
            self.references.add(row["reference"].lower())

    def found_in(self, text: str) -> Iterator[str]:
        """Everything personal in a text, with its kind."""
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
        looked: tuple[tuple[str, set[str], Iterable[str]], ...] = (
            ("name", self.names, _names(text)),
            ("phone", self.phones, _windows(text, 10)),
            (
                "postcode",
                self.postcodes,
                (one.replace(" ", "") for one in _lower(_POSTCODE, text)),
            ),
            ("address", self.addresses, _lower(_ADDRESS, text)),
            ("e-mail", self.emails, _lower(_EMAIL, text)),
            ("reference", self.references, _lower(_REFERENCE, text)),
        )
        for kind, known, told in looked:
            for one in known.intersection(told):
                yield f"{kind} {one}"
        for found in _DATES.finditer(text):
            if _date(found[0]) in self.births:
                yield f"date of birth {found[0]}"
        for name in self.files:
            if name in text:
                yield f"file name {name}"


@cache
def words_of_ours() -> frozenset[str]:
    """Words that the program itself says, such as price, street or victoria."""
    told = [
        path.read_text(encoding="utf-8").lower()
        for folder in ("vouchers", "workers", "config", "schemas")
        for path in (ROOT / folder).rglob("*.py")
        if "demo" not in path.parts
    ]
    told.append((ROOT / "config" / "scheme.toml").read_text(encoding="utf-8").lower())
    return frozenset(_WORD.findall("\n".join(told)))


def codes_of(bodies: Iterable[str]) -> set[str]:
    """The voucher codes in these texts, as digits."""
    found = {code for body in bodies for code in _CODE.findall(body)}
    return {re.sub(r"\D", "", code) for code in found}


def codes_in(text: str, codes: Collection[str]) -> set[str]:
    """Which codes stand in a text, with or without blanks."""
    sizes = {len(code) for code in codes}
    told = {one for size in sizes for one in _windows(text, size)}
    return told.intersection(codes)


def rows_of(path: Path) -> Iterator[Row]:
    """The rows of a partner's file under our own column names."""
    with reading.open_table(path) as table:
        places = table.layout.index.items()
        for raw in table.rows():
            cells = [*raw.cells, *[""] * len(table.layout.header)]
            yield {column.value: cells[place] for column, place in places}


def _lower(pattern: re.Pattern[str], text: str) -> set[str]:
    return {found.lower() for found in pattern.findall(text)}


def _names(text: str) -> set[str]:
    """Words as people write names; sealed bytes spell short ones by chance, rArELy."""
    told = set(_WORD.findall(text))
    return {one.lower() for one in told if one.isupper() or one[3:].islower()}


def _windows(text: str, size: int) -> set[str]:
    """Every run of `size` digits, whatever stands between the digits."""
    runs = {re.sub(r"\D", "", found) for found in _DIGITS.findall(text)}
    return {run[at : at + size] for run in runs for at in range(len(run) - size + 1)}


def _date(text: str) -> date | None:
    """A date written with its year first or last, its day before its month."""
    parts = [int(one) for one in re.findall(r"\d+", text)]
    if len(parts) != 3:
        return None
    year, month, day = parts if parts[0] > 31 else reversed(parts)
    with suppress(ValueError):
        return date(year, month, day)
    return None
