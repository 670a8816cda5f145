"""Questions over HTTP: a token in the header, the person in the body, nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.partner_files import open_house, row
from vouchers.backoffice import people
from vouchers.bootstrap import App
from vouchers.domain.roles import Person, Role
from vouchers.web.app import create_app

OWNER = Person(1, "owner", frozenset({Role.OWNER}))
QUESTION = {
    name: row(1)[name]
    for name in ("given_name", "family_name", "date_of_birth", "postcode")
}


@pytest.fixture
def token(app: App) -> str:
    """Wes works for elm-homes."""
    open_house(app.context)
    return people.add(
        app.context, handle="wes", roles=[Role.PARTNER], partner="elm-homes",
        by=OWNER, door="test",
    )  # fmt: skip


@pytest.fixture
def web(app: App) -> Iterator[TestClient]:
    """The application as a server runs it."""
    with TestClient(create_app(app)) as client:
        yield client


def post(web: TestClient, token: str, body: Any) -> Any:
    """One question with a token."""
    return web.post("/check", json=body, headers={"Authorization": f"Bearer {token}"})


def test_a_partners_program_is_answered(web: TestClient, token: str) -> None:
    """The partner is the token's own; nobody on the way may keep the answer."""
    answer = post(web, token, {"resident": QUESTION})
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.json() == {
        "answer": "would_be_supported",
        "sentence": "Would be supported now, if the fund lasts.",
        "next_on": None,
        "own_request": None,
    }


def test_without_a_token_nobody_is_answered(web: TestClient, token: str) -> None:
    """Not even whether the question could be read."""
    assert post(web, "fv_wrong", {"resident": QUESTION}).status_code == 401
    assert web.post("/check", content=b"{").status_code == 401
    assert web.get("/check").status_code == 405


@pytest.mark.parametrize(
    "body",
    [[], {}, {"resident": []}, {"resident": {"given_name": ["x"]}},
     {"resident": QUESTION, "more": 1}, {"resident": QUESTION, "scheme": 1},
     {"resident": QUESTION, "scheme": "none"}, {"resident": {}}],
)  # fmt: skip
def test_what_cannot_be_read_is_said(web: TestClient, token: str, body: Any) -> None:
    """422 with a sentence and none of the values."""
    answer = post(web, token, body)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"]


def test_another_partners_name_is_forbidden(
    web: TestClient, app: App, token: str
) -> None:
    """A partner's person asks for their own organisation only."""
    open_house(app.context, slug="oak-homes")
    answer = post(web, token, {"resident": QUESTION, "partner": "oak-homes"})
    assert answer.status_code == 403


def test_a_long_body_and_too_many_questions_are_turned_away(
    web: TestClient, app: App, token: str
) -> None:
    """413 at once; 429 says after how many seconds to come back."""
    assert (
        post(web, token, {"resident": {"given_name": "x" * 20_000}}).status_code == 413
    )
    with app.context.begin() as uow:
        from vouchers.domain.asking import slot_of
        from vouchers.store import asks

        for _ in range(60):
            asks.count(uow.conn, "partner", 1, slot_of(uow.now), let_in=True)
    away = post(web, token, {"resident": QUESTION})
    assert (away.status_code, away.headers["retry-after"]) == (429, "3601")
    assert "Your organisation has asked" in away.json()["error"]["message"]
