"""Remembers what was counted of each file, and lets its bulk rows wait or go on.

Rows that wait keep their jobs: these are due in ten years, until somebody lets them go.
So nobody has to look at them again and again, and nothing can forget them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select, update

from vouchers.domain.ids import batch_of
from vouchers.store.listed import among
from vouchers.store.registry import AnyRow
from vouchers.store.tables.intake import batch, referral
from vouchers.store.tables.parties import partner
from vouchers.store.tables.types import db_from_now, db_now
from vouchers.store.tables.work import job

#: Delay of a job that waits for a person; nothing else waits for a tenth of that.
PARKED_S = 10 * 365 * 86_400
_PARKED_LEAST_S = PARKED_S / 10
#: So many of a partner's files say how large its files are.
USUAL_FILES = 20
#: States of a file whose rows were taken.
TAKEN = ("open", "stopped", "finished")

_COUNTED = (
    batch.c.id,
    batch.c.scheme_id,
    batch.c.partner_id,
    batch.c.state,
    batch.c.gated,
    batch.c.rows_total,
    batch.c.rows_staged,
    batch.c.rows_read,
    batch.c.rows_matched,
    batch.c.rows_repeated,
    batch.c.watch,
    batch.c.stopped_for,
    batch.c.released_for,
)


# ---------------------------------------------------------------- counts


def sizes(conn: Connection, *, partner_id: int, scheme_id: int) -> list[int]:
    """Rows of a partner's latest files."""
    found = (
        select(batch.c.rows_total)
        .where(
            batch.c.partner_id == partner_id,
            batch.c.scheme_id == scheme_id,
            batch.c.state.in_(TAKEN),
            batch.c.rows_total.is_not(None),
        )
        .order_by(batch.c.id.desc())
        .limit(USUAL_FILES)
    )
    return [int(rows) for rows in conn.scalars(found)]


def is_gated(conn: Connection, batch_id: int) -> bool:
    """Whether a batch's bulk rows wait until it was read to its end."""
    return bool(conn.scalar(select(batch.c.gated).where(batch.c.id == batch_id)))


def count_read(conn: Connection, batch_id: int, rows: int) -> AnyRow | None:
    """Count rows that became a referral or an error; the batch stays locked."""
    found: AnyRow | None = conn.execute(
        update(batch)
        .where(batch.c.id == batch_id)
        .values(rows_read=batch.c.rows_read + rows)
        .returning(*_COUNTED)
    ).one_or_none()
    return found


def count_matched(
    conn: Connection, batch_id: int, *, rows: int, repeated: int
) -> AnyRow:
    """Count rows that the matcher has seen; the batch stays locked."""
    return conn.execute(
        update(batch)
        .where(batch.c.id == batch_id)
        .values(
            rows_matched=batch.c.rows_matched + rows,
            rows_repeated=batch.c.rows_repeated + repeated,
        )
        .returning(*_COUNTED)
    ).one()


def lock(conn: Connection, batch_id: int) -> AnyRow | None:
    """One batch as it is counted, locked until the end of the unit."""
    found: AnyRow | None = conn.execute(
        select(*_COUNTED).where(batch.c.id == batch_id).with_for_update()
    ).one_or_none()
    return found


def stopped_among(
    conn: Connection, batch_ids: Collection[int], *, locked: bool = False
) -> set[int]:
    """Which of these batches wait for a person."""
    found = select(batch.c.id).where(
        among(conn, batch.c.id, list(batch_ids)), batch.c.state == "stopped"
    )
    if locked:
        found = found.order_by(batch.c.id).with_for_update()
    return set(conn.execute(found).scalars())


def brought_before(
    conn: Connection, residents: Mapping[int, int], partner_of: Mapping[int, int]
) -> set[int]:
    """Which rows bring people anew whom their own partner had sent in another file.

    `residents` is row -> resident, `partner_of` batch -> partner. Such rows are the
    partner's own business: they say nothing about the file.
    """
    if not residents:
        return set()
    known = conn.execute(
        select(referral.c.resident_id, referral.c.partner_id, referral.c.batch_id)
        .where(among(conn, referral.c.resident_id, set(residents.values())))
        .distinct()
    ).all()
    own: dict[tuple[int, int], set[int]] = {}
    for resident_id, partner_id, batch_id in known:
        own.setdefault((resident_id, partner_id), set()).add(batch_id)
    return {
        row
        for row, resident_id in residents.items()
        if own.get((resident_id, partner_of[batch_of(row)]), set()) - {batch_of(row)}
    }


# ---------------------------------------------------------------- jobs that wait


def park(conn: Connection, batch_id: int) -> None:
    """Have the bulk rows of a batch that are still to be matched wait."""
    conn.execute(
        update(job)
        .where(
            job.c.batch_id == batch_id,
            job.c.state == "ready",
            job.c.queue == "deduplicate",
            job.c.lane > 0,
        )
        .values(run_at=db_from_now(PARKED_S))
    )


def let_go(conn: Connection, batch_id: int) -> None:
    """Have the rows that waited go on now."""
    conn.execute(update(job).where(_parked(batch_id)).values(run_at=db_now()))


def drop(conn: Connection, batch_id: int) -> None:
    """Forget the jobs of rows that waited: these rows end otherwise."""
    conn.execute(
        update(job)
        .where(_parked(batch_id))
        .values(state="done", finished_at=db_now(), lease_until=None)
    )


def _parked(batch_id: int) -> Any:
    return and_(
        job.c.batch_id == batch_id,
        job.c.state == "ready",
        job.c.run_at > db_from_now(_PARKED_LEAST_S),
    )


# ---------------------------------------------------------------- for people


def listing(
    conn: Connection, *, limit: int, everything: bool = False
) -> Sequence[AnyRow]:
    """Files that were ever stopped, those that wait first, then the newest."""
    waits = batch.c.state == "stopped"
    found = _shown().where(
        or_(waits, batch.c.stopped_at.is_not(None)) if everything else waits
    )
    order = (waits.desc(), batch.c.stopped_at, batch.c.id)
    return conn.execute(found.order_by(*order).limit(limit)).all()


def one(conn: Connection, batch_id: int) -> AnyRow | None:
    """One file with its counts and its partner."""
    return conn.execute(_shown().where(batch.c.id == batch_id)).one_or_none()


def _shown() -> Any:
    return select(
        *_COUNTED,
        batch.c.received_at,
        batch.c.stopped_at,
        batch.c.via,
        partner.c.slug.label("partner"),
    ).select_from(batch.join(partner, partner.c.id == batch.c.partner_id))


def urgent_waiting(conn: Connection, batch_id: int) -> int:
    """Rows of a file off supply that nothing was decided on yet."""
    return int(
        conn.scalar(
            select(func.count()).where(
                referral.c.batch_id == batch_id,
                referral.c.off_supply.is_(True),
                referral.c.state.in_(("received", "matched", "checking")),
            )
        )
        or 0
    )


def open_rows(
    conn: Connection, batch_id: int, states: Collection[str], *, above: int, most: int
) -> list[AnyRow]:
    """Rows of a batch in some states, locked, in order of number."""
    return list(
        conn.execute(
            select(
                referral.c.id,
                referral.c.state,
                referral.c.need_rank,
                referral.c.off_supply,
            )
            .where(
                referral.c.batch_id == batch_id,
                referral.c.state.in_(list(states)),
                referral.c.id > above,
            )
            .order_by(referral.c.id)
            .limit(most)
            .with_for_update()
        )
    )
