"""P8 on the real pipeline: broken at random and by its provider, it finishes, once."""

from __future__ import annotations

import random
from multiprocessing.process import BaseProcess

import pytest
import redis

from tests.conftest import FULL
from tests.faults.broken import WORK, Broken
from tests.faults.harness import kill_at_random
from tests.faults.promises import assert_kept

pytestmark = pytest.mark.faults

FILES = 30 if FULL else 8
ROWS = 14


def test_a_storm_over_the_pipeline(broken: Broken) -> None:
    """Workers die at random, Redis is emptied, texts go out: all is finished."""
    broken.be_rich()
    for _ in range(FILES):
        broken.hand_in(broken.rows(ROWS))
    dice = random.Random(7)

    def worker() -> BaseProcess:
        url = broken.stack.environ["VOUCHERS_BROKER_URL"]
        if url != "memory" and dice.random() < 0.5:
            redis.Redis.from_url(url).flushdb()
        return broken.start(*WORK)

    kills = kill_at_random(
        worker,
        workers=2,
        seconds=60 if FULL else 6,
        seed=11,
        between=(0.4, 1.5),
    )
    assert kills > 2
    broken.close()
    broken.finish()
    assert_kept(broken)


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
    broken.be_rich()
    for _ in range(FILES):
        broken.hand_in(broken.rows(ROWS))
    stack.kill("simulator")
    stack.start_simulator("--delay", "0.05", "--plan", str(plan))
    broken.finish()
    assert_kept(broken)
