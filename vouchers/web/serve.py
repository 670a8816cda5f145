"""Runs the web application on uvicorn."""

from __future__ import annotations

import uvicorn

from vouchers.bootstrap import App
from vouchers.web.app import create_app


def config(app: App, *, host: str = "127.0.0.1", port: int) -> uvicorn.Config:
    """How uvicorn serves us: no access log, for its lines hold addresses."""
    return uvicorn.Config(
        create_app(app),
        host=host,
        port=port,
        access_log=False,
        # Nobody is asked where a caller really sits: signatures say who it is.
        proxy_headers=False,
        log_config=None,
        # A callback has some hundred bytes of headers.
        h11_max_incomplete_event_size=16_384,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=5,
    )


def serve(app: App, *, host: str = "127.0.0.1", port: int) -> None:
    """Serve until told to stop."""
    uvicorn.Server(config(app, host=host, port=port)).run()
