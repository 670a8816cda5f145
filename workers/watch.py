"""Looks after the drop folders in the name of one process."""

from __future__ import annotations

import threading
import time

from vouchers.bootstrap import App
from vouchers.pipeline import inbox


def watch(app: App, stop: threading.Event) -> None:
    """Take files as they arrive, until `stop` is set."""
    inbox.watch(app.context, stop)


def look(app: App) -> list[dict[str, object]]:
    """Take what lies there now, even if it came this moment; says what became of it."""
    folders = inbox.Inbox(app.context, quiet_s=0)
    filed = [*folders.resume(), *folders.look(time.monotonic())]
    return [
        {
            "partner": each.partner,
            "file": each.name,
            "outcome": each.receipt.outcome,
            "code": each.receipt.code,
            "batch_id": each.receipt.batch_id,
            "rows": each.receipt.rows,
        }
        for each in filed
    ]
