"""Real processes against real servers, and the ways in which a test breaks them."""

from __future__ import annotations

import os
import pwd
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

HOUSE = Path(__file__).parent.parent.parent
#: Seconds after which a process that should have ended is a failure.
PATIENCE_S = 60.0


@dataclass
class House:
    """One installation in a folder: its environment and the processes started in it."""

    folder: Path
    database_url: str
    broker_url: str = "memory"
    more: dict[str, str] = field(default_factory=dict)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        """What a process of this house finds in its environment."""
        mine = {
            "VOUCHERS_VAR": str(self.folder / "var"),
            "VOUCHERS_DATABASE_URL": self.database_url,
            "VOUCHERS_BROKER_URL": self.broker_url,
            "VOUCHERS_KEYS": str(self.folder / "var" / "keys.json"),
            "VOUCHERS_THREADS": "2",
            "PYTHONPATH": str(HOUSE),
            "PYTHONDONTWRITEBYTECODE": "1",
            **self.more,
        }
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("VOUCHERS_", "TWILIO_"))
        }
        return kept | mine

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a Python program of this house: `-m module ...` or `-c ...`."""
        (self.folder / "var").mkdir(parents=True, exist_ok=True)
        with (self.folder / "output.log").open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, *words],
                cwd=self.folder,
                env=self.environment(),
                stdout=output,
                stderr=output,
            )
        self.processes.append(process)
        return process

    def ended(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for the end of a process; fail with its last words if it never comes."""
        try:
            return process.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"it never ended: {self.last_words()}") from None

    def last_words(self) -> str:
        """The end of what the processes printed."""
        path = self.folder / "output.log"
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""

    def close(self) -> None:
        """End every process that is still there."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()


def kill_at_random(
    start: Callable[[], subprocess.Popen[bytes] | BaseProcess],
    *,
    workers: int,
    seconds: float,
    seed: int,
    between: tuple[float, float] = (0.4, 2.0),
) -> int:
    """Keep `workers` processes alive and kill -9 one after another; count the kills."""
    dice = random.Random(seed)
    alive = [start() for _ in range(workers)]
    until = time.monotonic() + seconds
    kills = 0
    while time.monotonic() < until:
        time.sleep(dice.uniform(*between))
        victim = dice.randrange(workers)
        kill(alive[victim])
        kills += 1
        alive[victim] = start()
    for process in alive:
        kill(process)
    return kills + workers


def kill(process: subprocess.Popen[bytes] | BaseProcess) -> None:
    """End a process by SIGKILL, and wait until it is gone."""
    process.kill()
    if isinstance(process, BaseProcess):
        process.join()
    else:
        process.wait()


class DeafProxy:
    """Stands before PostgreSQL and swallows the answer to every nth COMMIT."""

    def __init__(self, host: str, port: int, *, every: int) -> None:
        self.swallowed = 0
        self._target = (host, port)
        self._every = every
        self._seen = 0
        self.lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target, timeout=5)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            deaf = threading.Event()
            for source, sink, asks in ((client, server, True), (server, client, False)):
                threading.Thread(
                    target=self._pump, args=(source, sink, deaf, asks), daemon=True
                ).start()

    def _pump(
        self,
        source: socket.socket,
        sink: socket.socket,
        deaf: threading.Event,
        asks: bool,
    ) -> None:
        asked = b""
        try:
            while data := source.recv(65536):
                # The end of what was asked before may say whose COMMIT this is.
                asked = (asked + data)[-4096:] if asks else b""
                if asks and b"COMMIT" in data and self.is_turn(asked):
                    deaf.set()
                elif not asks and deaf.is_set():
                    # The server has committed; nobody will ever hear of it.
                    break
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def is_turn(self, _asked: bytes) -> bool:
        """Whether to swallow the answer to this COMMIT."""
        with self.lock:
            self._seen += 1
            if self._seen % self._every:
                return False
            self.swallowed += 1
            return True


class OwnPostgres:
    """A PostgreSQL of the test's own, that it may stop and start as it likes."""

    def __init__(self, folder: Path, programs: Path, port: int) -> None:
        self._folder = folder
        self._programs = programs
        self.port = port

    @property
    def url(self) -> str:
        """Where the server listens."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"

    def create(self) -> None:
        """Make the cluster and start it."""
        self._run("initdb", "-A", "trust", "-U", "postgres", "-N")
        self._control("start")

    def crash_and_restart(self) -> None:
        """Stop without a checkpoint, as in a power cut, and start again."""
        self._control("stop", "-m", "immediate")
        self._control("start")

    def destroy(self) -> None:
        """Stop, and remove every trace."""
        try:
            self._control("stop", "-m", "immediate")
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _control(self, *words: str) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self._folder}"
        log = str(self._folder / "log")
        more = ("-o", options, "-l", log, "-w") if words[0] == "start" else ("-w",)
        self._run("pg_ctl", *more, *words)

    def _run(self, program: str, *words: str) -> None:
        command = [str(self._programs / program), "-D", str(self._folder / "data")]
        subprocess.run(
            [*as_postgres(), *command, *words],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            timeout=120,
        )


def as_postgres() -> Sequence[str]:
    """Words before a command that root may not run itself."""
    if os.getuid() != 0:
        return ()
    return ("runuser", "-u", "postgres", "--")


def postgres_programs() -> Path | None:
    """Folder of initdb and pg_ctl of the newest server here, if there is one."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    found = [folder for folder in folders if (folder / "initdb").exists()]
    if found:
        return found[-1]
    where = shutil.which("pg_ctl")
    return Path(where).resolve().parent if where else None


@contextmanager
def own_postgres() -> Iterator[OwnPostgres | None]:
    """A fresh server in a folder that goes away; None where none can be made."""
    programs = postgres_programs()
    if programs is None or (os.getuid() == 0 and not _has_user("postgres")):
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="fv-pg-"))
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
    server = OwnPostgres(folder, programs, free_port())
    try:
        server.create()
        yield server
    finally:
        server.destroy()


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _has_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
