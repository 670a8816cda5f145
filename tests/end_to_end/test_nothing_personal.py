"""P7 and P4: whatever is looked at from outside names nobody and shows no code."""

from __future__ import annotations

import base64
import json
import subprocess
import zlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from sqlalchemy import select, update

from tests.conftest import FULL
from tests.end_to_end.installation import fund, house, register, roomy_scheme
from tests.end_to_end.lookout import RedisEar, database_file, logs, unzipped, values
from tests.end_to_end.personal import Secrets, codes_in, codes_of, rows_of
from tests.end_to_end.stack import VOUCHERS, Stack, wait_for
from tests.partner_files import csv_file, csv_text, row
from vouchers.cli.demo.files import Sample, write_partners
from vouchers.domain.ids import referral_id
from vouchers.store.tables.intake import batch_chunk

RESIDENTS = 3_000 if FULL else 110
PARTNER = "harbour-homes"
#: The provider refuses some numbers, loses some answers and stalls over two calls.
PLAN = {
    "seed": 3,
    "rates": {
        "refuse": 0.05,
        "drop_after": 0.05,
        "error_after": 0.03,
        "throttle": 0.03,
        "callback_twice": 0.05,
    },
    "script": [
        {"fault": "stall_after", "times": 1},
        {"fault": "refuse", "times": 3},
    ],
    "stall_s": 15.0,
}


class Watched:
    """An installation with files to hand in, and everything that was seen of it."""

    def __init__(self, stack: Stack, sample: Sample, ear: RedisEar | None) -> None:
        self.stack = stack
        self.sample = sample
        self.ear = ear
        self.secrets = Secrets()
        #: Where it was seen -> every text that was seen there.
        self.seen: dict[str, set[str]] = {}

    @property
    def database_url(self) -> str:
        """Where the tables lie."""
        beside = f"sqlite:///{self.stack.folder / 'var' / 'vouchers.sqlite'}"
        return self.stack.environ["VOUCHERS_DATABASE_URL"] or beside

    def note(self, where: str, text: str) -> None:
        """Keep a text that anybody may be shown."""
        self.seen.setdefault(where, set()).add(text)

    def look(self) -> None:
        """See what changes all the while: every table and every key in Redis."""
        for where, text in values(self.database_url):
            self.note(where, text)
        for text in self.ear.kept() if self.ear else ():
            self.note("redis", text)

    def look_back(self) -> None:
        """See what only grows: logs, Redis' own record, the database's file."""
        for where, text in database_file(self.database_url):
            self.note(where, text)
        self.note("logs", logs(self.stack))
        for text in self.ear.heard if self.ear else ():
            self.note("redis", text)

    def run(self, *words: str) -> str:
        """Run a command; what it says beside its answer is a log, too."""
        done = subprocess.run(
            [*VOUCHERS, *words],
            env=self.stack.environ,
            cwd=self.stack.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in (0, 1, 3), done.stderr[-2000:]
        self.note(f"stderr of {words[0]}", done.stderr)
        return done.stdout

    def show(self, *words: str) -> Any:
        """What an operator is shown, in tables and as JSON."""
        self.note(f"shown by {words[0]}", self.run(*words))
        told = self.run(*words, "--json")
        self.note(f"shown by {words[0]}", told)
        return json.loads(told)

    def submit(self, path: Path, *, partner: str = "") -> dict[str, Any]:
        """Hand in a file; all that stands in it is personal."""
        self.secrets.files.add(path.stem)
        told = self.run(
            "submit", "--partner", partner or path.parent.name, str(path), "--json"
        )
        document: dict[str, Any] = json.loads(told)
        return document

    def settle(self) -> dict[str, Any]:
        """Wait until nothing moves any more; look all the while."""
        status: dict[str, Any] = {}

        def settled() -> bool:
            nonlocal status
            self.look()
            status = self.stack.ask("status", fine=(0, 3))
            words = status["rows"]
            busy = sum(one["waiting"] + one["running"] for one in status["queues"])
            return not (words["received"] or words["sent"] or words["granted"] or busy)

        wait_for(settled, f"every row to be settled {status}", seconds=600)
        return status


@pytest.fixture(params=["embedded", pytest.param("servers", marks=pytest.mark.redis)])
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Watched]:
    """One process on one machine; and web, dispatcher and two workers on servers."""
    urls, ear = {}, None
    if request.param == "servers":
        urls = {
            "database_url": request.getfixturevalue("postgres_url"),
            "broker_url": request.getfixturevalue("redis_url"),
        }
        ear = RedisEar(urls["broker_url"])
    scheme = roomy_scheme().replace(
        "\nsegments_per_second",
        "\nsettle_after_s = 2.0\nsettle_after_urgent_s = 2.0\nsegments_per_second",
        1,
    )
    sample = write_partners(
        tmp_path / "files",
        seed=23,
        residents=RESIDENTS,
        repeats=0.1,
        mistakes=0.08,
        today=date(2026, 12, 7),
    )
    with Stack(tmp_path, scheme=scheme, **urls) as stack:
        yield Watched(stack, sample, ear)
        if ear is not None:
            ear.close()


