"""A question is read by the rules for rows, and may leave out what a row may not."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.row import MeterType
from schemas.scheme import Scheme
from vouchers.domain.intake.asked import (
    QUESTION_MAX,
    Asked,
    parse_question,
    plain_texts,
    read_question,
)
from vouchers.errors import BadFile, Refused

RULES = Scheme.parse(Path("config/scheme.toml").read_text(encoding="utf-8"))
PARTNER: Any = SimpleNamespace(
    refuge=False, safe_contact="sms_ok", agreement_on=date(2026, 1, 1), excluded=[]
)
ANN = {"First name": "Ann", "surname": "Fox", "DOB": "3/4/1980", "postcode": "ls62ab"}


def read(rules: Scheme = RULES, **more: str) -> Any:
    """Ann Fox, with more."""
    return read_question({**ANN, **more}, rules, PARTNER, today=date(2026, 12, 7))


def test_four_fields_are_enough() -> None:
    """What stood in for the rest is taken out again: it must not match anybody."""
    row = read().row
    assert (row.given_name, row.family_name) == ("Ann", "Fox")
    assert (row.date_of_birth, row.postcode) == (date(1980, 4, 3), "LS6 2AB")
    assert (row.address_line_1, row.mobile, row.meter_number) == ("", None, None)
    assert (row.reference, row.worker) == ("", "")


def test_a_row_of_the_usual_file_is_a_question() -> None:
    """Columns that a question has no use for are left alone, even if they are wrong."""
    row = read(
        reference="", worker="", days_left="40", action="withdraw", Notes="x"
    ).row
    assert row.action == "add"


def test_every_fault_is_told_without_its_value() -> None:
    """As for a row of a file."""
    faults = read(mobile="0123", meter_number="77x")
    assert {fault.code for fault in faults} == {
        "mobile_landline", "meter_number_invalid",
    }  # fmt: skip
    missing = read_question({}, RULES, PARTNER, today=date(2026, 12, 7))
    assert isinstance(missing, list)
    assert {fault.column for fault in missing} == {
        "given_name", "family_name", "date_of_birth", "postcode",
    }  # fmt: skip
    with pytest.raises(BadFile, match="Did you mean mobile"):
        read(mobil="07700900001")
    with pytest.raises(BadFile, match="all mean given_name"):
        read(forename="Anna")


def test_a_rule_of_the_scheme_is_an_answer_not_a_fault() -> None:
    """A meter that is stated and not covered; one that is not stated is no matter."""
    only = RULES.eligibility.model_copy(update={"meters": (MeterType.CREDIT,)})
    rules = RULES.model_copy(update={"eligibility": only})
    asked = read(rules, meter_type="prepay_key")
    assert isinstance(asked, Asked)
    assert asked.row is None
    assert [fault.code for fault in asked.not_covered] == ["meter_not_covered"]


def test_csv_and_json_are_read_alike() -> None:
    """A header and one row, or one flat object."""
    as_csv = parse_question('\ufeffgiven_name;dob\r\n"Ann, jr";1980-04-03\r\n\r\n')
    as_json = parse_question('{"given_name": "Ann, jr", "dob": "1980-04-03"}')
    assert as_csv == as_json == {"given_name": "Ann, jr", "dob": "1980-04-03"}
    assert plain_texts({"a": True, "b": 2, "c": None}) == {
        "a": "yes",
        "b": "2",
        "c": "",
    }


@pytest.mark.parametrize(
    "text",
    ["", "  \n", "{", "[1]", "[]", '{"a": {}}', "a,b", "a\n1\n2", "a\n1,2", "a,a\n1,2",
     "x" * (QUESTION_MAX + 1), "{" * 5000],
)  # fmt: skip
def test_what_is_no_question_is_refused(text: str) -> None:
    """In one sentence, never with a trace."""
    with pytest.raises(Refused):
        parse_question(text)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Whatever comes is a question or refused."""
    try:
        found = parse_question(text)
        read_question(found, RULES, PARTNER, today=date(2026, 12, 7))
    except (Refused, BadFile):
        pass
