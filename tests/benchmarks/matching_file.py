"""Reads a generic CSV of people, with or without the truth, as the product reads rows.

Columns: record_id, cluster_id (for the figures), given_name, family_name,
date_of_birth, address, postcode, phone, email. Any value may be empty, any column but
record_id may be absent. What the product would refuse (births before 1902, postcodes of
other countries, short numbers) is kept as it stands: the sets have it.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vouchers.domain.matching.features import (
    PLACEHOLDER_BIRTHS,
    Features,
    read_features,
)

#: What is compared; anything else in the file is ignored and named.
PERSON = (
    "given_name", "family_name", "date_of_birth", "address", "postcode", "phone",
    "email",
)  # fmt: skip
_PLACEHOLDERS = {f"{d:%Y%m%d}" for d in PLACEHOLDER_BIRTHS}
#: How files write 'nothing here'.
_NOTHING = frozenset({"nan", "null", "none", "n/a", "na", "<na>", "nat", "-"})
_JAN_TO_DEC = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTHS = {_JAN_TO_DEC[at : at + 3]: at // 4 + 1 for at in range(0, 48, 4)}
_YEAR_FIRST = re.compile(r"^(\d{4})[-/. ](\d{1,2})(?:[-/. ](\d{1,2}))?(?:[T ].*)?$")
_YEAR_LAST = re.compile(r"^(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})(?:[T ].*)?$")
_IN_WORDS = re.compile(
    r"^(\d{1,2})(?:st|nd|rd|th)?[-/. ]+([a-z]{3})[a-z]*[-/., ]+(\d{4})$"
)
_WORDS_FIRST = re.compile(
    r"^([a-z]{3})[a-z]*[-/. ]+(\d{1,2})(?:st|nd|rd|th)?[-/., ]+(\d{4})$"
)


class UnusableFile(ValueError):
    """The file cannot be read; the message says which line and what to do."""


@dataclass(frozen=True, slots=True)
class People:
    """A file's records as the matcher sees them."""

    ids: list[str]
    #: A number per person, equal for records of one person; None without the truth.
    truth: npt.NDArray[np.int64] | None
    features: list[Features]
    rows: list[dict[str, str]]
    #: Columns of PERSON that hold anything at all.
    filled: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)


def read_people(path: Path, clusters: dict[str, int] | None = None) -> People:
    """Read a file; `clusters` carries the numbers of clusters on to a second file."""
    ids: list[str] = []
    named: list[str] = []
    rows: list[dict[str, str]] = []
    seen: set[str] = set()
    has_truth = True
    for line, row in _records(path):
        number = row.get("record_id", "")
        if not number:
            raise UnusableFile(f"{path}, line {line}: record_id is empty")
        if number in seen:
            raise UnusableFile(
                f"{path}, line {line}: record_id {number!r} is there twice"
            )
        seen.add(number)
        ids.append(number)
        has_truth = has_truth and "cluster_id" in row
        # Nobody else has an empty cluster: such a record stands alone.
        named.append(row.get("cluster_id", "") or f"\0{path}\0{number}")
        rows.append({name: row.get(name, "") for name in PERSON})
    if not ids:
        raise UnusableFile(f"{path} holds no record, only a heading")
    filled = tuple(name for name in PERSON if any(row[name] for row in rows))
    if not filled:
        raise UnusableFile(f"{path}: all of {', '.join(PERSON)} are empty or absent")
    codes = {} if clusters is None else clusters
    truth = np.array([codes.setdefault(name, len(codes)) for name in named])
    month_first = _month_first([row["date_of_birth"] for row in rows])
    return People(
        ids, truth if has_truth else None,
        [read_record(row, month_first=month_first) for row in rows], rows, filled,
    )  # fmt: skip


