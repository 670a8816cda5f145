"""P8: of each kind of unit one COMMIT is answered by silence; nothing comes twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess

import pytest
from sqlalchemy import make_url

from tests.conftest import FULL
from tests.faults.broken import PATIENCE_S, Broken
from tests.faults.deaf import Forgetful
from tests.faults.promises import assert_kept
from tests.faults.scenes import SCENES, Scene
from vouchers.crashpoints import UNITS

pytestmark = [pytest.mark.faults, pytest.mark.postgres]

WITH_COMMITS = [scene for scene in SCENES if scene.units]
#: A command that hears nothing ends; given so often, it has come to each of its units.
TRIES = 8


@pytest.fixture(scope="module")
def deaf(broken_servers: Broken) -> Iterator[Forgetful]:
    """A proxy before the installation's database."""
    url = make_url(broken_servers.stack.environ["VOUCHERS_DATABASE_URL"])
    proxy = Forgetful(url.host or "127.0.0.1", url.port or 5432)
    yield proxy
    proxy.close()


@pytest.mark.parametrize("scene", WITH_COMMITS, ids=lambda scene: scene.name)
def test_a_commit_that_nobody_heard_of_is_not_repeated(
    broken_servers: Broken, deaf: Forgetful, scene: Scene
) -> None:
    """The server has committed, the worker does not know; in the end all is right."""
    if not (FULL or scene.on_both):
        pytest.skip("VOUCHERS_TEST_SCALE=full loses the answer to every unit")
    broken = broken_servers
    deaf.wanted = set(scene.units)
    for _ in range(TRIES):
        process = broken.start(*scene.stage(broken), deaf=deaf)
        wait_until_lost(process, deaf)
        if process.exitcode is None:
            process.terminate()
        broken.ended(process)
        if not deaf.wanted:
            break
    assert not deaf.wanted, broken.last_words()
    scene.then(broken)
    broken.finish()
    assert_kept(broken)


def wait_until_lost(process: BaseProcess, deaf: Forgetful) -> None:
    """Until every answer was lost or the process ended; the goodbye comes last."""
    deadline = time.monotonic() + PATIENCE_S
    while process.exitcode is None and deaf.wanted - {"goodbye"}:
        assert time.monotonic() < deadline, deaf.wanted
        time.sleep(0.05)


def test_no_unit_is_left_out() -> None:
    """The scenes' units are all there are."""
    assert {unit for scene in WITH_COMMITS for unit in scene.units} == UNITS
