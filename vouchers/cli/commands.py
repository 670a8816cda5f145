"""Every command by its name; what each does lies in the file of its subject."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from vouchers.cli import (
    batches,
    check,
    decide,
    demonstrate,
    files,
    install,
    look,
    matching,
    money,
    parties,
    processes,
    proof,
    queues,
    scheme,
    stock,
    template,
)
from vouchers.cli.frame import Exit, to_json

app = typer.Typer(
    name="vouchers",
    help=(
        "Gets fuel vouchers to people whose meter is about to run out, and proves "
        "where every penny went."
    ),
    epilog=(
        "Every command takes --json. It ends with 0 when done, 1 when failed, 2 when "
        "it was asked wrongly, 3 when done but something is held, dead or differs."
    ),
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for subject in (
    demonstrate,
    template,
    files,
    check,
    look,
    batches,
    decide,
    matching,
    money,
    stock,
    scheme,
    parties,
    queues,
    processes,
    proof,
    install,
):
    subject.register(app)


def run(words: Sequence[str]) -> int:
    """Run the command typed as `words`; gives its exit code."""
    try:
        code = app(args=list(words), standalone_mode=False)
    except typer.TyperException as error:
        if "--json" in words:
            document = {"error": {"kind": "Usage", "message": error.format_message()}}
            sys.stdout.write(to_json(document) + "\n")
        # Usage errors know how to show themselves; anything else is one line.
        show = getattr(error, "show", None)
        if show is None:
            sys.stderr.write(f"{error}\n")
        else:
            show()
        return Exit.USAGE
    except typer.Abort:
        sys.stderr.write("stopped by you\n")
        return Exit.FAILED
    return int(code or 0)
