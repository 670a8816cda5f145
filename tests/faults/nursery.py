"""`vouchers ...` as a process of its own, started in a moment instead of seconds.

The fault suite starts and kills hundreds of processes. Each is forked from one that has
imported the house and done nothing else; it has its own number, environment, database
connections and threads, runs the same `main` as the command, and dies by real signals.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

#: Called in the new process before the command: "module:function".
Prelude = str

_NURSERY = multiprocessing.get_context("forkserver")
_NURSERY.set_forkserver_preload(["tests.faults.warm", "tests.faults.nursery"])


def start(
    words: tuple[str, ...],
    *,
    environ: dict[str, str],
    folder: Path,
    output: Path,
    prelude: Prelude | None = None,
) -> BaseProcess:
    """Start `vouchers WORDS` with this environment; its exit code is -9 if killed."""
    born = _NURSERY.Process(
        target=_live, args=(words, environ, str(folder), str(output), prelude)
    )
    born.start()
    return born


def _live(
    words: tuple[str, ...],
    environ: dict[str, str],
    folder: str,
    output: str,
    prelude: Prelude | None,
) -> None:
    written = os.open(output, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600)
    os.dup2(written, 1)
    os.dup2(written, 2)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    sys.argv = ["vouchers", *words]
    if prelude is not None:
        from vouchers.pipeline.steps import load

        load(prelude)()
    from vouchers.cli import main

    main()
