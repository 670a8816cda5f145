"""After a rotation: everything that is sealed gets the new key, in the background."""

from __future__ import annotations

from vouchers.pipeline.context import Context
from vouchers.store import seals
from vouchers.store.jobs import ClaimedJob, JobSpec
from vouchers.store.seals import PLACES

KIND = "keys.reseal"
QUEUE = "clockwork"
#: Seals made anew in one transaction.
CHUNK = 500


def jobs() -> list[JobSpec]:
    """One chain of jobs for each place that holds sealed data."""
    return [_job(name, 0) for name in PLACES]


def _job(place: str, after: int) -> JobSpec:
    return JobSpec(QUEUE, KIND, payload={"place": place, "after": after})


def handle(ctx: Context, job: ClaimedJob) -> None:
    """Seal one chunk anew and promise the next."""
    name, after = str(job.payload["place"]), int(job.payload["after"])
    with ctx.begin(name="keys.reseal") as uow:
        then = seals.reseal(uow.conn, ctx.keys, PLACES[name], after=after, limit=CHUNK)
        if then is not None:
            uow.enqueue(_job(name, then))
        uow.complete(job)
