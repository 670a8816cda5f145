"""The command line: `vouchers COMMAND`, one file a subject, imports late."""

from __future__ import annotations


def main() -> None:
    """Run the command that was typed; ends the process with its exit code."""
    import sys

    from config.logging import guard_process
    from vouchers.cli.commands import run

    guard_process()
    sys.exit(run(sys.argv[1:]))
