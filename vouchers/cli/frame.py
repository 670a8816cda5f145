"""The frame around every command: who asks, what is shown, how it ends.

A command takes a `Frame`, does one thing through the back office or the pipeline and
gives back an `Answer`. The frame turns that into tables for people or, with `--json`,
into exactly one JSON document on stdout; everything else goes to stderr.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum, IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import typer

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from config.settings import Settings
    from vouchers.bootstrap import App
    from vouchers.domain.roles import Duty, Person
    from vouchers.pipeline.context import Context

#: Through which door commands come, as the audit log names it.
DOOR = "cli"
#: Where the first owner's token lies, under the folder of an embedded installation.
TOKEN_FILE = "owner.token"

#: Numbers above this are written as text: JavaScript would round them.
JSON_NUMBER_MAX = 1 << 53


class Exit(IntEnum):
    """How a command ends, for the shell that called it."""

    DONE = 0  #: done, and nothing is left to look at
    FAILED = 1  #: not done; the message says what to do
    USAGE = 2  #: asked in a way that means nothing
    LOOK = 3  #: done, but something is held, dead or differs


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command found out or did: a document, and how people see it."""

    document: Any
    #: What is printed for people; empty means the document as a table.
    shown: Sequence[RenderableType] = ()
    exit: Exit = Exit.DONE


@dataclass
class Frame:
    """What a command may ask for; everything is made when it is first asked for."""

    json: bool = False
    debug: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    _app: App | None = None
    _person: Person | None = None

    @functools.cached_property
    def settings(self) -> Settings:
        """The environment's settings; Refused names every fault at once."""
        from config import settings
        from vouchers.errors import Refused

        try:
            return settings.read(self.environ)
        except ValueError as error:
            raise Refused(f"the environment has faults: {error}") from None

    @functools.cached_property
    def console(self) -> Console:
        """Where people read answers."""
        from rich.console import Console

        # A pipe has no width of its own: tables get room enough not to be cut.
        return Console(highlight=False, width=None if sys.stdout.isatty() else 116)

    @functools.cached_property
    def aside(self) -> Console:
        """Where progress and warnings go, so that stdout holds the answer alone."""
        from rich.console import Console

        return Console(stderr=True, highlight=False)

    @property
    def app(self) -> App:
        """The installation that the environment names; its first owner is made here."""
        if self._app is None:
            from config import logging
            from vouchers import bootstrap

            logging.configure(self.settings.log_format)
            self._app = bootstrap.build(self.settings)
            if self.settings.embedded:
                self._found(self._app)
        return self._app

    @property
    def ctx(self) -> Context:
        """What steps and the back office are given."""
        return self.app.context

    def person(self, duty: Duty | None = None) -> Person:
        """Whose token this is; NotAllowed when no role of theirs covers the duty."""
        from vouchers.backoffice import people

        if self._person is None:
            ctx = self.ctx
            with ctx.reading() as conn:
                self._person = people.identify(conn, self._token())
        if duty is not None:
            self._person.must(duty)
        return self._person

    def actor(self, duty: Duty) -> str:
        """How the audit log names this person at this door; checks the duty first."""
        return self.person(duty).actor(DOOR)

    def _token(self) -> str | None:
        if self.settings.token is not None:
            return self.settings.token.get_secret_value()
        kept = self.settings.var / TOKEN_FILE
        # Whoever can read this file owns the embedded installation anyway.
        if self.settings.embedded and kept.exists():
            return kept.read_text(encoding="ascii").strip()
        return None

    def _found(self, app: App) -> None:
        kept = found_house(app)
        if kept is not None:
            self.aside.print(
                f"[dim]A new installation: you are its [bold]owner[/bold]. Your token "
                f"lies in {kept}; commands on this machine find it there.[/dim]"
            )


def found_house(app: App) -> Path | None:
    """Give an empty installation its first owner and scheme; where the token lies.

    None when somebody is there already: then nothing is changed.
    """
    from vouchers.backoffice import people, scheme

    token = people.first_owner(app.context)
    if token is None:
        return None
    rules = app.settings.scheme_file.read_text(encoding="utf-8")
    scheme.seed(app.context, rules)
    return keep_token(app.settings.var / TOKEN_FILE, token)


