"""Scores: symmetric, bounded, and better the more agrees."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vouchers.domain.matching.features import Features, read_features
from vouchers.domain.matching.levels import Pairs
from vouchers.domain.matching.model import FIELDS, parse_model
from vouchers.domain.matching.names import parse_lexicon
from vouchers.domain.matching.scoring import GUARD_WORDS, Guard, Scores, score


def data(name: str) -> str:
    """A data file of the matcher."""
    return (files("vouchers.domain.matching") / name).read_text(encoding="utf-8")


MODEL, LEXICON = parse_model(data("model.toml")), parse_lexicon(data("names.toml"))

#: Few values, so that pairs agree often and in every combination.
people = st.builds(
    lambda *values: read_features(
        dict(
            zip(
                ("given_name", "family_name", "date_of_birth", "address_line_1",
                 "postcode", "mobile", "meter_number", "email"),
                values, strict=True,
            )
        )
    ),
    st.sampled_from(["Sarah", "Sara", "Sally", "S", "Hannah Sarah", "Patterson", ""]),
    st.sampled_from(["Patterson", "Paterson", "Sarah", "Reed-Patterson", "Kaur", ""]),
    st.sampled_from(["1985-03-17", "1985-03-11", "1958-03-17", "1999-01-01", ""]),
    st.sampled_from(["14 Mill Lane", "41 Mill Lane", "Flat 2, 14 Mill Lane", ""]),
    st.sampled_from(["LS6 2AB", "LS6 2AD", "BD1 1AA", ""]),
    st.sampled_from(["07700900001", "07700900002", ""]),
    st.sampled_from(["1200023305967", "E10BG12345", ""]),
    st.sampled_from(["s@example.org", ""]),
)  # fmt: skip


def scored(a: Features, b: Features, **how: Any) -> Scores:
    """The score of one pair."""
    return score(MODEL, LEXICON, Pairs([a], [b], **how), registry_size=100_000)


@given(people, people)
@settings(max_examples=300)
def test_the_order_of_a_pair_does_not_matter(a: Features, b: Features) -> None:
    """Comparing a with b is comparing b with a: numbers, levels and guards."""
    there, back = scored(a, b), scored(b, a)
    assert np.allclose(there.person, back.person)
    assert np.allclose(there.household, back.household)
    assert there.guards.tolist() == back.guards.tolist()
    for field in FIELDS:
        assert there.levels[field].tolist() == back.levels[field].tolist()


@given(people, people)
def test_scores_are_chances(a: Features, b: Features) -> None:
    """Both are between 0 and 1 and leave room for 'neither'."""
    found = scored(a, b)
    assert 0 <= found.person[0] <= 1
    assert 0 <= found.household[0] <= 1
    assert found.person[0] + found.household[0] <= 1 + 1e-9


@given(people)
def test_more_agreement_is_more_likely_one_person(a: Features) -> None:
    """Adding the same phone to both sides never makes them less alike."""
    without = a._replace(mobile="")
    with_phone = a._replace(mobile="447700900001")
    before, after = scored(without, without), scored(with_phone, with_phone)
    assert after.person[0] >= before.person[0] - 1e-9


def test_many_pairs_score_as_each_alone() -> None:
    """Batch scoring gives each pair what it gets by itself."""
    a = read_features({"given_name": "Sarah", "family_name": "Patterson"})
    b = read_features({"given_name": "Sally", "postcode": "LS6 2AB"})
    both = score(MODEL, LEXICON, Pairs([a, b, a], [b, a, a]), registry_size=100_000)
    alone = [scored(x, y).person[0] for x, y in ((a, b), (b, a), (a, a))]
    assert np.allclose(both.person, alone)


def test_no_pairs_have_no_scores() -> None:
    """An empty chunk is no error."""
    found = score(MODEL, LEXICON, Pairs([], []), registry_size=5)
    assert found.person.tolist() == []


def test_in_a_communal_home_door_phone_and_meter_say_nothing() -> None:
    """A hostel's address, phone and meter are no evidence of one person or home."""
    row = {"address_line_1": "The Limes", "postcode": "TA1 1AA", "mobile": "0770090001",
           "meter_number": "1200023305967"}  # fmt: skip
    a = read_features(row | {"given_name": "Doris", "family_name": "Webb"})
    b = read_features(row | {"given_name": "Ernest", "family_name": "Pike"})
    found = scored(a, b, communal=np.array([True]))
    assert [field for field, *_ in found.parts(MODEL, 0)] == ["given", "surname"]
    assert found.household[0] < MODEL.review


def test_every_guard_has_words_for_a_reviewer() -> None:
    """No warning is a bare number."""
    assert set(GUARD_WORDS) == set(Guard) - {Guard.NONE}


@pytest.mark.parametrize("field", FIELDS)
def test_every_level_says_where_its_numbers_come_from(field: str) -> None:
    """Each weight of the file has words for people and a source."""
    import tomllib

    table = tomllib.loads(data("model.toml"))["levels"][field]
    assert all(row["words"] and row["why"] for row in table.values())


SARAH = {
    "given_name": "Sarah", "family_name": "Quillfeather", "date_of_birth": "1985-03-17",
    "address_line_1": "14 Mill Lane", "postcode": "LS6 2AB", "mobile": "07700900001",
}  # fmt: skip
MOVED = {"address_line_1": "3 Elm Close", "postcode": "M14 5TP"}
OTHER_PHONE = {"mobile": "07700900002"}


def guards_of(**changes: str) -> Guard:
    """The guards between Sarah and herself with these changes."""
    a, b = read_features(SARAH), read_features({**SARAH, **changes})
    return Guard(int(scored(a, b).guards[0]))


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({**MOVED, **OTHER_PHONE}, True),
        ({**MOVED, "mobile": "", "date_of_birth": "1985-03-11"}, True),
        ({**MOVED, "mobile": "", "family_name": "Quilfeather"}, True),
        ({**MOVED, "mobile": ""}, False),
        ({**MOVED, "date_of_birth": "1985-03-11"}, False),
        (OTHER_PHONE, False),
    ],
)
def test_a_namesake_elsewhere_is_asked_about(
    changes: dict[str, str], *, asked: bool
) -> None:
    """Another home with another phone, or with a name or date only like hers."""
    assert (Guard.NAMESAKE in guards_of(**changes)) == asked


def test_a_common_name_elsewhere_is_asked_about() -> None:
    """Many are called David Jones, and some of them were born on one day."""
    david = {**SARAH, "given_name": "David", "family_name": "Jones", "mobile": ""}
    found = scored(read_features(david), read_features({**david, **MOVED}))

    assert Guard.NAMESAKE in Guard(int(found.guards[0]))


def test_twins_with_like_names_are_asked_about() -> None:
    """Names one letter off, born the same day, one home: twins, unless one phone."""
    ala = read_features({**SARAH, "given_name": "Ala"})
    for phone, asked in (("", True), ("07700900002", True), (SARAH["mobile"], False)):
        ola = read_features({**SARAH, "given_name": "Ola", "mobile": phone})
        found = Guard(int(scored(ala, ola).guards[0]))
        assert (Guard.TWINS in found) == asked


def test_sisters_are_asked_about() -> None:
    """A given name like hers and a birth date like hers may be a sister's."""
    found = guards_of(given_name="Sahrah", date_of_birth="1983-03-17")

    assert Guard.MANY_EDITS in found
