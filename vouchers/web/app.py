"""The web application: callbacks, partners' questions, and whether we are well."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from vouchers.bootstrap import App
from vouchers.web import check, health
from vouchers.web.callback_forms import FORMS
from vouchers.web.callbacks import CallbackDoor


def create_app(app: App) -> ASGIApp:
    """The application that a web server runs for `app`."""
    door = CallbackDoor(app.context)

    @asynccontextmanager
    async def lifespan(_web: FastAPI) -> AsyncIterator[None]:
        """Callbacks are taken while the server runs."""
        await door.open()
        try:
            yield
        finally:
            await door.close()

    web = FastAPI(
        title="Fuel vouchers", docs_url=None, redoc_url=None, lifespan=lifespan
    )
    web.router.add_route("/check", check.door(app.context), methods=["POST"])
    web.include_router(health.routes(app.context))

    async def entrance(scope: Scope, receive: Receive, send: Send) -> None:
        """Callbacks to their door, everything else to the framework."""
        # Two callbacks come for every text: they do not walk through the framework.
        if scope["type"] == "http" and scope["path"] in FORMS:
            await door(scope, receive, send)
        else:
            await web(scope, receive, send)

    return entrance
