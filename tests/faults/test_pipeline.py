"""P8 on the real pipeline: broken at every point, it finishes by itself, once."""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import redis
from sqlalchemy import func, select

from tests.conftest import FULL
from tests.end_to_end.installation import fund, house, register, roomy_scheme
from tests.end_to_end.stack import VOUCHERS, Stack
from tests.faults.harness import crash_points, kill_at_random
from vouchers.cli.demo.files import Sample, write_partners
from vouchers.cli.frame import TOKEN_FILE
from vouchers.domain.ids import message_of
from vouchers.store import invariants
from vouchers.store.tables.intake import batch, referral, row_error
from vouchers.store.tables.messages import message
from vouchers.store.tables.work import job

pytestmark = pytest.mark.faults

RESIDENTS = 600 if FULL else 80
#: Points that a row passes on its way from a file to a phone, in that order.
ON_THE_WAY = (
    "vouchers/pipeline/accept.py",
    "vouchers/pipeline/accept_chunk.py",
    "vouchers/pipeline/deduplicate.py",
    "vouchers/pipeline/allocate.py",
    "vouchers/pipeline/granting.py",
    "vouchers/pipeline/send.py",
    "vouchers/pipeline/resolve.py",
    "vouchers/pipeline/record_delivery.py",
    "vouchers/pipeline/integrate.py",
    "vouchers/pipeline/results.py",
    "vouchers/pipeline/steps.py",
    "vouchers/pipeline/carry.py",
    "workers/dispatcher.py",
    "workers/clock.py",
)
#: Between what is written and what follows from it: a small run breaks only these.
THE_WORST = (
    "accept.stage.committed",
    "accept.chunk.committed",
    "deduplicate.chunk.committed",
    "allocate.chunk.committed",
    "send.chunk.claim.committed",
    "send.after_call",
    "send.chunk.evidence.committed",
    "deliver.apply.committed",
    "claim.committed",
)
#: Rounds that the house is left alone for; each ends when nothing is due.
ROUNDS = 12


