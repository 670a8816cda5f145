"""What the clock does for the house itself: take back, forget, check."""

from __future__ import annotations

import structlog
from sqlalchemy import Connection, select

from vouchers.pipeline.context import Context
from vouchers.pipeline.leases import release_dead
from vouchers.store import claims, queues
from vouchers.store.tables.proof import audit_pending

log = structlog.get_logger()

#: Done jobs are kept for as long as an operator asks "what just happened?".
DONE_KEPT_S = 6 * 3600.0
#: Slots of ticks: longer than the longest tick's pause.
SLOTS_KEPT_S = 2 * 86_400.0
#: A worker that was silent for so long is struck off.
SILENT_S = 600.0


def take_back(ctx: Context) -> int:
    """Make jobs ready again whose worker is dead or fell silent; count them."""
    freed = len(release_dead(ctx))
    with ctx.begin(urgent=True, name="take_back") as uow:
        expired = claims.requeue_expired(uow.conn)
    if expired:
        log.warning("leases_expired", jobs=len(expired))
    return freed + len(expired)


def purge(ctx: Context) -> int:
    """Forget what was done long ago: jobs, ticks, workers; count the jobs."""
    purged = 0
    while True:
        with ctx.begin(name="purge") as uow:
            bite = queues.purge_done(uow.conn, older_s=DONE_KEPT_S)
            queues.forget_slots(uow.conn, older_s=SLOTS_KEPT_S)
            queues.forget_silent_workers(uow.conn, silent_s=SILENT_S)
        purged += bite
        if bite == 0:
            return purged


def check_invariants(ctx: Context) -> int:
    """Look for anything that the promises forbid; log how much there is."""
    from vouchers.store import invariants

    with ctx.reading() as conn:
        found = invariants.run(conn, ctx.clock())
    for violation in found:
        log.error("invariant_broken", kind=violation.check, count=violation.count)
    return len(found)


def events_wait(conn: Connection) -> bool:
    """Whether audit events wait for their number."""
    return conn.execute(select(audit_pending.c.event_id).limit(1)).first() is not None
