"""Keeps alive the leases of all jobs that this process holds, apart from their work."""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import structlog

from vouchers.pipeline.context import Context
from vouchers.store import claims, queues
from vouchers.store.jobs import ClaimedJob

log = structlog.get_logger()

#: Seconds between two signs of life: many fit into the shortest lease.
BEAT_S = 5.0


class Leases:
    """The claims of one process; `start` makes a thread that renews them."""

    def __init__(self, ctx: Context, worker: str, queues_served: Sequence[str]) -> None:
        self.worker = worker
        self._ctx = ctx
        self._queues = queues_served
        self._held: dict[int, str] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def holding(self, job: ClaimedJob) -> Iterator[None]:
        """Renew this job's lease while the block runs."""
        with self._lock:
            self._held[job.id] = job.token
        try:
            yield
        finally:
            with self._lock:
                if self._held.get(job.id) == job.token:
                    del self._held[job.id]

    @property
    def held(self) -> int:
        """How many jobs this process works on now."""
        return len(self._held)

    def start(self) -> None:
        """Begin to give signs of life."""
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End: strike this process off, and leave to others what it could not finish.

        A job is left when its database was away just then; nobody would know for the
        length of a lease, since who said goodbye is not looked for among the dead.
        """
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=BEAT_S)
        with quiet("worker_not_struck_off"), self._ctx.begin(name="goodbye") as uow:
            claims.release_of(uow.conn, [self.worker])
            queues.forget_workers(uow.conn, [self.worker])

    def beat(self) -> None:
        """One sign of life: the process's row, and the leases of all that it holds."""
        with self._lock:
            held = list(self._held.items())
        with self._ctx.begin(urgent=True, name="beat") as uow:
            queues.beat(uow.conn, self.worker, self._queues)
            kept = claims.renew(uow.conn, self.worker, held)
            orphans = claims.release_orphans(
                uow.conn, self.worker, [job_id for job_id, _ in held], older_s=BEAT_S
            )
        if orphans:
            log.info("orphans_released", jobs=len(orphans))
        for job_id, token in set(held) - kept:
            with self._lock:
                lost = self._held.get(job_id) == token
            if lost:
                log.warning("lease_lost", job_id=job_id)

    def _run(self) -> None:
        while not self._stop.is_set():
            with quiet("heartbeat_missed"):
                self.beat()
            self._stop.wait(BEAT_S)


@contextmanager
def quiet(event: str) -> Iterator[None]:
    """Log the class of an error and go on: the next round does what this one missed."""
    try:
        yield
    except Exception as error:
        log.warning(event, error_class=type(error).__name__)


def process_name() -> str:
    """Name of this process that tells, on this machine, whether it still lives."""
    return f"{_machine()}:{os.getpid()}:{secrets.token_hex(4)}"


def is_dead(worker: str) -> bool:
    """Whether a worker of this machine has surely ended; others are left to time."""
    machine, _, rest = worker.rpartition(":")[0].rpartition(":")
    if machine != _machine() or not rest.isdigit() or _namespace() == "-":
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def release_dead(ctx: Context) -> list[int]:
    """Take back at once what dead workers of this machine held, not after the lease."""
    with ctx.reading() as conn:
        # Who holds a job may have died before its first sign of life.
        names = {row.name for row in queues.workers(conn)} | claims.holders(conn)
    dead = sorted(filter(is_dead, names))
    if not dead:
        return []
    with ctx.begin(name="release") as uow:
        freed = claims.release_of(uow.conn, dead)
        queues.forget_workers(uow.conn, dead)
    log.info("dead_workers_released", count=len(dead), jobs=len(freed))
    return freed


def _machine() -> str:
    return f"{socket.gethostname()[:40]}/{_namespace()}"


def _namespace() -> str:
    """A process number means something only within its namespace (containers).

    The first namespace of every machine has the same number, and machines made from
    one image the same name: what tells them apart is when they were started.
    """
    try:
        inode = Path("/proc/self/ns/pid").stat().st_ino
        start = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    except OSError:
        return "-"
    return f"{inode}.{start[:8]}"
