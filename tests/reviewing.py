"""Reviews at hand: people who rule, rows in question, and what a grant leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from tests.referrals import person, receive
from vouchers.backoffice import reviews
from vouchers.domain.matching.rulings import Ruling, RulingReason
from vouchers.domain.roles import Person, Role
from vouchers.pipeline.carry import carry_all
from vouchers.pipeline.context import Context
from vouchers.store.tables.awards import award
from vouchers.store.tables.intake import referral
from vouchers.store.tables.parties import scheme, scheme_version

AMY = Person(1, "amy", frozenset({Role.REVIEWER}))
SAM = Person(2, "sam", frozenset({Role.SAFEGUARDING}))
FIN = Person(3, "fin", frozenset({Role.FINANCE}))
WHY = RulingReason.PARTNER_CONFIRMED
TWIN = {"given_name": "Hannah"}


def deduplicated(ctx: Context, *rows: Any, **how: Any) -> list[Any]:
    """Receive rows in one batch, deduplicate them, give them back."""
    ids = receive(ctx, *rows, **how)
    carry_all(ctx, ["deduplicate"])
    return [now(ctx, rid) for rid in ids]


def now(ctx: Context, rid: int) -> Any:
    """A referral as it stands."""
    with ctx.reading() as conn:
        return conn.execute(select(referral).where(referral.c.id == rid)).one()


def rows(ctx: Context, table: Any) -> list[Any]:
    """All rows of a table."""
    with ctx.reading() as conn:
        return list(conn.execute(select(table)))


def rule(ctx: Context, review_id: int, ruling: Ruling, **more: Any) -> Any:
    """Amy's ruling on one review."""
    (done,) = reviews.decide(
        ctx, AMY, [review_id], ruling, reason=WHY, door="test", **more
    )
    return done


def open_scheme(ctx: Context) -> None:
    """The scheme as shipped, which says how much is too much."""
    body = Path("config/scheme.toml").read_text(encoding="utf-8")
    with ctx.begin() as uow:
        uow.conn.execute(
            insert(scheme).values(id=1, slug="winter", name="Winter", version=1)
        )
        uow.conn.execute(
            insert(scheme_version).values(
                id=1, scheme_id=1, number=1, body=body, digest="0" * 64,
                state="active", loaded_by="test", loaded_at=uow.now,
            )
        )  # fmt: skip


def two_in_question(ctx: Context) -> tuple[Any, Any]:
    """Sarah is known; Hannah, of the same birthday and home, is in review."""
    (sarah,) = deduplicated(ctx, person())
    (hannah,) = deduplicated(ctx, person(**TWIN), partner_id=2)
    return sarah, hannah


def grant(ctx: Context, rid: int) -> None:
    """Grant a referral as allocate does, as far as reviews look."""
    row = now(ctx, rid)
    with ctx.begin() as uow:
        uow.conn.execute(
            insert(award).values(
                id=rid << 3, referral_id=rid, partner_id=row.partner_id, scheme_id=1,
                cap_group="x", pool_id=1, resident_id=row.resident_id,
                household_id=row.household_id, network="paypoint", state="granted",
                amount_pence=4900, full_pence=4900, granted_at=uow.now,
                granted_on=uow.now.date(), judged={},
            )
        )  # fmt: skip
        uow.conn.execute(
            update(referral).where(referral.c.id == rid).values(state="granted")
        )
