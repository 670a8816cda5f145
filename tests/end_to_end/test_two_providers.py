"""A row becomes a text through GOV.UK Notify, and two providers work side by side."""

from __future__ import annotations

import dataclasses
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
import uvicorn
from sqlalchemy import insert, select, update

from config.settings import Settings
from tests.end_to_end.one_file import one_file, people
from tests.texts_at_hand import close_gateways, house_once, post
from vouchers import providers
from vouchers.bootstrap import App
from vouchers.messages.simulator import (
    RunningSimulator,
    SimulatorOptions,
    run_in_thread,
)
from vouchers.store.tables.messages import attempt, message
from vouchers.store.tables.parties import scheme, scheme_version
from vouchers.web.serve import config

NUMBERS = ["+447700900123", "+447700900124"]


@pytest.fixture(params=[3_600.0])
def simulator(request: pytest.FixtureRequest) -> Iterator[RunningSimulator]:
    """Both providers; they report nothing unless a test wants them quick."""
    running = run_in_thread(SimulatorOptions(callback_delay_s=request.param))
    yield running
    running.stop()
    close_gateways()


def wired(settings: Settings, url: str) -> Any:
    """Gateways as the house wires them, pointed at a stand-in."""
    changes = {"twilio_api_url": url, "notify_api_url": None}
    return partial(providers.gateway, settings.model_copy(update=changes))


@contextmanager
def listening(app: App) -> Iterator[int]:
    """The web application on a free port."""
    server = uvicorn.Server(config(app, port=0))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(20)


def use_notify(house: Any, where: Any = True) -> None:
    """Put rules in force under which texts go through Notify."""
    with house.ctx.begin() as uow:
        for row in uow.conn.execute(select(scheme_version).where(where)).all():
            body = row.body.replace('provider = "twilio"', 'provider = "notify"')
            assert body != row.body
            uow.conn.execute(
                update(scheme_version)
                .where(scheme_version.c.scheme_id == row.scheme_id)
                .values(body=body, digest=uuid.uuid4().hex)
            )


def wait_for_callbacks(house: Any, states: set[str]) -> None:
    """Apply what the provider reports until all texts are in `states`."""
    until = time.monotonic() + 20
    while set(texts(house)) != states and time.monotonic() < until:
        time.sleep(0.05)
        house.carry()
    assert set(texts(house)) == states


def texts(house: Any) -> list[str]:
    """The state of every text."""
    with house.ctx.reading() as conn:
        return list(conn.scalars(select(message.c.state).order_by(message.c.id)))


def providers_of(house: Any) -> list[tuple[str, str]]:
    """(provider, state) of every try."""
    with house.ctx.reading() as conn:
        query = select(attempt.c.provider, attempt.c.state).order_by(attempt.c.id)
        return [tuple(row) for row in conn.execute(query)]


@pytest.mark.parametrize("simulator", [0.05], indirect=True)
def test_rows_become_delivered_texts_through_notify(app, simulator, tmp_path) -> None:
    """From the file to the receipt, one of which comes twice."""
    with one_file(app.context, tmp_path) as house:
        use_notify(house)
        house.ctx = dataclasses.replace(
            house.ctx, gateway=wired(app.settings, simulator.url)
        )
        with listening(App(app.settings, house.ctx)) as port:
            desk = simulator.server.notify
            desk.callback_url = f"http://127.0.0.1:{port}/callbacks/notify"
            # The first numbers of this range have a will of their own at Notify.
            rows = [
                one | {"mobile": f"07700900{n}"}
                for n, one in enumerate(people(3), start=500)
            ]
            simulator.plan(provider="notify", script=[{"fault": "callback_twice"}])
            house.submit(rows)
            house.carry()
            wait_for_callbacks(house, {"delivered"})

        told = simulator.accepted("notify")
        assert len(told) == 3 and simulator.accepted() == []
        assert all("PayPoint" in one["body"] or "Post" in one["body"] for one in told)
        assert providers_of(house) == [("notify", "accepted")] * 3


@pytest.mark.parametrize(("way", "tries"), [("drop_after", 1), ("drop_before", 2)])
def test_a_lost_answer_of_notifys_is_settled_by_its_look_up(
    ctx, app, simulator, way: str, tries: int
) -> None:
    """Found: accepted. Not there: the same code goes out as the next try, once."""
    house = post(ctx, simulator, NUMBERS[:1], settle_after_s=0.0)
    use_notify(house)
    gateway = wired(app.settings, simulator.url)
    house.ctx = dataclasses.replace(house.ctx, gateway=gateway)
    simulator.plan(provider="notify", script=[{"fault": way}])
    house_once(house)
    assert house.states() == ["unknown"]

    house.run()

    assert house.states() == ["accepted"]
    assert len(simulator.accepted("notify")) == 1
    assert len(house.attempts()) == tries


def test_the_one_that_was_called_is_asked_whatever_the_rules_say_now(
    ctx, app, simulator
) -> None:
    """A try through Twilio is looked up at Twilio, though the scheme has moved on."""
    house = post(ctx, simulator, NUMBERS[:1], settle_after_s=0.0)
    gateway = wired(app.settings, simulator.url)
    house.ctx = dataclasses.replace(house.ctx, gateway=gateway)
    simulator.plan(script=[{"fault": "drop_after"}])
    house_once(house)
    use_notify(house)

    house.run()

    assert providers_of(house) == [("twilio", "accepted")]
    assert len(simulator.accepted()) == 1 and simulator.accepted("notify") == []


def test_two_schemes_send_through_two_providers_from_one_job(
    ctx, app, simulator
) -> None:
    """Each text goes to its own scheme's provider; no answer strays."""
    house = post(ctx, simulator, NUMBERS)
    gateway = wired(app.settings, simulator.url)
    house.ctx = dataclasses.replace(house.ctx, gateway=gateway)
    with ctx.begin() as uow:
        first = dict(uow.conn.execute(select(scheme)).mappings().one())
        rules = dict(uow.conn.execute(select(scheme_version)).mappings().one())
        first |= {"id": first["id"] + 1, "slug": "council"}
        uow.conn.execute(insert(scheme).values(first))
        rules |= {
            "id": rules["id"] + 1,
            "scheme_id": first["id"],
            "digest": uuid.uuid4().hex,
        }
        uow.conn.execute(insert(scheme_version).values(rules))
        uow.conn.execute(
            update(message)
            .where(message.c.id == house.texts[1])
            .values(scheme_id=first["id"])
        )
    use_notify(house, scheme_version.c.scheme_id == first["id"])

    house.run("send.chunk")

    assert house.states() == ["accepted", "accepted"]
    assert providers_of(house) == [("twilio", "accepted"), ("notify", "accepted")]
    assert [one["to"] for one in simulator.accepted()] == NUMBERS[:1]
    assert [one["to"] for one in simulator.accepted("notify")] == NUMBERS[1:]


def test_a_provider_that_is_not_set_up_is_never_called_for(ctx, app, simulator) -> None:
    """Nothing is claimed, so nothing can be lost; the receipt door stays shut."""
    house = post(ctx, simulator, NUMBERS[:1])
    use_notify(house)
    only = app.settings.model_copy(
        update={"sms": "twilio", "twilio_api_url": simulator.url}
    )
    house.ctx = dataclasses.replace(house.ctx, gateway=partial(providers.gateway, only))

    with pytest.raises(providers.ProviderNotSetUp):
        house_once(house)

    assert house.states() == ["queued"] and house.attempts() == []
