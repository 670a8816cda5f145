"""Awards are decided in chunks: enough for all, too little for all, in any order."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from tests.money import Fund, open_fund
from vouchers.domain.ids import Place
from vouchers.pipeline import allocate
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store.jobs import ClaimedJob
from vouchers.store.tables.awards import voucher
from vouchers.store.tables.intake import batch, referral
from vouchers.store.tables.messages import message
from vouchers.store.tables.money import code
from vouchers.store.tables.proof import audit_event
from vouchers.store.tables.work import job as jobs

FULL = 9_800


def _hurry(ctx: Context) -> None:
    """Let no job wait for its time."""
    with ctx.begin(name="test") as uow:
        uow.conn.execute(
            update(jobs).where(jobs.c.state == "ready").values(run_at=jobs.c.created_at)
        )


def _run(fund: Fund, ids: list[int], **payload: int) -> None:
    fund.allocate(ids, **payload)
    carry_all(fund.ctx, ["allocate"])


@pytest.fixture
def fund(ctx: Context) -> Fund:
    """The default scheme with a pool and no money."""
    return open_fund(ctx)


def test_a_matched_referral_becomes_vouchers_with_codes_and_a_text(fund: Fund) -> None:
    """Two vouchers of 49 pounds are live, charged to the gift, and a text is queued."""
    fund.give("gift", 100_000)
    ids = fund.refer(3)
    _run(fund, ids)
    assert fund.states(ids) == ["granted"] * 3
    assert [row.value_pence for row in fund.vouchers()] == [4_900] * 6
    assert fund.left("gift") == 100_000 - 6 * 4_900
    assert fund.places("gift")[Place.ISSUED] == 6 * 4_900
    with fund.ctx.reading() as conn:
        assert len(conn.execute(select(message)).all()) == 3
        held = conn.execute(select(code)).all()
    assert len({row.digest for row in held}) == 6
    plain = fund.ctx.keys.open("code.sealed", held[0].id, held[0].sealed).decode()
    assert len(plain) == 18 and plain.startswith("61")
    fund.assert_books_balance()


def test_the_same_chunk_twice_grants_once(fund: Fund) -> None:
    """A step run twice finds its own work and adds nothing."""
    fund.give("gift", 100_000)
    ids = fund.refer(3)
    _run(fund, ids)
    _run(fund, ids)
    assert len(fund.awards()) == 3
    fund.assert_books_balance()


def test_need_goes_before_the_order_of_the_chunk(fund: Fund) -> None:
    """With money for one, the home off supply gets it although it stands last."""
    fund.give("gift", FULL)
    late = fund.refer(2, days_left=3)
    urgent = fund.refer(1, off_supply=True)
    _run(fund, late + urgent)
    assert fund.states(late + urgent) == ["waiting", "waiting", "granted"]
    assert fund.place(late[0]).rule == "no_money"


def test_the_part_that_is_payable_is_granted_and_the_residue_is_told(
    fund: Fund,
) -> None:
    """Of 80 pounds a family gets 49 and 28; the three left are under any voucher."""
    fund.give("gift", 8_000)
    ids = fund.refer(2)
    _run(fund, ids)
    assert fund.states(ids) == ["granted", "waiting"]
    assert [row.value_pence for row in fund.vouchers()] == [4_900, 2_800]
    (award,) = fund.awards()
    assert (award.amount_pence, award.full_pence) == (7_700, FULL)
    assert fund.left("gift") == 300


def test_vouchers_of_one_award_may_be_charged_to_two_gifts(fund: Fund) -> None:
    """Each voucher has one gift; the earliest ending is drawn on first."""
    today = fund.ctx.clock().date()
    later = fund.give("later", 4_900)
    sooner = fund.give("sooner", 4_900, ends_on=today + timedelta(days=60))
    _run(fund, fund.refer(1))
    assert [row.contribution_id for row in fund.vouchers()] == [sooner, later]


def test_a_voucher_never_outlives_the_money_behind_it(fund: Fund) -> None:
    """30 days from today, or the end of the gift if that comes first."""
    today = fund.ctx.clock().date()
    fund.give("gift", FULL, ends_on=today + timedelta(days=20))
    _run(fund, fund.refer(1))
    assert {row.expires_on for row in fund.vouchers()} == {today + timedelta(days=20)}


def test_money_for_other_areas_is_skipped_and_the_rule_is_stored(fund: Fund) -> None:
    """A referral outside every gift's area waits, and explain can say why."""
    gift = fund.give("north", FULL, restrictions={"regions": ["north"]})
    (elsewhere,) = fund.refer(1, region="south")
    _run(fund, [elsewhere])
    row = fund.referral(elsewhere)
    assert (row.state, row.reason) == ("waiting", "restricted")
    assert row.judged["award"]["skipped"] == {"restricted": [gift]}