def keep_token(path: Path, token: str) -> Path:
    """Write a token where only this user can read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(token + "\n")
    return path


Run = TypeVar("Run", bound=Callable[..., Answer])

_FLAGS = {
    "json": Annotated[
        bool,
        typer.Option("--json", help="One JSON document on stdout, nothing else."),
    ],
    "debug": Annotated[
        bool, typer.Option("--debug", hidden=True, help="Show where it failed.")
    ],
}


def command(to: typer.Typer, name: str, **settings: Any) -> Callable[[Run], Run]:
    """Register `(frame, ...) -> Answer` as a command with the usual flags."""

    def register(run: Run) -> Run:
        to.command(name, **settings)(_framed(run))
        return run

    return register


def _framed(run: Callable[..., Answer]) -> Callable[..., None]:
    """`run` as Typer sees it: without `frame`, with --json, ending in an exit code."""
    hints = get_type_hints(run, include_extras=True)
    own = [
        parameter.replace(annotation=hints[parameter.name])
        for parameter in inspect.signature(run).parameters.values()
        if parameter.name != "frame"
    ]
    flags = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=annotation
        )
        for name, annotation in _FLAGS.items()
    ]

    def framed(json: bool, debug: bool, **given: Any) -> None:
        frame = Frame(json=json, debug=debug)
        raise typer.Exit(carry(frame, functools.partial(run, frame, **given)))

    by_keyword = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own
    ]
    framed.__signature__ = inspect.Signature([*by_keyword, *flags])  # type: ignore[attr-defined]
    framed.__annotations__ = {**hints, **_FLAGS, "return": None}
    framed.__annotations__.pop("frame", None)
    framed.__doc__ = run.__doc__
    framed.__name__ = run.__name__
    return framed


def carry(frame: Frame, run: Callable[[], Answer]) -> Exit:
    """Run a command and show its answer, or say in one line what went wrong."""
    from vouchers.errors import VoucherError

    try:
        answer = run()
    except VoucherError as error:
        return _say_failure(frame, type(error).__name__, str(error), error)
    except KeyboardInterrupt:
        return _say_failure(frame, "Interrupted", "stopped by you", None)
    except BrokenPipeError:
        # The reader has seen enough, as in `vouchers explain ... | head`.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        return Exit.DONE
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except OSError as error:
        words = f"{error.strerror or type(error).__name__}: {error.filename or ''}"
        return _say_failure(frame, type(error).__name__, words.rstrip(": "), error)
    except Exception as error:
        # The text of a foreign error may hold somebody's data: class and place only.
        words = f"{_class_of(error)} at {_place_of(error)}; --debug shows more"
        return _say_failure(frame, _class_of(error), words, error)
    show(frame, answer)
    return answer.exit


def show(frame: Frame, answer: Answer) -> None:
    """Print an answer: one document for programs, tables for people."""
    if frame.json:
        sys.stdout.write(to_json(answer.document) + "\n")
        sys.stdout.flush()
        return
    from vouchers.cli import tables

    for part in answer.shown or tables.of_document(answer.document):
        # A line ends with a new line of its own; an empty text prints nothing at all.
        if part is not tables.NOTHING:
            frame.console.print(part)


def to_json(document: Any) -> str:
    """A document as JSON: moments in ISO form, numbers beyond 2**53 as text."""
    return json.dumps(_plain(document), ensure_ascii=False, indent=2)


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if -JSON_NUMBER_MAX < value < JSON_NUMBER_MAX else str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value


def _say_failure(
    frame: Frame, kind: str, words: str, error: BaseException | None
) -> Exit:
    if frame.debug and error is not None:
        # The places and no more: stderr is often a log, and a text may hold a person.
        traceback.print_tb(error.__traceback__)
    if frame.json:
        document = {"error": {"kind": kind, "message": words}}
        sys.stdout.write(to_json(document) + "\n")
    from rich.markup import escape

    frame.aside.print(f"[bold red]✗[/bold red] {escape(words)}", soft_wrap=True)
    return Exit.FAILED


def _class_of(error: BaseException) -> str:
    from config.logging import class_path

    return class_path(error)


def _place_of(error: BaseException) -> str:
    from config.logging import frames

    places = frames(error.__traceback__)
    ours = [place for place in places if place.startswith(("vouchers/", "workers/"))]
    return (ours or places or ["?"])[-1]
