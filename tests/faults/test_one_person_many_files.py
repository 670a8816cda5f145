"""P2 while rows are in flight: one person in fifty files at once gets one award."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import select

from tests.conftest import FULL
from tests.faults.broken import PATIENCE_S, UNTIL_IDLE, Broken
from tests.faults.promises import assert_kept
from vouchers.domain.matching.features import read_phone
from vouchers.domain.matching.keys import KeyKind
from vouchers.pipeline.context import Context
from vouchers.store.tables.awards import award
from vouchers.store.tables.identity import household, resident
from vouchers.store.tables.intake import contact, referral
from vouchers.store.tables.work import job

pytestmark = pytest.mark.faults

FILES = 50
#: Real processes that work at once where the database lets them.
WORKERS = 4 if FULL else 3


def test_one_person_in_fifty_files_at_once_gets_one_award(broken: Broken) -> None:
    """Whichever file and whichever process is first: one resident, home and award."""
    broken.be_rich()
    me, *others = broken.rows(FILES + 1)
    others = [row for row in others if row["mobile"] != me["mobile"]]
    for n in range(FILES):
        urgent = {"off_supply": "yes", "days_left": ""} if n % 3 == 0 else {}
        again = [{**me, **urgent, "reference": f"me-{n}"}]
        if n % 10 == 0:
            # Within one chunk, too.
            again.append({**me, "reference": f"me-{n}-b"})
        broken.hand_in([*again, {**others[n % len(others)], "reference": f"o-{n}"}])
    embedded = broken.stack.environ["VOUCHERS_BROKER_URL"] == "memory"
    for _ in range(1 if embedded else WORKERS):
        broken.start(*UNTIL_IDLE)
    for process in broken.processes:
        # Fifty files are more than other tests of this house hand in.
        process.join(5 * PATIENCE_S)
    broken.join()
    broken.finish()

    with broken.house() as ctx:
        key = ctx.keys.match_key(KeyKind.MOBILE, read_phone(me["mobile"]))
        with ctx.reading() as conn:
            rows = conn.execute(
                select(referral.c.id, referral.c.resident_id, referral.c.household_id,
                       referral.c.state, referral.c.reason)
                .join(contact, contact.c.referral_id == referral.c.id)
                .where(contact.c.key == key, contact.c.kind == "mobile")
            ).all()  # fmt: skip
            homes = {row.household_id for row in rows}
            awards = conn.scalars(
                select(award.c.id).where(award.c.household_id.in_(homes))
            ).all()
        assert len(rows) == FILES + FILES // 10
        assert {row.resident_id for row in rows} == {rows[0].resident_id}
        assert homes == {rows[0].household_id}
        states = Counter((row.state, row.reason) for row in rows)
        assert len(awards) == 1, states
        assert states.pop(("granted", None), 0) == 1, states
        assert set(states) == {("declined", "already_supported")}, states
        no_chunk_was_given_up(ctx)
        residents_are_counted(ctx)
    assert_kept(broken)


def no_chunk_was_given_up(ctx: Context) -> None:
    """No deadlock, no lock that was waited for in vain: every chunk at its first try.

    A matcher that finds another at work gives its job back, which uses no attempt.
    """
    with ctx.reading() as conn:
        tries = conn.scalars(
            select(job.c.attempts).where(job.c.kind == "deduplicate.chunk")
        ).all()
    assert tries
    assert max(tries) <= 1


def residents_are_counted(ctx: Context) -> None:
    """The register's own count is the number of residents, each with a home."""
    with ctx.reading() as conn:
        people = len(conn.scalars(select(resident.c.id)).all())
        homes = len(conn.scalars(select(household.c.id)).all())
    assert homes <= people