def start(stack: Stack) -> None:
    """Start what carries the work."""
    if stack.environ["VOUCHERS_BROKER_URL"] == "memory":
        stack.start("run", "run")
        return
    stack.start_web()
    stack.start("dispatch", "dispatch")
    stack.start("work", "work", "--threads", "2", "--processes", "2")


def poison(stack: Stack, batch_id: int) -> None:
    """Make one staged row one that our code fails on, with a person in its cells."""
    with house(stack) as ctx, ctx.begin() as uow:
        here = batch_chunk.c.batch_id == batch_id
        chunk = uow.conn.execute(select(batch_chunk).where(here)).first()
        assert chunk is not None
        place = referral_id(batch_id, chunk.number + 1)
        packed = ctx.keys.open("batch_chunk.sealed", place, chunk.sealed)
        rows = json.loads(zlib.decompress(packed))
        cells = rows[0][1]
        cells[3] = {"name": f"{cells[1]} {cells[2]}", "born": cells[3]}
        fresh = zlib.compress(json.dumps(rows).encode())
        uow.conn.execute(
            update(batch_chunk)
            .where(here, batch_chunk.c.number == chunk.number)
            .values(sealed=ctx.keys.seal("batch_chunk.sealed", place, fresh))
        )


def later_files(watched: Watched) -> list[Path]:
    """Corrections and withdrawals of what was handed in, and two hopeless files."""
    folder = watched.stack.folder / "files" / PARTNER
    known = [
        truth.reference
        for truth in watched.sample.truths
        if truth.partner == PARTNER and truth.kind == "first"
    ]
    changed = [
        row(
            n,
            reference=reference,
            given_name="Philippa",
            family_name="Ravensdale",
            mobile=f"07700 900{700 + n}",
            action="correct",
        )
        | {"email": f"philippa.{n}@example.org"}
        for n, reference in enumerate(known[:4], 1)
    ]
    gone = [{"reference": one, "action": "withdraw"} for one in known[4:7]]
    mended = csv_file(folder / "ravensdale-corrections.csv", [*changed, *gone])
    mended.write_text(
        csv_text([*changed, *gone], [*changed[0]]), encoding="utf-8", newline=""
    )
    person = row(9, given_name="Cordelia", family_name="Thistlewood")
    headless = folder / "thistlewood-headless.csv"
    headless.write_text(csv_text([person], list(person.values())), encoding="utf-8")
    short = folder / "thistlewood-short.csv"
    heading = ["reference", "given_name", "Cordelia Thistlewood 07700 900345"]
    short.write_text(csv_text([person], heading), encoding="utf-8")
    for one in (*changed, person):
        watched.secrets.add(one)
    return [mended, headless, short]


def explain_some(watched: Watched) -> None:
    """Ask for the story of a few rows by our own numbers."""
    for batch in watched.show("status")["batches"]:
        for row_no in (2, 3, 4):
            number = str(referral_id(int(batch["batch"]), row_no))
            words = ("explain", number, "--partner", batch["partner"])
            watched.note("shown by explain", watched.run(*words))


def keys_in(path: Path) -> list[str]:
    """Every secret of the key file in the spellings in which it could lie about."""
    held = json.loads(path.read_text(encoding="utf-8"))
    singles = [held[name] for name in ("code", "index", "signing")]
    secrets = [*held["sealing"].values(), *held["match"].values(), *singles]
    raw = [base64.b64decode(one) for one in secrets]
    return [
        *secrets,
        *(one.hex() for one in raw),
        *(one.decode("latin-1") for one in raw),
    ]


def results_of(stack: Stack) -> str:
    """All that lies in the partners' outboxes."""
    return "\n".join(
        path.read_text(encoding="utf-8-sig")
        for path in (stack.folder / "var" / "outbox").rglob("*.csv")
    )


