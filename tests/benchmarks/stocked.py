"""Fills registers with invented residents, sealed, through the store's own writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, make_url, text

from schemas.row import MeterType, ResidentRow
from tests.benchmarks import registry as harsh
from vouchers.domain.matching.features import read_features
from vouchers.pipeline.deduplicate import marks_of
from vouchers.store import migrations, registry, residents
from vouchers.store.bulk import chunks, insert_rows
from vouchers.store.engine import open_engine
from vouchers.store.sealing import Keyring
from vouchers.store.tables.identity import household, membership, resident

#: The same seed gives the same residents, and the rows that meet them.
SEED = 1
NOON = datetime(2026, 12, 7, 12, 0, tzinfo=UTC)
#: Residents written in one transaction.
_BITE = 10_000


@dataclass
class _Bite:
    """What is written of some residents at once, the same for every database."""

    people: list[dict[str, Any]] = field(default_factory=list)
    homes: list[dict[str, Any]] = field(default_factory=list)
    links: list[dict[str, Any]] = field(default_factory=list)
    marks: set[tuple[int, tuple[int, int]]] = field(default_factory=set)


def resident_row(reference: str, fields: Mapping[str, str]) -> ResidentRow:
    """An invented row in the clean form in which accept leaves one."""
    born = fields["date_of_birth"]
    return ResidentRow.model_construct(
        reference=reference,
        given_name=fields["given_name"],
        family_name=fields["family_name"],
        date_of_birth=date.fromisoformat(born) if born else None,
        address_line_1=fields["address_line_1"],
        address_line_2=fields["address_line_2"],
        town=fields["town"],
        postcode=fields["postcode"],
        uprn=fields["uprn"] or None,
        meter_type=MeterType.PREPAY_KEY,
        energy_supplier="edf",
        meter_number=fields["meter_number"] or None,
        worker="A. Worker",
        resident_told=True,
        off_supply=False,
        days_left=2,
        mobile=fields["mobile"] or None,
        email=fields["email"] or None,
    )


@contextmanager
def stocked(
    databases: Sequence[str], size: int, *, server: str, folder: Path, keep: bool
) -> Iterator[tuple[dict[str, str], Path]]:
    """Registers of `size` residents: gives their URLs by database, and the key file.

    With `keep` they stay, in `folder` and on the server, and are found again.
    """
    keys_path = folder / f"keys-{size}.json"
    name = f"bench_matching_{size}"
    urls, empty = {}, []
    for database in databases:
        if database == "sqlite":
            path = folder / f"{name}.sqlite"
            urls[database], ready = f"sqlite:///{path}", path.exists()
        else:
            urls[database], ready = _own_database(server, name)
        if not ready:
            empty.append(database)
    if empty:
        if not keys_path.exists():
            Keyring.create(keys_path)
        engines = [open_engine(urls[database]) for database in empty]
        fill(engines, Keyring.load(keys_path), size)
        for engine in engines:
            engine.dispose()
    try:
        yield urls, keys_path
    finally:
        if not keep:
            for url in urls.values():
                _remove(url, server)


def fill(engines: Sequence[Engine], keys: Keyring, size: int) -> None:
    """Write `size` residents with homes and match keys, as deduplicate would have."""
    for engine in engines:
        migrations.migrate(engine)
    doors: dict[str, int] = {}
    numbered = enumerate(harsh.residents(SEED, size), start=1)
    for some in chunks(numbered, _BITE):
        bite = _Bite()
        for rid, row in some:
            _add(bite, keys, rid, row, doors)
        # Neighbours in the list share a home; nobody further on does.
        doors = dict(list(doors.items())[-100:])
        for engine in engines:
            with engine.begin() as conn:
                if conn.dialect.name == "sqlite":
                    # Keys in random order need the whole tree in memory.
                    conn.exec_driver_sql("PRAGMA cache_size=-3000000")
                _write(conn, keys, bite)
    for engine in engines:
        with engine.connect() as conn:
            if conn.dialect.name == "postgresql":
                conn = conn.execution_options(isolation_level="AUTOCOMMIT")
                conn.execute(text("vacuum analyze"))


def _add(
    bite: _Bite, keys: Keyring, rid: int, row: harsh.Row, doors: dict[str, int]
) -> None:
    features = read_features(row.fields)
    bite.people.append(
        {
            "id": rid,
            **residents.seal_person(keys, rid, row.fields, features),
            "protected": False,
            "provisional": False,
            "created_at": NOON,
        }
    )
    home = doors.setdefault(row.household_id, rid)
    if home == rid:
        bite.homes.append({"id": rid, "communal": False, "created_at": NOON})
    bite.links.append(
        {"household_id": home, "resident_id": rid, "from_on": NOON.date()}
    )
    marks = marks_of(keys, features, protected=False)
    bite.marks.update((rid, mark) for mark in marks)


def _write(conn: Connection, keys: Keyring, bite: _Bite) -> None:
    insert_rows(conn, resident, bite.people)
    insert_rows(conn, household, bite.homes)
    insert_rows(conn, membership, bite.links)
    registry.insert_keys(conn, bite.marks, keys.match_current, known=False)
    registry.count_residents(conn, len(bite.people))


def _own_database(server: str, name: str) -> tuple[str, bool]:
    at = make_url(server).set(drivername="postgresql+psycopg")
    admin = create_engine(at, isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        found = text("select 1 from pg_database where datname = :name")
        ready = conn.execute(found, {"name": name}).scalar() is not None
        if not ready:
            conn.execute(text(f'create database "{name}" template template0'))
    admin.dispose()
    return at.set(database=name).render_as_string(hide_password=False), ready


def _remove(url: str, server: str) -> None:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        for end in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                Path(f"{parsed.database}{end}").unlink()
        return
    at = make_url(server).set(drivername="postgresql+psycopg")
    admin = create_engine(at, isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.execute(text(f'drop database "{parsed.database}" with (force)'))
    admin.dispose()
