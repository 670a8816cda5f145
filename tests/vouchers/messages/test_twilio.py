"""One suite for the real Twilio client against any provider we point it at."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vouchers.domain.delivery import Failure
from vouchers.errors import GatewayUnavailable
from vouchers.messages.failures import FAILURES, failure_of, refusal_of
from vouchers.messages.gateway import (
    NEVER_REACHED,
    Accepted,
    NotCalled,
    Outcome,
    OutgoingMessage,
    Refused,
    Throttled,
    Unknown,
)
from vouchers.messages.simulator import (
    RunningSimulator,
    SimulatorOptions,
    run_in_thread,
)
from vouchers.messages.simulator.callbacks import sign
from vouchers.messages.twilio import TwilioGateway

TO = "+447700900123"


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    """A provider that reports nothing."""
    running = run_in_thread(SimulatorOptions(callback_delay_s=3600.0))
    yield running
    running.stop()


@pytest.fixture
def gateway(simulator: RunningSimulator) -> Iterator[TwilioGateway]:
    """The real client, pointed at the stand-in."""
    made = gateway_to(simulator.url)
    yield made
    made.close()


def gateway_to(url: str, token: str = "simulator-token") -> TwilioGateway:
    """The real client with a short patience."""
    return TwilioGateway(
        account_sid="AC" + "0" * 32, auth_token=token, api_url=url, call_limit_s=1.0
    )


def text(number: int = 1, to: str = TO, body: str = "6337 1234") -> OutgoingMessage:
    """A text of ours."""
    url = f"http://127.0.0.1:9/callbacks/twilio?a={number}"
    return OutgoingMessage(number, to, body, "FuelFund", url)


def look(gateway: TwilioGateway, to: str, since: datetime, words: str) -> list[Any]:
    """What the provider shows for a number."""
    return gateway.find(attempt_id=1, to=to, since=since, body_contains=words)


def test_an_accepted_text_can_be_found_again(simulator, gateway) -> None:
    """By number, time and words, as the resolver asks."""
    accepted = gateway.send(text())

    found = look(gateway, TO, datetime.now(UTC), "6337 1234")

    assert isinstance(accepted, Accepted)
    assert [one.sid for one in found] == [accepted.sid]
    assert simulator.accepted()[0]["attempt_id"] == "1"


def test_other_words_another_number_or_an_older_one_are_not_found(gateway) -> None:
    """Each of the three conditions counts."""
    gateway.send(text())
    now = datetime.now(UTC)

    assert look(gateway, TO, now, "9999") == []
    assert look(gateway, "+447700900124", now, "6337") == []
    later = now + timedelta(hours=1)
    assert look(gateway, TO, later, "6337") == []


@pytest.mark.parametrize(
    ("fault", "outcome", "accepted"),
    [
        ("refuse", Refused(21211, Failure.NUMBER), 0),
        ("throttle", Throttled(20429), 0),
        ("error_before", Unknown("Http500"), 0),
        ("error_after", Unknown("Http500"), 1),
        ("drop_before", Unknown("ServerDisconnectedError"), 0),
        ("drop_after", Unknown("ServerDisconnectedError"), 1),
        ("stall_before", Unknown("TimeoutError"), 0),
        ("stall_after", Unknown("TimeoutError"), 1),
    ],
)
def test_every_fault_has_its_answer_and_is_posted_once(
    simulator: RunningSimulator,
    gateway: TwilioGateway,
    fault: str,
    outcome: Outcome,
    accepted: int,
) -> None:
    """Refused, turned away or lost: told apart, and never tried again by a library."""
    simulator.plan(script=[{"fault": fault}], stall_s=3.0)

    answer = gateway.send(text())

    assert answer == outcome
    assert len(simulator.accepted()) == accepted
    assert simulator.server.requests == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"to": "+447700900900"}, 21211),
        ({"to": "+447700900901"}, 21614),
        ({"to": "+447700900902"}, 21610),
        ({"to": "not a number"}, 21211),
        ({"body": "x" * 1601}, 21617),
    ],
)
def test_refusals_bring_their_code(gateway, change: dict[str, str], code: int) -> None:
    """What Twilio refuses, by number or by form."""
    answer = gateway.send(text(**change))

    assert answer == Refused(code, FAILURES[code])


def test_a_wrong_token_is_a_fault_of_ours(simulator) -> None:
    """Not the resident's number is wrong but our account."""
    gateway = gateway_to(simulator.url, token="wrong")

    assert gateway.send(text()) == Refused(20003, Failure.CONFIGURATION)
    with pytest.raises(GatewayUnavailable):
        look(gateway, TO, datetime.now(UTC), "x")
    gateway.close()


