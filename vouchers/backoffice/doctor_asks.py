"""The doctor's look at questions about residents: who seems to be fishing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from vouchers.backoffice.finding import Finding
from vouchers.domain import asking
from vouchers.store import asks

#: Days over which questions are held against rows handed in.
LOOK_BACK_DAYS = 30
#: Fewer questions than this in that time are nobody's pattern.
ASKED_MIN = 100
#: So many questions for each row handed in are not for the sake of the rows.
PER_ROW = 5


def examine(conn: Connection, now: datetime) -> list[Finding]:
    """Partners that met a limit in the last day, or ask far more than they hand in."""
    return [_turned_away(conn, now), _out_of_proportion(conn, now)]


def _turned_away(conn: Connection, now: datetime) -> Finding:
    since = asking.slot_of(now) - asking.DAY_SLOTS
    met = [
        one
        for one in asks.by_partner(conn, since_slot=since, since_day=now.date())
        if one.turned_away
    ]
    if not met:
        return Finding("asks", "ok", "nobody met the limit of questions in a day")
    hints = tuple(
        f"{one.partner}: {one.asked:,} answered, {one.turned_away:,} turned away"
        for one in met
    )
    return Finding(
        "asks",
        "warn",
        f"{_partners(met)} met the limit of questions about residents in a day",
        (*hints, "who asked stands in the audit log under check.asked; if it looks "
         "like fishing, `vouchers people suspend HANDLE`"),
    )  # fmt: skip


def _out_of_proportion(conn: Connection, now: datetime) -> Finding:
    since = now - timedelta(days=LOOK_BACK_DAYS)
    odd = [
        one
        for one in asks.by_partner(
            conn, since_slot=asking.slot_of(since), since_day=since.date()
        )
        if one.asked >= ASKED_MIN and one.asked > PER_ROW * one.handed_in
    ]
    if not odd:
        sentence = "partners ask about residents whom they then hand in"
        return Finding("asks_for_rows", "ok", sentence)
    hints = tuple(
        f"{one.partner}: {one.asked:,} questions, {one.handed_in:,} rows" for one in odd
    )
    return Finding(
        "asks_for_rows",
        "warn",
        f"{_partners(odd)} asked for far more residents than handed in, in "
        f"{LOOK_BACK_DAYS} days",
        (*hints, "talk to them: a question is for somebody about to be helped"),
    )


def _partners(found: Sequence[asks.Asked]) -> str:
    return "1 partner" if len(found) == 1 else f"{len(found)} partners"