def _records(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Line number and values of each record, by lower-case heading, trimmed."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UnusableFile(f"{path} cannot be read: {error.strerror}") from error
    text = _decoded(raw)
    head = text.split("\n", 1)[0]
    mark = max(",;\t|", key=head.count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=mark)
    try:
        heading = [name.strip().casefold().replace(" ", "_") for name in next(reader)]
    except StopIteration:
        raise UnusableFile(f"{path} is empty") from None
    if "record_id" not in heading:
        raise UnusableFile(
            f"{path} has no column record_id; its columns are: {', '.join(heading)}"
        )
    values: list[str] = []
    try:
        for values in reader:
            if not any(value.strip() for value in values):
                continue
            if len(values) > len(heading) and any(
                v.strip() for v in values[len(heading) :]
            ):
                raise UnusableFile(
                    f"{path}, line {reader.line_num}: {len(values)} values under "
                    f"{len(heading)} headings; is a comma not in quotes?"
                )
            yield reader.line_num, dict(zip(heading, map(_value, values), strict=False))
        if text.count('"') % 2 and any("\n" in value for value in values):
            raise UnusableFile(f"{path}: a quote is opened that is never closed")
    except csv.Error as error:
        raise UnusableFile(f"{path}, line {reader.line_num}: {error}") from error


def _decoded(raw: bytes) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _value(text: str) -> str:
    text = text.replace("\0", "").strip()
    return "" if text.casefold() in _NOTHING else text


def read_record(row: Mapping[str, str], *, month_first: bool = False) -> Features:
    """One record in comparable form, by the product's rules and then some."""
    read = read_features(
        {
            "given_name": row["given_name"],
            "family_name": row["family_name"],
            "address_line_1": row["address"],
            "postcode": row["postcode"],
            "mobile": row["phone"],
            "email": row["email"],
        }
    )
    return read._replace(
        born=read_date(row["date_of_birth"], month_first=month_first),
        postcode=read.postcode or _foreign_postcode(row["postcode"]),
        mobile=read.mobile or _short_number(row["phone"]),
        email=read.email or row["email"].casefold(),
    )


def read_date(text: str, *, month_first: bool = False) -> int:
    """A date in any usual form as yyyymmdd, even an impossible one; 0 for none."""
    text = text.strip().casefold().removesuffix(".0")
    if re.fullmatch(r"\d{8}", text):
        # 1985… begins with a year, 17031985 ends with one.
        year_last = not 1000 <= int(text[:4]) <= 2100 or (
            int(text[4:6]) > 12 and 1000 <= int(text[4:]) <= 2100
        )
        parts = (text[4:], text[2:4], text[:2]) if year_last else (
            text[:4], text[4:6], text[6:]
        )  # fmt: skip
    elif found := _YEAR_FIRST.match(text):
        parts = (found[1], found[2], found[3] or "1")
    elif found := _YEAR_LAST.match(text):
        day, month = (found[2], found[1]) if month_first else (found[1], found[2])
        parts = (_whole_year(found[3]), month, day)
    elif (found := _IN_WORDS.match(text)) and found[2] in _MONTHS:
        parts = (found[3], str(_MONTHS[found[2]]), found[1])
    elif (found := _WORDS_FIRST.match(text)) and found[1] in _MONTHS:
        parts = (found[3], str(_MONTHS[found[1]]), found[2])
    elif re.fullmatch(r"[12]\d{3}", text):
        parts = (text, "1", "1")
    else:
        return 0
    year, month, day = (int(part) for part in parts)
    packed = f"{year:04}{month:02}{day:02}"
    return 0 if packed in _PLACEHOLDERS or year == 0 else int(packed)


def _whole_year(text: str) -> str:
    if len(text) == 4:
        return text
    return f"20{text}" if int(text) <= 26 else f"19{text}"


def _month_first(texts: Sequence[str]) -> bool:
    """Is it 3/17/1985 rather than 17/3/1985? Told by days that are no months."""
    pairs = [
        (int(found[1]), int(found[2]))
        for text in texts
        if (found := _YEAR_LAST.match(text))
    ]
    return sum(b > 12 for _, b in pairs) > sum(a > 12 for a, _ in pairs)


def _foreign_postcode(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def _short_number(text: str) -> str:
    digits = re.sub(r"\D", "", text)
    return digits if len(digits) >= 4 and len(set(digits)) > 1 else ""
