"""Rules: proposed by one person, approved by another, remembered version by version."""

from __future__ import annotations

import pytest

from tests.money import DEFAULT, open_fund
from vouchers.backoffice import scheme as desk
from vouchers.errors import BadScheme, NotFound, Refused
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
