"""Residents with live vouchers and queued texts, a stand-in provider, a worker."""

from __future__ import annotations

import dataclasses
import re
import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select, update

from config.queues import Lane
from tests.vouchers_at_hand import RULES, World, world
from vouchers.domain.ids import Purpose, award_id, referral_id
from vouchers.messages.simulator import RunningSimulator
from vouchers.messages.twilio import TwilioGateway
from vouchers.pipeline import record_delivery, resolve, send
from vouchers.pipeline.context import Context
from vouchers.store import callbacks, claims, messages
from vouchers.store.callbacks import Reported
from vouchers.store.jobs import ClaimedJob
from vouchers.store.messages import NewMessage
from vouchers.store.tables import db_from_now, db_now
from vouchers.store.tables.intake import contact, referral
from vouchers.store.tables.messages import attempt, message
from vouchers.store.tables.parties import scheme_version
from vouchers.store.tables.work import job

HANDLERS = {
    "send.chunk": send.handle,
    "send.resolve": resolve.handle,
    "deliver.apply": record_delivery.handle,
}


@dataclasses.dataclass
class Post:
    """A house with texts to send and a provider to send them to."""

    ctx: Context
    world: World
    simulator: RunningSimulator
    texts: list[int]

    def message(self, n: int = 0) -> Any:
        """The row of the nth text."""
        return self._row(select(message).where(message.c.id == self.texts[n]))

    def attempts(self, n: int = 0) -> list[tuple[int, str]]:
        """(number, state) of each try of the nth text."""
        query = (
            select(attempt.c.number, attempt.c.state)
            .where(attempt.c.message_id == self.texts[n])
            .order_by(attempt.c.number)
        )
        with self.ctx.reading() as conn:
            return [tuple(row) for row in conn.execute(query)]

    def states(self) -> list[str]:
        """The state of every text, oldest first, resends included."""
        query = select(message.c.state).order_by(message.c.id)
        with self.ctx.reading() as conn:
            return list(conn.scalars(query))

    def jobs(self) -> list[tuple[str, list[int]]]:
        """(kind, items) of what is promised."""
        query = select(job.c.kind, job.c["items"]).where(job.c.state == "ready")
        with self.ctx.reading() as conn:
            return [tuple(row) for row in conn.execute(query.order_by(job.c.id))]

    def run(self, *kinds: str) -> int:
        """Carry the jobs of these kinds, of all kinds if none is named."""
        ran = 0
        wanted = kinds or tuple(HANDLERS)
        with self.ctx.begin() as uow:
            uow.conn.execute(
                update(job)
                .where(job.c.state == "ready", job.c.kind.in_(wanted))
                .values(run_at=db_now())
            )
        while (claimed := self.claim(*wanted)) is not None:
            HANDLERS[claimed.kind](self.ctx, claimed)
            ran += 1
        return ran

    def claim(self, *kinds: str) -> Any:
        """Take the next due job of these kinds, as a worker does."""
        with self.ctx.begin() as uow:
            return claims.claim(
                uow.conn,
                queues=sorted({QUEUE[kind] for kind in kinds}),
                lanes=list(Lane),
                worker="test",
            )

    def report(self, *reported: Reported) -> None:
        """What the callback door leaves behind."""
        with self.ctx.begin() as uow:
            callbacks.add(uow, reported)
            uow.enqueue(record_delivery.JOB)

    def age_attempts(self, seconds: float) -> None:
        """Let claims look older than they are."""
        with self.ctx.begin() as uow:
            uow.conn.execute(update(attempt).values(claimed_at=db_from_now(-seconds)))

    def set_referral(self, n: int = 0, **values: Any) -> None:
        """Change the nth resident's referral."""
        number = referral_id(self.world.batch, n + 2)
        with self.ctx.begin() as uow:
            uow.conn.execute(
                update(referral).where(referral.c.id == number).values(**values)
            )

    def _row(self, query: Any) -> Any:
        with self.ctx.reading() as conn:
            return conn.execute(query).one()


_opened: list[TwilioGateway] = []


def close_gateways() -> None:
    """Give back the connections of every house of a test."""
    while _opened:
        _opened.pop().close()


QUEUE = {"send.chunk": "send", "send.resolve": "send", "deliver.apply": "deliver"}


def post(
    ctx: Context,
    simulator: RunningSimulator,
    numbers: Sequence[str],
    *,
    urgent: bool = False,
    **rules: float,
) -> Post:
    """One queued award text for each of `numbers`; `rules` are those of [messages]."""
    gateway = TwilioGateway(
        account_sid=simulator.server.options.account_sid,
        auth_token=simulator.server.options.auth_token,
        api_url=simulator.url,
        call_limit_s=2.0,
    )
    _opened.append(gateway)
    ctx = dataclasses.replace(ctx, gateway=lambda _provider: gateway)
    made = world(ctx, count=len(numbers), gift_pence=100_000_000)
    with ctx.begin() as uow:
        body = RULES.read_text(encoding="utf-8")
        for name, value in {"segments_per_second": 100_000.0, **rules}.items():
            body = re.sub(rf"(?m)^{name} = .*\n", "", body)
            body = body.replace("[messages]\n", f"[messages]\n{name} = {value}\n", 1)
        uow.conn.execute(
            update(scheme_version).values(body=body, digest=uuid.uuid4().hex)
        )
        new = []
        for n, number in enumerate(numbers):
            owner = referral_id(made.batch, n + 2)
            uow.conn.execute(
                insert(contact).values(
                    referral_id=owner,
                    kind="mobile",
                    key=ctx.keys.match_key(5, number),
                    sealed=ctx.keys.seal("contact.sealed", owner, number.encode()),
                )
            )
            new.append(
                NewMessage(
                    award_id=award_id(owner),
                    purpose=Purpose.AWARD,
                    referral_id=owner,
                    scheme_id=made.scheme,
                    template="award",
                    language="en",
                    urgent=urgent,
                    batch_id=made.batch,
                )
            )
        messages.queue(uow, new)
    return Post(ctx, made, simulator, [one.id for one in new])


def sent_per_text(house: Post) -> Counter[int]:
    """How many texts the provider accepted, by the number of our message."""
    return Counter(int(one["attempt_id"]) >> 4 for one in house.simulator.accepted())


def house_once(house: Post) -> None:
    """Carry one job only: what it promises stays promised."""
    claimed = house.claim("send.chunk")
    send.handle(house.ctx, claimed)


def house_claim_resolve(house: Post) -> ClaimedJob:
    """Take the waiting resolve job although its time has not come."""
    with house.ctx.begin() as uow:
        uow.conn.execute(update(job).values(run_at=db_now()))
    return house.claim("send.resolve")
