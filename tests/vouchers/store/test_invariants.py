"""Each check finds what it is there to find, and nothing in an honest house."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select, update

from tests.vouchers_at_hand import world
from vouchers.pipeline import integrate
from vouchers.store import invariants
from vouchers.store.tables import awards, identity, intake, messages, money, proof, work


@pytest.fixture
def house(ctx):
    """Four residents with a live voucher each; every event has its number."""
    made = world(ctx, count=4)
    integrate.seal(ctx)
    return made


def broken(ctx):
    """Ids of the checks that find something."""
    with ctx.reading() as conn:
        return [found.check for found in invariants.run(conn, ctx.clock())]


def test_an_honest_house_has_nothing_to_find(house):
    """All promises hold after the ordinary path."""
    assert broken(house.ctx) == []


def test_every_check_has_its_own_number_and_a_promise():
    """Reports name checks by number; numbers are never reused."""
    ids = [check.id for check in invariants.CHECKS]

    assert len(set(ids)) == len(ids)
    assert {check.promise for check in invariants.CHECKS} >= {
        f"P{n}" for n in (1, 2, 3, 4, 5, 6, 8)
    }


def without_guards(ctx, *statements):
    """Change what the guards protect."""
    with ctx.begin() as uow:
        if uow.conn.dialect.name == "postgresql":
            uow.conn.exec_driver_sql("set local session_replication_role = replica")
        else:
            names = uow.conn.exec_driver_sql(
                "select name from sqlite_master where type = 'trigger'"
            ).scalars()
            for name in list(names):
                uow.conn.exec_driver_sql(f"drop trigger {name}")
            uow.conn.exec_driver_sql("pragma defer_foreign_keys = on")
            uow.conn.exec_driver_sql("pragma ignore_check_constraints = on")
        for statement in statements:
            uow.conn.execute(statement)


def _first(table):
    return (
        table.c.id == select(table.c.id).order_by(table.c.id).limit(1).scalar_subquery()
    )


V, A, R = awards.voucher, awards.award, intake.referral
WRONGS = {
    "I01": lambda: update(intake.batch).values(rows_total=5),
    "I05": lambda: (
        update(money.account)
        .where(money.account.c.place == 1)
        .values(balance_pence=money.account.c.balance_pence + 1)
    ),
    "I06": lambda: (
        update(money.account)
        .where(money.account.c.place == 1)
        .values(balance_pence=money.account.c.balance_pence + 1)
    ),
    "I07": lambda: (
        update(money.account)
        .where(money.account.c.place == 1)
        .values(balance_pence=money.account.c.balance_pence + 1)
    ),
    "I08": lambda: update(V).where(_first(V)).values(value_pence=5000),
    "I09": lambda: update(V).where(_first(V)).values(state="released"),
    "I10": lambda: update(money.code).where(_first(money.code)).values(value_pence=1),
    "I11": lambda: update(money.code).where(_first(money.code)).values(voucher_id=None),
    "I14": lambda: (
        update(proof.audit_event)
        .where(proof.audit_event.c.kind == "award.granted")
        .values(kind="awardish.granted")
    ),
    "I16": lambda: delete(proof.audit_leaf).where(proof.audit_leaf.c.seq == 2),
    "I17": lambda: delete(proof.audit_leaf).where(proof.audit_leaf.c.seq == 2),
    "I18": lambda: update(R).where(_first(R)).values(state="matched"),
    "I22": lambda: update(R).where(_first(R)).values(state="waiting"),
    "I23": lambda: update(R).where(_first(R)).values(state="checking"),
    "I24": lambda: delete(V).where(_first(V)),
    "I25": lambda: delete(identity.household),
    "I26": lambda: update(V).where(_first(V)).values(award_id=V.c.award_id + 1),
}


@pytest.mark.parametrize("check", WRONGS)
def test_a_wrong_is_found_by_its_check(house, check):
    """One thing is put wrong; its check says so."""
    without_guards(house.ctx, WRONGS[check]())

    assert check in broken(house.ctx)


def test_a_referral_that_is_carried_by_a_job_is_not_stuck(house):
    """Between two steps there is always a job; then all is well."""
    with house.ctx.begin() as uow:
        from vouchers.store.jobs import JobSpec

        uow.conn.execute(update(R).where(_first(R)).values(state="matched"))
        first = uow.conn.scalar(select(R.c.id).order_by(R.c.id).limit(1))
        uow.enqueue(JobSpec("allocate", "allocate.chunk", items=[first]))

    assert "I18" not in broken(house.ctx)


def test_a_row_that_is_both_accepted_and_refused_is_found(house):
    """P1: exactly one of the two."""
    with house.ctx.begin() as uow:
        first = uow.conn.scalar(select(R.c.id).order_by(R.c.id).limit(1))
        uow.conn.execute(
            insert(intake.row_error).values(
                id=first, batch_id=house.batch, row_no=2, faults=[], created_at=uow.now
            )
        )

    assert {"I01", "I02"} <= set(broken(house.ctx))


def test_a_household_over_its_cap_is_found_unless_a_merge_put_it_there(house):
    """P2: more than three awards in the window, all in one household."""
    with house.ctx.begin() as uow:
        home = uow.conn.scalar(select(A.c.household_id).order_by(A.c.id).limit(1))
        uow.conn.execute(update(A).values(household_id=home))
    assert "I03" in broken(house.ctx)

    with house.ctx.begin() as uow:
        uow.conn.execute(
            update(identity.household)
            .where(identity.household.c.id == home)
            .values(over_cap=True)
        )
    assert "I03" not in broken(house.ctx)


def test_a_message_accepted_twice_is_found(house):
    """P5: the provider took one message for two attempts."""
    award = house.vouchers[0] >> 3
    with house.ctx.begin() as uow:
        uow.conn.execute(
            insert(messages.message).values(
                id=award << 6,
                award_id=award,
                referral_id=award >> 3,
                scheme_id=house.scheme,
                purpose=0,
                generation=0,
                channel="sms",
                state="accepted",
                urgent=0,
                template="award",
                language="en",
                queued_at=uow.now,
                updated_at=uow.now,
            )
        )
        uow.record("message.accepted", award << 6, state="accepted")
    assert "I13" in broken(house.ctx)

    with house.ctx.begin() as uow:
        for number in (1, 2):
            uow.conn.execute(
                insert(messages.attempt).values(
                    id=(award << 6) << 4 | number,
                    message_id=award << 6,
                    number=number,
                    state="accepted",
                    provider="twilio",
                    sender="FuelFund",
                    claimed_at=uow.now,
                )
            )
    assert "I12" in broken(house.ctx)


def test_events_that_nobody_numbers_are_noticed(house, clock):
    """Five minutes without an integrator are too long."""
    with house.ctx.begin() as uow:
        uow.record("scheme.paused", house.scheme)
    assert broken(house.ctx) == []

    clock.now += timedelta(minutes=6)

    assert broken(house.ctx) == ["I15"]


def test_a_silent_worker_s_job_is_noticed(house):
    """A lease long over means that no dispatcher runs."""
    with house.ctx.begin() as uow:
        uow.conn.execute(
            insert(work.job).values(
                queue="send",
                kind="send.chunk",
                lane=1,
                state="running",
                items=[],
                payload={},
                need=0,
                turn=0,
                created_at=uow.now,
                run_at=uow.now,
                lease_until=uow.now - timedelta(days=3650),
            )
        )

    assert broken(house.ctx) == ["I21"]
