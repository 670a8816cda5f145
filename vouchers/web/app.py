"""The web application: provider callbacks, and whether we are well."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from vouchers.bootstrap import App
from vouchers.web import health
from vouchers.web.callbacks import CallbackDoor


def create_app(app: App) -> FastAPI:
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
    # A plain ASGI route: two callbacks come for every text, and each costs CPU.
    web.router.add_route("/callbacks/twilio", door.endpoint, methods=["POST"])
    web.include_router(health.routes(app.context))
    return web