class Broken:
    """An installation with partners, money and files, and processes that die in it."""

    def __init__(self, stack: Stack, sample: Sample) -> None:
        self.stack = stack
        self.sample = sample

    def start(self, *words: str, crash_at: str = "") -> subprocess.Popen[bytes]:
        """Start `vouchers ...`, which dies at a point."""
        environ = dict(self.stack.environ)
        environ["VOUCHERS_CRASH_LOG"] = str(self.stack.folder / "points.log")
        if crash_at:
            environ["VOUCHERS_CRASH_AT"] = crash_at
        with (self.stack.folder / "output.log").open("ab") as output:
            return subprocess.Popen(
                [*VOUCHERS, *words],
                env=environ,
                cwd=self.stack.folder,
                stdout=output,
                stderr=output,
            )

    def ended(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for a process; its exit code, -9 when it was killed."""
        try:
            return process.wait(timeout=180)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"it never ended: {self.last_words()}") from None

    def work(self, *, crash_at: str = "") -> int:
        """Carry until idle or until killed."""
        return self.ended(self.start("work", "--until-idle", crash_at=crash_at))

    def submit(self, file: Path, *, crash_at: str = "") -> int:
        """Hand in one partner's file."""
        words = ("submit", "--partner", file.parent.name, str(file))
        return self.ended(self.start(*words, crash_at=crash_at))

    def hits(self) -> set[str]:
        """Points that were passed."""
        path = self.stack.folder / "points.log"
        return set(path.read_text().split()) if path.exists() else set()

    def last_words(self) -> str:
        """The end of what the processes printed."""
        return (self.stack.folder / "output.log").read_text(errors="replace")[-4000:]

    def leave_alone(self) -> None:
        """Let the house finish: nobody touches anything but starting its worker."""
        for _ in range(ROUNDS):
            assert self.work() in (0, 3), self.last_words()
            if not self._waiting():
                return
            time.sleep(1)

    def _waiting(self) -> int:
        with house(self.stack) as ctx, ctx.reading() as conn:
            return int(
                conn.execute(
                    select(func.count()).where(
                        message.c.state.in_(("queued", "sending", "unknown"))
                    )
                ).scalar_one()
            )

    def assert_promises_kept(self) -> None:
        """Everything is settled, nothing is doubled, and every invariant holds."""
        rows = len(self.sample.truths)
        with house(self.stack) as ctx, ctx.reading() as conn:
            found = invariants.run(conn, ctx.clock())
            assert not found, [str(one) for one in found]
            referrals = conn.execute(
                select(func.count()).select_from(referral)
            ).scalar_one()
            errors = conn.execute(select(func.count()).select_from(row_error))
            assert referrals + errors.scalar_one() == rows
            states = Counter(conn.scalars(select(referral.c.state)))
            assert not set(states) & {"received", "matched", "held"}, states
            texts = dict(conn.execute(select(message.c.id, message.c.state)).all())
            assert not set(texts.values()) & {"queued", "sending", "unknown", "held"}
            open_jobs = conn.scalars(
                select(job.c.kind).where(
                    job.c.state.in_(("running", "held", "dead")),
                )
            ).all()
            assert not open_jobs
            unfinished = conn.scalars(
                select(batch.c.id).where(batch.c.state == "receiving")
            ).all()
            assert not unfinished
        # The provider's own record: at most one text per award and purpose.
        per_message = Counter(
            message_of(int(one["attempt_id"]))
            for one in self.stack.accepted()
            if one["kind"] == "accepted"
        )
        assert per_message
        assert max(per_message.values()) == 1
        assert set(per_message) <= set(texts)


@pytest.fixture(
    params=["embedded", pytest.param("servers", marks=pytest.mark.postgres)]
)
def broken(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broken]:
    """Partners with files and a fund; web and simulator run, no worker does."""
    servers = request.param == "servers"
    if servers and not FULL:
        pytest.skip("VOUCHERS_TEST_SCALE=full breaks the servers, too")
    body = roomy_scheme().replace(
        "\nsegments_per_second",
        "\nsettle_after_s = 2.0\nsettle_after_urgent_s = 2.0\nsegments_per_second",
        1,
    )
    with Stack(
        tmp_path,
        database_url=request.getfixturevalue("postgres_url") if servers else "",
        broker_url=request.getfixturevalue("redis_url") if servers else "memory",
        scheme=body,
        VOUCHERS_KEYS=str(tmp_path / "var" / "keys.json"),
        VOUCHERS_THREADS="2",
    ) as stack:
        sample = write_partners(
            tmp_path / "files", seed=5, residents=RESIDENTS, today=date(2026, 12, 7)
        )
        stack.run("migrate", "--create-keys")
        token = tmp_path / "var" / TOKEN_FILE
        stack.environ["VOUCHERS_TOKEN"] = token.read_text("ascii").strip()
        stack.start_simulator("--delay", "0.05")
        register(stack, sample)
        fund(stack, pence=50_000_00)
        stack.start_web()
        yield Broken(stack, sample)


def test_every_point_on_the_way(broken: Broken) -> None:
    """Told to die at each named point, dead or not: in the end all is finished."""
    points = [point for source in ON_THE_WAY for point in crash_points(source)]
    if not FULL:
        points = [point for point in points if point in THE_WORST]
    at_the_door = [point for point in points if point.startswith("accept.")]
    files = list(broken.sample.files)
    for turn, point in enumerate(at_the_door):
        broken.submit(files[turn % len(files)], crash_at=point)
    for file in files:
        assert broken.submit(file) in (0, 3), broken.last_words()
    for point in points:
        if not point.startswith("accept.") or point.startswith("accept.chunk"):
            assert broken.work(crash_at=point) in (-9, 0, 3), broken.last_words()
    broken.leave_alone()
    broken.assert_promises_kept()


def test_a_storm_over_the_pipeline(broken: Broken) -> None:
    """Workers die at random, Redis is emptied, texts go out: all is finished."""
    for file in broken.sample.files:
        assert broken.submit(file) in (0, 3), broken.last_words()
    dice = random.Random(7)

    def worker() -> subprocess.Popen[bytes]:
        url = broken.stack.environ["VOUCHERS_BROKER_URL"]
        if url != "memory" and dice.random() < 0.5:
            redis.Redis.from_url(url).flushdb()
        return broken.start("work")

    kills = kill_at_random(
        worker,
        workers=2,
        seconds=60 if FULL else 8,
        seed=11,
        between=(1.0, 3.5),
    )
    assert kills > 2
    broken.leave_alone()
    broken.assert_promises_kept()


def test_a_provider_that_answers_badly(broken: Broken) -> None:
    """The provider accepts and says nothing, errs, repeats itself: one text each."""
    stack = broken.stack
    plan = stack.folder / "plan.json"
    plan.write_text(
        '{"seed": 3, "rates": {"drop_after": 0.1, "error_after": 0.05,'
        ' "drop_before": 0.05, "throttle": 0.05,'
        ' "callback_twice": 0.1, "callback_disorder": 0.1, "callback_never": 0.1}}',
        encoding="utf-8",
    )
    stack.kill("simulator")
    stack.start_simulator("--delay", "0.05", "--plan", str(plan))
    for file in broken.sample.files:
        assert broken.submit(file) in (0, 3), broken.last_words()
    broken.leave_alone()
    broken.assert_promises_kept()
