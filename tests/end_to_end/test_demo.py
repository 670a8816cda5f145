"""The demo is the promise that a newcomer meets first: it has to end well."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_demo_ends_well_without_a_terminal(tmp_path: Path) -> None:
    """A small demo in a pipe: all proofs hold, nothing changes twice, exit 0."""
    asked = "from vouchers.cli import main; main()"
    words = ["demo", "--residents", "80", "--folder", str(tmp_path / "demo"), "--json"]

    done = subprocess.run(
        [sys.executable, "-c", asked, *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-2000:]
    document = json.loads(done.stdout)
    assert document["ok"] is True
    assert document["proofs"] == {"ledger": True, "audit": True, "doctor": True}
    assert document["unaccounted"] == 0
    assert document["texts"] > 50


def test_the_demo_empties_no_folder_but_its_own(tmp_path: Path) -> None:
    """A folder that holds something else is refused and left as it is."""
    kept = tmp_path / "precious.txt"
    kept.write_text("mine", encoding="utf-8")

    done = subprocess.run(
        [
            *(sys.executable, "-c", "from vouchers.cli import main; main()"),
            *("demo", "--folder", str(tmp_path)),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert "holds something that is no demo" in " ".join(done.stderr.split())
    assert kept.read_text(encoding="utf-8") == "mine"
