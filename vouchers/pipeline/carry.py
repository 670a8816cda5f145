"""Carries one job: claim, run its step, and see to every way in which that can end.

A step's own last transaction completes its job. What is left to do here is the rest:
lost leases are dropped, busy and transient ends cost nothing, and any other failure
splits the chunk in two until the one row that cannot be carried is held by itself.
"""

from __future__ import annotations

import random
import sqlite3
import traceback
from collections.abc import Collection, Sequence
from pathlib import PurePath

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidRequestError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from config.queues import QUEUE_BY_NAME, QUEUES, Lane
from vouchers.crashpoints import crashpoint
from vouchers.errors import Busy, LostLease, VoucherError
from vouchers.pipeline import steps
from vouchers.pipeline.context import Context
from vouchers.pipeline.leases import Leases, process_name
from vouchers.store import claims
from vouchers.store.jobs import ClaimedJob

log = structlog.get_logger()

ALL_QUEUES = tuple(queue.name for queue in QUEUES)
BOTH_LANES = (Lane.URGENT, Lane.BULK)
#: How often a worker may die over a job before the job itself is suspected.
DEATHS_MAX = 5
#: Tries of a job without rows, such as a sweep: it cannot be split or held.
SWEEP_TRIES = 6
#: Seconds until a job is tried again that met a transient error.
TRANSIENT_S = (0.5, 3.0)
#: Seconds until a job comes back that a newer version has to carry.
UNKNOWN_KIND_S = 30.0
#: SQLSTATE classes and codes after which the same work may simply be done again.
TRANSIENT_STATES = ("08", "40", "53", "55P03", "57P0", "25P03")


class WorkerDied(VoucherError):
    """Every worker that took this job died over it."""


class Unfinished(VoucherError):
    """A step returned without completing its job."""


class Carrier:
    """Carries jobs in the name of one worker process; its threads share it."""

    def __init__(
        self,
        ctx: Context,
        *,
        queues: Sequence[str] = ALL_QUEUES,
        worker: str | None = None,
    ) -> None:
        self.ctx = ctx
        self.queues = queues
        self.leases = Leases(ctx, worker or process_name(), queues)

    def carry_one(
        self,
        queues: Sequence[str] | None = None,
        lanes: Collection[Lane] = BOTH_LANES,
    ) -> bool:
        """Carry the best ready job of these queues; False when there was none."""
        only_urgent = Lane.BULK not in lanes
        with self.ctx.begin(urgent=only_urgent, name="claim") as uow:
            job = claims.claim(
                uow.conn,
                queues=queues or self.queues,
                lanes=lanes,
                worker=self.leases.worker,
                wait=not only_urgent,
            )
        if job is None:
            return False
        crashpoint("carry.claimed")
        with (
            self.leases.holding(job),
            structlog.contextvars.bound_contextvars(job_id=job.id, kind=job.kind),
        ):
            self._carry(job)
        return True

    def _carry(self, job: ClaimedJob) -> None:
        try:
            if job.attempts >= DEATHS_MAX and len(job.items) > 0:
                raise WorkerDied(job=job.id)
            handle = steps.handler_of(job.kind)
            crashpoint("carry.before_step")
            handle(self.ctx, job)
            crashpoint("carry.after_step")
            with self.ctx.reading() as conn:
                if not claims.finished_by_its_step(conn, job):
                    raise Unfinished(job=job.id)
        except LostLease:
            log.info("job_lost")
        except Busy as busy:
            self._give_back(job, seconds=float(busy.ids.get("seconds") or 1))
        except steps.UnknownKind:
            self._give_back(job, seconds=UNKNOWN_KIND_S)
        except Exception as error:
            if is_transient(error):
                log.info("job_interrupted", error_class=class_of(error))
                self._give_back(job, seconds=random.uniform(*TRANSIENT_S))
            else:
                self._fail(job, error)

    def _give_back(self, job: ClaimedJob, *, seconds: float) -> None:
        """No attempt is used; if even this fails, the lease ends it."""
        try:
            with self.ctx.begin(urgent=_is_urgent(job), name="give_back") as uow:
                claims.give_back(uow.conn, job, seconds=seconds)
        except LostLease:
            log.info("job_lost")
        except Exception as error:
            log.warning("job_left_to_its_lease", error_class=class_of(error))

    def _fail(self, job: ClaimedJob, error: BaseException) -> None:
        log.warning(
            "job_failed", error_class=class_of(error), where=where(error), **_ids(error)
        )
        try:
            self._settle(job, class_of(error))
        except LostLease:
            log.info("job_lost")
        except Exception as second:
            log.error(
                "job_not_settled", error_class=class_of(second), where=where(second)
            )
            if not is_transient(second):
                self._hold_alone(job, class_of(error))

    def _settle(self, job: ClaimedJob, error_class: str) -> None:
        """Try again, corner, hold or bury: in one unit, fenced like a completion."""
        tries = QUEUE_BY_NAME[job.queue].attempts_max if job.items else SWEEP_TRIES
        with self.ctx.begin(urgent=_is_urgent(job), name="settle") as uow:
            if job.attempts + 1 < tries:
                claims.retry(
                    uow.conn,
                    job,
                    seconds=min(300.0, 2.0 ** (job.attempts + 1)),
                    error_class=error_class,
                )
            elif len(job.items) > 1:
                claims.split(uow.conn, job, error_class)
            else:
                hold = steps.holder_of(job.kind) if job.items else None
                if hold is None:
                    claims.bury(uow.conn, job, error_class)
                else:
                    hold(uow, job, error_class)
                    claims.hold(uow.conn, job, error_class)
                uow.record("job.failed", job.id, error=error_class, kind_of=job.kind)

    def _hold_alone(self, job: ClaimedJob, error_class: str) -> None:
        """The row cannot even be held: keep the job where a person sees it."""
        try:
            with self.ctx.begin(name="settle") as uow:
                claims.bury(uow.conn, job, error_class)
                uow.record("job.failed", job.id, error=error_class, kind_of=job.kind)
        except Exception as error:
            log.error("job_left_to_its_lease", error_class=class_of(error))


