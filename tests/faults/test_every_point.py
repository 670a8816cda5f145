"""P8: a real process is killed at every crash point there is; all is finished, once."""

from __future__ import annotations

import pytest

from tests.conftest import FULL
from tests.faults.broken import Broken
from tests.faults.promises import assert_kept
from tests.faults.scenes import SCENES, Scene
from vouchers.crashpoints import POINTS

pytestmark = pytest.mark.faults

#: Deaths after which the house is left alone. A job over which five workers died is
#: suspected, split and held: that is another promise than this one.
DEATHS = 4


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_a_kill_at_each_point_costs_nothing(broken: Broken, scene: Scene) -> None:
    """New work, a process that dies by kill -9 just there; then all ends well."""
    on_servers = broken.stack.environ["VOUCHERS_BROKER_URL"] != "memory"
    if on_servers and not (FULL or scene.on_both):
        pytest.skip("VOUCHERS_TEST_SCALE=full dies everywhere on the servers, too")
    points = scene.points
    for few in [points[n : n + DEATHS] for n in range(0, len(points), DEATHS)]:
        for point in few:
            broken.kill_at(point, *scene.stage(broken))
        scene.then(broken)
        broken.finish()
        assert_kept(broken)


def test_no_point_is_without_a_death() -> None:
    """The scenes' points are all there are, each once."""
    dead = [point for scene in SCENES for point in scene.points]
    assert sorted(dead) == sorted(POINTS)
