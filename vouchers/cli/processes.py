"""Commands that stay: workers, dispatcher, drop folder, web, or all at once."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from vouchers.cli.frame import Answer, Exit, Frame, command

UntilIdle = Annotated[
    bool,
    typer.Option(
        "--until-idle", help="End when nothing runs or is due within a minute."
    ),
]
Threads = Annotated[
    int | None, typer.Option(min=1, max=64, help="Jobs at once in each process.")
]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    panel = {"rich_help_panel": "Running"}
    command(app, "run", **panel)(run_all)
    command(app, "work", **panel)(work)
    command(app, "dispatch", **panel)(dispatch)
    command(app, "watch", **panel)(watch)
    command(app, "web", **panel)(web)


def work(
    frame: Frame,
    queues: Annotated[
        str | None, typer.Option(help="Only these queues, with commas between.")
    ] = None,
    threads: Threads = None,
    processes: Annotated[int, typer.Option(min=1, max=64, help="How many.")] = 1,
    until_idle: UntilIdle = False,
) -> Answer:
    """Carry jobs: bring residents' rows through the house."""
    from config.queues import QUEUE_BY_NAME
    from workers import run as workers

    wanted = [name.strip() for name in (queues or "").split(",") if name.strip()]
    unknown = [name for name in wanted if name not in QUEUE_BY_NAME]
    if unknown:
        raise typer.BadParameter(
            f"no such queue: {', '.join(unknown)}; there are {', '.join(QUEUE_BY_NAME)}"
        )
    code = workers.work(
        frame.app,
        queues=wanted,
        threads=threads,
        processes=processes,
        until_idle=until_idle,
    )
    return _ended(code)


def dispatch(frame: Frame) -> Answer:
    """Ring for ready jobs and keep the clock; one or more beside the workers."""
    from workers import run as workers

    return _ended(workers.dispatch(frame.app))


def watch(
    frame: Frame,
    once: Annotated[
        bool, typer.Option("--once", help="Take what lies there now, then end.")
    ] = False,
) -> Answer:
    """Take files from partners' drop folders as they arrive."""
    from workers import run as workers
    from workers import watch as folders

    if once:
        taken = folders.look(frame.app)
        return Answer({"taken": taken})
    with workers.stopped_by_signal() as stop:
        folders.watch(frame.app, stop)
    return Answer({"ended": True}, ["ended"])


def web(
    frame: Frame,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Instead of VOUCHERS_WEB_PORT.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> Answer:
    """Listen for the provider's callbacks."""
    from vouchers.web.serve import serve

    app = frame.app
    serve(app, host=host, port=app.settings.web_port if port is None else port)
    return Answer({"ended": True}, ["ended"])


def run_all(
    frame: Frame,
    until_idle: UntilIdle = False,
) -> Answer:
    """Everything in one process: web, drop folder, dispatcher, clock, workers."""
    from vouchers.web.app import create_app
    from workers import run as workers
    from workers import watch as folders

    app = frame.app
    settings = app.settings

    def ready() -> None:
        frame.aside.print(
            f"[green]●[/green] running; drop files into "
            f"[bold]{settings.inbox_folder}/PARTNER/[/bold], results come to "
            f"[bold]{settings.outbox_folder}/PARTNER/[/bold]; Ctrl-C ends"
        )

    code = workers.run(
        app,
        asgi=create_app(app),
        watch=folders.watch,
        simulator=_simulator(settings),
        until_idle=until_idle,
        ready=ready,
    )
    return _ended(code)


def _simulator(settings: Any) -> list[str]:
    # Somebody else's stand-in is used as it is; only the default brings its own.
    if settings.sms != "simulator" or settings.twilio_api_url:
        return []
    import sys

    from config.settings import SIMULATOR_PORT

    port = str(SIMULATOR_PORT)
    receipts = f"{settings.public_url.rstrip('/')}/callbacks/notify"
    return [
        *(sys.executable, "-m", "vouchers.messages.simulator", "--port", port),
        *("--notify-callback-url", receipts),
    ]


def _ended(code: int) -> Answer:
    from vouchers.cli import tables

    if code == Exit.LOOK:
        words = "ended; something is held or dead: see `vouchers held list`"
        return Answer({"exit": code}, [tables.warn(words)], Exit.LOOK)
    return Answer({"exit": code}, [tables.done("ended")], Exit(code))
