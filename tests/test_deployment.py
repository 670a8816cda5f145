"""What is shipped: queues have workers, no secret lies in a file, all is pinned."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config.queues import QUEUES
from config.settings import NAMES

HOUSE = Path(__file__).parent.parent
COMPOSE = (HOUSE / "docker-compose.yml").read_text(encoding="utf-8")
OURS = ("migrate", "web", "dispatcher", "watch")


def sections(text: str) -> dict[str, dict[str, str]]:
    """The two upper levels of a Compose file: enough to ask what is in a service."""
    found: dict[str, dict[str, str]] = {}
    top = name = ""
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not line.startswith(" "):
            top = line.split(":")[0]
            found[top] = {}
        elif re.match(r"  \S", line):
            name = line.strip().split(":")[0]
            found[top][name] = ""
        else:
            found[top][name] += f"{line}\n"
    return found


SERVICES = sections(COMPOSE)["services"]


def test_every_queue_has_one_worker_service() -> None:
    """Each queue of config/queues.py is served by exactly one service."""
    served: list[str] = []
    for body in SERVICES.values():
        for queues in re.findall(r'"--queues", "([^"]+)"', body):
            served += queues.split(",")
    assert sorted(served) == sorted(queue.name for queue in QUEUES)


@pytest.mark.parametrize("name", [*OURS, "postgres", "redis"])
def test_all_rooms_run(name: str) -> None:
    """Database, doorbell, migration, web, dispatcher and watcher are services."""
    assert name in SERVICES


def test_ports_are_on_loopback_only() -> None:
    """What is published is published to this machine alone."""
    ports = re.findall(r"ports: \[(.*)\]", COMPOSE)
    assert ports
    for port in ports:
        assert port.startswith('"127.0.0.1:')


def test_redis_keeps_and_never_evicts() -> None:
    """Signals are appended to a file and never thrown out to make room."""
    assert '"--appendonly", "yes"' in SERVICES["redis"]
    assert '"--maxmemory-policy", "noeviction"' in SERVICES["redis"]


def test_postgres_keeps_what_it_answered() -> None:
    """Commits are durable: fsync and synchronous_commit are on."""
    assert "fsync=on" in SERVICES["postgres"]
    assert "synchronous_commit=on" in SERVICES["postgres"]


def test_our_containers_write_nowhere_but_their_volumes() -> None:
    """The root file system is read-only, privileges cannot grow, all have a /tmp."""
    shared = sections(COMPOSE)["x-app"]
    assert shared["read_only"] is not None
    for line in ("read_only: true", "cap_drop: [ALL]", "no-new-privileges:true"):
        assert line in COMPOSE
    for name, body in SERVICES.items():
        if name not in ("postgres", "redis"):
            assert re.search(r"<<: \*(app|worker)", body), name


def test_no_secret_lies_in_a_file() -> None:
    """Neither Compose nor the example has a value where a secret goes."""
    example = (HOUSE / ".env.example").read_text(encoding="utf-8")
    assert re.search(r"^TWILIO_AUTH_TOKEN=$", example, re.M)
    assert re.search(r"^TWILIO_ACCOUNT_SID=$", example, re.M)
    assert "CHANGE-ME" in example
    assert not re.search(r"(PASSWORD|TOKEN|SECRET)(: |=)\S", COMPOSE)
    assert "POSTGRES_PASSWORD_FILE" in COMPOSE


def test_example_names_only_settings_that_exist() -> None:
    """Every variable of .env.example is one that the programs read."""
    example = (HOUSE / ".env.example").read_text(encoding="utf-8")
    given = set(re.findall(r"^([A-Z_]+)=", example, re.M))
    assert given <= set(NAMES.values())


def test_image_takes_only_what_has_a_hash_and_runs_as_nobody() -> None:
    """The image installs from the hashed lock and does not run as root."""
    dockerfile = (HOUSE / "Dockerfile").read_text(encoding="utf-8")
    assert "--require-hashes" in dockerfile
    assert "requirements-runtime.lock" in dockerfile
    assert re.search(r"^USER 10001$", dockerfile, re.M)
    lock = (HOUSE / "requirements-runtime.lock").read_text(encoding="utf-8")
    named = re.findall(r"^[a-z0-9][\w.-]*==", lock, re.M)
    assert named
    assert lock.count("--hash=sha256:") >= len(named)


def test_ci_proves_everything_loudly() -> None:
    """The one script stops at the first failure and runs tests, checks and demo."""
    script = (HOUSE / ".ci" / "run").read_text(encoding="utf-8")
    assert "set -euo pipefail" in script
    for word in ("make test", "make check", "make demo", "VOUCHERS_TEST_SCALE=full"):
        assert word in script
