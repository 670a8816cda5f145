"""The doorbell: dramatiq over Redis, or inside this process when there is no Redis."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Any, TypeVar

import redis
from dramatiq import Broker, Message, Middleware
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.queues import QUEUES
from workers.middleware import LogContext

#: Prefix of every key in Redis, so that a Redis may be looked at with one pattern.
NAMESPACE = "vouchers"
#: Dead letters that the in-process broker keeps; the job table is what counts.
DEAD_LETTERS_MAX = 100

AnyBroker = TypeVar("AnyBroker", bound=Broker)


def open_broker(url: str) -> Broker:
    """The broker at `url`: `memory`, or redis://host:port/db."""
    if url == "memory":
        return in_process()
    return over_redis(redis.Redis.from_url(url, **_patience()))


def over_redis(client: Any, *, namespace: str = NAMESPACE) -> RedisBroker:
    """A Redis broker that keeps nothing but short-lived signals.

    Retries, age limits, results and pipelines are not there on purpose: the first
    stores tracebacks in Redis, and all keep in Redis what belongs in the job table.
    """
    broker = RedisBroker(  # type: ignore[no-untyped-call]
        client=client,
        namespace=namespace,
        middleware=_middleware(),
        heartbeat_timeout=15_000,
        maintenance_chance=100_000,
        # Nothing is ever dead-lettered; should it be, it is gone within the hour.
        dead_message_ttl=3_600_000,
    )
    return _with_queues(broker)


def in_process() -> InProcessBroker:
    """A broker for one process: the same code with nothing to install."""
    return _with_queues(InProcessBroker(middleware=_middleware()))


class InProcessBroker(StubBroker):
    """Dramatiq's in-process broker, made fit to run for months."""

    def __init__(self, middleware: list[Middleware]) -> None:
        super().__init__(middleware)
        # Dramatiq keeps all dead letters for ever: it means this broker for tests.
        letters: Any = defaultdict(lambda: deque(maxlen=DEAD_LETTERS_MAX))
        self.dead_letters_by_queue = letters


def signal(queue: str, job_id: int) -> Message[None]:
    """A ring at a queue's door; the number is a hint, and all that it holds."""
    return Message(
        queue_name=queue,
        actor_name=actor_name(queue),
        args=(job_id,),
        kwargs={},
        options={},
    )


def actor_name(queue: str) -> str:
    """Name of the actor that answers the signals of a queue."""
    return f"carry_{queue}"


def _with_queues(broker: AnyBroker) -> AnyBroker:
    """Declare every queue: a process may ring where it does not answer."""
    for queue in QUEUES:
        broker.declare_queue(queue.name)
    return broker


def _middleware() -> list[Middleware]:
    return [LogContext()]


def _patience() -> dict[str, Any]:
    # The client must not send a command twice behind our back: a lost answer to an
    # enqueue would ring twice, a lost answer to a fetch would hide a signal.
    return {
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": 10,
        "socket_connect_timeout": 3,
        "health_check_interval": 15,
    }
