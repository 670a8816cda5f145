"""Asking at the command line: by file, by pipe, by hand; never by an option."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vouchers.cli.commands import run
from vouchers.cli.frame import Exit

Run = Callable[..., tuple[int, str, str]]
QUESTION = {"given_name": "Ngozi", "surname": "Okafor", "dob": "1980-02-29",
            "postcode": "HX1 1AA"}  # fmt: skip
CSV = "given_name;surname;dob;postcode\nNgozi;Okafor;29/02/1980;hx11aa\n"


class Terminal(io.StringIO):
    """A keyboard with a person at it."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@pytest.fixture
def check(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Runs `vouchers check --partner elm WORDS` with some text on standard input."""
    for name in ("VOUCHERS_DATABASE_URL", "VOUCHERS_TOKEN", "VOUCHERS_BROKER_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VOUCHERS_VAR", str(tmp_path / "var"))
    monkeypatch.setenv("VOUCHERS_CLOCK", "2026-12-07T12:00:00+00:00")
    run(["partners", "add", "elm", "--name", "Elm", "--agreement", "2026-01-01"])
    capsys.readouterr()

    def typed(
        *words: str, keys: str = "", at: type = io.StringIO
    ) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", at(keys))
        code = run(["check", "--partner", "elm", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return typed


def test_a_question_comes_by_pipe_or_file(check: Run, tmp_path: Path) -> None:
    """JSON and CSV, with one JSON document as the answer where it is asked for."""
    code, out, _ = check("--json", keys=json.dumps(QUESTION))
    assert (code, json.loads(out)["answer"]) == (Exit.DONE, "would_be_supported")
    assert check("--file", "-", keys=CSV)[0] == Exit.DONE
    kept = tmp_path / "question.csv"
    kept.write_text(CSV, encoding="utf-8")
    code, out, _ = check("--file", str(kept))
    assert "Would be supported now" in out


def test_no_option_takes_a_name(check: Run) -> None:
    """Whoever lists the processes, or reads the history, learns nobody's name."""
    assert check("--given-name", "Ngozi")[0] == Exit.USAGE
    assert check("Ngozi")[0] == Exit.USAGE


def test_a_person_is_asked_and_asked_again(check: Run) -> None:
    """What could not be read is asked anew; what could is kept by the enter key."""
    first = "Ngozi\nOkafor\n29/02/80\nHX1 1AA\n\n\n\n\n\n"
    again = "\n\n29/02/1980\n\n\n\n\n\n\n"
    code, out, err = check(keys=first + again, at=Terminal)
    assert code == Exit.DONE
    assert "a year of four digits" in err
    assert out.strip() == "✓ Would be supported now, if the fund lasts."


@pytest.mark.parametrize(
    ("keys", "says"),
    [("", "no question came"), ("{", "not JSON"), ("a,b\n1,2\n3,4", "one row"),
     ('{"given_name": "Ngozi"}', "family_name is empty")],
)  # fmt: skip
def test_what_is_no_question_is_said_in_a_line(
    check: Run, keys: str, says: str
) -> None:
    """Exit code 1, one sentence, no trace, and nothing on standard output."""
    code, out, err = check(keys=keys)
    assert (code, out) == (Exit.FAILED, "")
    assert says in err
    assert "Traceback" not in err
