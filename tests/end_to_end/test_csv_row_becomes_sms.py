"""Partners' files become text messages, and an outsider finds nothing wrong."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end import outside
from tests.end_to_end.installation import fund, register, roomy_scheme
from tests.end_to_end.stack import Stack, wait_for
from vouchers.cli.demo.files import Sample, write_partners

FULL = os.environ.get("VOUCHERS_TEST_SCALE") == "full"
#: Rows of the run on servers: the size the promise names, or a small one.
ROWS = 20_000 if FULL else 1_500
PARTNERS = 10
REPEATS = 0.15


@pytest.fixture(params=["embedded", pytest.param("servers", marks=pytest.mark.redis)])
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    """An installation on one machine, and one with two workers on servers."""
    urls = {}
    if request.param == "servers":
        urls = {
            "database_url": request.getfixturevalue("postgres_url"),
            "broker_url": request.getfixturevalue("redis_url"),
        }
    with Stack(tmp_path, scheme=roomy_scheme(), **urls) as made:
        yield made


def people(stack: Stack) -> int:
    """How many residents a run has."""
    rows = ROWS if stack.environ["VOUCHERS_BROKER_URL"] != "memory" else 1_000
    return round(rows / (1 + REPEATS))


def start(stack: Stack) -> None:
    """Start what carries the work: one process, or a house of several."""
    if stack.environ["VOUCHERS_BROKER_URL"] == "memory":
        stack.start("run", "run")
        return
    stack.start_web()
    stack.start("dispatch", "dispatch")
    for name in ("work1", "work2"):
        stack.start(name, "work", "--threads", "2")


def submit_all(stack: Stack, sample: Sample) -> None:
    """Every partner hands in its file."""
    for path in sample.files:
        stack.run("submit", "--partner", path.parent.name, str(path))


def settle(stack: Stack) -> dict[str, Any]:
    """Wait until every row has its word and the provider has reported on every text."""
    status: dict[str, Any] = {}

    def settled() -> bool:
        nonlocal status
        status = stack.ask("status", fine=(0, 3))
        words = status["rows"]
        busy = sum(q["waiting"] + q["running"] for q in status["queues"])
        return not (words["received"] or words["granted"] or words["sent"] or busy)

    wait_for(settled, "every row to be settled", seconds=600)
    return status


def exports(stack: Stack, sample: Sample, status: dict[str, Any]) -> outside.Exports:
    """Hand out what an auditor would ask for."""
    results = {}
    for batch in status["batches"]:
        path = stack.folder / f"{batch['partner']}.result.csv"
        stack.run("results", "--batch", str(batch["batch"]), "--out", str(path))
        results[batch["partner"]] = path
    ledger = stack.folder / "ledger.csv"
    ledger.write_text(stack.run("ledger", "export", "--format", "csv"))
    bundle = stack.folder / "audit.zip"
    stack.run("audit", "export", "--out", str(bundle))
    rows: dict[str, int] = {}
    for truth in sample.truths:
        rows[truth.partner] = rows.get(truth.partner, 0) + 1
    return outside.Exports(rows, status, results, ledger, bundle, stack.accepted())


def test_every_file_becomes_texts_and_an_outsider_finds_no_fault(stack: Stack) -> None:
    """Tight money, repeats, two workers: P1 to P5 hold, and twice is once."""
    count = people(stack)
    sample = write_partners(
        stack.folder / "files",
        seed=11,
        partners=PARTNERS,
        residents=count,
        repeats=REPEATS,
        mistakes=0.02,
        today=date(2026, 12, 7),
    )
    stack.start_simulator("--delay", "0.05")
    register(stack, sample)
    # Two gifts, one for a region only; together too little for everybody.
    fund(stack, pence=count * 4_000, name="open")
    fund(stack, pence=count * 1_500, name="north", restrictions={"regions": ["north"]})
    start(stack)

    submit_all(stack, sample)
    status = settle(stack)
    handed_out = exports(stack, sample, status)

    assert outside.faults(handed_out) == []
    assert status["rows"]["waiting"] > 0
    assert status["rows"]["delivered"] > count * 0.4

    sent = len(stack.accepted())
    submit_all(stack, sample)
    again = settle(stack)

    assert again["rows"] == status["rows"]
    assert len(stack.accepted()) == sent
    assert stack.ask("audit", "verify")["ok"]
    assert stack.ask("ledger", "verify")["ok"]
    # Texts to numbers of several homes are held for a person: doctor says so, exit 3.
    findings = stack.ask("doctor", fine=(0, 3))["findings"]
    broken = [one for one in findings if one["level"] != "ok" and one["id"] != "stuck"]
    assert broken == []
    nothing_personal_leaked(stack, sample)


def nothing_personal_leaked(stack: Stack, sample: Sample) -> None:
    """P7: logs hold no number and no name of the input."""
    logs = "".join(
        path.read_text(errors="replace") for path in stack.folder.glob("*.log")
    )
    assert not re.search(r"\+44\d{10}|\b07\d{9}\b", logs)
    for message in stack.accepted()[:200]:
        assert message["to"] not in logs
