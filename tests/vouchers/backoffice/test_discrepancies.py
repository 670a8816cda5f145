"""What does not fit in a network's file is shown until a person has settled it."""

import json

import pytest
from sqlalchemy import select

from tests.vouchers_at_hand import NETWORK, world
from vouchers.backoffice import discrepancies
from vouchers.errors import NotFound, Refused
from vouchers.pipeline import carry, expire, redeem
from vouchers.store.tables.proof import audit_event

HEAD = "code,transaction id,type,amount,date\n"


@pytest.fixture
def house(ctx):
    """Two live vouchers of 49 pounds."""
    return world(ctx, count=2)


def hand_in(house, path, *lines, **more):
    """Import a file with these lines and apply it."""
    path.write_text(HEAD + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    receipt = redeem.import_feed(house.ctx, NETWORK, path, "fin/cli", **more)
    carry.carry_all(house.ctx)
    return receipt


def waiting(house):
    """What waits for a person."""
    return discrepancies.listing(house.ctx, settled=False, limit=50)


def test_each_kind_says_where_it_stands_and_what_to_do(house, tmp_path):
    """By transaction where a line was kept, by file and line where none was."""
    good = house.codes[house.vouchers[0]]
    receipt = hand_in(
        house,
        tmp_path / "feed.csv",
        f"{good},T1,redeem,60.00,2026-12-07 10:00",
        "6100,T2,redeem,49.00,2026-12-07 10:00",
        f"{good},T3,eaten,49.00,2026-12-07 10:00",
        f"{good},T1,redeem,12.00,2026-12-07 10:00",
    )

    found = {one.kind: one for one in waiting(house)}

    assert (receipt.conflicting, receipt.unreadable, receipt.repeated) == (1, 1, 0)
    assert set(found) == {"over_value", "unknown_code", "unreadable", "conflicting"}
    assert {one.network for one in found.values()} == {NETWORK}
    assert (found["over_value"].pence, found["over_value"].transaction) == (1100, "T1")
    assert found["unreadable"].place == f"file {receipt.feed_file_id}, line 4"
    assert found["over_value"].sentence.startswith("More was used")


def test_a_day_without_a_file_is_named(house, tmp_path):
    """The network is asked for it."""
    code = house.codes[house.vouchers[0]]
    hand_in(house, tmp_path / "a.csv", f"{code},T1,partial,1.00,2026-12-03 10:00")
    hand_in(house, tmp_path / "b.csv", f"{code},T2,partial,1.00,2026-12-06 10:00")
    expire.sweep(house.ctx)

    assert [(one.network, one.place) for one in waiting(house)] == [
        (NETWORK, "2026-12-04"),
        (NETWORK, "2026-12-05"),
    ]


def test_what_is_settled_leaves_the_list_and_is_recorded(house, tmp_path):
    """With the person and the reason, in the audit log; once only."""
    hand_in(house, tmp_path / "feed.csv", "6100,T2,redeem,49.00,2026-12-07 10:00")
    [one] = waiting(house)

    discrepancies.settle(house.ctx, "amy/cli", [one.number], reason="network's slip")

    assert waiting(house) == []
    [kept] = discrepancies.listing(house.ctx, settled=True, limit=5)
    assert kept.settled_by == "amy/cli"
    with house.ctx.reading() as conn:
        body = conn.scalar(
            select(audit_event.c.body).where(
                audit_event.c.kind == "discrepancy.settled"
            )
        )
    assert json.loads(body)["reason"] == "network's slip"
    with pytest.raises(NotFound, match=str(one.number)):
        discrepancies.settle(house.ctx, "amy/cli", [one.number], reason="again")


def test_a_line_of_a_day_to_come_is_a_slip_and_settles_no_day(house, tmp_path):
    """Read as it stands it would say that every day until then was reported."""
    code = house.codes[house.vouchers[0]]
    receipt = hand_in(
        house, tmp_path / "feed.csv", f"{code},T1,redeem,49.00,2062-12-07 10:00"
    )

    assert (receipt.new, receipt.unreadable) == (0, 1)
    assert house.voucher().state == "live"


@pytest.mark.parametrize(
    "days", [("2026-12-05", "2026-12-03"), ("2026-12-05", "2027-01-31")]
)
def test_a_file_covers_no_day_to_come_and_no_days_backwards(house, tmp_path, days):
    """Money would be released before the network has spoken."""
    from datetime import date

    covers = tuple(date.fromisoformat(day) for day in days)
    with pytest.raises(Refused, match="none to come"):
        hand_in(house, tmp_path / "feed.csv", covers=covers)
