"""The command line as people and programs use it: exit codes, JSON, roles, manners."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from vouchers.cli.commands import app, run
from vouchers.cli.frame import Exit, Frame
from vouchers.pipeline.carry import carry_all

Run = Callable[..., tuple[int, str, str]]

ROW = {
    "reference": "T-1",
    "given_name": "Ngozi",
    "family_name": "Okafor",
    "date_of_birth": "1980-02-29",
    "address_line_1": "1 Alder Street",
    "postcode": "HX1 1AA",
    "meter_type": "prepay_key",
    "energy_supplier": "EDF",
    "worker": "J. Hartley",
    "resident_told": "yes",
    "off_supply": "yes",
    "mobile": "07700 900123",
}


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


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    """A file with one right row and one without a family name."""
    wrong = {**ROW, "reference": "T-2", "family_name": ""}
    lines = [",".join(ROW), ",".join(ROW.values()), ",".join(wrong.values())]
    path = tmp_path / "residents.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def leaves(command: Any, words: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command that does something, by its words."""
    inside = getattr(command, "commands", None)
    if inside is None:
        return [words]
    return [
        leaf for name, one in inside.items() for leaf in leaves(one, (*words, name))
    ]


ALL = leaves(typer.main.get_command(app))


def add_partner(vouchers: Run, slug: str = "harbour") -> None:
    """A partner that has signed and named a contact."""
    code, *_ = vouchers(
        *("partners", "add", slug, "--name", "Harbour Homes"),
        *("--agreement", "2026-01-05", "--contact", "Dana Whitlock"),
    )
    assert code == Exit.DONE


