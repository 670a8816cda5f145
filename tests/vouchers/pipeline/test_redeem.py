"""A network's file moves exactly the money it speaks of, once, whatever goes wrong."""

from datetime import date

import pytest
from sqlalchemy import select

from tests.vouchers_at_hand import NETWORK, world
from vouchers.errors import BadFile, Refused
from vouchers.pipeline import carry, expire, integrate, redeem
from vouchers.store import invariants
from vouchers.store.tables.awards import award, redemption
from vouchers.store.tables.proof import audit_event

HEAD = "Code,Transaction ID,Type,Amount,Balance,Date\n"


@pytest.fixture
def house(ctx):
    """Three live vouchers of 49 pounds from a gift of 1,000 pounds."""
    made = world(ctx, count=3)
    yield made
    assert promises_broken(ctx) == []


def promises_broken(ctx):
    """What the database itself has to complain of, once all events are numbered."""
    integrate.seal(ctx)
    with ctx.reading() as conn:
        return invariants.run(conn, ctx.clock())


def hand_in(house, tmp_path, *lines, head=HEAD, name="feed.csv", **more):
    """Import a file with these lines and apply it."""
    path = tmp_path / name
    path.write_text(head + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    receipt = redeem.import_feed(house.ctx, NETWORK, path, "fin/cli", **more)
    carry.carry_all(house.ctx)
    return receipt


def code(house, n=0):
    """The plain code of the nth voucher."""
    return house.codes[house.vouchers[n]]


def test_a_used_code_moves_its_money_to_redeemed(house, tmp_path):
    """Issued becomes redeemed, to the penny, with one event."""
    receipt = hand_in(
        house, tmp_path, f"{code(house)},T1,redeem,49.00,0.00,2026-12-08 10:00"
    )

    assert (receipt.lines, receipt.new, receipt.repeated) == (1, 1, 0)
    assert house.voucher().state == "redeemed"
    assert house.balances() == {
        "given": 100_000,
        "available": 100_000 - 3 * 4900,
        "issued": 2 * 4900,
        "redeemed": 4900,
    }
    assert house.discrepancies() == []


def test_the_same_file_again_changes_nothing(house, tmp_path):
    """Imported twice, also under another name: the second time nothing is new."""
    line = f"{code(house)},T1,redeem,49.00,,2026-12-08"
    hand_in(house, tmp_path, line)

    again = hand_in(house, tmp_path, line, name="again.csv")

    assert (again.already, again.new, again.repeated) == (True, 0, 1)
    assert house.balances()["redeemed"] == 4900


def test_the_same_transaction_in_another_file_counts_once(house, tmp_path):
    """A cumulative feed repeats earlier days."""
    first = f"{code(house)},T1,partial,10.00,,2026-12-08"
    hand_in(house, tmp_path, first)

    more = hand_in(
        house, tmp_path, first, f"{code(house)},T2,redeem,39.00,0,2026-12-09"
    )

    assert (more.already, more.new, more.repeated) == (False, 1, 1)
    assert house.voucher().state == "redeemed"
    assert house.balances()["redeemed"] == 4900


def test_a_transaction_that_comes_back_with_other_content_is_questioned(
    house, tmp_path
):
    """Same number, other amount: the first one stands, a person decides."""
    hand_in(house, tmp_path, f"{code(house)},T1,partial,10.00,,2026-12-08")

    hand_in(house, tmp_path, f"{code(house)},T1,partial,11.00,,2026-12-08")

    assert house.balances()["redeemed"] == 1000
    assert house.discrepancies() == [("conflicting", 1100)]


def test_unknown_codes_and_unreadable_lines_stop_nobody(house, tmp_path):
    """Each odd line is a discrepancy; its neighbours are booked."""
    hand_in(
        house,
        tmp_path,
        "9999000011112222,T1,redeem,49.00,,2026-12-08",
        f"{code(house)},T2,teleported,49.00,,2026-12-08",
        f"{code(house, 1)},T3,redeem,49.00,,2026-12-08",
    )

    assert house.discrepancies() == [("unreadable", 0), ("unknown_code", 4900)]
    assert house.balances()["redeemed"] == 4900
    assert house.voucher(1).state == "redeemed"


def test_more_than_the_value_is_booked_up_to_the_value(house, tmp_path):
    """The excess is the network's to explain."""
    hand_in(house, tmp_path, f"{code(house)},T1,redeem,60.00,,2026-12-08")

    assert house.balances()["redeemed"] == 4900
    assert house.discrepancies() == [("over_value", 1100)]


def test_a_reversed_use_can_be_used_again(house, tmp_path):
    """Redeemed, reversed, redeemed again: the lines are told in their order."""
    hand_in(
        house,
        tmp_path,
        f"{code(house)},T2,redeem,49.00,,2026-12-09 12:00",
        f"{code(house)},T1,reversed,-49.00,,2026-12-08 12:01",
        f"{code(house)},T1,redeem,49.00,,2026-12-08 12:00",
    )

    assert house.voucher().state == "redeemed"
    assert house.balances()["redeemed"] == 4900
    assert house.discrepancies() == []


def test_expiry_stops_use_and_waits_for_the_network(house, clock):
    """After midnight of the last day nothing is usable, and no money has moved yet."""
    clock.now = clock.now.replace(day=21, hour=0, minute=5)
    before = house.balances()

    swept = expire.sweep(house.ctx)

    assert (swept.expired, swept.released) == (3, 0)
    assert house.voucher().state == "awaiting_network"
    assert house.balances() == before


def test_nothing_expires_on_its_last_day(house, clock):
    """A voucher is good until the end of its last local day."""
    clock.now = clock.now.replace(day=20, hour=23, minute=50)

    assert expire.sweep(house.ctx).expired == 0


def test_the_money_goes_home_when_the_feed_covers_the_last_day(house, clock, tmp_path):
    """Covered without a gap: unused pence are available again, to the penny."""
    covers = (date(2026, 12, 1), date(2026, 12, 20))
    clock.now = clock.now.replace(day=22)
    hand_in(
        house,
        tmp_path,
        f"{code(house)},T1,partial,9.00,,2026-12-19",
        f"{code(house, 1)},T2,redeem,49.00,,2026-12-20 23:59",
        covers=covers,
    )

    swept = expire.sweep(house.ctx)

    assert (swept.expired, swept.released, swept.released_pence) == (2, 2, 8900)
    assert house.balances() == {
        "given": 100_000,
        "available": 100_000 - 900 - 4900,
        "redeemed": 900 + 4900,
    }
    assert [house.voucher(n).state for n in range(3)] == [
        "released",
        "redeemed",
        "released",
    ]
    assert expire.sweep(house.ctx) == expire.Swept()


def test_a_gap_in_the_feed_keeps_the_money_where_it_is(house, clock, tmp_path):
    """A missing day is a discrepancy; only the settlement lag overrules it."""
    clock.now = clock.now.replace(day=22)
    for name, first, last in (("a", 1, 10), ("b", 12, 21)):
        hand_in(
            house,
            tmp_path,
            name=name,
            covers=(date(2026, 12, first), date(2026, 12, last)),
        )

    swept = expire.sweep(house.ctx)
    clock.forward(days=7)
    later = expire.sweep(house.ctx)

    assert (swept.expired, swept.released) == (3, 0)
    assert house.discrepancies() == [("missing_day", 0)]
    assert later.released == 3


def test_released_money_serves_the_waitlist(house, clock):
    """Whoever waited for money is looked at again after a release."""
    clock.now = clock.now.replace(day=30)
    expire.sweep(house.ctx)

    with house.ctx.reading() as conn:
        kinds = conn.scalars(select(audit_event.c.kind)).all()
        ended = conn.scalars(select(award.c.state)).all()
    assert kinds.count("voucher.expired") == kinds.count("voucher.released") == 3
    assert ended == ["ended"] * 3


@pytest.mark.parametrize("left", [100_000, 2 * 4900 + 1_000])
def test_a_use_after_release_is_paid_and_questioned(ctx, clock, tmp_path, left):
    """From what is available, else from suspense; the gift's own sum stays right."""
    house = world(ctx, count=2, gift_pence=left)
    clock.now = clock.now.replace(day=30)
    expire.sweep(ctx)
    spend_all_but(house, 1_000)

    hand_in(house, tmp_path, f"{code(house)},T1,redeem,49.00,,2026-12-20 09:00")

    assert house.discrepancies() == [("after_release", 4900)]
    assert house.voucher().state == "redeemed"
    assert house.balances()["redeemed"] == 1_000
    assert promises_broken(ctx) == []
    with ctx.reading() as conn:
        assert conn.scalar(select(award.c.state).order_by(award.c.id)) == "granted"


def spend_all_but(house, pence):
    """Give back to the funder what is available, down to `pence`."""
    from vouchers.domain.ids import Place
    from vouchers.domain.ledger import Kind, move
    from vouchers.store import ledger

    with house.ctx.begin() as uow:
        back = move(
            Kind.RETURN,
            key="return:1",
            source=Place.AVAILABLE,
            target=Place.RETURNED,
            pence=house.balances()["available"] - pence,
            scheme_id=house.scheme,
            contribution_id=house.gift,
            event_at=uow.now,
        )
        ledger.post(uow, [back])
        uow.record(
            "contribution.returned", house.gift, transfers=ledger.in_audit([back])
        )


def test_a_late_use_that_is_reversed_goes_back_where_it_came_from(
    house, clock, tmp_path
):
    """Released, used, reversed, released again: every penny is at home at the end."""
    clock.now = clock.now.replace(day=30)
    expire.sweep(house.ctx)
    hand_in(house, tmp_path, f"{code(house)},T1,redeem,49.00,,2026-12-20")
    hand_in(house, tmp_path, f"{code(house)},T1,reversed,49.00,,2026-12-29")

    expire.sweep(house.ctx)

    assert house.balances() == {"given": 100_000, "available": 100_000}
    assert house.voucher().state == "released"


def test_a_job_run_twice_finds_its_lines_applied(house, tmp_path):
    """Lines are taken in state `new` only."""
    hand_in(house, tmp_path, f"{code(house)},T1,redeem,49.00,,2026-12-08")
    with house.ctx.begin() as uow:
        from vouchers.store.jobs import JobSpec

        ids = list(uow.conn.scalars(select(redemption.c.id)))
        uow.enqueue(JobSpec("redeem", "redeem.apply", items=ids))

    carry.carry_all(house.ctx)

    assert house.balances()["redeemed"] == 4900


def test_a_voucher_can_be_named_by_our_own_number(house, tmp_path):
    """Networks that never send a code back use our reference."""
    hand_in(
        house,
        tmp_path,
        f"{house.vouchers[0]},T1,redeem,4900.00,,2026-12-08",
        head="voucher;transaction id;type;amount;balance;date\n".replace(";", ","),
    )

    assert house.voucher().state == "redeemed"
    assert house.discrepancies() == [("over_value", 490_000 - 4900)]


@pytest.mark.parametrize(
    ("text", "fault"),
    [("Code,Type\n1,redeem\n", "missing_column"), ("PK\x03\x04\x00", "not_csv")],
)
def test_a_file_that_is_no_feed_is_refused_whole(house, tmp_path, text, fault):
    """Nothing of it is kept, and the person is told what is missing."""
    path = tmp_path / "feed.csv"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(BadFile) as refused:
        redeem.import_feed(house.ctx, NETWORK, path, "fin/cli")

    assert refused.value.code == fault


def test_a_network_that_no_rules_name_is_refused(house, tmp_path):
    """A slip in the network's name must not book anything."""
    path = tmp_path / "feed.csv"
    path.write_text(HEAD, encoding="utf-8")

    with pytest.raises(Refused):
        redeem.import_feed(house.ctx, "paypint", path, "fin/cli")
