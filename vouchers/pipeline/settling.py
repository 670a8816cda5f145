"""Writes down what was judged: awards, places on the waitlist, states, events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vouchers.domain.caps import Judgement
from vouchers.domain.lifecycle import ReferralState
from vouchers.domain.reasons import Reason
from vouchers.pipeline import granting
from vouchers.pipeline.judging import Bench, Declined, Granted, Outcome, Waits
from vouchers.store import awards
from vouchers.store.awards import Waiting
from vouchers.store.bulk import insert_rows, update_by
from vouchers.store.sealing import Keyring
from vouchers.store.tables.awards import waitlist
from vouchers.store.tables.intake import referral
from vouchers.store.unit_of_work import UnitOfWork


def settle(
    uow: UnitOfWork,
    keys: Keyring,
    bench: Bench,
    outcomes: Sequence[Outcome],
    places: Mapping[int, Waiting],
) -> None:
    """Write down what was decided: awards, places on the waitlist, referral states."""
    granting.write(
        uow,
        keys,
        bench.rules,
        [
            one.grant
            for one in outcomes
            if isinstance(one, Granted) and one.grant is not None
        ],
    )
    waits = [one for one in outcomes if isinstance(one, Waits)]
    _write_places(uow, waits, places)
    changed = [one for one in outcomes if _is_news(one, places)]
    update_by(uow.conn, referral, [_state(uow, one) for one in changed])
    awards.leave_waitlist(
        uow.conn,
        [
            one.row.id
            for one in outcomes
            if not isinstance(one, Waits) and one.row.id in places
        ],
    )
    for one in changed:
        _record(uow, one)


def _is_news(one: Outcome, places: Mapping[int, Waiting]) -> bool:
    place = places.get(one.row.id)
    return not (
        isinstance(one, Waits) and place is not None and place.rule == one.rule.value
    )


def _write_places(
    uow: UnitOfWork, waits: Sequence[Waits], places: Mapping[int, Waiting]
) -> None:
    def place(one: Waits) -> dict[str, Any]:
        return {
            "referral_id": one.row.id,
            "supply_version": one.supply_version,
            "rule": one.rule.value,
            "detail": one.decision.judged() if one.decision else None,
        }

    insert_rows(
        uow.conn,
        waitlist,
        [
            place(one)
            | {
                "scheme_id": one.row.scheme_id,
                "need_rank": one.row.need_rank,
                # Waiting is counted from receipt: that is when the need was known.
                "since": one.row.received_at,
            }
            for one in waits
            if one.row.id not in places
        ],
    )
    update_by(
        uow.conn,
        waitlist,
        [place(one) for one in waits if one.row.id in places],
        key="referral_id",
    )


def _state(uow: UnitOfWork, one: Outcome) -> dict[str, Any]:
    state, reason, next_on, decided = ReferralState.GRANTED, None, None, True
    if isinstance(one, Granted):
        if one.grant is not None and one.grant.decision.is_partial:
            reason = Reason.GRANTED_IN_PART.value
    elif isinstance(one, Declined):
        state, reason, next_on = ReferralState.DECLINED, one.reason.value, one.next_on
    else:
        state, reason, decided = ReferralState.WAITING, one.rule.value, False
    return {
        "id": one.row.id,
        "state": state.value,
        "reason": reason,
        "next_on": next_on,
        "judged": {**(one.row.judged or {}), "award": _judged(one)},
        "decided_at": uow.now if decided else None,
        "updated_at": uow.now,
    }


def _judged(one: Outcome) -> dict[str, Any]:
    """What `explain` tells of the decision: numbers, rules and codes only."""
    judgement: Judgement | None = None
    told: dict[str, Any] = {}
    if isinstance(one, Granted) and one.grant is not None:
        told, judgement = one.grant.decision.judged(), one.grant.judgement
    elif isinstance(one, Waits):
        told = one.decision.judged() if one.decision else {}
        told["rule"] = one.rule.value
    elif isinstance(one, Declined):
        judgement = one.judgement
        told["rule"] = one.reason.value
    if judgement is not None:
        told["caps"] = {"count": judgement.count, "pence": judgement.pence}
    return told


def _record(uow: UnitOfWork, one: Outcome) -> None:
    if isinstance(one, Granted):
        award = one.grant.award_id if one.grant else None
        uow.record("referral.granted", one.row.id, state="granted", award=award)
    elif isinstance(one, Declined):
        uow.record(
            "referral.declined",
            one.row.id,
            state="declined",
            reason=one.reason.value,
            next_on=one.next_on.isoformat() if one.next_on else None,
            household=one.row.household_id,
        )
    else:
        uow.record(
            "referral.waiting",
            one.row.id,
            state="waiting",
            rule=one.rule.value,
            supply_version=one.supply_version,
        )
