"""Commands about work under way: queues, and jobs that wait for a person."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from vouchers.cli.frame import Answer, Exit, Frame, command
from vouchers.domain.roles import Duty

if TYPE_CHECKING:
    from vouchers.backoffice.queues import Which

Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit log.")]
Name = Annotated[str, typer.Argument(help="Name of a queue: see `vouchers queues`.")]
Jobs = Annotated[list[int] | None, typer.Argument(help="Numbers of jobs.")]
InQueue = Annotated[str | None, typer.Option("--queue", help="All of this queue.")]
OfClass = Annotated[
    str | None, typer.Option("--error", help="All that failed with this class.")
]
OfBatch = Annotated[int | None, typer.Option("--batch", help="All of this batch.")]

queues = typer.Typer(
    invoke_without_command=True, help="Every queue: what waits, runs, failed, rests."
)


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    panel = "Work under way"
    app.add_typer(queues, name="queues", rich_help_panel=panel)
    for state in ("held", "dead"):
        app.add_typer(_stuck(state), name=state, rich_help_panel=panel)


@queues.callback(invoke_without_command=True)
def list_when_nothing_is_asked(
    context: typer.Context,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON document on stdout, nothing else.")
    ] = False,
) -> None:
    """Every queue: what waits, runs, failed, rests."""
    from vouchers.cli.frame import carry

    if context.invoked_subcommand is None:
        frame = Frame(json=json)
        raise typer.Exit(carry(frame, partial(list_queues, frame)))


@command(queues, "list")
def list_queues(frame: Frame) -> Answer:
    """Every queue: what waits, runs, failed, rests."""
    from vouchers.backoffice import queues as office
    from vouchers.cli import tables

    frame.person(Duty.SEE_WORK)
    levels = office.levels(frame.ctx)
    workers = office.workers(frame.ctx)
    shown = tables.table(
        None,
        (
            "queue",
            "ready",
            "later",
            "running",
            "held",
            "dead",
            "oldest",
            "a minute",
            "",
        ),
        [
            (
                level.name,
                level.ready,
                level.delayed,
                level.running,
                level.held,
                level.dead,
                f"{level.oldest_s:.0f} s" if level.oldest_s else None,
                f"{level.per_minute:.0f}",
                f"paused by {level.paused_by}: {level.paused_reason}"
                if level.paused_at
                else "",
            )
            for level in levels
        ],
        right=("ready", "later", "running", "held", "dead", "oldest", "a minute"),
    )
    crew = (
        tables.done(f"{len(workers)} worker processes")
        if workers
        else tables.warn(
            "no worker is running: start `vouchers work` or `vouchers run`"
        )
    )
    document = {
        "queues": [asdict(level) for level in levels],
        "workers": [asdict(worker) for worker in workers],
    }
    look = any(level.held or level.dead for level in levels)
    return Answer(document, [shown, crew], Exit.LOOK if look else Exit.DONE)


@command(queues, "pause")
def pause_queue(frame: Frame, name: Name, reason: Reason) -> Answer:
    """Let no further job of a queue start, on any host."""
    from vouchers.backoffice import queues as office
    from vouchers.cli import tables

    office.pause(frame.ctx, name, actor=frame.actor(Duty.CHANGE_WORK), reason=reason)
    return Answer({"queue": name, "paused": True}, [tables.done(f"{name} is paused")])


@command(queues, "resume")
def resume_queue(frame: Frame, name: Name, reason: Reason) -> Answer:
    """Let a queue's jobs start again."""
    from vouchers.backoffice import queues as office
    from vouchers.cli import tables

    office.resume(frame.ctx, name, actor=frame.actor(Duty.CHANGE_WORK), reason=reason)
    return Answer({"queue": name, "paused": False}, [tables.done(f"{name} goes on")])


def _stuck(state: str) -> typer.Typer:
    words = {
        "held": "Jobs set aside because our own code failed on one row.",
        "dead": "Work that was given up after failing again and again.",
    }
    made = typer.Typer(no_args_is_help=True, help=words[state])
    which: Any = state
    command(made, "list")(_bound(list_stuck, which))
    command(made, "requeue")(_bound(requeue, which))
    command(made, "discard")(_bound(discard, which))
    return made


