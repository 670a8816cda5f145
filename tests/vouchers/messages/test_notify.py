"""What is Notify's alone: its template, its letters, its senders, its receipts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.vouchers.messages.gateways_at_hand import (
    KEY,
    SENDER,
    SERVICE,
    TEMPLATE,
    TO,
    House,
    house,
    kinds,
    notify_open,
    notify_options,
    text,
)
from vouchers.domain.delivery import Failure, MessageState, state_of
from vouchers.messages.failures import FAILURES, NotifyCode
from vouchers.messages.gateway import NEVER_REACHED, Accepted, Refused, Throttled
from vouchers.messages.notify import NotifyGateway, code_of_status
from vouchers.messages.notify_words import LETTERS_MAX, outcome_of, unfit
from vouchers.messages.simulator import SimulatorOptions, run_in_thread
from vouchers.messages.simulator.notify_form import REFUSALS, arrives


@pytest.fixture
def one() -> Iterator[House]:
    """Notify, one text at a time."""
    with house("notify one by one") as made:
        yield made


def refused(code: NotifyCode) -> Refused:
    """A refusal with our number and its class."""
    return Refused(int(code), FAILURES[code])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("x" * LETTERS_MAX, None),
        ("x" * (LETTERS_MAX + 1), NotifyCode.TOO_LONG),
        ("Ŵy’r – £49, Zoë…", None),
        ("łaska", NotifyCode.OTHER_LETTERS),
        ("код", NotifyCode.OTHER_LETTERS),
        ("👍", NotifyCode.OTHER_LETTERS),
    ],
)
def test_a_text_that_would_arrive_changed_is_not_sent(one: House, body, code) -> None:
    """Notify would write "?" and say "accepted"; a person looks instead."""
    (answer,) = one.send(text(body=body))

    assert answer == (refused(code) if code else answer)
    assert one.requests == (0 if code else 1)
    assert ("?" in arrives(body)) == (code is NotifyCode.OTHER_LETTERS)


@pytest.mark.parametrize("to", ["+441632960123", "+33612345678", "07700900123", ""])
def test_only_uk_mobiles_are_handed_over(one: House, to: str) -> None:
    """A landline would have the code read aloud; abroad costs and is refused."""
    assert one.send(text(to=to)) == [refused(NotifyCode.NO_UK_MOBILE)]
    assert one.requests == 0


def test_a_sender_without_an_id_never_becomes_the_usual_one(one: House) -> None:
    """A neutral text must not come from the fund's own name."""
    other = text()
    neutral = type(other)(2, TO, "x", "Notice", "")

    assert one.send(neutral) == [refused(NotifyCode.SENDER)]
    assert kinds(one.send(other)) == ["Accepted"]
    assert [row["from"] for row in one.accepted()] == [SENDER]


@pytest.mark.parametrize(
    "template", ["Hello", "Hello ((body))", "((name))", "((body)) ((body))", ""]
)
def test_nothing_goes_out_under_another_template(one: House, template: str) -> None:
    """Notify would take it, charge for it, and the code would be missing."""
    one.simulator.server.notify.template = template

    assert one.send(text()) == [refused(NotifyCode.TEMPLATE)]
    assert one.requests == 0


def test_a_template_edited_meanwhile_is_read_again(one: House) -> None:
    """The first text shows the new version; the next is stopped."""
    desk = one.simulator.server.notify
    one.send(text(1))
    desk.template, desk.template_version = "Hello", 2

    answers = one.send(text(2), text(3))

    assert kinds(answers) == ["Accepted", "Refused"]


def test_a_template_that_cannot_be_read_leaves_nothing_unknown() -> None:
    """No text was handed over yet."""
    made = NotifyGateway(
        api_key=KEY,
        template_id="55555555-5555-4555-8555-555555555555",
        sender_id={"FuelFund": SENDER}.get,
        callback_token="x",
        api_url="http://127.0.0.1:9",
    )
    assert made.send(text()) == Throttled(NEVER_REACHED)
    made.close()
    with house("notify one by one") as one:
        elsewhere = NotifyGateway(
            api_key=KEY,
            template_id="55555555-5555-4555-8555-555555555555",
            sender_id={"FuelFund": SENDER}.get,
            callback_token="x",
            api_url=one.simulator.url,
        )
        assert elsewhere.send(text()) == refused(NotifyCode.NO_SUCH_THING)
        elsewhere.close()


