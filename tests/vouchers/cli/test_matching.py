"""What the commands about matching print: whole, and honest about what is missing."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from vouchers.backoffice.matching_audit import Audit, Disagreement
from vouchers.cli import matching
from vouchers.cli.commands import run
from vouchers.cli.frame import Exit
from vouchers.domain.matching.disagreement import Stand

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

    def typed(*words: str) -> tuple[int, str, str]:
        code = run(list(words))
        said = capsys.readouterr()
        return code, said.out, said.err

    return typed


def test_without_rulings_calibrate_says_how_many_it_needs(vouchers: Run) -> None:
    """It fails, shows what is there, and keeps its caveat in the document too."""
    code, out, _ = vouchers("matching", "calibrate")
    assert code == Exit.FAILED
    assert "1,497 under the match threshold" in " ".join(out.split())
    code, out, _ = vouchers("matching", "calibrate", "--json")
    document = json.loads(out)
    assert (code, document["rulings"], document["file"]) == (Exit.FAILED, 0, None)
    assert "only for pairs that were sent to a person" in document["caveat"]


def test_an_audit_is_for_reviewers(vouchers: Run) -> None:
    """The first owner is none, and is told how to become one."""
    code, _, err = vouchers("matching", "audit")
    assert code == Exit.FAILED
    assert "needs the role reviewer" in err


@pytest.mark.parametrize("width", [80, 140])
def test_a_disagreement_reads_whole_at_any_width(width: int) -> None:
    """Both numbers, both chances, where it stands, the evidence in words."""
    one = Disagreement(
        2097154, 9000001, Stand.LOOSELY_JOINED, "look at both", 0.998, 0.5, 0.25,
        ("same date of birth", "given names differ"),
        ({"given_name": "Ann"}, {"given_name": "Anna", "mobile": "+447700900001"}),
    )  # fmt: skip
    found = Audit(2, 3, 4, 1, 0, {Stand.LOOSELY_JOINED: 1}, 1, [one])
    out = io.StringIO()
    console = Console(file=out, width=width)
    for part in matching._audited(found):
        console.print(part)
    said = " ".join(out.getvalue().split())
    for word in ("2097154", "9000001", "loosely", "0.998", "0.500", "Anna", "birth"):
        assert word in said
    assert "…" not in said
