"""Proves that the door takes signed callbacks only, keeps them, and answers after."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from vouchers.bootstrap import App
from vouchers.messages.simulator.callbacks import sign
from vouchers.store.tables.messages import callback
from vouchers.store.tables.work import job
from vouchers.web.app import create_app
from vouchers.web.callback_forms import FORMS
from vouchers.web.callbacks import BODY_MAX

PATH = "/callbacks/twilio?a=42"
PARAMS = [
    ("MessageSid", "SM1"),
    ("MessageStatus", "delivered"),
    ("ErrorMessage", ""),
    ("To", "+447700900123"),
]


@pytest.fixture
def web(app: App) -> Iterator[TestClient]:
    """The application as a server runs it; its own host is not the public one."""
    with TestClient(create_app(app), base_url="http://10.0.0.7:9") as client:
        yield client


def post(
    web: TestClient, app: App, params: Any = None, path: str = PATH, **headers: str
) -> int:
    """Post a callback, signed for the public URL unless told otherwise."""
    params = PARAMS if params is None else params
    token = app.settings.twilio_auth_token.get_secret_value()
    mark = sign(token, app.settings.public_url + path, params)
    return web.post(
        path,
        content=urlencode(params),
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": mark,
            **headers,
        },
    ).status_code


def kept(app: App) -> list[tuple[Any, ...]]:
    """What is in the table of callbacks."""
    columns = (callback.c.attempt_id, callback.c.sid, callback.c.status)
    with app.context.reading() as conn:
        rows = conn.execute(select(*columns, callback.c.error_code))
        return [tuple(row) for row in rows.all()]


def jobs(app: App) -> list[str]:
    """Kinds of the jobs that are promised."""
    with app.context.reading() as conn:
        return list(conn.scalars(select(job.c.kind)))


def test_a_signed_callback_is_kept_and_its_job_promised(app, web) -> None:
    """Number, status and code only; one job however many come."""
    failed = [*PARAMS[:1], ("MessageStatus", "failed"), ("ErrorCode", "30003")]

    assert post(web, app) == 204
    assert post(web, app, failed) == 204

    assert sorted(kept(app), key=str) == [
        (42, "SM1", "delivered", None),
        (42, "SM1", "failed", 30003),
    ]
    assert jobs(app) == ["deliver.apply"]


def test_the_same_callback_twice_is_kept_once(app, web) -> None:
    """The provider repeats itself; we do not."""
    assert [post(web, app), post(web, app)] == [204, 204]

    assert len(kept(app)) == 1


@pytest.mark.parametrize("mark", ["wrong", ""])
def test_an_unsigned_callback_is_refused(app, web, mark: str) -> None:
    """Nothing is kept of what the provider did not sign."""
    assert post(web, app, **{"X-Twilio-Signature": mark}) == 403
    assert web.post(PATH, content=urlencode(PARAMS)).status_code == 403
    assert kept(app) == []


def test_a_proxy_may_say_what_it_likes(app, web) -> None:
    """The signature is checked for our configured URL, whatever the host header."""
    assert post(web, app, Host="evil.example", **{"X-Forwarded-Proto": "ftp"}) == 204


def test_a_huge_body_is_turned_away(app, web) -> None:
    """Before its end is read."""
    assert post(web, app, [("MessageSid", "S" * (BODY_MAX + 1))]) == 413


@pytest.mark.parametrize(
    "params",
    [
        [],
        [("MessageSid", "SM1")],
        [("MessageStatus", "sent")],
        [("MessageSid", "SM 1"), ("MessageStatus", "sent")],
        [("MessageSid", "SM1"), ("MessageStatus", "x" * 25)],
        [("MessageSid", "S" * 65), ("MessageStatus", "sent")],
    ],
)
def test_what_is_no_callback_is_a_wrong_request(app, web, params) -> None:
    """Signed or not, it must have a number and a status."""
    assert post(web, app, params) == 400
    assert kept(app) == []


@pytest.mark.parametrize("attempt", [None, "", "x", "-1", "1" * 19, "４２"])
def test_an_odd_attempt_number_is_no_number(attempt: str | None) -> None:
    """The callback is kept by the provider's own number instead."""
    reported = FORMS["/callbacks/twilio"].read(PARAMS, attempt)

    assert reported is not None and reported.attempt_id is None


def test_other_methods_are_refused(web) -> None:
    """Only POST."""
    assert web.get(PATH).status_code == 405


def test_no_answer_before_the_commit(app) -> None:
    """A callback that could not be kept is answered 503, so that it comes again."""
    from vouchers.web.callbacks import CallbackDoor

    door = CallbackDoor(app.context)

    def fail(_reported: Any) -> None:
        raise OSError

    door._write = fail  # type: ignore[method-assign]

    async def knock() -> int:
        await door.open()
        token = app.settings.twilio_auth_token.get_secret_value()
        mark = sign(token, app.settings.public_url + PATH, PARAMS)
        sent, answers = asyncio.Queue(), asyncio.Queue()
        await sent.put({"type": "http.request", "body": urlencode(PARAMS).encode()})
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/callbacks/twilio",
            "query_string": b"a=42",
            "headers": [(b"x-twilio-signature", mark.encode())],
        }
        await door(scope, sent.get, answers.put)
        await door.close()
        return (await answers.get())["status"]

    assert asyncio.run(knock()) == 503


def test_nothing_of_a_person_is_kept(app, web) -> None:
    """The number in the callback goes nowhere."""
    post(web, app)

    with app.context.reading() as conn:
        assert "7700900" not in str(conn.execute(select(callback)).all())


def test_health_says_well_when_well(web) -> None:
    """Database, age of the oldest due job, callbacks waiting."""
    answer = web.get("/health")

    assert answer.status_code == 200
    assert answer.json() == {
        "database": "ok",
        "oldest_due_s": 0.0,
        "callbacks_waiting": 0,
    }