def as_person(
    vouchers: Run, monkeypatch: pytest.MonkeyPatch, role: str, *more: str
) -> None:
    """Go on as a new person with this role."""
    _, out, _ = vouchers(
        "people", "add", f"the-{role}", "--role", role, *more, "--json"
    )
    monkeypatch.setenv("VOUCHERS_TOKEN", json.loads(out)["token"])


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_explains_itself(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command has --help that ends well and names --json."""
    assert run([*words, "--help"]) == Exit.DONE

    told = capsys.readouterr().out

    assert words == ("simulator",) or "--json" in told


def test_the_first_look_is_quick_to_load() -> None:
    """Asking for help loads no database, no provider and no web server."""
    heavy = ("sqlalchemy", "twilio", "fastapi", "dramatiq", "numpy", "cryptography")
    asked = (
        "import sys; from vouchers.cli.commands import run; run(['--help']); "
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True
    )

    assert done.stderr.strip() == "[]"


def test_the_first_command_founds_the_house(vouchers: Run, tmp_path: Path) -> None:
    """A new house gets an owner, whose token lies where only this user reads it."""
    code, _, err = vouchers("people", "list")

    kept = tmp_path / "var" / "owner.token"
    assert code == Exit.DONE
    assert "owner" in err
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert kept.read_text() not in err


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("partners", "list"),
        ("people", "list"),
        ("scheme", "list"),
        ("fund", "list"),
        ("stock", "levels"),
        ("queues",),
        ("held", "list"),
        ("dead", "list"),
        ("waitlist",),
        ("doctor",),
        ("expire",),
        ("ledger", "verify"),
        ("audit", "verify"),
    ],
    ids=" ".join,
)
def test_json_is_one_document_on_stdout(vouchers: Run, words: tuple[str, ...]) -> None:
    """With --json, stdout holds one JSON document and nothing else."""
    code, out, _ = vouchers(*words, "--json")

    json.loads(out)
    assert code == Exit.DONE


def test_a_failure_is_one_line_and_exit_1(vouchers: Run) -> None:
    """A thing that is not there: one line that says where to look, no traceback."""
    code, out, err = vouchers("partners", "show", "nobody")

    assert code == Exit.FAILED
    assert out == ""
    assert "vouchers partners list" in err
    assert "Traceback" not in err


def test_a_failure_with_json_is_a_document_too(vouchers: Run) -> None:
    """Programs read failures from stdout as well, still one document."""
    code, out, _ = vouchers("partners", "show", "nobody", "--json")

    assert code == Exit.FAILED
    assert json.loads(out)["error"]["kind"] == "NotFound"


@pytest.mark.parametrize(
    "words", [("nonsense",), ("status", "--no-such"), ("fund", "give", "x")]
)
def test_wrong_usage_is_exit_2(vouchers: Run, words: tuple[str, ...]) -> None:
    """Unknown commands, unknown options and missing arguments end with 2."""
    assert vouchers(*words)[0] == Exit.USAGE
    code, out, _ = vouchers(*words, "--json")
    assert code == Exit.USAGE
    assert json.loads(out)["error"]["kind"] == "Usage"


def test_a_broken_environment_is_told_at_once(
    vouchers: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every fault of the environment is named by its variable."""
    monkeypatch.setenv("VOUCHERS_SMS", "pigeon")
    monkeypatch.setenv("VOUCHERS_THREADS", "0")

    code, _, err = vouchers("status")

    assert code == Exit.FAILED
    assert "VOUCHERS_SMS" in err
    assert "VOUCHERS_THREADS" in err


def test_an_unknown_token_is_nobody(
    vouchers: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that stands for nobody opens nothing."""
    monkeypatch.setenv("VOUCHERS_TOKEN", "fv_made_up")

    assert vouchers("status")[0] == Exit.FAILED


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("operator", ("people", "list")),
        ("operator", ("partners", "list")),
        ("finance", ("fund", "list")),
        ("reviewer", ("reviews", "list")),
    ],
)
def test_a_role_opens_its_own_doors(
    vouchers: Run, monkeypatch: pytest.MonkeyPatch, role: str, words: tuple[str, ...]
) -> None:
    """Each role can do what it is for."""
    as_person(vouchers, monkeypatch, role)

    assert vouchers(*words)[0] == Exit.DONE


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("operator", ("scheme", "pause", "winter_fund", "--reason", "no reason")),
        ("operator", ("keys", "rotate")),
        ("finance", ("people", "add", "eve", "--role", "owner")),
        ("reviewer", ("queues", "pause", "send", "--reason", "no reason")),
        ("reviewer", ("fund", "list")),
        ("finance", ("search", "--mobile", "07700900123", "--reason", "curious")),
    ],
)
def test_a_role_opens_no_other_door(
    vouchers: Run, monkeypatch: pytest.MonkeyPatch, role: str, words: tuple[str, ...]
) -> None:
    """What a role is not for is refused with the role that could."""
    as_person(vouchers, monkeypatch, role)

    code, _, err = vouchers(*words)

    assert code == Exit.FAILED
    assert "that needs the role" in err


def test_a_dry_run_keeps_nothing(vouchers: Run, csv_file: Path) -> None:
    """A dry run says what would happen; no batch is there afterwards."""
    add_partner(vouchers)

    words = ("submit", str(csv_file), "--partner", "harbour", "--dry-run", "--json")
    code, out, _ = vouchers(*words)

    assert code == Exit.DONE
    assert json.loads(out)["preview"]["to_correct"] == 1
    assert json.loads(vouchers("status", "--json")[1])["batches"] == []


def test_a_file_is_accounted_for_row_by_row(vouchers: Run, csv_file: Path) -> None:
    """After a live file, every row has its place, and the story can be told."""
    add_partner(vouchers)
    submit = ("submit", str(csv_file), "--partner", "harbour")
    vouchers(*submit, "--dry-run")
    code, out, _ = vouchers(*submit, "--json")
    batch = json.loads(out)["batch_id"]
    at_once, early, _ = vouchers("status", "--json")
    _carry()

    account = json.loads(vouchers("status", "--batch", str(batch), "--json")[1])

    assert code == at_once == Exit.DONE
    assert json.loads(early)["unread"] == 2
    assert json.loads(early)["unaccounted"] == 0
    assert account["rows_total"] == 2
    assert account["unread"] == 0
    assert account["words"]["to_correct"] == 1
    assert account["unaccounted"] == 0
    assert account["faults"] == {"missing": 1}


def test_the_story_of_a_row_can_be_told(vouchers: Run, csv_file: Path) -> None:
    """`explain` tells the steps by their audit numbers, without the person's name."""
    add_partner(vouchers)
    submit = ("submit", str(csv_file), "--partner", "harbour")
    vouchers(*submit, "--dry-run")
    vouchers(*submit)
    _carry()

    code, out, _ = vouchers("explain", "t-1", "--partner", "harbour", "--json")
    story = json.loads(out)

    assert code == Exit.DONE
    assert [step["kind"] for step in story["steps"]][:2] == [
        "referral.received",
        "referral.matched",
    ]
    assert "Okafor" not in out
    assert "900123" not in out


def test_opening_a_row_is_recorded(
    vouchers: Run, csv_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sealed data is shown to a role that may, and the log says who asked and why."""
    add_partner(vouchers)
    submit = ("submit", str(csv_file), "--partner", "harbour")
    vouchers(*submit, "--dry-run")
    vouchers(*submit)
    _carry()
    asked = ("explain", "T-1", "--partner", "harbour", "--open")
    assert vouchers(*asked, "--reason", "resident rang")[0] == Exit.FAILED
    assert vouchers(*asked)[0] == Exit.USAGE
    as_person(vouchers, monkeypatch, "operator")

    opened = json.loads(vouchers(*asked, "--reason", "resident rang", "--json")[1])
    again = json.loads(vouchers(*asked[:-1], "--json")[1])

    assert opened["opened"]["family_name"] == "Okafor"
    assert again["steps"][-1]["kind"] == "referral.opened"
    assert again["steps"][-1]["by"] == "the-operator/cli"
    assert "resident rang" in " ".join(
        [again["steps"][-1]["what"], *again["steps"][-1]["details"]]
    )


def test_a_partners_person_sees_their_own_rows_only(
    vouchers: Run, csv_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P9: another organisation's rows, files and stories are refused."""
    add_partner(vouchers)
    add_partner(vouchers, "other")
    submit = ("submit", str(csv_file), "--partner", "harbour")
    vouchers(*submit, "--dry-run")
    vouchers(*submit)
    as_person(vouchers, monkeypatch, "partner", "--partner", "other")

    status = json.loads(vouchers("status", "--json")[1])

    assert status["batches"] == []
    assert "queues" not in status
    assert vouchers("explain", "T-1", "--partner", "harbour")[0] == Exit.FAILED
    assert vouchers("results", "--batch", "1")[0] == Exit.FAILED
    assert vouchers(*submit)[0] == Exit.FAILED


def test_search_finds_by_hash_and_leaves_a_trace(
    vouchers: Run, csv_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mobile, and a name with a birth date, each find the row; both are recorded."""
    add_partner(vouchers)
    submit = ("submit", str(csv_file), "--partner", "harbour")
    vouchers(*submit, "--dry-run")
    vouchers(*submit)
    _carry()
    as_person(vouchers, monkeypatch, "operator")
    why = ("--reason", "resident rang", "--json")

    by_mobile = json.loads(vouchers("search", "--mobile", "+447700900123", *why)[1])
    named = ("search", "--name", "Okafor", "--born", "1980-02-29")
    by_name = json.loads(vouchers(*named, *why)[1])
    nobody = json.loads(vouchers("search", "--mobile", "07700900124", *why)[1])

    assert [hit["row"] for hit in by_mobile] == [2]
    assert by_name == by_mobile
    assert nobody == []


def test_results_are_the_partners_own_columns(vouchers: Run, csv_file: Path) -> None:
    """The result file has the partner's columns and a word for each row."""
    add_partner(vouchers)
    submit = ("submit", str(csv_file), "--partner", "harbour")
    vouchers(*submit, "--dry-run")
    vouchers(*submit)
    _carry()

    code, out, _ = vouchers("results", "--batch", "1")

    assert code == Exit.DONE
    assert out.startswith(",".join(ROW))
    assert "to_correct" in out


def _carry() -> None:
    """Run what is ready, in a house opened as the commands open it."""
    frame = Frame()
    carry_all(frame.ctx)
    frame.ctx.engine.dispose()
