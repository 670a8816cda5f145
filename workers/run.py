"""What `vouchers work`, `dispatch` and `run` start, watch over and end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.process import BaseProcess
from typing import Any

import structlog

from config import logging
from config.settings import Settings
from vouchers import bootstrap
from vouchers.bootstrap import App
from vouchers.pipeline import steps
from vouchers.pipeline.carry import ALL_QUEUES
from vouchers.pipeline.leases import quiet
from vouchers.store import queues as store
from workers.clock import sweep_now
from workers.floor import Floor

log = structlog.get_logger()

#: "Until idle" ends when nothing runs or is due within so many seconds.
IDLE_S = 60.0
#: Seconds between two looks whether anything is left.
LOOK_S = 0.25
#: Rounds of sweeps before an idle process goes home: each may promise jobs anew.
LAST_ROUNDS = 3
#: Seconds before a child that died is started again.
RESTART_S = 1.0
#: What a process looks after once more before it goes home.
#: The result files tell what the log holds, and writing them is logged, too.
LAST_SWEEPS = ("callbacks", "unknown", "waitlist", "seal", "results", "seal")


def work(
    app: App,
    *,
    queues: Sequence[str] = (),
    threads: int | None = None,
    processes: int = 1,
    until_idle: bool = False,
) -> int:
    """Carry jobs of `queues` (all by default) until told to stop, or until idle.

    Gives the exit code of the command: 3 when something is held or dead.
    """
    unknown = set(queues) - set(ALL_QUEUES)
    if unknown:
        raise ValueError(f"no such queue: {', '.join(sorted(unknown))}")
    served = tuple(queues) or ALL_QUEUES
    if processes > 1:
        _many(app, served, threads, processes, until_idle=until_idle)
    else:
        with stopped_by_signal() as stop:
            floor = Floor(app, queues=served, threads=threads)
            floor.start()
            try:
                _wait(app, served, stop, until_idle=until_idle)
            finally:
                floor.stop()
    return exit_code(app)


def dispatch(app: App) -> int:
    """Only ring and tick: the dispatcher and the clock, without taking jobs."""
    with stopped_by_signal() as stop:
        floor = Floor(app, carries=False)
        floor.start()
        stop.wait()
        floor.stop()
    return 0


def run(
    app: App,
    *,
    asgi: Any = None,
    watch: Callable[[App, threading.Event], None] | None = None,
    simulator: Sequence[str] = (),
    until_idle: bool = False,
    ready: Callable[[], None] = lambda: None,
) -> int:
    """Everything in one process: web page, drop folder, dispatcher, clock, workers.

    `asgi` is the web application and `watch` what looks at the drop folder, both given
    by the command line; `simulator` is the command of a child that plays the provider.
    """
    with stopped_by_signal() as stop, ExitStack() as stack:
        if simulator:
            stack.enter_context(child(simulator))
        if asgi is not None:
            stack.enter_context(web(app, asgi))
        if watch is not None:
            stack.enter_context(watching(app, watch, stop))
        floor = Floor(app)
        floor.start()
        stack.callback(floor.stop)
        ready()
        _wait(app, ALL_QUEUES, stop, until_idle=until_idle)
        stop.set()
    return exit_code(app)


def exit_code(app: App) -> int:
    """3 when something is held or dead, for a person to look at; else 0."""
    with app.context.reading() as conn:
        return 3 if any(level.held or level.dead for level in store.levels(conn)) else 0


def is_busy(app: App, queues: Sequence[str] = ALL_QUEUES) -> bool:
    """Whether anything runs or is due within a minute."""
    with app.context.reading() as conn:
        return store.busy(conn, within_s=IDLE_S, queues=queues, sweeps=steps.SWEEPING)


@contextmanager
def stopped_by_signal() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set; a second signal ends at once."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def handle(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    wanted = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, handle) for number in wanted}
    try:
        yield stop
    finally:
        for number, old in before.items():
            signal.signal(number, old)


@contextmanager
def child(command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A program that lives as long as the block."""
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def web(app: App, asgi: Any) -> Iterator[None]:
    """The web pages and callbacks in a thread of this process."""
    import uvicorn

    server = uvicorn.Server(
        uvicorn.Config(
            asgi,
            host="127.0.0.1",
            port=app.settings.web_port,
            log_config=None,
            access_log=False,
            proxy_headers=False,
        )
    )
    thread = threading.Thread(target=server.run, name="web", daemon=True)
    thread.start()
    while thread.is_alive() and not server.started:
        time.sleep(0.02)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=10)


@contextmanager
def watching(
    app: App, watch: Callable[[App, threading.Event], None], stop: threading.Event
) -> Iterator[None]:
    """The drop folder in a thread of this process."""
    thread = threading.Thread(target=watch, args=(app, stop), name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=10)


def _wait(
    app: App, queues: Sequence[str], stop: threading.Event, *, until_idle: bool
) -> None:
    if not until_idle:
        stop.wait()
        return
    rounds = 0
    while not stop.wait(LOOK_S):
        busy = True
        with quiet("idle_unknown"):
            busy = is_busy(app, queues)
        if busy:
            continue
        if rounds == LAST_ROUNDS:
            return
        # What sweeps find now may be work again; what they leave can wait.
        sweep_now(app.context, [steps.SWEEP_BY_NAME[name] for name in LAST_SWEEPS])
        rounds += 1


def _many(
    app: App,
    queues: Sequence[str],
    threads: int | None,
    processes: int,
    *,
    until_idle: bool,
) -> None:
    """Several processes, each with all that it needs; one that dies is replaced."""
    spawn = multiprocessing.get_context("spawn")

    def begin() -> BaseProcess:
        process = spawn.Process(
            target=_child, args=(app.settings, list(queues), threads, until_idle)
        )
        process.start()
        return process

    with stopped_by_signal() as stop:
        alive = [begin() for _ in range(processes)]
        while alive and not stop.wait(LOOK_S):
            for process in [one for one in alive if not one.is_alive()]:
                alive.remove(process)
                if process.exitcode and process.exitcode not in (3,):
                    log.error("worker_died", code=process.exitcode)
                    stop.wait(RESTART_S)
                    alive.append(begin())
                elif not until_idle:
                    alive.append(begin())
        for process in alive:
            process.terminate()
        for process in alive:
            process.join()


def _child(
    settings: Settings, queues: list[str], threads: int | None, until_idle: bool
) -> None:
    # A spawned process inherits no logging, and prints the text of what escapes it.
    logging.configure(settings.log_format)
    logging.guard_process()
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    try:
        app = bootstrap.build(settings, migrate=False)
        code = work(app, queues=queues, threads=threads, until_idle=until_idle)
    except Exception as error:
        log.critical("worker_failed", exc_info=error)
        code = 1
    sys.exit(code)


def _end_with_parent() -> None:
    """Stop as if told to when the parent was killed: nobody would ever end us."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        log.warning("parent_gone")
        os.kill(os.getpid(), signal.SIGTERM)
