"""Rotation of the keys that seal people's data: a new key now, new seals soon."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from vouchers.errors import Refused
from vouchers.pipeline import reseal
from vouchers.pipeline.context import Context
from vouchers.store import seals


@dataclass(frozen=True)
class Rotation:
    """What was begun."""

    #: Number of the key that seals from now on.
    sealing_key: int
    #: Places whose seals are being made anew.
    places: int


def rotate(ctx: Context, actor: str, *, match: bool = False) -> Rotation:
    """Make a new sealing key and have everything sealed anew with it, by jobs.

    Older keys stay in the key file, so that nothing is ever unreadable; `seals_by_key`
    shows when the last of an old key's seals is gone. Processes that hold the old file
    read it again when they meet the new key. Where hosts have copies of the key file,
    copy the new one before the jobs run: pause the queue `clockwork` first.
    """
    if match:
        raise Refused(
            "Match keys cannot be changed: listed addresses and numbers that asked for "
            "no more texts are known by their hashes only and would be forgotten."
        )
    number = ctx.keys.add_sealing_key()
    with ctx.begin(actor=actor, name="keys.rotate") as uow:
        uow.record("keys.rotated", number, places=sorted(seals.PLACES))
        jobs = reseal.jobs()
        uow.enqueue(*jobs)
    return Rotation(number, len(jobs))


def seals_by_key(ctx: Context) -> dict[int, int]:
    """How many seals each key has made; an old key with none left may be retired."""
    counts: dict[int, int] = defaultdict(int)
    with ctx.reading() as conn:
        for _, number, count in seals.by_key(conn):
            counts[number] += count
    return dict(sorted(counts.items()))
