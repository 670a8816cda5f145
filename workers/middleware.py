"""What surrounds every signal: a log context that comes and goes with it."""

from __future__ import annotations

import logging
from typing import Any

import structlog
from dramatiq import Broker, Middleware
from dramatiq.broker import MessageProxy

from config.logging import template

log = structlog.get_logger()


class LogContext(Middleware):
    """Binds queue and signal to all that is logged while a signal is answered."""

    def before_process_message(self, _broker: Broker, message: MessageProxy) -> None:
        """Say which signal is being answered; never its arguments."""
        structlog.contextvars.bind_contextvars(
            queue=message.queue_name, signal=message.message_id
        )

    def after_process_message(
        self,
        _broker: Broker,
        _message: MessageProxy,
        *,
        result: Any | None = None,  # noqa: ARG002  (dramatiq passes it by name)
        exception: BaseException | None = None,
    ) -> None:
        """Forget the signal; of an exception only the class is told."""
        if exception is not None:
            log.error("actor_failed", error_class=type(exception).__name__)
        structlog.contextvars.unbind_contextvars("queue", "signal")


class WithoutTracebacks(logging.Handler):
    """Passes dramatiq's log on to ours without what was raised."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log what dramatiq says without what it says it of; of an error the class."""
        raised = record.exc_info[0] if record.exc_info else None
        log.log(
            record.levelno,
            "dramatiq_spoke",
            template=template(record),
            error_class=raised.__name__ if raised else None,
        )


def quieten_dramatiq() -> None:
    """Have all of dramatiq's lines go through `WithoutTracebacks` and nowhere else."""
    logger = logging.getLogger("dramatiq")
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    logger.handlers = [WithoutTracebacks()]