def carry_one(
    ctx: Context,
    queues: Sequence[str] = ALL_QUEUES,
    lanes: Collection[Lane] = BOTH_LANES,
) -> bool:
    """Carry the best ready job in this thread, without a heartbeat: for short ones."""
    return Carrier(ctx, queues=queues).carry_one(queues, lanes)


def carry_all(
    ctx: Context, queues: Sequence[str] = ALL_QUEUES, *, jobs_max: int = 1_000_000
) -> int:
    """Carry what is ready, and what follows, until nothing is; count the jobs."""
    carrier = Carrier(ctx, queues=queues)
    for carried in range(jobs_max):
        if not carrier.carry_one():
            return carried
    return jobs_max


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed if it is simply done again."""
    if isinstance(error, PoolTimeout | ConnectionError):
        return True
    if not isinstance(error, DBAPIError):
        # Raised when the connection was lost in the middle of a transaction.
        return (
            isinstance(error, InvalidRequestError)
            and "invalid transaction" in str(error).lower()
        )
    if error.connection_invalidated or isinstance(error, InterfaceError):
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return str(state).startswith(TRANSIENT_STATES)
    if isinstance(error.orig, sqlite3.OperationalError):
        return error.orig.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
    # psycopg gives no state when the server vanished.
    return type(error.orig).__name__ == "OperationalError"


def class_of(error: BaseException) -> str:
    """What may be kept of an error: its class; its text may hold a person's data."""
    cause = getattr(error, "orig", None)
    return type(cause if isinstance(cause, BaseException) else error).__name__


def where(error: BaseException) -> list[str]:
    """The stack as file:line, without a value."""
    return [
        f"{PurePath(frame.filename).name}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)[-6:]
    ]


def _ids(error: BaseException) -> dict[str, float | str | None]:
    """The numbers that our own errors carry on purpose."""
    return (
        {f"of_{name}": value for name, value in error.ids.items()}
        if isinstance(error, VoucherError)
        else {}
    )


def _is_urgent(job: ClaimedJob) -> bool:
    return job.lane == Lane.URGENT
