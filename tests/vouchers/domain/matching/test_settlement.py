"""Settlement: households, bridges and moves, decided row by row without a database."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from vouchers.domain.matching.comparison import Answer
from vouchers.domain.matching.model import parse_model
from vouchers.domain.matching.settlement import (
    Arrival,
    Edge,
    Outcome,
    Register,
    ReviewKind,
    settle,
)
from vouchers.domain.matching.verdicts import Candidate, Verdict

MODEL = parse_model(
    (files("vouchers.domain.matching") / "model.toml").read_text(encoding="utf-8")
)
ANNA, BEN, ROW = 10, 20, 30
SAME = [["given", "same", 5.0], ["born", "same", 5.0], ["home", "same", 1.0]]
HOUSEMATE = [["given", "different", -4.0], ["surname", "same", 1.0],
             ["home", "same", 1.0]]  # fmt: skip
AT_THE_DOOR = [["surname", "different", -3.0], ["home", "same", 1.0]]
MOVED = [["given", "same", 5.0], ["born", "same", 5.0], ["home", "different", -3.0]]


def candidate(rid: int, person: float, household: float = 0.0, **more: Any) -> Any:
    """A candidate with its chances."""
    return Candidate(rid, person, household, more.pop("parts", SAME), **more)


def settled(
    *candidates: Any, register: Register | None = None, **arrival: Any
) -> Outcome:
    """What becomes of one row with these candidates."""
    known = register or Register(
        home={ANNA: 1, BEN: 2}, members={1: {ANNA}, 2: {BEN}}, supported={1, 2}
    )
    row = Arrival(ROW, arrival.get("protected", False), arrival.get("separate", False))
    return settle(MODEL, [row], [Answer(list(candidates))], known)[0]


def test_a_bridge_between_two_people_is_a_question() -> None:
    """A row that surely is Anna and surely is Ben joins nobody by itself."""
    outcome = settled(candidate(ANNA, 0.99), candidate(BEN, 0.98))
    assert (outcome.review, outcome.resident_id) == (ReviewKind.SEVERAL, ROW)


def test_a_ruling_settles_a_bridge() -> None:
    """Where people ruled that Anna is not Ben, the likelier of them it is."""
    register = Register(
        home={ANNA: 1, BEN: 2},
        members={1: {ANNA}, 2: {BEN}},
        rulings={(ANNA, BEN): Edge.DIFFERENT},
    )
    outcome = settled(candidate(ANNA, 0.99), candidate(BEN, 0.98), register=register)
    assert (outcome.verdict, outcome.resident_id) == (Verdict.MATCH, ANNA)


def test_a_ruling_that_was_taken_back_settles_nothing() -> None:
    """After an undo the question is open again."""
    register = Register(home={ANNA: 1, BEN: 2}, rulings={(ANNA, BEN): Edge.UNDONE})
    outcome = settled(candidate(ANNA, 0.99), candidate(BEN, 0.98), register=register)
    assert outcome.review is ReviewKind.SEVERAL


def test_a_warning_keeps_a_machine_from_deciding() -> None:
    """However likely, a guarded pair goes to a person."""
    outcome = settled(candidate(ANNA, 0.999, guards=1))
    assert outcome.review is ReviewKind.PERSON


def test_the_thresholds_are_the_models() -> None:
    """From .95 a match, from .05 a question, below somebody new."""
    assert settled(candidate(ANNA, 0.95)).verdict is Verdict.MATCH
    assert settled(candidate(ANNA, 0.949)).verdict is Verdict.REVIEW
    assert settled(candidate(ANNA, 0.05)).verdict is Verdict.REVIEW
    assert settled(candidate(ANNA, 0.049, parts=MOVED)).verdict is Verdict.NEW


def test_moving_in_with_somebody_joins_their_household() -> None:
    """Anna now lives with Ben: from today she belongs to his household."""
    outcome = settled(
        candidate(ANNA, 0.99, parts=MOVED), candidate(BEN, 0.0, 0.9, parts=HOUSEMATE)
    )
    assert (outcome.resident_id, outcome.household_id, outcome.left) == (ANNA, 2, 1)


def test_who_moves_alone_keeps_her_household() -> None:
    """A household of one moves house as it is, with all it has had."""
    outcome = settled(candidate(ANNA, 0.99, parts=MOVED))
    assert (outcome.household_id, outcome.left) == (1, None)


def test_the_door_alone_never_shares_a_household() -> None:
    """Same door, other names: asked where help was given, else its own household."""
    at_door = candidate(BEN, 0.0, 0.3, parts=AT_THE_DOOR)
    assert settled(at_door).review is ReviewKind.HOUSEHOLD
    unhelped = Register(home={BEN: 2}, members={2: {BEN}})
    assert settled(at_door, register=unhelped).household_id == ROW


def test_a_door_that_was_ruled_on_is_not_asked_again() -> None:
    """Anna matches; that she and Ben live apart was ruled before."""
    register = Register(
        home={ANNA: 1, BEN: 2}, members={1: {ANNA}, 2: {BEN}}, supported={2},
        rulings={(ANNA, BEN): Edge.SEPARATE},
    )  # fmt: skip
    outcome = settled(
        candidate(ANNA, 0.99), candidate(BEN, 0.0, 0.3, parts=AT_THE_DOOR),
        register=register,
    )  # fmt: skip
    assert (outcome.verdict, outcome.review) == (Verdict.MATCH, None)


def test_p9_a_protected_row_shares_no_household() -> None:
    """P9: even a sure housemate of another protected person stays on her own."""
    outcome = settled(candidate(BEN, 0.0, 0.99, parts=HOUSEMATE), protected=True)
    assert (outcome.household_id, outcome.review) == (ROW, None)


def test_asking_for_a_household_apart_from_a_helped_one_is_a_question() -> None:
    """Splitting a household that has just had help is not the partner's word alone."""
    register = Register(home={ANNA: 1, BEN: 1}, members={1: {ANNA, BEN}}, supported={1})
    outcome = settled(
        candidate(ANNA, 0.99), candidate(BEN, 0.0, 0.9, parts=HOUSEMATE),
        register=register, separate=True,
    )  # fmt: skip
    assert (outcome.review, outcome.resident_id) == (ReviewKind.HOUSEHOLD, ANNA)
