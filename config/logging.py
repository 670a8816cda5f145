"""Logs that anybody may be shown: events and ids pass, all else is dropped."""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TextIO

import structlog

#: Keys whose values may be written: numbers of things, counts, codes, states, times.
#: A key that is not here is dropped, so a new one cannot leak what nobody thought of.
ALLOWED_KEYS = frozenset(
    {
        "event", "level", "timestamp", "logger",
        "batch_id", "referral_id", "resident_id", "household_id", "award_id",
        "voucher_id", "message_id", "attempt_id", "contribution_id", "pool_id",
        "scheme_id", "partner_id", "person_id", "job_id", "review_id", "event_id",
        "request_id", "feed_file_id", "activation_id", "stock_batch_id",
        "queue", "lane", "kind", "state", "reason", "code", "error_class",
        "error_code", "status", "method", "route", "step", "door", "actor", "worker",
        "network", "purpose", "channel", "partner", "scheme", "pool",
        "count", "rows", "rows_total", "jobs", "items", "attempts", "size", "number",
        "pence", "seconds", "duration_ms", "wait_s", "delay_s", "oldest_s", "lag_s",
        "free", "limit", "port", "pid", "version", "exception", "frames",
        "dropped_keys", "where", "queues", "threads", "signal", "at", "template",
    }
)  # fmt: skip

#: Libraries that may speak, and only to warn: their debug lines hold requests and SQL.
QUIET = (
    "twilio",
    "sqlalchemy",
    "uvicorn",
    "dramatiq",
    "httpx",
    "urllib3",
    "watchfiles",
)

#: Our events are named noun_verbed; a sentence could hold somebody's name.
_EVENT = re.compile(r"[a-z]+(_[a-z]+)*")
#: A library's template may pass while it holds no digit: no number, code or postcode.
_TEMPLATE = re.compile(r"[^0-9@]{1,160}")
#: A text without a gap, such as a slug, a code's name or a class: no sentence passes.
_WORD = re.compile(r"[A-Za-z0-9_.:/+~<>-]{0,200}")
#: Digits and nothing else: a phone number, a voucher's code, a date.
_DIGITS = re.compile(r"[+/.-]?\d[\d/.-]{5,}")
#: What is written instead of a text that may be somebody's.
WITHHELD = "withheld"
#: Keys whose texts are made here or by the clock, never from what was handed in.
_OURS = frozenset({"event", "level", "timestamp", "template", "frames", "signal"})
_HOUSE = Path(__file__).resolve().parent.parent


def keep_allowed(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Drop every key that is not allowed, and say which ones were dropped.

    A value passes when it is a number, a truth value, a word, or a list of these; an
    object never does, because its text may hold a person.
    """
    if not _EVENT.fullmatch(str(event.get("event"))):
        event["event"] = "event_without_name"
    kept = {
        key: value if key in _OURS else _plain(value)
        for key, value in event.items()
        if _allowed(key)
    }
    dropped = sorted(key for key in event if not _allowed(key))
    if dropped:
        kept["dropped_keys"] = dropped
    return kept


def describe_exception(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace an exception by its class and the places it came through.

    No message and no values: a driver puts the row it choked on into its message.
    """
    given = event.pop("exc_info", None)
    error = _error_of(given)
    if error is not None:
        event["error_class"] = class_path(error)
        event["frames"] = frames(error.__traceback__)
    return event


def class_path(error: BaseException) -> str:
    """Class of an exception with its module, such as sqlite3.OperationalError."""
    kind = type(error)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return f"{module}{kind.__qualname__}"


def frames(trace: TracebackType | None, *, last: int = 12) -> list[str]:
    """The last places of a traceback as `file:line function`; no source, no values."""
    found = traceback.extract_tb(trace)
    return [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in found][
        -last:
    ]


class ToStructlog(logging.Handler):
    """Hands the standard library's records to structlog, without their arguments."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record: its fixed words, never what was filled into them."""
        bound: dict[str, Any] = {"logger": record.name}
        words = template(record)
        if words is not None:
            bound["template"] = words
        if record.exc_info:
            bound["exc_info"] = record.exc_info
        structlog.get_logger().log(record.levelno, "library_spoke", **bound)


def template(record: logging.LogRecord) -> str | None:
    """A record's fixed words; None where they may hold what was filled in.

    `record.msg` is the template; `getMessage()` would fill in a URL or a row. A text
    without a gap was perhaps filled in before: it cannot be trusted.
    """
    text = record.msg if isinstance(record.msg, str) else ""
    return text if "%" in text and _TEMPLATE.fullmatch(text) else None


def guard_process() -> None:
    """Have what nobody caught end as class and places: its text may hold a person.

    Without this Python prints the text of an escaped exception, of a warning and of
    whatever fails in a destructor to stderr, where logs are gathered from.
    """

    def escaped(error: BaseException | None) -> None:
        if error is None or isinstance(error, SystemExit):
            return
        known = {
            "error_class": class_path(error),
            "frames": frames(error.__traceback__),
        }
        if structlog.is_configured():
            structlog.get_logger().critical("exception_escaped", **known)
        else:
            sys.stderr.write(f"{known['error_class']} at {known['frames'][-1:]}\n")

    def of_main(
        _kind: type[BaseException], error: BaseException, _trace: TracebackType | None
    ) -> None:
        escaped(error)

    sys.excepthook = of_main
    threading.excepthook = lambda given: escaped(given.exc_value)
    sys.unraisablehook = lambda given: escaped(given.exc_value)
    logging.captureWarnings(True)
    logging.raiseExceptions = False


def configure(
    form: Literal["json", "console", "auto"] = "auto",
    *,
    level: int = logging.INFO,
    stream: TextIO | None = None,
) -> None:
    """Set logging up for this process: JSON for machines, coloured lines for people.

    `auto` is lines on a terminal and JSON elsewhere. Logs go to stderr: stdout belongs
    to what a command was asked for.
    """
    out = sys.stderr if stream is None else stream
    pretty = form == "console" or (form == "auto" and out.isatty())
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=out.isatty())
        if pretty
        else structlog.processors.JSONRenderer(sort_keys=True)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            describe_exception,
            keep_allowed,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [ToStructlog()]
    root.setLevel(logging.WARNING)
    for name in QUIET:
        library = logging.getLogger(name)
        library.handlers = []
        library.propagate = True
        library.setLevel(logging.WARNING)


def _allowed(key: str) -> bool:
    # Our own errors carry ids on purpose; they are logged as `of_` and the id's name.
    return key in ALLOWED_KEYS or key.startswith("of_")


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        fits = _WORD.fullmatch(value) and not _DIGITS.fullmatch(value)
        return value if fits else WITHHELD
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return "mapping"
    return type(value).__name__


def _error_of(given: Any) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return given[1] if isinstance(given[1], BaseException) else None
    if given:
        return sys.exc_info()[1]
    return None


def _short(filename: str) -> str:
    path = Path(filename)
    if path.is_relative_to(_HOUSE):
        return str(path.relative_to(_HOUSE))
    return "/".join(path.parts[-2:])