def test_smoke_tests_numbers_are_answered_and_not_kept(one: House) -> None:
    """Notify's own three: a pretended answer, nothing to find."""
    (answer,) = one.send(text(to="+447700900000"))

    assert isinstance(answer, Accepted)
    assert one.find(1, to="+447700900000") == [] == list(one.accepted())


def test_the_same_reference_of_another_house_is_not_ours(one: House) -> None:
    """Two houses on one service count alike: number and words decide."""
    one.send(text(5, to="+447700900124"), text(5, body="Code 9999"), text(5))

    assert [row.sid for row in one.find(5)] == [one.accepted()[2]["sid"]]


@pytest.mark.parametrize(
    ("status", "state", "failure"),
    [
        ("created", MessageState.ACCEPTED, None),
        ("sending", MessageState.ACCEPTED, None),
        ("pending", MessageState.ACCEPTED, None),
        ("sent", MessageState.SENT, None),
        ("delivered", MessageState.DELIVERED, None),
        ("permanent-failure", MessageState.UNDELIVERED, Failure.NUMBER),
        ("temporary-failure", MessageState.UNDELIVERED, Failure.TEMPORARY),
        ("technical-failure", MessageState.FAILED, Failure.OURS),
        ("validation-failed", MessageState.FAILED, Failure.FILTERED),
        ("something-new", MessageState.ACCEPTED, None),
    ],
)
def test_each_status_has_its_meaning(status, state, failure) -> None:
    """In receipts and look-ups alike."""
    code = code_of_status(status)

    assert state_of(status) is state
    assert (FAILURES[code] if code is not None else None) is failure


def test_two_limits_of_one_http_status_are_two_things() -> None:
    """Too fast goes again by itself; the day's limit needs a person."""

    def said(name: str) -> object:
        status, kind, words = REFUSALS[name]
        return outcome_of(status, {"errors": [{"error": kind, "message": words}]})

    assert said("rate") == Throttled(NotifyCode.RATE)
    assert said("day_limit") == refused(NotifyCode.DAY)
    # A proxy in between knows neither word.
    assert outcome_of(429, None) == Throttled(NotifyCode.RATE)
    assert outcome_of(302, None) == refused(NotifyCode.NO_SUCH_THING)


@pytest.mark.parametrize("document", [None, [], {}, {"errors": "x"}, {"errors": [1]}])
def test_an_answer_in_no_known_shape_is_held_for_a_person(document: object) -> None:
    """Never a crash, never a guess."""
    assert outcome_of(400, document) == Refused(400, Failure.FILTERED)


@pytest.mark.parametrize("key", ["", "x", SERVICE, f"{SERVICE}-x", "-" * 80])
def test_a_key_that_is_none_is_named_without_being_shown(key: str) -> None:
    """At the start, not at the first text."""
    with pytest.raises(ValueError, match="two ids") as caught:
        NotifyGateway(
            api_key=key,
            template_id=TEMPLATE,
            sender_id={}.get,
            callback_token="x",
        )
    assert not key or key not in str(caught.value)


def test_without_a_token_every_receipt_is_refused() -> None:
    """An empty secret opens nothing."""
    made = NotifyGateway(
        api_key=KEY, template_id=TEMPLATE, sender_id={}.get, callback_token=""
    )
    for mark in ("Bearer ", "Bearer", ""):
        assert not made.verify_callback(url="", params=[], signature=mark)


def test_what_fits_is_known_without_asking() -> None:
    """The same rule for every text."""
    assert unfit(TO, "Code 6337") is None
    assert unfit(TO, "") is None


def test_a_stand_in_that_was_killed_remembers_what_it_took(tmp_path: Path) -> None:
    """A look-up after its restart finds the text by its reference."""
    options = SimulatorOptions(
        callback_delay_s=3_600.0, notify=notify_options(record=tmp_path / "record")
    )
    since = datetime.now(UTC)
    found = []
    for number in (1, 2):
        running = run_in_thread(options)
        gateway = notify_open(running)()
        assert kinds([gateway.send(text(number))]) == ["Accepted"]
        found = [
            gateway.find(attempt_id=n, to=TO, since=since, body_contains="6337")
            for n in (1, 2)
        ]
        gateway.close()
        running.stop()

    assert [len(one) for one in found] == [1, 1]
