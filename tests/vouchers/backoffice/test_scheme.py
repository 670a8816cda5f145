"""Rules: proposed by one person, approved by another, remembered version by version."""

from __future__ import annotations

import pytest

from tests.money import DEFAULT, open_fund
from vouchers.backoffice import scheme as desk
from vouchers.errors import BadScheme, NotFound, Refused
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store import schemes

CHANGED = DEFAULT.replace("awards_max = 3", "awards_max = 2")


def test_a_proposal_is_in_force_only_after_another_person_approved_it(
    ctx: Context,
) -> None:
    """Until then the old rules hold."""
    fund = open_fund(ctx)
    proposed = desk.load(ctx, CHANGED, "amy/cli")
    with ctx.reading() as conn:
        assert schemes.active(conn, fund.scheme_id).caps.awards_max == 3
    with pytest.raises(Refused, match="another person"):
        desk.approve(ctx, "winter_fund", "amy/web")
    desk.approve(ctx, "winter_fund", "bob/cli", proposed.number)
    with ctx.reading() as conn:
        assert schemes.active(conn, fund.scheme_id).caps.awards_max == 2
        assert schemes.by_id(conn, fund.scheme_id).version == 2
    states = [version.state for version in desk.versions(ctx, "winter_fund")]
    assert states == ["active", "replaced"]


def test_a_file_with_faults_is_not_loaded(ctx: Context) -> None:
    """Every fault is named, nothing is remembered."""
    with pytest.raises(BadScheme) as caught:
        desk.load(ctx, DEFAULT.replace("most_pence = 4900", "most_pence = 10"), "amy")
    assert len(caught.value.faults) > 1
    with ctx.reading() as conn:
        assert schemes.all_schemes(conn) == []


def test_only_an_empty_database_is_seeded(ctx: Context) -> None:
    """After that the loaded version rules."""
    assert desk.seed(ctx, DEFAULT) is not None
    assert desk.seed(ctx, CHANGED) is None
    with ctx.reading() as conn:
        assert schemes.active(conn, schemes.only(conn).id).caps.awards_max == 3


def test_pause_resume_and_close_follow_one_another(ctx: Context) -> None:
    """A closed scheme stays closed."""
    open_fund(ctx)
    desk.pause(ctx, "winter_fund", "amy/cli", "audit")
    with pytest.raises(Refused, match="paused"):
        desk.pause(ctx, "winter_fund", "amy/cli", "audit")
    desk.resume(ctx, "winter_fund", "amy/cli")
    desk.close(ctx, "winter_fund", "amy/cli", "spent")
    with pytest.raises(Refused, match="closed"):
        desk.resume(ctx, "winter_fund", "amy/cli")
    with ctx.reading() as conn, pytest.raises(NotFound):
        schemes.only(conn)


def test_a_reason_for_a_pause_holds_nothing_personal(ctx: Context) -> None:
    """The log keeps it for ever, so it is held to what every reason is held to."""
    open_fund(ctx)
    with pytest.raises(Refused, match="kept for ever"):
        desk.pause(ctx, "winter_fund", "amy/cli", "call 07700 900123")


def test_rules_that_would_strand_vouchers_are_not_loaded(ctx: Context) -> None:
    """A network whose codes are out there stays, until they have ended."""
    fund = open_fund(ctx)
    fund.give("gift", 100_000)
    fund.allocate(fund.refer(1))
    carry_all(ctx, ["allocate"])
    without = DEFAULT.replace("[networks.paypoint]", "[networks.pay_zone]")
    without = without.replace('network = "paypoint"', 'network = "pay_zone"')
    without = without.replace("paypoint = {", "pay_zone = {")
    assert desk.check(without) == []
    with pytest.raises(BadScheme, match=r"networks\.paypoint: 2 of its vouchers"):
        desk.load(ctx, without, "amy/cli")


def test_rules_under_which_a_gift_could_not_be_spent_are_not_approved(
    ctx: Context,
) -> None:
    """The gift may have come between loading and approving."""
    fund = open_fund(ctx)
    fewer = DEFAULT.replace('"heat_network", "off_grid"]', '"off_grid"]')
    desk.load(ctx, fewer, "amy/cli")
    fund.give("heat", 100_000, restrictions={"meter_types": ["heat_network"]})
    with pytest.raises(BadScheme, match=r"gift heat: eligibility\.meters"):
        desk.approve(ctx, "winter_fund", "bob/cli")
    with ctx.reading() as conn:
        assert schemes.by_id(conn, fund.scheme_id).version == 1


def test_a_proposal_that_was_passed_over_is_approved_only_by_its_number(
    ctx: Context,
) -> None:
    """Nobody puts older rules in force without meaning it."""
    open_fund(ctx)
    desk.load(ctx, CHANGED, "amy/cli")
    desk.load(ctx, CHANGED.replace("year_days = 365", "year_days = 366"), "amy/cli")
    assert desk.approve(ctx, "winter_fund", "bob/cli").number == 3
    with pytest.raises(NotFound, match="waits for approval"):
        desk.approve(ctx, "winter_fund", "bob/cli")
    assert desk.approve(ctx, "winter_fund", "bob/cli", 2).number == 2
