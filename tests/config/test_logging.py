"""Logs hold events and ids, whatever a careless line or library hands them."""

from __future__ import annotations

import io
import json
import logging as standard
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest
import structlog

from config import logging
from workers.middleware import quieten_dramatiq

#: What must never be read in a log.
PERSON = "Ngozi Okafor"
MOBILE = "+447700900123"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """A stream that receives this process's logs as JSON."""
    stream = io.StringIO()
    before = structlog.get_config(), standard.getLogger().handlers
    logging.configure("json", stream=stream)
    yield stream
    structlog.configure(**before[0])
    standard.getLogger().handlers = before[1]


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    """The documents that were logged."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_ids_and_counts_pass(log: io.StringIO) -> None:
    """An event with ids is written as it is, with its level and time."""
    structlog.get_logger().info("voucher_allocated", voucher_id=9, pence=4900)

    [line] = lines(log)

    assert line["event"] == "voucher_allocated"
    assert (line["voucher_id"], line["pence"], line["level"]) == (9, 4900, "info")


def test_unknown_keys_are_dropped_and_named(log: io.StringIO) -> None:
    """A key that nobody allowed is dropped with its value; only its name remains."""
    structlog.get_logger().info("row_read", family_name=PERSON, batch_id=3)

    assert PERSON not in log.getvalue()
    assert lines(log)[0]["dropped_keys"] == ["family_name"]


def test_a_sentence_is_no_event_name(log: io.StringIO) -> None:
    """An event that is not noun_verbed is replaced: it may hold a person."""
    structlog.get_logger().info(f"sent to {PERSON} on {MOBILE}")

    assert PERSON not in log.getvalue()
    assert lines(log)[0]["event"] == "event_without_name"


def test_objects_are_named_by_class_only(log: io.StringIO) -> None:
    """A mapping or an object under an allowed key never shows what is in it."""
    structlog.get_logger().info("job_failed", reason={"name": PERSON}, items=[object()])

    assert PERSON not in log.getvalue()
    assert lines(log)[0]["items"] == ["object"]


def test_an_exception_is_its_class_and_places(log: io.StringIO) -> None:
    """An exception is written without its message and without any value."""
    try:
        raise ValueError(f"cannot send to {PERSON} at {MOBILE}")
    except ValueError:
        structlog.get_logger().exception("message_failed", message_id=5)

    [line] = lines(log)

    assert PERSON not in log.getvalue()
    assert line["error_class"] == "ValueError"
    assert "test_logging.py" in str(line["frames"])


@pytest.mark.parametrize("library", ["twilio.http_client", "sqlalchemy.engine", "any"])
def test_libraries_speak_without_their_values(log: io.StringIO, library: str) -> None:
    """A warning of a library is written as its template, never as the filled text."""
    standard.getLogger(library).warning("request for %s failed", MOBILE)
    standard.getLogger(library).warning(f"filled in before: {MOBILE}")

    assert MOBILE not in log.getvalue()
    assert lines(log)[0]["template"] == "request for %s failed"
    assert "template" not in lines(log)[1]


@pytest.mark.parametrize(
    "text",
    [PERSON, MOBILE, "07700 900123", "6337 1234 5678 9012", "31/12/1980", "HX1 3AB",
     "ngozi@example.org", "o" * 201],
)  # fmt: skip
def test_a_text_that_is_no_word_is_withheld(log: io.StringIO, text: str) -> None:
    """Under a key that is allowed, too, only words and numbers of things pass."""
    structlog.get_logger().warning("job_failed", of_key=text, reason=text, where=[text])

    [line] = lines(log)

    assert text not in log.getvalue()
    assert (line["of_key"], line["where"]) == ("withheld", ["withheld"])


def test_words_of_the_house_pass(log: io.StringIO) -> None:
    """Slugs, classes, places and keys of transfers are written as they are."""
    said = [
        "elm-homes",
        "amy/cli",
        "sqlite3.OperationalError",
        "carry.py:98",
        "7:ISS:1",
    ]
    structlog.get_logger().warning("job_failed", queues=said)

    assert lines(log)[0]["queues"] == said


@pytest.fixture
def guarded(log: io.StringIO) -> Iterator[io.StringIO]:
    """The same, in a process that nothing may escape from in words."""
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    raising = standard.raiseExceptions
    logging.guard_process()
    yield log
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    standard.raiseExceptions = raising
    standard.captureWarnings(False)


def test_what_escapes_a_thread_or_the_program_is_its_class(
    guarded: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither a thread nor the program itself ends with a person's data on stderr."""

    def fail() -> None:
        raise ValueError(f"cannot read {PERSON}")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    try:
        fail()
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)

    assert [line["error_class"] for line in lines(guarded)] == ["ValueError"] * 2
    assert PERSON not in guarded.getvalue() + "".join(capfd.readouterr())


def test_a_warning_is_written_without_its_words(
    guarded: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    """A library's warning may quote what it was given."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.guard_process()
        warnings.warn(f"odd value {PERSON}", stacklevel=1)

    assert PERSON not in guarded.getvalue() + "".join(capfd.readouterr())


def test_dramatiq_speaks_without_what_was_filled_in(log: io.StringIO) -> None:
    """A line that was filled in before it came to us loses its words."""
    before = standard.getLogger("dramatiq").handlers
    quieten_dramatiq()
    standard.getLogger("dramatiq.worker").warning("message of %s failed", PERSON)
    standard.getLogger("dramatiq.worker").warning(f"message of {PERSON} failed")
    standard.getLogger("dramatiq").handlers = before

    assert PERSON not in log.getvalue()
    assert [line["template"] for line in lines(log)] == ["message of %s failed", None]


@pytest.mark.parametrize("library", logging.QUIET)
def test_libraries_are_quiet_below_a_warning(log: io.StringIO, library: str) -> None:
    """Requests and statements at INFO or DEBUG are not written at all."""
    standard.getLogger(library).info("POST %s", "/Messages")
    standard.getLogger(library).debug("SELECT %s", PERSON)

    assert log.getvalue() == ""


def test_bound_ids_stand_in_every_line(log: io.StringIO) -> None:
    """Ids bound for a stretch of work are in each of its lines, and gone after it."""
    with structlog.contextvars.bound_contextvars(batch_id=7):
        structlog.get_logger().info("chunk_read")
    structlog.get_logger().info("chunk_done")

    assert [line.get("batch_id") for line in lines(log)] == [7, None]