def play(watched: Watched) -> dict[str, Any]:
    """The whole path, with everything in it that goes wrong on a bad day."""
    stack = watched.stack
    plan = stack.folder / "plan.json"
    plan.write_text(json.dumps(PLAN), encoding="utf-8")
    stack.start_simulator("--delay", "0.05", "--plan", str(plan))
    register(stack, watched.sample)
    fund(stack, pence=RESIDENTS * 4_000)
    for path in watched.sample.files:
        for one in rows_of(path):
            watched.secrets.add(one)
    for path in watched.sample.files:
        receipt = watched.submit(path)
        if path.parent.name == PARTNER:
            poison(stack, int(receipt["batch_id"]))
    start(stack)
    watched.settle()
    outcomes = [
        watched.submit(path, partner=PARTNER)["outcome"]
        for path in later_files(watched)
    ]
    assert outcomes == ["accepted", "refused", "refused"]
    return watched.settle()


@pytest.mark.parametrize(
    "text",
    [
        "cannot read Thistlewood",
        json.dumps("Małgorzata"),
        "to=%2B447700900345",
        "(07700) 900 345",
        "SW1A 9AA",
        "sw1a9aa",
        "born 29/02/1980",
        "1980-02-29T00:00",
        "9 High Street, Halifax",
        "mail thistle@example.org now",
        "ref=HA10009;",
        "thistlewood-short.csv",
    ],
)
def test_the_search_finds_what_it_looks_for(text: str) -> None:
    """A search that finds nothing proves something only if it could have."""
    secrets = Secrets(files={"thistlewood-short"})
    secrets.add(
        row(
            9,
            reference="HA10009",
            given_name="Małgorzata",
            family_name="Thistlewood",
            mobile="07700900345",
            date_of_birth="29/02/1980",
            email="thistle@example.org",
        )
    )

    assert list(secrets.found_in(f"x {text} y"))
    assert not list(secrets.found_in("batch 7, row 12, 07700 900999, 2026-12-07"))


def test_the_search_finds_codes_with_and_without_blanks() -> None:
    """However a code is grouped, it is the same code."""
    codes = codes_of(
        ["1 of 2: 6337 1234 5678 9012 345, 2 of 2: 6337 1234 5678 9999 111"]
    )

    assert len(codes) == 2
    for text in (
        "6337123456789012345",
        "6337-1234-5678-9012-345",
        "x6337 1234 5678 9012 345",
    ):
        assert len(codes_in(text, codes)) == 1


def test_nobody_is_named_and_no_code_is_shown(watched: Watched) -> None:
    """Tables, file, Redis, logs, events and commands: no person, no code, no key."""
    stack = watched.stack
    status = play(watched)

    for words in (("queues",), ("held", "list"), ("status",), ("waitlist",)):
        watched.show(*words)
    explain_some(watched)
    watched.run("audit", "export", "--out", str(stack.folder / "audit.zip"))
    watched.note("audit bundle", unzipped(stack.folder / "audit.zip"))
    with urlopen(f"http://127.0.0.1:{stack.web_port}/health", timeout=10) as answer:
        watched.note("health", answer.read().decode())
    watched.look_back()
    stack.stop()
    watched.look()
    watched.look_back()
    if watched.ear is not None:
        assert len(watched.ear.heard) > 50

    # The run was worth looking at.
    rows = status["rows"]
    assert rows["delivered"] > RESIDENTS / 3
    assert min(rows["to_correct"], rows["not_delivered"], rows["not_granted"]) > 0
    assert len(status["batches"]) >= len(watched.sample.files) + 1
    secrets = watched.secrets
    assert len(secrets.names) > 2 * len(secrets.skipped) > 0
    assert min(map(len, (secrets.phones, secrets.births, secrets.addresses))) > 80
    codes = codes_of(one["body"] for one in stack.accepted())
    assert len(codes) > RESIDENTS / 3
    assert "TypeError" in "".join(watched.seen["shown by held"])

    held = keys_in(
        Path(stack.environ.get("VOUCHERS_KEYS", stack.folder / "var/keys.json"))
    )
    found = set()
    for where, texts in watched.seen.items():
        text = "\n".join(texts)
        found |= {f"{where}: {one}" for one in secrets.found_in(text)}
        found |= {f"{where}: code {one}" for one in codes_in(text, codes)}
        found |= {f"{where}: a key" for key in held if key in text}
    found |= {f"results: code {one}" for one in codes_in(results_of(stack), codes)}
    assert sorted(found) == []
