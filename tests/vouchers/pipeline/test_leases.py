"""Whether a worker is dead is judged only where its process number means anything."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from vouchers.pipeline import leases

NAME_MAX = 80


def _ended() -> int:
    """Number of a process of this machine that has surely ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_a_worker_of_this_machine_is_known_to_live_or_to_be_dead() -> None:
    """The process number tells."""
    mine = leases.process_name()
    assert len(mine) <= NAME_MAX
    assert not leases.is_dead(mine)
    assert leases.is_dead(mine.replace(f":{os.getpid()}:", f":{_ended()}:"))


def test_a_worker_of_a_twin_machine_is_left_to_its_lease(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Made from one image, same name, same first namespace: another machine for all
    that, whose living workers must not lose their jobs every five seconds.
    """
    read = leases.Path.read_text
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(leases.Path, "read_text", lambda *_a, **_k: "0ther000-boot")
        theirs = leases.process_name()
    assert leases.Path.read_text is read
    assert not leases.is_dead(theirs.replace(f":{os.getpid()}:", f":{_ended()}:"))
