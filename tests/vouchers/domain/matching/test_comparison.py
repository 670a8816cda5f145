"""Comparing a chunk: whose phone and whose door a machine takes for evidence."""

from __future__ import annotations

from tests.vouchers.domain.matching.test_scoring import LEXICON, MODEL
from vouchers.domain.matching.comparison import Answer, Question, compare_chunk
from vouchers.domain.matching.features import Features, read_features
from vouchers.domain.matching.verdicts import at_home, same_door

OFFICE = "07700900123"


def lodger(given: str, surname: str, born: str, line: str = "9 Park Row") -> Features:
    """Somebody at one door of Park Row who gives the office's phone."""
    return read_features(
        {
            "given_name": given,
            "family_name": surname,
            "date_of_birth": born,
            "address_line_1": line,
            "postcode": "LS6 2AB",
            "mobile": OFFICE,
        }
    )


def met(row: Features, *known: Features) -> Answer:
    """The answer for a row that meets these people."""
    question = Question(row, list(range(len(known))), [])
    faces = {n: [face] for n, face in enumerate(known)}
    (answer,) = compare_chunk(MODEL, LEXICON, [question], faces, registry_size=100_000)
    return answer


DORIS = lodger("Doris", "Webb", "1936-01-09")
ERNEST = lodger("Ernest", "Pike", "1941-10-02", "Room 4, 9 Park Row")
IVY = lodger("Ivy", "Marlow", "1939-05-05", "Room 7, 9 Park Row")


def test_three_surnames_on_one_phone_in_one_building_share_no_home() -> None:
    """The phone is an office's: neither it nor the door says who lives with whom."""
    answer = met(IVY, DORIS, ERNEST)

    assert answer.communal
    assert all(candidate.household < 0.5 for candidate in answer.known)


def test_a_couple_with_one_phone_is_no_hostel() -> None:
    """Two surnames on one phone are a couple."""
    answer = met(ERNEST._replace(flat=""), DORIS)

    assert not answer.communal
    assert answer.known[0].household > 0.9


def test_a_mistyped_surname_is_no_third_person() -> None:
    """Doris written down again with a slip makes no shared house of her home."""
    again = DORIS._replace(surname="weeb")

    assert not met(again, DORIS, ERNEST._replace(flat="")).communal


def test_two_flats_are_two_homes_whatever_is_shared() -> None:
    """A mother in flat 2 and her son in flat 12 share name and phone, not the home."""
    mother = lodger("Rosa", "Quillfeather", "1950-02-20", "Flat 2, 9 Park Row")
    son = lodger("Marco", "Quillfeather", "1978-11-11", "Flat 12, 9 Park Row")

    (apart,) = met(son, mother).known
    (together,) = met(son._replace(flat="2"), mother).known

    assert not at_home(MODEL, apart)
    assert at_home(MODEL, together)


def test_a_mistyped_postcode_leaves_a_door_to_ask_about() -> None:
    """Number and street the same, the postcode one letter off: perhaps one home."""
    mother = lodger("Rosa", "Quillfeather", "1950-02-20")
    son = lodger("Marco", "Quillfeather", "1978-11-11")._replace(postcode="LS6 2AD")

    (maybe,) = met(son, mother).known

    assert maybe.level("home") == "street"
    assert same_door(MODEL, maybe)
    assert not at_home(MODEL, maybe)
