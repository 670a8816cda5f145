"""Imports the house, so that a process forked from here needs not do it again."""

from __future__ import annotations

from vouchers.cli import commands
from vouchers.messages import twilio
from vouchers.pipeline import steps
from vouchers.pipeline.carry import ALL_QUEUES
from workers import run, watch

steps.warm_up(ALL_QUEUES)
twilio.warm_up()

__all__ = ["commands", "run", "watch"]