def list_stuck(frame: Frame, queue: InQueue = None, *, state: Any) -> Answer:
    """What waits for a person, oldest first, and what went wrong most often."""
    from vouchers.backoffice import queues as office
    from vouchers.cli import tables

    frame.person(Duty.SEE_WORK)
    jobs = office.stuck(frame.ctx, state, office.Which(queue=queue))
    if not jobs:
        return Answer({"jobs": []}, [tables.done(f"nothing is {state}")])
    shown = tables.table(
        f"{state}: {len(jobs)} jobs",
        ("job", "queue", "kind", "rows", "error", "tries", "batch", "since"),
        [
            (j.id, j.queue, j.kind, len(j.items), j.error_class, j.attempts, j.batch_id,
             j.since)
            for j in jobs
        ],
        right=("job", "rows", "tries", "batch"),
    )  # fmt: skip
    hint = (
        f"[dim]vouchers {state} requeue JOB --reason ... once the cause is gone[/dim]"
    )
    document = {"jobs": [asdict(job) for job in jobs]}
    return Answer(document, [shown, hint], Exit.LOOK)


def requeue(
    frame: Frame,
    jobs: Jobs = None,
    queue: InQueue = None,
    error: OfClass = None,
    batch: OfBatch = None,
    reason: Reason = "requeued by hand",
    *,
    state: Any,
) -> Answer:
    """Have jobs carried again; what they did already is not done twice."""
    from vouchers.backoffice import queues as office

    moved = office.requeue(
        frame.ctx,
        state,
        _which(jobs, queue, error, batch),
        actor=frame.actor(Duty.CHANGE_WORK),
        reason=reason,
    )
    document = {"requeued": moved}
    return _moved(document, moved, jobs, state, f"{len(moved)} jobs go again")


def discard(
    frame: Frame,
    reason: Reason,
    jobs: Jobs = None,
    queue: InQueue = None,
    error: OfClass = None,
    batch: OfBatch = None,
    *,
    state: Any,
) -> Answer:
    """Give jobs up for good; their rows end and the partner is told."""
    from vouchers.backoffice import queues as office

    moved = office.discard(
        frame.ctx,
        state,
        _which(jobs, queue, error, batch),
        actor=frame.actor(Duty.CHANGE_WORK),
        reason=reason,
    )
    document = {"discarded": moved}
    return _moved(document, moved, jobs, state, f"{len(moved)} jobs given up")


def _moved(
    document: dict[str, Any],
    moved: list[int],
    named: list[int] | None,
    state: str,
    done: str,
) -> Answer:
    """What was done; a number that named nothing is not passed over in silence."""
    from vouchers.cli import tables

    missing = sorted(set(named or ()) - set(moved))
    if not missing:
        return Answer(document, [tables.done(done)])
    told = ", ".join(str(number) for number in missing)
    words = f"{done}; not {state}: {told}; see `vouchers {state} list`"
    code = Exit.LOOK if moved else Exit.FAILED
    return Answer(document | {"missing": missing}, [tables.warn(words)], code)


def _which(
    jobs: list[int] | None, queue: str | None, error: str | None, batch: int | None
) -> Which:
    from vouchers.backoffice.queues import Which

    if not (jobs or queue or error or batch):
        raise typer.BadParameter("name jobs, or --queue, --error or --batch")
    return Which(ids=jobs or (), queue=queue, error_class=error, batch_id=batch)


def _bound(run: Any, state: Literal["held", "dead"]) -> Any:
    """`run` for one of the two states, without showing `state` to the command line."""
    import inspect

    bound = partial(run, state=state)
    seen = inspect.signature(run)
    shown = [p for p in seen.parameters.values() if p.name != "state"]
    bound.__signature__ = seen.replace(parameters=shown)  # type: ignore[attr-defined]
    bound.__doc__ = run.__doc__
    bound.__name__ = run.__name__  # type: ignore[attr-defined]
    bound.__annotations__ = {
        name: hint for name, hint in run.__annotations__.items() if name != "state"
    }
    vars(bound)["__wrapped__"] = run
    return bound
