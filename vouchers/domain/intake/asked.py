"""Reads a question about one resident by the rules for rows; nothing else is needed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from schemas.row import ResidentRow
from schemas.scheme import Scheme
from vouchers.domain import eligibility
from vouchers.domain.intake.columns import (
    REQUIRED,
    Field,
    match_header,
    recognise,
)
from vouchers.domain.intake.faults import RowFault
from vouchers.domain.intake.understand import Intake, Partner, Understood
from vouchers.errors import Refused

#: Characters of a question; the longest honest one has under two thousand.
QUESTION_MAX = 20_000

#: What a question must say.
NEEDED = (
    Field.GIVEN_NAME, Field.FAMILY_NAME, Field.DATE_OF_BIRTH, Field.POSTCODE,
)  # fmt: skip
#: What it may say; whatever else a row has is not read.
HELPFUL = (
    Field.ADDRESS_LINE_1, Field.ADDRESS_LINE_2, Field.UPRN, Field.MOBILE, Field.EMAIL,
    Field.METER_NUMBER, Field.METER_TYPE, Field.ENERGY_SUPPLIER, Field.GAS_SUPPLIER,
    Field.OFF_SUPPLY, Field.HOUSEHOLD_SIZE, Field.SAFE_CONTACT,
    Field.SEPARATE_HOUSEHOLD,
)  # fmt: skip
#: Stands in for what a row must have and a question need not; taken out again.
_FILLER_MOBILE = "07700900000"
_FILLER = "-"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was understood."""

    #: None where a rule of the scheme answers for everybody like this.
    row: ResidentRow | None
    not_covered: tuple[RowFault, ...] = ()


def read_question(
    given: Mapping[str, str], scheme: Scheme, partner: Partner, *, today: date
) -> Asked | list[RowFault]:
    """What is asked, or every fault in it at once.

    `given` is heading -> text, by any name that a file's column may have; a heading
    that is nearly one of ours raises BadFile, as in a file.
    """
    said, others = _sorted(given)
    # A slip in an optional heading must not drop it in silence.
    absent = [known for known in (*REQUIRED, Field.DAYS_LEFT) if known not in said]
    match_header([*absent, *(heading for heading, _ in said.values()), *others])
    fillers = {
        Field.REFERENCE: _FILLER,
        Field.WORKER: _FILLER,
        Field.RESIDENT_TOLD: "yes",
        Field.ADDRESS_LINE_1: _FILLER,
        Field.MOBILE: _FILLER_MOBILE,
        Field.METER_TYPE: scheme.eligibility.meters[0].value,
        Field.ENERGY_SUPPLIER: "unknown",
        Field.OFF_SUPPLY: "no",
        Field.HOUSEHOLD_SIZE: "1",
    }
    blank = {known for known in fillers if not said.get(known, ("", ""))[1].strip()}
    cells = dict(said.values())
    for known in (*fillers, *REQUIRED):
        heading = said.get(known, (known.value, ""))[0]
        cells[heading] = fillers[known] if known in blank else cells.get(heading, "")
    # How many days are left is not asked: at risk is for the row to say.
    cells[Field.DAYS_LEFT.value] = "0"
    layout = match_header([*cells, *others])
    verdict = Intake(layout, scheme, partner, today).understand([*cells.values()])
    if isinstance(verdict, Understood):
        return Asked(_without(verdict.row, blank))
    faults = verdict if isinstance(verdict, list) else []
    rules = tuple(fault for fault in faults if fault.code in eligibility.FAULTS)
    if rules and len(rules) == len(faults):
        return Asked(None, rules)
    return [fault for fault in faults if fault not in rules]


def _sorted(
    given: Mapping[str, str],
) -> tuple[dict[Field, tuple[str, str]], list[str]]:
    """The fields we read as (heading, text), and headings that are none of ours."""
    said: dict[Field, tuple[str, str]] = {}
    others = []
    for heading, text in given.items():
        known = recognise(heading)
        if known is None or known in said:
            # Twice the same column: the file's own words for it are in `match_header`.
            others.append(heading)
        elif known in (*NEEDED, *HELPFUL):
            said[known] = (heading, text)
    return said, others


def _without(row: ResidentRow, blank: set[Field]) -> ResidentRow:
    """The row as it was asked, without what stood in for blanks."""
    out: dict[str, object] = {"reference": "", "worker": ""}
    if Field.ADDRESS_LINE_1 in blank:
        out["address_line_1"] = ""
    if Field.MOBILE in blank:
        out["mobile"] = None
    return row.model_copy(update=out)


def parse_question(text: str) -> dict[str, str]:
    """Heading -> text of one JSON object, or of a CSV with a header and one row."""
    if len(text) > QUESTION_MAX:
        raise Refused("a question is about one resident: this is far too long")
    text = text.lstrip("\ufeff").strip()
    if not text:
        raise Refused("no question came: give one row as CSV or one JSON object")
    if text.startswith(("{", "[")):
        return _from_json(text)
    first = text.splitlines()[0]
    mark = max(",;\t|", key=first.count)
    lines = io.StringIO("\n".join(text.splitlines()))
    try:
        rows = [row for row in csv.reader(lines, delimiter=mark) if any(row)]
    except csv.Error:
        raise Refused("this is not a CSV row that we can read") from None
    if len(rows) != 2:
        raise Refused(
            "a question is a header and one row: hand a file in with `vouchers submit`"
        )
    if len(rows[1]) > len(rows[0]):
        raise Refused("the row has more cells than there are columns")
    if len({name.strip() for name in rows[0]}) < len(rows[0]):
        raise Refused("a column stands there twice, or has no name")
    return dict(zip(rows[0], rows[1], strict=False))


def _from_json(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused("this is not JSON that we can read") from None
    return plain_texts(found)


def plain_texts(found: object) -> dict[str, str]:
    """A JSON object's values as a file's cells; Refused where it is no flat object."""
    if not isinstance(found, dict):
        raise Refused("a question is one JSON object: field names and their values")
    texts = {}
    for name, value in found.items():
        if isinstance(value, dict | list):
            raise Refused(f"{str(name)[:40]} is not a single value")
        if isinstance(value, bool):
            value = "yes" if value else "no"
        texts[str(name)] = "" if value is None else str(value)
    return texts
