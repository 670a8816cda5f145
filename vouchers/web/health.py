"""Whether the house is well: for load balancers and for the person on call."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import func, literal, select
from sqlalchemy.exc import SQLAlchemyError

from vouchers.pipeline.context import Context
from vouchers.store.tables import db_now
from vouchers.store.tables.messages import callback
from vouchers.store.tables.work import job

#: A due job that nobody has taken for so long means that no worker is at work.
LATE_S = 300.0


def routes(ctx: Context) -> APIRouter:
    """GET /health: 200 when well, 503 when somebody should look."""
    router = APIRouter()

    @router.get("/health")
    def health(response: Response) -> dict[str, Any]:
        try:
            report = look(ctx)
        except SQLAlchemyError as error:
            response.status_code = 503
            return {"database": type(error).__name__}
        if report["oldest_due_s"] > LATE_S:
            response.status_code = 503
        return report

    return router


def look(ctx: Context) -> dict[str, Any]:
    """The database's answer, the age of the oldest due job, callbacks not applied."""
    ready = job.c.state == literal("ready", literal_execute=True)
    new = callback.c.applied == literal(0, literal_execute=True)
    with ctx.reading() as conn:
        row = conn.execute(
            select(func.min(job.c.run_at).label("oldest"), db_now().label("now")).where(
                ready, job.c.run_at <= db_now()
            )
        ).one()
        waiting = conn.scalar(select(func.count()).select_from(callback).where(new))
    age = (row.now - row.oldest).total_seconds() if row.oldest is not None else 0.0
    return {
        "database": "ok",
        "oldest_due_s": round(max(0.0, age), 1),
        "callbacks_waiting": waiting or 0,
    }
