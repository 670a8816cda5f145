"""Codes end at midnight; their money goes home once the network has had its say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from schemas.scheme import Feed, Network
from vouchers.domain import redemption
from vouchers.domain.calendar import local_date
from vouchers.domain.redemption import Oddity
from vouchers.errors import NotFound
from vouchers.pipeline.context import Context
from vouchers.pipeline.moving import transfers_for
from vouchers.store import expiries, ledger, pools, redemptions, schemes
from vouchers.store.unit_of_work import UnitOfWork

#: Vouchers ended or released in one transaction.
CHUNK = 500
#: Days that a missing day of a feed stays of interest.
GAP_DAYS = 60


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did."""

    expired: int = 0
    released: int = 0
    released_pence: int = 0

    def __add__(self, other: Swept) -> Swept:
        """Both sweeps together."""
        return Swept(
            self.expired + other.expired,
            self.released + other.released,
            self.released_pence + other.released_pence,
        )


def sweep(ctx: Context) -> Swept:
    """End what is past its last day, release what is settled; safe to repeat.

    A code's use stops at local midnight after `expires_on`. Its money waits until the
    network's files cover that day without a gap, or the settlement lag has passed.
    """
    done = Swept()
    for scheme_id, today, networks in _open_schemes(ctx):
        done += _repeat(partial(_expire, ctx, scheme_id, today))
        for name, network in networks.items():
            until = _settled_until(ctx, name, network, today)
            done += _repeat(partial(_release, ctx, scheme_id, name, until))
    _note_missing_days(ctx)
    return done


def _repeat(once: Callable[[], Swept]) -> Swept:
    total = Swept()
    while (step := once()) != Swept():
        total += step
    return total


def _open_schemes(ctx: Context) -> list[tuple[int, date, dict[str, Network]]]:
    """Every scheme that has rules: closed ones still have codes out there."""
    found = []
    with ctx.reading() as conn:
        for row in schemes.all_schemes(conn):
            try:
                rules = schemes.active(conn, row.id)
            except NotFound:
                continue
            today = local_date(ctx.clock(), rules.zone)
            found.append((row.id, today, dict(rules.networks)))
    return found


def _settled_until(ctx: Context, name: str, network: Network, today: date) -> date:
    """The last day of expiry for which nothing more is to be expected."""
    lag = today - timedelta(days=network.settlement_lag_days + 1)
    if network.feed == Feed.NONE:
        return lag
    with ctx.reading() as conn:
        covered = redemption.covered_until(redemptions.spans(conn, name))
    return lag if covered is None else max(lag, min(covered, today - timedelta(days=1)))


def _expire(ctx: Context, scheme_id: int, today: date) -> Swept:
    with ctx.begin(name="expire.end") as uow:
        ids = expiries.ended_vouchers(uow.conn, scheme_id, before=today, limit=CHUNK)
        if ids:
            expiries.mark_ended(uow, ids)
        return Swept(expired=len(ids))


def _release(ctx: Context, scheme_id: int, network: str, until: date) -> Swept:
    with ctx.begin(name="expire.release") as uow:
        ids = expiries.releasable_vouchers(
            uow.conn, scheme_id, network, until=until, limit=CHUNK
        )
        if not ids:
            return Swept()
        pence = _send_home(uow, ids)
        pools.supply_arrived(uow, scheme_id)
        return Swept(released=len(ids), released_pence=pence)


def _send_home(uow: UnitOfWork, ids: list[int]) -> int:
    held = redemptions.lock(uow.conn, ids)
    pools.lock(uow.conn, {owner.contribution_id for _, owner in held.values()})
    after, moved = [], []
    for voucher, owner in held.values():
        outcome = redemption.release(voucher)
        transfers = transfers_for(
            f"expire:{voucher.id}:{owner.transfers}",
            outcome,
            owner,
            event_at=uow.now,
        )
        after.append(outcome.voucher)
        moved += transfers
        uow.record(
            "voucher.released",
            voucher.id,
            state=outcome.voucher.state.value,
            pence=voucher.issued,
            transfers=ledger.in_audit(transfers),
        )
    ledger.post(uow, moved)
    redemptions.write_vouchers(uow.conn, after, uow.now)
    redemptions.end_released_codes(uow.conn, ids)
    redemptions.settle_awards(uow, ids)
    return sum(transfer.pence for transfer in moved)


def _note_missing_days(ctx: Context) -> None:
    """A day that a network's files pass over is a discrepancy, once."""
    with ctx.reading() as conn:
        since = ctx.clock().date() - timedelta(days=GAP_DAYS)
        gaps = [
            (name, day)
            for name in redemptions.networks(conn)
            for day in redemption.missing_days(redemptions.spans(conn, name))
            if day >= since
        ]
    if not gaps:
        return
    with ctx.begin(name="expire.gaps") as uow:
        redemptions.write_discrepancies(
            uow.conn,
            [
                redemptions.open_discrepancy(
                    f"gap:{name}:{day.isoformat()}", Oddity.MISSING_DAY, uow.now
                )
                for name, day in gaps
            ],
        )
