"""The file that tells a network which codes we made, so that its shops accept them."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from vouchers.errors import NotFound, Refused
from vouchers.pipeline.context import Context
from vouchers.store import schemes
from vouchers.store.listed import among
from vouchers.store.tables.awards import voucher
from vouchers.store.tables.money import activation, code
from vouchers.store.unit_of_work import UnitOfWork

#: Codes in one file; a further call writes the next.
UNITS_MAX = 100_000
COLUMNS = ("code", "value", "expires", "reference")


@dataclass(frozen=True, slots=True)
class Exported:
    """A file for a network; None for the path when there was nothing to announce."""

    path: Path | None
    activation_id: int | None
    units: int
    pence: int


def export(ctx: Context, actor: str, *, network: str, out: Path) -> Exported:
    """Write the codes that `network` does not know yet to a file under `out`.

    The file holds codes in clear: mode 600, written whole under its name, audited.
    It is on disk before the commit: a crash between the two announces some codes twice,
    which a network forgives; never a code that it was not told of.
    """
    with ctx.begin(actor=actor, name="activations.export") as uow:
        rows = _unannounced(uow, network)
        if not rows:
            _refuse_unknown(uow, network)
            return Exported(None, None, 0, 0)
        pence = sum(row.value_pence for row in rows)
        number: int = uow.conn.execute(
            insert(activation)
            .values(
                network=network,
                units=len(rows),
                pence=pence,
                actor=actor,
                exported_at=uow.now,
            )
            .returning(activation.c.id)
        ).scalar_one()
        path = out / f"activation-{network}-{number}.csv"
        _write(path, [_line(ctx, row) for row in rows])
        uow.conn.execute(
            update(code)
            .where(among(uow.conn, code.c.id, [row.id for row in rows]))
            .values(activation_id=number)
        )
        uow.record(
            "activation.exported",
            number,
            network=network,
            units=len(rows),
            pence=pence,
        )
    return Exported(path, number, len(rows), pence)


def _unannounced(uow: UnitOfWork, network: str) -> Sequence[Any]:
    return uow.conn.execute(
        select(code.c.id, code.c.value_pence, code.c.sealed, voucher.c.expires_on)
        .join(voucher, voucher.c.id == code.c.voucher_id)
        .add_columns(code.c.voucher_id)
        .where(
            code.c.network == network,
            code.c.stock_batch_id.is_(None),
            code.c.activation_id.is_(None),
            code.c.state == "bound",
            code.c.sealed.is_not(None),
        )
        .order_by(code.c.id)
        .limit(UNITS_MAX)
        .with_for_update(of=code)
    ).all()


def _refuse_unknown(uow: UnitOfWork, network: str) -> None:
    """A slip in the name must not read as if the network knew every code."""
    names = set[str]()
    for row in schemes.all_schemes(uow.conn):
        with suppress(NotFound):
            names |= schemes.active(uow.conn, row.id).networks.keys()
    if network not in names:
        known = ", ".join(sorted(names))
        raise Refused(f"no scheme's rules name a network {network}; there are {known}")


def _line(ctx: Context, row: Any) -> tuple[str, str, str, str]:
    plain = ctx.keys.open("code.sealed", row.id, row.sealed).decode()
    pounds = f"{row.value_pence // 100}.{row.value_pence % 100:02d}"
    # The reference is our own opaque number: it names nobody.
    return plain, pounds, row.expires_on.isoformat(), str(row.voucher_id)


def _write(path: Path, lines: Sequence[tuple[str, str, str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        writer.writerows(lines)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)
