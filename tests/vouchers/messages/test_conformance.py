"""What every gateway must do alike, whoever the provider is; new ones join the list."""

from __future__ import annotations

import gc
import logging
import threading
import traceback
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.vouchers.messages.gateways_at_hand import (
    LIMIT_S,
    NAMES,
    TO,
    WORDS,
    House,
    house,
    kinds,
    text,
)
from vouchers.domain.delivery import Failure
from vouchers.errors import GatewayUnavailable
from vouchers.messages.failures import FAILURES, NOTIFY, UNHEARD_OF, NotifyCode
from vouchers.messages.gateway import (
    NEVER_REACHED,
    Accepted,
    NotCalled,
    Outcome,
    Throttled,
    Unknown,
)

OTHER = "+447700900124"


@pytest.fixture(params=NAMES)
def one(request: pytest.FixtureRequest) -> Iterator[House]:
    """Each gateway in turn."""
    with house(request.param) as made:
        yield made


def test_a_text_is_accepted_once_and_found_again(one: House) -> None:
    """One post, one entry in the provider's record, and the look-up shows just that."""
    (answer,) = one.send(text(7))

    assert isinstance(answer, Accepted)
    assert [row["sid"] for row in one.accepted()] == [answer.sid]
    assert [found.sid for found in one.find(7)] == [answer.sid]
    assert one.requests == 1


def test_each_refusal_has_its_class(one: House) -> None:
    """A person's number, our account, our pace, or a person must look."""
    for plan, expected in one.refusals:
        one.plan("refuse", **plan)
        assert one.send(text()) == [expected], plan
    assert one.accepted() == []


def test_too_many_at_once_is_not_a_refusal(one: House) -> None:
    """Turned away unread: the same text goes again, and is taken."""
    one.plan("throttle")

    assert one.send(text()) == [one.throttled]
    assert kinds(one.send(text())) == ["Accepted"]
    assert len(one.accepted()) == 1


@pytest.mark.parametrize("way", ["stall", "drop", "error"])
def test_a_lost_answer_is_unknown_and_the_look_up_tells_the_truth(
    one: House, way: str
) -> None:
    """Taken or not, the gateway cannot know and never posts again by itself."""
    one.plan(f"{way}_after")
    (after,) = one.send(text(1))
    one.plan(f"{way}_before")
    (before,) = one.send(text(2, to=OTHER))

    assert isinstance(after, Unknown) and isinstance(before, Unknown)
    assert one.requests == 2
    assert [found.sid for found in one.find(1)] == [one.accepted()[0]["sid"]]
    assert one.find(2, to=OTHER) == []


def test_nobody_listening_took_nothing(one: House) -> None:
    """Without a connection the same text may go again soon; a look-up says so too."""
    elsewhere = one.open("http://127.0.0.1:9")

    assert elsewhere.send(text()) == Throttled(NEVER_REACHED)
    with pytest.raises(GatewayUnavailable):
        elsewhere.find(attempt_id=1, to=TO, since=datetime.now(UTC), body_contains="x")
    elsewhere.close()


def test_two_texts_to_one_number_are_told_apart(one: House) -> None:
    """By reference or by words, each try finds its own."""
    first, second = one.send(text(1), text(2, body="Code 9999 0000 1111"))

    assert isinstance(first, Accepted) and isinstance(second, Accepted)
    assert [found.sid for found in one.find(1)] == [first.sid]
    found = one.find(2, words="9999 0000 1111")
    assert [row.sid for row in found] == [second.sid]
    assert one.find(2, words="0000 0000 0000") == []


def test_another_number_or_a_later_hour_finds_nothing(one: House) -> None:
    """All of what is asked must fit."""
    one.send(text(1))

    assert one.find(1, to=OTHER) == []
    assert one.find(1, since=datetime.now(UTC) + timedelta(hours=1)) == []


def test_many_are_answered_in_their_order_and_some_never_called(one: House) -> None:
    """Each answer belongs to its text; who may not start any more is not posted."""
    left = [True, True, False]

    answers = one.gateway.send_many(
        [text(n) for n in range(1, 4)], may_start=lambda: left.pop(0)
    )

    by_sid = {row["sid"]: row["attempt_id"] for row in one.accepted()}
    taken = [answer for answer in answers if isinstance(answer, Accepted)]
    assert answers.count(NotCalled()) == 1 and len(taken) == one.requests == 2
    assert all(
        by_sid[answer.sid] == str(number)
        for number, answer in enumerate(answers, start=1)
        if isinstance(answer, Accepted)
    )


