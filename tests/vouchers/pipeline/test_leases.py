"""Whether a worker is dead is judged only where its process number means anything."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from config.queues import Lane
from vouchers.pipeline import leases
from vouchers.pipeline.context import Context
from vouchers.store import claims
from vouchers.store.jobs import JobSpec

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


def _claimed(ctx: Context, worker: str) -> None:
    """A job that this worker has taken."""
    with ctx.begin() as uow:
        uow.enqueue(JobSpec("send", "send.chunk", items=[1]))
    with ctx.begin() as uow:
        assert claims.claim(
            uow.conn, queues=["send"], lanes=(Lane.BULK,), worker=worker
        )


def test_who_died_before_the_first_sign_of_life_is_found_by_its_job(
    ctx: Context,
) -> None:
    """It is on no list of workers; its job is free at once, not after the lease."""
    mine = leases.process_name()
    _claimed(ctx, mine.replace(f":{os.getpid()}:", f":{_ended()}:"))

    assert len(leases.release_dead(ctx)) == 1

    with ctx.reading() as conn:
        assert claims.holders(conn) == set()


def test_the_living_keep_their_jobs(ctx: Context) -> None:
    """A worker of this machine that still runs loses nothing."""
    _claimed(ctx, leases.process_name())

    assert leases.release_dead(ctx) == []


def test_whoever_says_goodbye_leaves_its_jobs_to_others(ctx: Context) -> None:
    """A job that could not be ended, its database being away, waits for no lease."""
    going = leases.Leases(ctx, leases.process_name(), ("send",))
    _claimed(ctx, going.worker)

    going.stop()

    with ctx.reading() as conn:
        assert claims.holders(conn) == set()
