"""Proves that the stand-in keeps its word: state, faults by seed, signed callbacks."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from vouchers.messages.gateway import Accepted, OutgoingMessage
from vouchers.messages.simulator import (
    Fault,
    FaultPlan,
    SimulatorOptions,
    run_in_thread,
)
from vouchers.messages.simulator.numbers import MAGIC
from vouchers.messages.simulator.running import read_record, read_status
from vouchers.messages.twilio import TwilioGateway

TO = "+447700900123"
SID = "AC" + "0" * 32


class Listener:
    """A sender's callback address."""

    def __init__(self, answer: int = 204) -> None:
        self.heard: list[tuple[str, dict[str, str], str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                size = int(self.headers["Content-Length"])
                body = self.rfile.read(size).decode()
                form = dict(parse_qsl(body, keep_blank_values=True))
                mark = self.headers["X-Twilio-Signature"]
                outer.heard.append((self.path, form, mark))
                self.send_response(answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/callbacks/twilio"

    def wait_for(self, count: int) -> list[str]:
        """The statuses heard, once there are so many or ten seconds have passed."""
        until = time.monotonic() + 10
        while len(self.heard) < count and time.monotonic() < until:
            time.sleep(0.01)
        return [form["MessageStatus"] for _, form, _ in self.heard]


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Somebody who takes callbacks."""
    made = Listener()
    yield made
    made.server.shutdown()
    made.server.server_close()


def gateway_to(url: str) -> TwilioGateway:
    """The real client."""
    return TwilioGateway(account_sid=SID, auth_token="simulator-token", api_url=url)


def send(url: str, listener: Listener, *numbers: str) -> list[object]:
    """Hand over one text to each number."""
    gateway = gateway_to(url)
    answers = gateway.send_many(
        [
            OutgoingMessage(n, to, f"text {n}", "FuelFund", f"{listener.url}?a={n}")
            for n, to in enumerate(numbers, start=1)
        ]
    )
    gateway.close()
    return answers


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        (None, ["sent", "delivered"]),
        (Fault.CALLBACK_TWICE, ["delivered", "delivered", "sent", "sent"]),
        (Fault.CALLBACK_DISORDER, ["delivered", "sent"]),
        (Fault.CALLBACK_LATE, ["sent", "delivered"]),
    ],
)
def test_callbacks_come_as_planned_and_are_signed(listener, fault, statuses) -> None:
    """In order, twice, reversed or late, each with a signature that holds."""
    plan = FaultPlan(rates={fault: 1.0} if fault else {}, late_s=0.2)
    simulator = run_in_thread(SimulatorOptions(callback_delay_s=0.1), plan)
    send(simulator.url, listener, TO)

    heard = listener.wait_for(len(statuses))

    simulator.stop()
    if fault is Fault.CALLBACK_TWICE:
        heard = sorted(heard)
    assert heard == statuses
    gateway = gateway_to("http://127.0.0.1:9")
    for path, form, mark in listener.heard:
        url = listener.url.partition("/callbacks")[0] + path
        assert gateway.verify_callback(
            url=url, params=list(form.items()), signature=mark
        )
    gateway.close()


def test_a_callback_that_is_not_taken_comes_again() -> None:
    """A sender that fails hears it again; nothing is lost at the first error."""
    angry = Listener(answer=503)
    simulator = run_in_thread(SimulatorOptions(callback_delay_s=0.0))
    send(simulator.url, angry, "+447700900907")

    heard = angry.wait_for(2)

    simulator.stop()
    angry.server.shutdown()
    angry.server.server_close()
    assert heard[:2] == ["sent", "sent"]


@pytest.mark.parametrize(
    ("to", "last"),
    [
        ("+447700900903", ("undelivered", "30003")),
        ("+447700900906", ("undelivered", "30006")),
        ("+447700900915", ("delivered", None)),
        ("+447700900916", ("failed", "30036")),
    ],
)
def test_magic_numbers_end_as_their_table_says(listener, to, last) -> None:
    """Delivered or not, with the code of the reason."""
    simulator = run_in_thread(SimulatorOptions(callback_delay_s=0.05))
    send(simulator.url, listener, to)
    listener.wait_for(len(MAGIC[to].statuses))
    simulator.stop()

    form = listener.heard[-1][1]
    error_code = form.get("ErrorCode")
    # 900915 reports in order: the last word is the truth.
    assert (form["MessageStatus"], error_code if last[1] else None) == last


def test_the_same_seed_makes_the_same_faults() -> None:
    """By the request's own key, whatever the order of arrival."""
    rates = {Fault.THROTTLE: 0.2, Fault.ERROR_AFTER: 0.2, Fault.CALLBACK_NEVER: 0.3}
    keys = [f"http://x/?a={n}" for n in range(500)]

    one = FaultPlan(seed=7, rates=rates)
    two = FaultPlan(seed=7, rates=rates)
    other = FaultPlan(seed=8, rates=rates)

    first = {key: one.of_answer(key, TO) for key in keys}
    assert {key: two.of_answer(key, TO) for key in reversed(keys)} == first
    assert {key: other.of_answer(key, TO) for key in keys} != first
    counts = Counter(first.values())
    assert 60 < counts[Fault.THROTTLE] < 140
    assert 60 < counts[Fault.ERROR_AFTER] < 140


def test_a_plan_with_unknown_words_is_refused() -> None:
    """A misspelt fault must not make a test pass in peace."""
    for bad in ({"rate": {}}, {"rates": {"explode": 1}}, {"script": [{"fault": "x"}]}):
        with pytest.raises(ValueError):
            FaultPlan.of(bad)


def test_a_process_keeps_its_record_over_a_kill(tmp_path: Path, listener) -> None:
    """What it answered for is in the file, and can be asked for after a restart."""
    record = tmp_path / "record.jsonl"
    sids = []
    for n in (1, 2):
        port_file = tmp_path / f"port{n}"
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "vouchers.messages.simulator"),
                *("--port-file", str(port_file), "--record", str(record)),
                *("--delay", "3600"),
            ]
        )
        until = time.monotonic() + 20
        while not port_file.exists() and time.monotonic() < until:
            time.sleep(0.02)
        url = f"http://127.0.0.1:{port_file.read_text().strip()}"
        (accepted,) = send(url, listener, TO)
        assert isinstance(accepted, Accepted)
        sids.append(accepted.sid)
        held = [one["sid"] for one in read_record(url)]
        count = read_status(url)["accepted"]
        process.kill()
        process.wait()

    assert held == sids and count == 2
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    assert [line["sid"] for line in lines if line["kind"] == "accepted"] == sids
