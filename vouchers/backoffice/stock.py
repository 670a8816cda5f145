"""Bought codes: a file is taken in as a whole, or kept away as a whole with reasons."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from schemas.scheme import Network, Supply
from vouchers.domain import codes
from vouchers.domain.calendar import local_date
from vouchers.domain.ids import stock_code_id
from vouchers.errors import BadFile, Refused
from vouchers.pipeline.context import Context
from vouchers.store import pools, schemes, stock
from vouchers.store.bulk import insert_rows
from vouchers.store.sealing import Keyring
from vouchers.store.stock import Level
from vouchers.store.tables.money import code, stock_batch
from vouchers.store.unit_of_work import UnitOfWork

COLUMNS = ("code", "value", "expires")
#: A file of more codes than this is sent in parts.
UNITS_MAX = 200_000
#: As issuers write it: 49, 49.5, £49.00; no 4.9E+01 and no infinity.
_POUNDS = re.compile(r"£?(\d{1,6})(?:\.(\d{1,2}))?", re.ASCII)
#: Faults that are told one by one; the rest are only counted.
FAULTS_TOLD = 200


@dataclass(frozen=True, slots=True)
class LineFault:
    """What is wrong with one line; the line's text itself is never repeated."""

    line: int
    fault: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file of codes."""

    stock_batch_id: int
    state: str
    units: int
    pence: int
    faults: tuple[LineFault, ...] = ()
    #: The same file was handed in before; nothing was changed.
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class _Unit:
    line: int
    plain: str
    pence: int
    expires_on: date | None
    digest: bytes


def take_in(
    ctx: Context,
    actor: str,
    *,
    scheme: str,
    network: str,
    path: Path,
    cost_pence: int = 0,
) -> Taken:
    """Import a CSV of codes (columns code, value in pounds, expires as YYYY-MM-DD).

    One bad line keeps the whole file in quarantine, with a reason per line: a file that
    is wrong in one place may be wrong in all. The same file again changes nothing.
    """
    digest = _digest(ctx.keys, path)
    with ctx.begin(actor=actor, name="stock.import") as uow:
        row = schemes.by_slug(uow.conn, scheme)
        rules = schemes.active(uow.conn, row.id)
        shape = rules.networks.get(network)
        if shape is None or shape.supply is not Supply.STOCK:
            raise Refused(f"{network} does not take its codes from stock here")
        known = uow.conn.execute(
            select(stock_batch).where(stock_batch.c.digest == digest)
        ).first()
        today = local_date(uow.now, rules.zone)
        if known is not None and known.state != "quarantined":
            return Taken(
                known.id, known.state, known.units, known.value_pence, repeated=True
            )
        units, faults = _read(ctx.keys, path, shape, today)
        faults += _seen_before(uow, units)
        if known is not None:
            # It stays away, with its reasons; a file that was put right is another.
            faults = faults or [LineFault(1, known.reason or "quarantined")]
            told = tuple(faults[:FAULTS_TOLD])
            return Taken(known.id, known.state, 0, 0, told, repeated=True)
        faults.sort(key=lambda fault: fault.line)
        return _remember(
            uow, ctx.keys, row.id, network, digest, units, faults, cost_pence
        )


def levels(ctx: Context, scheme: str | None = None) -> list[Level]:
    """What is on the shelves, by network and value."""
    with ctx.reading() as conn:
        scheme_id = schemes.by_slug(conn, scheme).id if scheme else None
        return stock.levels(conn, scheme_id)


def _remember(
    uow: UnitOfWork,
    keys: Keyring,
    scheme_id: int,
    network: str,
    digest: bytes,
    units: Sequence[_Unit],
    faults: Sequence[LineFault],
    cost_pence: int,
) -> Taken:
    good = not faults
    state = "live" if good else "quarantined"
    pence = sum(unit.pence for unit in units) if good else 0
    batch_id: int = uow.conn.execute(
        insert(stock_batch)
        .values(
            scheme_id=scheme_id,
            network=network,
            digest=digest,
            state=state,
            reason=None if good else faults[0].fault,
            units=len(units) if good else 0,
            value_pence=pence,
            cost_pence=cost_pence,
            actor=uow.actor,
            imported_at=uow.now,
        )
        .returning(stock_batch.c.id)
    ).scalar_one()
    if good:
        insert_rows(
            uow.conn, code, [_row(keys, batch_id, network, unit) for unit in units]
        )
        pools.supply_arrived(uow, scheme_id)
    uow.record(
        "stock_batch.imported",
        batch_id,
        state=state,
        network=network,
        units=len(units) if good else 0,
        pence=pence,
        faults=len(faults),
    )
    return Taken(
        batch_id,
        state,
        len(units) if good else 0,
        pence,
        tuple(faults[:FAULTS_TOLD]),
    )


def _row(keys: Keyring, batch_id: int, network: str, unit: _Unit) -> dict[str, Any]:
    number = stock_code_id(batch_id, unit.line)
    return {
        "id": number,
        "digest": unit.digest,
        "network": network,
        "value_pence": unit.pence,
        "stock_batch_id": batch_id,
        "state": "free",
        "sealed": keys.seal("code.sealed", number, unit.plain.encode()),
        "tail_key": keys.tail_key(unit.plain),
        "expires_on": unit.expires_on,
    }


def _digest(keys: Keyring, path: Path) -> bytes:
    running = keys.file_digest()
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            running.update(piece)
    return running.digest()


def _read(
    keys: Keyring, path: Path, network: Network, today: date
) -> tuple[list[_Unit], list[LineFault]]:
    units: list[_Unit] = []
    faults: list[LineFault] = []
    seen: dict[bytes, int] = {}
    for line, fields in _lines(path):
        try:
            unit = _unit(keys, line, fields, network, today)
        except ValueError as error:
            faults.append(LineFault(line, str(error)))
            continue
        if unit.digest in seen:
            faults.append(LineFault(line, "code_twice_in_file"))
            continue
        seen[unit.digest] = line
        units.append(unit)
    if not units and not faults:
        faults.append(LineFault(1, "no_codes"))
    return units, faults


def _lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream)
            names = [name.strip().lower() for name in next(reader, [])]
            if sorted(names) != sorted(COLUMNS):
                raise BadFile("columns", "the columns are code, value, expires")
            for fields in reader:
                if not any(field.strip() for field in fields):
                    continue
                if reader.line_num > UNITS_MAX + 1:
                    raise BadFile("too_many_codes", "send this file in parts")
                if len(fields) != len(names):
                    yield reader.line_num, {}
                    continue
                yield reader.line_num, dict(zip(names, fields, strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise BadFile("not_a_csv", "this is not a CSV file in UTF-8") from None


def _unit(
    keys: Keyring, line: int, fields: dict[str, str], network: Network, today: date
) -> _Unit:
    """One line as a unit; ValueError with a fault code."""
    if not fields:
        raise ValueError("columns")
    plain = codes.plain(fields["code"])
    fault = codes.fault(plain, network)
    if fault is not None:
        raise ValueError(fault)
    pence = _pence(fields["value"])
    if not network.least_pence <= pence <= network.most_pence:
        raise ValueError("value_out_of_range")
    expires_on = _day(fields["expires"])
    if expires_on is not None and expires_on <= today:
        raise ValueError("expired")
    return _Unit(line, plain, pence, expires_on, keys.code_digest(plain))


def _pence(text: str) -> int:
    found = _POUNDS.fullmatch(text.strip())
    if found is None:
        raise ValueError("value")
    pounds, pence = found.groups()
    return int(pounds) * 100 + int((pence or "").ljust(2, "0"))


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError("expires") from None


def _seen_before(uow: UnitOfWork, units: Sequence[_Unit]) -> list[LineFault]:
    """Codes that any network ever had: sold to us twice, or a wrong file."""
    known = stock.known_digests(uow.conn, [unit.digest for unit in units])
    return [
        LineFault(unit.line, "code_seen_before")
        for unit in units
        if unit.digest in known
    ]
