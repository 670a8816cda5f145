"""Run the stand-in as a process: `python -m vouchers.messages.simulator --help`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from vouchers.messages.simulator.faults import FaultPlan
from vouchers.messages.simulator.notify import NotifyOptions
from vouchers.messages.simulator.running import run_forever
from vouchers.messages.simulator.server import SimulatorOptions


def parser() -> argparse.ArgumentParser:
    """The command line."""
    usual = SimulatorOptions()
    made = argparse.ArgumentParser(
        prog="simulator",
        description="A stateful stand-in for providers of texts.",
    )
    made.add_argument("--host", default=usual.host)
    made.add_argument("--port", type=int, default=0, help="0 takes a free one")
    made.add_argument("--port-file", type=Path, help="written once it listens")
    made.add_argument("--record", type=Path, help="accepted messages, line by line")
    made.add_argument("--keep", type=int, default=usual.keep)
    made.add_argument("--account-sid", default=usual.account_sid)
    made.add_argument("--auth-token", default=usual.auth_token)
    made.add_argument("--delay", type=float, default=usual.callback_delay_s)
    made.add_argument("--latency", type=float, default=usual.latency_s)
    made.add_argument("--connections", type=int, default=usual.callback_connections)
    made.add_argument("--plan", type=Path, help="JSON file with a fault plan")
    notify = made.add_argument_group("GOV.UK Notify, at the same port")
    standard = usual.notify
    notify.add_argument("--notify-key", default=standard.api_key)
    notify.add_argument("--notify-callback-url", default=standard.callback_url)
    notify.add_argument("--notify-callback-token", default=standard.callback_token)
    notify.add_argument("--notify-record", type=Path)
    notify.add_argument("--notify-plan", type=Path)
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to stop."""
    given = parser().parse_args(arguments)
    run_forever(
        SimulatorOptions(
            account_sid=given.account_sid,
            auth_token=given.auth_token,
            host=given.host,
            port=given.port,
            record=given.record,
            keep=given.keep,
            callback_delay_s=given.delay,
            latency_s=given.latency,
            callback_connections=given.connections,
            notify=NotifyOptions(
                api_key=given.notify_key,
                callback_url=given.notify_callback_url,
                callback_token=given.notify_callback_token,
                record=given.notify_record,
                keep=given.keep,
            ),
        ),
        _plan(given.plan),
        given.port_file,
        _plan(given.notify_plan),
    )


def _plan(file: Path | None) -> FaultPlan:
    return FaultPlan.of(json.loads(file.read_text(encoding="utf-8")) if file else {})


if __name__ == "__main__":
    main()
