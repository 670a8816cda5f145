"""`vouchers scheme check` names what a scheme lacks, in its file and around it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vouchers.cli.commands import run
from vouchers.cli.frame import Exit


def test_a_scheme_whose_provider_is_not_set_up_is_told(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """Each missing variable by its name; nothing is missing of the stand-in."""
    monkeypatch.setenv("VOUCHERS_VAR", str(tmp_path / "var"))
    rules = Path("config/scheme.toml").read_text(encoding="utf-8")
    file = tmp_path / "council.toml"
    file.write_text(rules.replace('provider = "twilio"', 'provider = "notify"'))
    monkeypatch.setenv("VOUCHERS_SMS", "simulator")
    assert run(["scheme", "check", str(file)]) == Exit.DONE
    capsys.readouterr()

    monkeypatch.setenv("VOUCHERS_SMS", "notify")
    code = run(["scheme", "check", str(file), "--json"])

    assert code == Exit.FAILED
    faults = json.loads(capsys.readouterr().out)["faults"]
    assert "messages.provider notify: NOTIFY_API_KEY is not set" in faults
