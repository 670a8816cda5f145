"""`vouchers work --processes 2`: a parent that keeps its workers, and ends them all."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.end_to_end.installation import OWNER, fund, house, register, roomy_scheme
from tests.end_to_end.one_file import people
from tests.end_to_end.stack import Stack, wait_for
from tests.partner_files import csv_file
from vouchers.cli.demo.files import Sample
from vouchers.cli.demo.habits import sample_partners
from vouchers.pipeline import accept
from vouchers.pipeline.leases import is_dead
from vouchers.store import invariants, queues
from vouchers.store.tables.messages import message
from vouchers.store.tables.work import job

pytestmark = [pytest.mark.redis, pytest.mark.postgres]

PARENT = "work"
PARTNER = sample_partners(1)[0]


def impatient_scheme() -> str:
    """Texts that a killed worker had in hand are looked up soon, not after minutes."""
    pace = "\nsegments_per_second"
    soon = f"\nsettle_after_s = 2.0\nsettle_after_urgent_s = 2.0{pace}"
    return roomy_scheme().replace(pace, soon, 1)


@pytest.fixture
def stack(postgres_url: str, redis_url: str, tmp_path: Path) -> Iterator[Stack]:
    """An installation on servers with one partner and money; nobody works yet."""
    with Stack(
        tmp_path,
        database_url=postgres_url,
        broker_url=redis_url,
        scheme=impatient_scheme(),
        VOUCHERS_KEYS=str(tmp_path / "keys.json"),
    ) as made:
        register(made, Sample((PARTNER,), (), ()))
        fund(made, pence=5_000_000)
        made.start_simulator("--delay", "0.05", "--latency", "0.05")
        made.start_web()
        yield made


def hand_in(stack: Stack, first: int, count: int) -> None:
    """A file of so many new residents is received."""
    rows = people(first + count)[first:]
    path = csv_file(stack.folder / "files" / f"{first}.csv", rows)
    with house(stack) as ctx:
        accept.submit(ctx, partner=PARTNER.slug, path=path, via="cli", actor=OWNER)


def workers(stack: Stack) -> dict[int, str]:
    """Workers that have given signs of life and are not known dead: name by process."""
    with house(stack) as ctx, ctx.reading() as conn:
        names = [row.name for row in queues.workers(conn)]
    return {int(name.split(":")[-2]): name for name in names if not is_dead(name)}


def children(stack: Stack) -> set[int]:
    """Every process below the parent, by the kernel's word."""
    parent = stack.processes[PARENT].pid
    found = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return {int(number) for number in found}


def all_texted(stack: Stack, count: int) -> Callable[[], bool]:
    """Whether so many texts were accepted and every job is done."""

    def done() -> bool:
        with house(stack) as ctx, ctx.reading() as conn:
            open_ = conn.scalars(
                select(job.c.id).where(
                    job.c.state.in_(("ready", "running")), job.c.once.is_(None)
                )
            ).all()
            sent = conn.scalars(
                select(message.c.id).where(message.c.state.in_(("sent", "delivered")))
            ).all()
        return not open_ and len(sent) == count

    return done


def start(stack: Stack, *more: str) -> None:
    """Start the parent and wait until both of its workers give signs of life."""
    stack.start(PARENT, "work", "--processes", "2", "--threads", "2", *more)
    wait_for(lambda: len(workers(stack)) == 2, "two workers")


def test_a_killed_child_is_replaced_and_sigterm_ends_all(stack: Stack) -> None:
    """One of two is killed in mid-work: a third takes its place. SIGTERM ends both."""
    hand_in(stack, 0, 100)
    start(stack)
    first = workers(stack)
    wait_for(stack.accepted, "the first text")

    victim = min(first)
    os.kill(victim, signal.SIGKILL)
    hand_in(stack, 100, 60)

    wait_for(lambda: len(workers(stack).keys() - {victim}) == 2, "another worker")
    assert workers(stack).keys() & first.keys() == first.keys() - {victim}
    wait_for(all_texted(stack, 160), "every text")
    assert len(stack.accepted()) == 160

    below = children(stack)
    hand_in(stack, 160, 100)
    wait_for(lambda: len(stack.accepted()) > 160, "a text of the last file")
    stack.processes[PARENT].terminate()

    assert stack.processes[PARENT].wait(timeout=60) == 0
    wait_for(lambda: not any(map(is_alive, below)), "no process left", seconds=5)
    assert workers(stack) == {}
    with house(stack) as ctx, ctx.reading() as conn:
        running = conn.scalars(select(job.c.id).where(job.c.state == "running")).all()
        assert running == []
        assert invariants.run(conn, ctx.clock()) == []


def test_children_of_a_killed_parent_do_not_stay(stack: Stack) -> None:
    """Kill -9 of the parent: nobody watches its workers any more, so they end, too."""
    start(stack)
    below = children(stack)
    assert set(workers(stack)) <= below

    stack.kill(PARENT)

    wait_for(lambda: not any(map(is_alive, below)), "no orphan", seconds=30)


def test_until_idle_ends_when_all_is_done(stack: Stack) -> None:
    """With --until-idle the parent goes home with its last child and tells the end."""
    hand_in(stack, 0, 40)
    stack.start(PARENT, "work", "--processes", "2", "--until-idle")

    assert stack.processes[PARENT].wait(timeout=120) == 0
    assert all_texted(stack, 40)()


def is_alive(number: int) -> bool:
    """Whether a process is there and more than a zombie."""
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
