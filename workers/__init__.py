"""Processes that carry: signals wake them, the job table tells them what to do."""

from workers.actors import build

__all__ = ["build"]
