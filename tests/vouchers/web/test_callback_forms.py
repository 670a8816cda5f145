"""GOV.UK Notify's receipts: whose they are, and what is kept of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from vouchers.bootstrap import App, build
from vouchers.providers import STAND_IN_TOKEN
from vouchers.store.tables.messages import callback
from vouchers.web.app import create_app
from vouchers.web.callback_forms import FORMS

PATH = "/callbacks/notify"
SID = "740e5834-3a29-46b4-9a6f-16142fde533a"
RECEIPT: dict[str, Any] = {
    "id": SID,
    "reference": "42",
    "to": "07700900123",
    "status": "delivered",
    "created_at": "2026-12-07T12:00:00.000000Z",
    "completed_at": None,
    "notification_type": "sms",
    "template_version": 1,
}


@pytest.fixture
def web(app: App) -> Iterator[TestClient]:
    """The application as a server runs it."""
    with TestClient(create_app(app), base_url="http://10.0.0.7:9") as client:
        yield client


def post(web: TestClient, receipt: Any, mark: str = f"Bearer {STAND_IN_TOKEN}") -> int:
    """Post a receipt with Notify's token unless told otherwise."""
    body = receipt if isinstance(receipt, bytes) else json.dumps(receipt).encode()
    headers = {"Content-Type": "application/json", "Authorization": mark}
    return web.post(PATH, content=body, headers=headers).status_code


def kept(app: App) -> list[tuple[Any, ...]]:
    """What is in the table of callbacks."""
    columns = (
        callback.c.attempt_id,
        callback.c.sid,
        callback.c.status,
        callback.c.error_code,
    )
    with app.context.reading() as conn:
        return [tuple(row) for row in conn.execute(select(*columns))]


def test_a_receipt_is_kept_once_however_often_it_comes(app, web) -> None:
    """Numbers and a status; nothing of the person who was written to."""
    assert [post(web, RECEIPT) for _ in range(3)] == [204, 204, 204]

    assert kept(app) == [(42, SID, "delivered", None)]


def test_a_failure_has_our_number(app, web) -> None:
    """Notify has words only."""
    assert post(web, RECEIPT | {"status": "permanent-failure"}) == 204

    assert kept(app) == [(42, SID, "permanent-failure", 9001)]


@pytest.mark.parametrize(
    "mark",
    ["", "Bearer", "Bearer ", STAND_IN_TOKEN, f"bearer {STAND_IN_TOKEN}", "Bearer no"],
)
def test_a_forged_receipt_is_refused(app, web, mark: str) -> None:
    """Only who knows the token is heard."""
    assert post(web, RECEIPT, mark) == 403
    assert kept(app) == []


@pytest.mark.parametrize(
    "receipt",
    [
        b"",
        b"no json",
        b"[]",
        b"\xff",
        b"[" * 8_000,
        {},
        {"id": SID},
        RECEIPT | {"id": None},
        RECEIPT | {"id": "x" * 65},
        RECEIPT | {"id": "a b"},
        RECEIPT | {"status": 7},
        RECEIPT | {"status": "x" * 25},
        {str(n): "x" for n in range(101)},
    ],
)
def test_what_is_no_receipt_is_a_wrong_request(app, web, receipt: Any) -> None:
    """Never a crash, and nothing is kept."""
    assert post(web, receipt) == 400
    assert kept(app) == []


@pytest.mark.parametrize("reference", [None, "", "x", "-1", "1" * 19, 42])
def test_a_receipt_without_our_reference_is_kept_by_its_own_number(
    app, web, reference: Any
) -> None:
    """Somebody else's text through the same service proves nothing of ours."""
    assert post(web, RECEIPT | {"reference": reference}) == 204

    assert kept(app) == [(None, SID, "delivered", None)]


def test_the_door_of_a_provider_that_is_not_set_up_stays_shut(app) -> None:
    """The stand-in's token opens nothing where texts are real."""
    real = app.settings.model_copy(update={"sms": "twilio"})
    with TestClient(create_app(build(real))) as client:
        assert post(client, RECEIPT) == 404


def test_every_provider_has_a_door_of_its_own() -> None:
    """Known by its address."""
    assert sorted(FORMS) == ["/callbacks/notify", "/callbacks/twilio"]