def test_a_newcomer_competes_with_those_who_wait(fund: Fund) -> None:
    """A chunk decides together with the waitlist: the needier of both is served."""
    (waiting,) = fund.refer(1, days_left=1)
    _run(fund, [waiting])
    with fund.ctx.begin(name="test") as uow:  # money comes; its drain is not run yet
        uow.conn.execute(update(jobs).values(state="done"))
    fund.give("gift", FULL)
    (newcomer,) = fund.refer(1, days_left=3)
    fund.allocate([newcomer])
    with fund.ctx.begin(name="test") as uow:
        uow.conn.execute(
            update(jobs).where(jobs.c.kind == "allocate.drain").values(state="done")
        )
    carry_all(fund.ctx, ["allocate"])
    assert fund.states([waiting, newcomer]) == ["granted", "waiting"]


def test_scarce_money_is_kept_for_needier_rows_on_their_way(fund: Fund) -> None:
    """A row waits while a needier one is in flight, and is served if money is left."""
    fund.give("gift", FULL)
    (needier,) = fund.refer(1, off_supply=True)  # still in another chunk
    (row,) = fund.refer(1, days_left=3)
    fund.allocate([row])
    carry_all(fund.ctx, ["allocate"])
    assert fund.place(row).rule == "needier_in_flight"
    _run(fund, [needier])
    _hurry(fund.ctx)
    carry_all(fund.ctx, ["allocate"])
    assert fund.states([needier, row]) == ["granted", "waiting"]
    assert fund.place(row).rule == "no_money"


def test_who_waited_for_needier_rows_is_served_when_these_need_nothing(
    fund: Fund,
) -> None:
    """The needier row turns out to be withdrawn; the drain gives its money on."""
    fund.give("gift", FULL)
    (needier,) = fund.refer(1, off_supply=True)
    (row,) = fund.refer(1, days_left=3)
    _run(fund, [row])
    with fund.ctx.begin(name="test") as uow:
        uow.conn.execute(
            update(referral).where(referral.c.id == needier).values(state="withdrawn")
        )
    _hurry(fund.ctx)
    carry_all(fund.ctx, ["allocate"])
    assert fund.states([row]) == ["granted"]


def test_rows_of_a_stopped_file_do_not_hold_money_back(fund: Fund) -> None:
    """A person has to let a stopped file go on; scarce money does not wait for that."""
    fund.give("gift", FULL)
    stopped = fund.refer(5, off_supply=True, partner_id=fund.partners[1])
    with fund.ctx.begin(name="test") as uow:
        uow.conn.execute(
            update(batch)
            .where(batch.c.partner_id == fund.partners[1])
            .values(state="stopped")
        )
    (row,) = fund.refer(1)
    _run(fund, [row])
    assert fund.states([row]) == ["granted"]
    assert fund.states(stopped) == ["matched"] * 5


def test_when_money_is_plentiful_nobody_waits_for_anybody(fund: Fund) -> None:
    """Rows in flight do not matter when there is enough for all of them."""
    fund.give("gift", 5_000_000)
    fund.refer(20, off_supply=True)
    (row,) = fund.refer(1)
    _run(fund, [row])
    assert fund.states([row]) == ["granted"]


def test_a_household_gets_one_award_in_two_weeks_from_whichever_partner(
    fund: Fund,
) -> None:
    """The second referral joins the first award and learns the next date."""
    fund.give("gift", 100_000)
    (one,) = fund.refer(1)
    (two,) = fund.refer(1, partner_id=fund.partners[1], household_id=one)
    _run(fund, [one, two])
    row = fund.referral(two)
    assert (row.state, row.reason) == ("declined", "already_supported")
    assert row.next_on == fund.ctx.clock().date() + timedelta(days=14)
    assert len(fund.awards()) == 1


def test_a_home_off_supply_again_is_helped_when_all_was_used(fund: Fund) -> None:
    """Inside two weeks, but every voucher is redeemed and the power is out."""
    fund.give("gift", 100_000)
    (one,) = fund.refer(1)
    _run(fund, [one])
    with fund.ctx.begin(name="test") as uow:
        uow.conn.execute(update(voucher).values(state="redeemed", redeemed_pence=4_900))
    (calm,) = fund.refer(1, household_id=one)
    (again,) = fund.refer(1, household_id=one, off_supply=True)
    _run(fund, [calm])
    _run(fund, [again])
    assert fund.states([calm, again]) == ["declined", "granted"]


def test_the_fourth_award_in_half_a_year_is_refused_with_the_next_date(
    fund: Fund,
) -> None:
    """Three awards in 183 days; the first to leave the window names the date."""
    fund.give("gift", 200_000)
    first_day = fund.ctx.clock().date()
    (home,) = fund.refer(1)
    ids = [home]
    _run(fund, ids)
    for _ in range(3):
        fund.ctx.clock.forward(days=20)  # type: ignore[attr-defined]
        ids += fund.refer(1, household_id=home)
        _run(fund, ids[-1:])
    assert fund.states(ids) == ["granted"] * 3 + ["declined"]
    last = fund.referral(ids[-1])
    assert last.reason == "cap_awards"
    assert last.next_on == first_day + timedelta(days=183)


