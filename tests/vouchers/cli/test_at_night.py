"""What a tired operator or finance officer reads when something was asked wrongly."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from vouchers.cli.commands import run
from vouchers.cli.frame import Exit

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def vouchers(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Runs `vouchers WORDS` on a new house; gives exit code, stdout, stderr."""
    for name in ("VOUCHERS_DATABASE_URL", "VOUCHERS_TOKEN", "VOUCHERS_BROKER_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VOUCHERS_VAR", str(tmp_path / "var"))
    monkeypatch.setenv("VOUCHERS_CLOCK", "2026-12-07T12:00:00+00:00")

    def typed(*words: str) -> tuple[int, str, str]:
        code = run(list(words))
        said = capsys.readouterr()
        return code, said.out, said.err

    return typed


def test_a_number_that_names_no_held_job_is_not_passed_over(vouchers: Run) -> None:
    """It was a slip: the job that was meant is still held."""
    code, out, _ = vouchers("held", "requeue", "99", "--reason", "fixed", "--json")
    assert code == Exit.FAILED
    assert json.loads(out) == {"requeued": [], "missing": [99]}


def test_a_slip_in_a_queues_name_is_told_with_the_right_names(vouchers: Run) -> None:
    """At night nobody remembers them."""
    code, _, err = vouchers("queues", "pause", "sned", "--reason", "provider outage")
    assert code == Exit.FAILED
    assert "sned" in err and "send" in err and "allocate" in err


def test_money_booked_twice_says_so_and_ends_well(vouchers: Run) -> None:
    """The second time nothing changed, in words and in the document."""
    vouchers("fund", "add-funder", "trust", "--name", "The Trust")
    vouchers("fund", "add-pool", "main", "--name", "Main")
    pledge = ("--pool", "main", "--funder", "trust", "--pounds", "500")
    vouchers("fund", "give", "gift", *pledge)
    receive = ("fund", "receive", "gift", "--pounds", "£500", "--bank-line", "L1")
    assert "£500.00 of gift is booked" in vouchers(*receive)[1]
    assert "nothing changed" in vouchers(*receive)[1]
    code, out, _ = vouchers(*receive, "--json")
    assert code == Exit.DONE and json.loads(out)["booked"] is False


def test_taking_back_more_than_there_is_names_what_there_is(vouchers: Run) -> None:
    """An amount helps more than a rule of bookkeeping."""
    vouchers("fund", "add-funder", "trust", "--name", "The Trust")
    vouchers("fund", "add-pool", "main", "--name", "Main")
    pledge = ("--pool", "main", "--funder", "trust", "--pounds", "500")
    vouchers("fund", "give", "gift", *pledge)
    vouchers("fund", "receive", "gift", "--pounds", "500", "--bank-line", "L1")
    code, _, err = vouchers(
        "fund", "withdraw", "gift", "--pounds", "900", "--reference", "W1"
    )
    assert code == Exit.FAILED
    assert "£500.00 of gift is available" in err


def test_nothing_that_differs_is_one_empty_document(vouchers: Run) -> None:
    """A program that asks every night reads a list."""
    code, out, _ = vouchers("redemptions", "discrepancies", "--json")
    assert code == Exit.DONE and json.loads(out) == []