def test_nobody_listening_took_nothing(simulator) -> None:
    """Without a connection nothing was taken: the same text may go again soon."""
    gateway = gateway_to("http://127.0.0.1:9")

    assert gateway.send(text()) == Throttled(NEVER_REACHED)
    with pytest.raises(GatewayUnavailable):
        look(gateway, TO, datetime.now(UTC), "x")
    gateway.close()


def test_many_are_answered_in_their_order(simulator, gateway) -> None:
    """Each answer belongs to its text, faults among them."""
    numbers = [TO, "+447700900900", TO, "+447700900911", TO]

    answers = gateway.send_many([text(n, to) for n, to in enumerate(numbers)])

    kinds = [type(one) for one in answers]
    assert kinds == [Accepted, Refused, Accepted, Throttled, Accepted]
    by_sid = {one["sid"]: one["attempt_id"] for one in simulator.accepted()}
    assert [by_sid[answers[n].sid] for n in (0, 2, 4)] == ["0", "2", "4"]


def test_no_call_starts_when_told_not_to(simulator, gateway) -> None:
    """The question is asked before each call, and its answer obeyed."""
    left = [True, True, False, False]

    answers = gateway.send_many(
        [text(n) for n in range(4)], may_start=lambda: left.pop(0)
    )

    assert [type(one) for one in answers].count(NotCalled) == 2
    assert len(simulator.accepted()) == 2


def test_threads_may_share_the_gateway(simulator, gateway) -> None:
    """No answer strays to another thread."""
    results: dict[int, list[Outcome]] = {}

    def work(thread: int) -> None:
        batch = [text(thread * 100 + n) for n in range(20)]
        results[thread] = gateway.send_many(batch)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    by_sid = {one["sid"]: int(one["attempt_id"]) for one in simulator.accepted()}
    for thread, answers in results.items():
        expected = [thread * 100 + n for n in range(20)]
        assert [by_sid[one.sid] for one in answers] == expected


def test_no_log_line_holds_a_number(simulator, gateway, caplog) -> None:
    """Not even at the most talkative level of ours."""
    caplog.set_level(logging.INFO)
    gateway.send(text(to="+447700900900"))
    look(gateway, TO, datetime.now(UTC), "x")

    assert "7700900" not in caplog.text
    assert "7700900" not in repr(text()) and "6337" not in repr(text())


URL = "https://vouchers.example/callbacks/twilio?a=42"
PARAMS = [
    ("MessageSid", "SM1"),
    ("MessageStatus", "delivered"),
    ("ErrorMessage", ""),
    ("To", TO),
]


@pytest.mark.parametrize(
    ("url", "params", "signature", "valid"),
    [
        (URL, PARAMS, "right", True),
        (URL.replace(".example/", ".example:443/"), PARAMS, "right", True),
        (URL.replace("https", "http"), PARAMS, "right", False),
        (URL.replace("vouchers.example", "10.0.0.7:8400"), PARAMS, "right", False),
        (URL.partition("?")[0], PARAMS, "right", False),
        (URL.replace("/twilio", "/twilio/"), PARAMS, "right", False),
        (URL, [one for one in PARAMS if one[1]], "right", False),
        (URL, PARAMS[:2], "right", False),
        (URL, [*PARAMS, ("BrandNew", "1")], "right", False),
        (URL, PARAMS, "wrong", False),
        (URL, PARAMS, None, False),
        (URL, PARAMS, "", False),
        (URL, PARAMS, "ünïcode", False),
    ],
)
def test_signatures(gateway, url, params, signature, valid) -> None:
    """Only the exact public URL with every parameter passes; a missing one fails."""
    if signature == "right":
        signature = sign("simulator-token", URL, PARAMS)

    assert gateway.verify_callback(url=url, params=params, signature=signature) is valid


def test_a_new_field_of_the_providers_does_not_break_the_signature(gateway) -> None:
    """All parameters count, those we never heard of too, and repeated ones."""
    params = [*PARAMS, ("BrandNew", "1"), ("BrandNew", "2")]

    signature = sign("simulator-token", URL, params)

    assert gateway.verify_callback(url=URL, params=params, signature=signature)


def test_unheard_of_codes_have_a_careful_class() -> None:
    """A callback's may pass; a refusal's needs a person."""
    assert failure_of(None) is Failure.TEMPORARY
    assert failure_of(39_999) is Failure.TEMPORARY
    assert refusal_of(29_999) is Failure.FILTERED
