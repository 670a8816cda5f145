"""P8 for money: killed anywhere in redeem, expire or seal, every penny is right."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.conftest import settings_for
from tests.vouchers_at_hand import NETWORK, World, world
from vouchers.backoffice import audit
from vouchers.bootstrap import build
from vouchers.pipeline import carry, expire, integrate, redeem
from vouchers.store import invariants
from vouchers.store.tables.work import job

pytestmark = pytest.mark.faults

ROOT = Path(__file__).parents[2]
UNITS = (
    "redeem.open",
    "redeem.stage",
    "redeem.close",
    "redeem.apply",
    "expire.end",
    "expire.release",
    "integrate",
    "integrate.sign",
)
POINTS = [
    *(
        f"{unit}.{moment}"
        for unit in UNITS
        for moment in ("before_commit", "committed")
    ),
    "redeem.applied",
    "integrate.remembered",
]
#: What the killed process does: hand in a feed, apply it, expire, seal.
CHILD = """
import sys
from pathlib import Path
from tests.conftest import Clock, settings_for
from tests.faults.test_money_after_a_kill import everything
from vouchers.bootstrap import build
url, folder = sys.argv[1], Path(sys.argv[2])
clock = Clock()
clock.forward(days=16)
everything(build(settings_for(url, folder), clock=clock).context, folder / "feed.csv")
"""


def everything(ctx, feed):
    """All that happens to money after a code was sent."""
    redeem.import_feed(ctx, NETWORK, feed, "fin/cli")
    carry.carry_all(ctx)
    expire.sweep(ctx)
    integrate.seal(ctx)


@pytest.fixture
def house(tmp_path, clock):
    """Six vouchers; a feed uses one whole, one in part, and takes one use back."""
    url = f"sqlite:///{tmp_path / 'vouchers.sqlite'}"
    made = world(build(settings_for(url, tmp_path), clock=clock).context, count=6)
    codes = [made.codes[number] for number in made.vouchers]
    (tmp_path / "feed.csv").write_text(
        "code,transaction id,type,amount,date\n"
        f"{codes[0]},T1,redeem,49.00,2026-12-08\n"
        f"{codes[1]},T2,partial,9.00,2026-12-09\n"
        f"{codes[2]},T3,redeem,49.00,2026-12-09\n"
        f"{codes[2]},T3,reversed,49.00,2026-12-10\n"
        f"{codes[3]},T4,redeem,49.00,2026-12-22\n",
        encoding="utf-8",
    )
    yield made, url
    made.ctx.engine.dispose()


def killed_at(point: str, url: str, folder: Path) -> int:
    """Exit code of a process that was to die at a point."""
    environ = os.environ | {"VOUCHERS_CRASH_AT": point}
    words = [sys.executable, "-c", CHILD, url, str(folder)]
    done = subprocess.run(
        words, env=environ, cwd=ROOT, capture_output=True, timeout=120, check=False
    )
    return done.returncode


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_costs_no_penny(house, clock, tmp_path, point):
    """Killed there, then everything is simply done again: the books are the same."""
    made, url = house
    clock.forward(days=16)

    assert killed_at(point, url, tmp_path) == -signal.SIGKILL
    with made.ctx.begin() as uow:
        # The dispatcher does this once the dead worker's lease is over.
        uow.conn.execute(
            update(job).where(job.c.state == "running").values(state="ready")
        )
    everything(made.ctx, tmp_path / "feed.csv")
    clock.forward(days=10)
    everything(made.ctx, tmp_path / "feed.csv")

    settled(made)


def settled(made: World) -> None:
    """The one outcome that is right, and proofs that it is."""
    used = 4900 + 900 + 4900
    assert made.balances() == {
        "given": 100_000,
        "available": 100_000 - used,
        "redeemed": used,
    }
    assert made.discrepancies() == [("after_expiry", 4900)]
    assert audit.verify(made.ctx).problems == ()
    with made.ctx.reading() as conn:
        assert invariants.run(conn, made.ctx.clock()) == []
