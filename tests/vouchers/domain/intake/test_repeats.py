"""What a row means when its reference was used before."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from schemas.row import Action, MeterType, ResidentRow
from vouchers.domain.intake.repeats import (
    NEW,
    OPEN,
    Earlier,
    rule_add,
    rule_change,
    same_person,
)
from vouchers.domain.lifecycle import ReferralState
from vouchers.domain.reasons import Reason

TODAY = date(2026, 12, 7)
GRANTED = ReferralState.GRANTED


def before(state: ReferralState, *, days: int = 1, used_up: bool = False) -> Earlier:
    """An earlier request, some days old."""
    return Earlier(7, state, TODAY - timedelta(days=days), used_up)


def add(earlier: Earlier, *, same: bool = True, off_supply: bool = False) -> object:
    """The ruling on a row that is added again."""
    return rule_add([(earlier, same)], off_supply=off_supply, today=TODAY, days=14)


@pytest.mark.parametrize("state", sorted(OPEN))
def test_an_open_request_is_joined_or_corrected(state: ReferralState) -> None:
    """The same again is already received; a change corrects what is unpaid."""
    joined = add(before(state))
    corrected = add(before(state), same=False)
    assert (joined.state, joined.reason, joined.first) == (
        ReferralState.DECLINED,
        Reason.ALREADY_RECEIVED,
        7,
    )
    assert (corrected.state, corrected.ends_first) == (
        ReferralState.RECEIVED,
        Reason.CORRECTED,
    )


@pytest.mark.parametrize(
    ("days", "off_supply", "used_up", "is_new"),
    [
        (13, False, False, False),
        (14, False, False, True),
        (3, True, False, False),
        (3, True, True, True),
        (3, False, True, False),
    ],
)
def test_a_granted_request_is_joined_inside_the_days_between_awards(
    days: int, off_supply: bool, used_up: bool, is_new: bool
) -> None:
    """Unless the home is off supply again and every voucher was used."""
    ruling = add(before(GRANTED, days=days, used_up=used_up), off_supply=off_supply)
    assert (ruling == NEW) is is_new


@pytest.mark.parametrize("state", [ReferralState.DECLINED, ReferralState.WITHDRAWN])
def test_after_another_end_a_row_is_a_new_request(state: ReferralState) -> None:
    """What was declined or withdrawn may be asked for anew at once."""
    assert add(before(state)) == NEW


@pytest.mark.parametrize(
    ("action", "state", "expected", "reason"),
    [
        (Action.CORRECT, ReferralState.WAITING, "received", None),
        (Action.CORRECT, GRANTED, "declined", Reason.TOO_LATE_TO_CORRECT),
        (Action.CORRECT, None, "declined", Reason.NOTHING_TO_CORRECT),
        (Action.WITHDRAW, ReferralState.CHECKING, "withdrawn", Reason.WITHDRAWN),
        (Action.WITHDRAW, GRANTED, "declined", Reason.TOO_LATE_TO_WITHDRAW),
        (Action.WITHDRAW, None, "declined", Reason.NOTHING_TO_WITHDRAW),
    ],
)
def test_corrections_and_withdrawals_act_on_what_is_open(
    action: Action, state: ReferralState | None, expected: str, reason: Reason | None
) -> None:
    """What was issued already is not undone by a row."""
    ruling = rule_change(action, [before(state)] if state else [])
    assert (ruling.state, ruling.reason) == (expected, reason)


def test_two_of_three_facts_make_the_same_person() -> None:
    """A mended name is the same person; another member of the household is not."""

    def person(given: str, family: str, born: date) -> ResidentRow:
        return ResidentRow.model_construct(
            given_name=given,
            family_name=family,
            date_of_birth=born,
            meter_type=MeterType.CREDIT,
        )

    ann = person("Ann", "O'Brien", date(1980, 1, 2))
    assert same_person(ann, person("ANN", "OBrien", date(1980, 2, 1)))
    assert same_person(ann, person("Ann", "Smith", date(1980, 1, 2)))
    assert not same_person(ann, person("Bob", "O'Brien", date(2001, 1, 2)))