def test_threads_may_share_a_gateway(one: House) -> None:
    """No answer strays to another thread."""
    answers: dict[int, list[Outcome]] = {}

    def work(thread: int) -> None:
        answers[thread] = one.send(*(text(thread * 100 + n) for n in range(5)))

    threads = [threading.Thread(target=work, args=(n,)) for n in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    by_sid = {row["sid"]: int(row["attempt_id"]) for row in one.accepted()}
    for thread, own in answers.items():
        assert [by_sid[row.sid] for row in own] == [thread * 100 + n for n in range(5)]


def test_only_the_providers_own_callbacks_are_taken(one: House) -> None:
    """True ones pass, each time they come; forged ones never do."""
    url, fields, mark = one.callback(42, "SM1", "delivered")

    def verify(signature: str | None) -> bool:
        return one.gateway.verify_callback(url=url, params=fields, signature=signature)

    assert verify(mark) and verify(mark)
    wrong = [None, "", "wrong", mark[:-1], mark + "x", mark.swapcase(), "ünïcode"]
    assert not any(map(verify, wrong))


def test_no_secret_number_or_word_of_a_text_is_ever_said(
    one: House, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in an exception, a repr, an answer or a log line, whoever writes at DEBUG."""
    caplog.set_level(logging.DEBUG)
    said = [repr(one.gateway), str(one.gateway), repr(text())]
    for fault in ("refuse", "throttle", "error_after", "drop_after", "stall_before"):
        one.plan(fault)
        said.append(repr(one.send(text())))
    said.append(repr(one.send(text(), text(2)) + list(one.find(1))))
    elsewhere = one.open("http://127.0.0.1:9")
    try:
        elsewhere.find(
            attempt_id=1, to=TO, since=datetime.now(UTC), body_contains=WORDS
        )
    except GatewayUnavailable as error:
        said.append("".join(traceback.format_exception(error)))
    elsewhere.close()

    told = "\n".join([*said, caplog.text])
    assert [secret for secret in one.secrets if secret in told] == []


def test_a_closed_gateway_leaves_nothing_open(one: House) -> None:
    """No thread, no socket; and it opens again when asked."""
    before = threading.active_count()
    elsewhere = one.open()
    elsewhere.send(text(1))
    elsewhere.find(attempt_id=1, to=TO, since=datetime.now(UTC), body_contains=WORDS)

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", ResourceWarning)
        elsewhere.close()
        del elsewhere
        gc.collect()

    assert [str(w.message) for w in heard if w.category is ResourceWarning] == []
    assert threading.active_count() == before


def test_a_wrong_secret_stops_the_queue_and_nothing_is_looked_up(one: House) -> None:
    """Our account is wrong, not the resident's number."""
    wrong = "99999999-9999-4999-8999-999999999999"
    elsewhere = one.open(secret=wrong)

    answer = elsewhere.send(text())

    assert answer.kind is Failure.CONFIGURATION  # type: ignore[union-attr]
    with pytest.raises(GatewayUnavailable):
        elsewhere.find(attempt_id=1, to=TO, since=datetime.now(UTC), body_contains="x")
    elsewhere.close()


def test_no_call_outlives_its_limit(one: House) -> None:
    """What leases count on is said, and kept: see the stalls above."""
    assert one.gateway.call_limit_s == LIMIT_S


def test_every_code_has_a_class_and_strange_ones_are_counted() -> None:
    """No code means two things; one that is in no table leaves a trace."""
    from vouchers.messages.failures import failure_of, refusal_of

    assert set(NOTIFY) == set(NotifyCode)
    assert {type(kind) for kind in FAILURES.values()} == {Failure}
    before = UNHEARD_OF[39_998]

    assert failure_of(39_998) is Failure.TEMPORARY
    assert refusal_of(39_998) is Failure.FILTERED
    assert failure_of(None) is Failure.TEMPORARY
    assert UNHEARD_OF[39_998] == before + 2