def test_released_vouchers_no_longer_count(fund: Fund) -> None:
    """An award whose vouchers all went back unused is as if it had not been."""
    fund.give("gift", 100_000)
    (one,) = fund.refer(1)
    _run(fund, [one])
    with fund.ctx.begin(name="test") as uow:
        uow.conn.execute(update(voucher).values(state="released"))
    (two,) = fund.refer(1, household_id=one)
    _run(fund, [two])
    assert fund.states([two]) == ["granted"]


def test_of_a_protected_resident_no_reason_and_no_date_leaks(fund: Fund) -> None:
    """Another partner's award is neither named nor dated for a protected row."""
    fund.give("gift", 100_000)
    (one,) = fund.refer(1, protected=True)
    (two,) = fund.refer(
        1, protected=True, household_id=one, partner_id=fund.partners[1]
    )
    _run(fund, [one])
    _run(fund, [two])
    row = fund.referral(two)
    assert (row.state, row.reason, row.next_on) == ("declined", "not_eligible", None)


def test_no_code_is_bound_when_no_channel_can_deliver(fund: Fund) -> None:
    """A resident who must not be texted gets no code that nobody could hand over."""
    fund.give("gift", 100_000)
    ids = fund.refer(1, safe_contact="none")
    _run(fund, ids)
    assert fund.referral(ids[0]).reason == "no_contact_route"
    assert fund.vouchers() == []


def test_a_row_that_cannot_be_decided_is_held_and_its_neighbours_go_on(
    fund: Fund,
) -> None:
    """A matched row without a household is a fault of ours: held, visible, alone."""
    fund.give("gift", 100_000)
    good, bad = fund.refer(2), fund.refer(1)
    with fund.ctx.begin(name="test") as uow:
        uow.conn.execute(
            update(referral).where(referral.c.id == bad[0]).values(household_id=None)
        )
    _run(fund, good + bad)
    assert fund.states(good + bad) == ["granted", "granted", "held"]
    assert fund.referral(bad[0]).reason == "failed_here"


def test_every_award_leaves_an_event_from_which_the_books_can_be_replayed(
    fund: Fund,
) -> None:
    """Events name vouchers and transfers, and nothing that opens a till."""
    fund.give("gift", 100_000)
    ids = fund.refer(2)
    _run(fund, ids)
    with fund.ctx.reading() as conn:
        events = conn.execute(
            select(audit_event).where(audit_event.c.kind == "award.granted")
        ).all()
        sealed = conn.execute(select(code)).all()
    assert len(events) == 2
    told = " ".join(event.body for event in events)
    assert told.count('"issue:') == 4
    for row in sealed:
        plain = fund.ctx.keys.open("code.sealed", row.id, row.sealed).decode()
        assert plain not in told


@pytest.mark.postgres
def test_racing_chunks_pass_no_cap_and_spend_no_penny_twice(
    postgres_url: str, tmp_path: object, clock: object
) -> None:
    """Eight threads, a nearly empty pool, one home in every chunk: P2 and P3 hold."""
    from tests.conftest import settings_for
    from vouchers.bootstrap import build
    from vouchers.store.sealing import Keyring

    settings = settings_for(postgres_url, tmp_path)  # type: ignore[arg-type]
    Keyring.create(settings.keys)
    app = build(settings, clock=clock, migrate=True)  # type: ignore[arg-type]
    fund = open_fund(app.context)
    fund.give("gift", 30 * FULL + 1_000)
    (home,) = fund.refer(1)
    chunks = [
        [*fund.refer(9, days_left=1 + n % 4), *fund.refer(1, household_id=home)]
        for n in range(8)
    ]
    chunks[0].append(home)
    for ids in chunks:
        fund.allocate(ids)
    failures: list[BaseException] = []

    def carry() -> None:
        try:
            carry_all(app.context, ["allocate"])
        except BaseException as error:
            failures.append(error)

    for _ in range(6):
        threads = [threading.Thread(target=carry) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        _hurry(app.context)
    carry_all(app.context, ["allocate"])
    assert not failures
    everyone = [number for ids in chunks for number in ids]
    states = fund.states(everyone)
    assert set(states) <= {"granted", "declined", "waiting"}
    assert len([row for row in fund.awards() if row.household_id == home]) <= 1
    assert fund.left("gift") < 2_800
    fund.assert_books_balance()
    # Need before arrival: whoever waits is no needier than anybody who was served.
    served = [fund.referral(row.referral_id).need_rank for row in fund.awards()]
    waiting = [
        fund.referral(number).need_rank
        for number, state in zip(everyone, states, strict=True)
        if state == "waiting"
    ]
    assert not waiting or max(served) <= min(waiting)
    app.context.engine.dispose()


def test_a_hold_leaves_a_decided_row_alone(fund: Fund) -> None:
    """A job that fails late does not take back what was granted."""
    fund.give("gift", 100_000)
    ids = fund.refer(1)
    _run(fund, ids)
    done = ClaimedJob(
        1,
        "allocate",
        "allocate.chunk",
        1,
        ids,
        {},
        0,
        0,
        None,
        "t",
        None,
        0,  # type: ignore[arg-type]
    )
    with fund.ctx.begin(name="test") as uow:
        allocate.hold(uow, done, "Oops")
    assert fund.states(ids) == ["granted"]
